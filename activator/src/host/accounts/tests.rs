use super::*;
use database::Table;

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:,,,:/home/ann:/bin/bash\n+odd line\n";
const GROUP: &str = "root:x:0:\nsudo:x:27:ann\nann:x:1000:\nusers:x:100:\n";
const SHADOW: &str = "root:*:19000:0:99999:7:::\nann:$6$x:19000:0:99999:7:::\n";
const GSHADOW: &str = "root:*::\nsudo:*::ann\nann:!::\nusers:*::\n";

fn database() -> Database {
    Database {
        passwd: Table::parse(PASSWD),
        shadow: Table::parse(SHADOW),
        group: Table::parse(GROUP),
        gshadow: Table::parse(GSHADOW),
        ..Database::default()
    }
}

fn user(is_system: bool, extra: &[&str]) -> User {
    User {
        uid: None,
        group: "users".to_owned(),
        home: "/home/x".to_owned(),
        shell: "/bin/sh".to_owned(),
        description: String::new(),
        is_system,
        create_home: false,
        hashed_password: Some("$y$z".to_owned()),
        password_secret: None,
        extra_groups: extra.iter().map(|name| (*name).to_owned()).collect(),
        sub_uids: Vec::new(),
        sub_gids: Vec::new(),
        auto_sub_ids: false,
    }
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::empty("demo");
    manifest.users.insert("bob".to_owned(), user(false, &["sudo", "ops"]));
    manifest.users.insert("svc".to_owned(), user(true, &[]));
    manifest.users.insert("ann".to_owned(), user(false, &["ops"]));
    manifest.groups.insert("ops".to_owned(), Group { is_system: true, ..Group::default() });
    manifest
}

#[test]
fn only_what_is_managed_changes_and_all_of_it_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    for (name, text) in
        [("passwd", PASSWD), ("group", GROUP), ("shadow", SHADOW), ("gshadow", GSHADOW)]
    {
        std::fs::write(etc.join(name), text).unwrap();
    }
    let (disk, state, mut origin) = (Disk, State::at(folder.path()), Origin::default());
    std::fs::create_dir_all(state.folder()).unwrap();
    let mut accounts = Accounts::new(folder.path());
    let to = manifest();
    accounts.allocate(&disk, &state, &to).unwrap();
    accounts.capture(&to, &mut origin).unwrap();
    accounts.bring(&disk, &to, &mut origin, &|_| Ok(())).unwrap();
    let read = |name: &str| std::fs::read_to_string(etc.join(name)).unwrap();
    insta::assert_snapshot!(read("passwd"), @"
root:x:0:0:root:/root:/bin/bash
ann:x:1000:100::/home/x:/bin/sh
+odd line
bob:x:1001:100::/home/x:/bin/sh
svc:x:999:100::/home/x:/bin/sh
");
    insta::assert_snapshot!(read("group"), @"
root:x:0:
sudo:x:27:ann,bob
ann:x:1000:
users:x:100:
ops:x:999:ann,bob
");
    insta::assert_snapshot!(read("gshadow"), @"
root:*::
sudo:*::ann,bob
ann:!::
users:*::
ops:!::ann,bob
");
    assert!(accounts.drift(&to, &origin).unwrap().is_empty());
    assert_eq!(accounts.owner("svc", "ops").unwrap(), (999, 999));

    let none = Manifest::empty("demo");
    accounts.settle(&disk, &none, &mut origin).unwrap();
    assert_eq!(
        [read("passwd"), read("group"), read("shadow"), read("gshadow")],
        [PASSWD, GROUP, SHADOW, GSHADOW]
    );
    assert_eq!(origin, Origin::default());

    // Who returns has the ids from before, even where others would be free.
    accounts.allocate(&disk, &state, &to).unwrap();
    accounts.bring(&disk, &to, &mut origin, &|_| Ok(())).unwrap();
    assert!(read("passwd").contains("bob:x:1001:100:"));
}

#[test]
fn drift_names_the_field_and_no_password() {
    let mut given = Given::default();
    allocate(&database(), &manifest(), &mut given).unwrap();
    let whole = plan(&database(), &manifest(), &given, &Origin::default()).unwrap();
    let drift = |change: fn(&mut Database)| {
        let mut database = whole.clone();
        change(&mut database);
        let told = drift::of(&database, &manifest(), &given, &Origin::default());
        told.iter().map(|one| format!("{one}\n")).collect::<String>()
    };
    let said = [
        drift(|_| {}),
        drift(|database| database.passwd.remove("bob")),
        drift(|database| database.group.remove("ops")),
        drift(|database| database.shadow.set("ann:$6$other:1:0:99999:7:::".to_owned())),
        drift(|database| database.group.set("ops:x:999:ann,eve".to_owned())),
        drift(|database| database.group.set("sudo:x:27:".to_owned())),
        drift(|database| {
            database.passwd.set("ann:x:1000:100::/home/x:/usr/bin/zsh".to_owned());
        }),
    ];
    insta::assert_snapshot!(said.concat(), @"
    the user bob is gone
    the group ops is gone
    the user ann has another password
    the group ops has other members: ann,eve instead of ann,bob
    the user bob is not in the group sudo
    the user ann has another shell: /usr/bin/zsh instead of /bin/sh
    ");
}

#[test]
fn a_stopped_move_is_finished_by_the_next() {
    let database = database();
    let mut given = Given::default();
    allocate(&database, &manifest(), &mut given).unwrap();
    let once = plan(&database, &manifest(), &given, &Origin::default()).unwrap();
    let twice = plan(&once, &manifest(), &given, &Origin::default()).unwrap();
    assert_eq!(once, twice);
}

#[test]
fn refusals_name_account_and_reason() {
    let refuse = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        allocate(&database(), &manifest, &mut Given::default()).unwrap_err().to_string()
    };
    let said = [
        refuse(|m| m.users.get_mut("ann").unwrap().uid = Some(7)),
        refuse(|m| m.users.get_mut("bob").unwrap().uid = Some(1000)),
        refuse(|m| m.users.get_mut("bob").unwrap().group = "none".to_owned()),
        refuse(|m| m.users.get_mut("bob").unwrap().description = "a\nroot::0:0".to_owned()),
        refuse(|m| drop(m.users.insert("Bob:".to_owned(), user(false, &[])))),
    ];
    insta::assert_snapshot!(said.join("\n"), @"
the user ann has the id 1000 on the host, and the generation says 7: files would change hands; change one of the two
the user bob cannot have the id 1000: ann has it on the host
the user bob is in the group `none`, which neither the host nor the generation has
a field of the user bob holds a colon or a line break
`Bob:` cannot be the name of a user
");
}

const SUBUID: &str = "ann:100000:65536\neve:165536:65536\nann:500000:10\n";

#[test]
fn subordinate_ids_come_and_go_with_the_generation() {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    for (name, text) in [
        ("passwd", PASSWD),
        ("group", GROUP),
        ("shadow", SHADOW),
        ("gshadow", GSHADOW),
        ("subuid", SUBUID),
    ] {
        std::fs::write(etc.join(name), text).unwrap();
    }
    let (disk, state, mut origin) = (Disk, State::at(folder.path()), Origin::default());
    std::fs::create_dir_all(state.folder()).unwrap();
    let mut accounts = Accounts::new(folder.path());
    let range = |start, count| cairn_generation::manifest::IdRange { start, count };
    let mut to = manifest();
    to.users.get_mut("ann").unwrap().sub_uids = vec![range(231_072, 100), range(300_000, 1)];
    to.users.get_mut("bob").unwrap().auto_sub_ids = true;
    let read = |name: &str| std::fs::read_to_string(etc.join(name)).unwrap_or_default();
    let mut go = |accounts: &mut Accounts, to: &Manifest| {
        accounts.allocate(&disk, &state, to).unwrap();
        accounts.capture(to, &mut origin).unwrap();
        accounts.bring(&disk, to, &mut origin, &|_| Ok(())).unwrap();
        accounts.settle(&disk, to, &mut origin).unwrap();
        origin.clone()
    };
    let held = go(&mut accounts, &to);
    // 100000 and 165536 are taken on the host, 231072 and 300000 by the generation.
    insta::assert_snapshot!(read("subuid"), @"
    ann:231072:100
    eve:165536:65536
    ann:300000:1
    bob:362144:65536
    ");
    insta::assert_snapshot!(read("subgid"), @"bob:362144:65536");
    assert!(accounts.drift(&to, &held).unwrap().is_empty());
    std::fs::write(etc.join("subgid"), "bob:1:1\n").unwrap();
    let drift = accounts.drift(&to, &held).unwrap();
    insta::assert_snapshot!(drift[0].to_string(), @"the user bob has other ranges in /etc/subgid: bob:1:1 instead of bob:362144:65536");

    // A user that stays without its ranges has those from before; the file that was made goes.
    let mut without = to.clone();
    without.users.get_mut("ann").unwrap().sub_uids.clear();
    without.users.get_mut("bob").unwrap().auto_sub_ids = false;
    let _ = go(&mut accounts, &without);
    assert_eq!(read("subuid"), SUBUID);
    assert!(!etc.join("subgid").exists());
    let _ = go(&mut accounts, &to);
    assert!(read("subgid").contains("bob:362144:65536"), "kept for who returns");
    assert_eq!(go(&mut accounts, &Manifest::empty("demo")), Origin::default());
    assert!(!etc.join("subgid").exists());
}
