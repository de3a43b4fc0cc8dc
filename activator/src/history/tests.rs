use super::*;

struct Bed {
    _folder: tempfile::TempDir,
    state: State,
}

impl Bed {
    /// A history of three switches.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(folder.path());
        fs::create_dir_all(state.folder()).unwrap();
        let bed = Self { _folder: folder, state };
        (1..=3).for_each(|to| bed.add(to));
        bed
    }

    fn add(&self, to: u64) {
        let entry = HistoryEntry { what: "switch".to_owned(), to, ..HistoryEntry::default() };
        note(&Disk, &self.state, entry).unwrap();
    }

    fn edit(&self, change: impl FnOnce(Vec<String>) -> Vec<String>) {
        let text = fs::read_to_string(path(&self.state)).unwrap();
        let lines = change(text.lines().map(str::to_owned).collect());
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(path(&self.state), text).unwrap();
    }

    /// How many entries are read, and what is wrong.
    fn read(&self) -> String {
        let history = read(&self.state).unwrap();
        let wrong = history.broken.iter().map(|(line, why)| format!("; line {line} {why}"));
        format!("{} entries{}", history.entries.len(), wrong.collect::<String>())
    }
}

#[test]
fn a_history_that_nobody_touched_is_whole() {
    let bed = Bed::new();
    assert_eq!(bed.read(), "3 entries");
    let numbers: Vec<u64> =
        read(&bed.state).unwrap().entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn what_somebody_did_to_a_line_is_seen_and_stays_so() {
    type Change = fn(Vec<String>) -> Vec<String>;
    let changes: [(&str, Change); 7] = [
        ("the first is changed", |mut lines| {
            lines[0] = lines[0].replace("\"to\":1", "\"to\":7");
            lines
        }),
        ("the last is changed", |mut lines| {
            lines[2] = lines[2].replace("\"to\":3", "\"to\":7");
            lines
        }),
        ("the middle is removed", |mut lines| {
            lines.remove(1);
            lines
        }),
        ("the last two are removed", |lines| lines[..1].to_vec()),
        ("all are removed", |_| Vec::new()),
        ("nonsense is added", |lines| [lines, vec!["nonsense".to_owned()]].concat()),
        ("the middle is nonsense", |mut lines| {
            lines[1] = "nonsense".to_owned();
            lines
        }),
    ];
    let mut told = String::new();
    for (what, change) in changes {
        let bed = Bed::new();
        bed.edit(change);
        told.push_str(&format!("{what}: {}\n", bed.read()));
        bed.add(4);
        told.push_str(&format!("    then: {}\n", bed.read()));
    }
    insta::assert_snapshot!(told, @"
    the first is changed: 3 entries; line 2 does not follow the line before it, which was changed or removed
        then: 4 entries; line 2 does not follow the line before it, which was changed or removed
    the last is changed: 3 entries; line 3 is not the line that was last written
        then: 4 entries; line 4 does not follow the line before it, which was changed or removed
    the middle is removed: 2 entries; line 2 does not follow the line before it, which was changed or removed
        then: 3 entries; line 2 does not follow the line before it, which was changed or removed
    the last two are removed: 1 entries; line 2 is gone, and all up to number 3
        then: 2 entries; line 2 does not follow the line before it, which was changed or removed
    all are removed: 0 entries; line 1 is gone, and all up to number 3
        then: 1 entries; line 1 does not follow the line before it, which was changed or removed
    nonsense is added: 3 entries; line 4 is no entry
        then: 4 entries; line 4 is no entry; line 5 does not follow the line before it, which was changed or removed
    the middle is nonsense: 2 entries; line 2 is no entry; line 3 does not follow the line before it, which was changed or removed
        then: 3 entries; line 2 is no entry; line 3 does not follow the line before it, which was changed or removed
    ");
}

#[test]
fn a_crash_between_line_and_head_is_no_change() {
    let bed = Bed::new();
    let head = fs::read(head_path(&bed.state)).unwrap();
    bed.add(4);
    fs::write(head_path(&bed.state), head).unwrap();
    assert_eq!(bed.read(), "4 entries");
    bed.add(5);
    assert_eq!(bed.read(), "5 entries");
    // Nor is a line that was cut by it.
    let mut text = fs::read(path(&bed.state)).unwrap();
    text.extend(b"{\"number\":6");
    fs::write(path(&bed.state), text).unwrap();
    assert_eq!(bed.read(), "5 entries");
    bed.add(6);
    assert_eq!(bed.read(), "6 entries");
    // And the very first line may stand without a head.
    let bed = Bed::new();
    bed.edit(|lines| lines[..1].to_vec());
    fs::remove_file(head_path(&bed.state)).unwrap();
    assert_eq!(bed.read(), "1 entries");
}

#[test]
fn a_damaged_head_is_told_and_written_anew() {
    for damage in ["", "{}", "[1,2"] {
        let bed = Bed::new();
        fs::write(head_path(&bed.state), damage).unwrap();
        assert!(
            bed.read().starts_with("3 entries; line 3 may not be the last: "),
            "{}",
            bed.read()
        );
        bed.add(4);
        assert_eq!(bed.read(), "4 entries");
    }
    let bed = Bed::new();
    fs::remove_file(head_path(&bed.state)).unwrap();
    assert_eq!(bed.read(), "3 entries; line 3 may not be the last: history.head is gone");
}
