//! Trees out of git repositories, by the user's own `git`: its credentials, keys and proxies work
//! as they do for the user. Nothing is checked out: a checkout depends on who makes it, by line
//! endings, filters and attributes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use super::error::InputError;
use super::tree::TreeWriter;

/// How many commits of what moved are looked through for a log.
const LOG_DEPTH: u32 = 200;

/// A repository, as far as it has been fetched.
pub(super) struct Repository {
    folder: PathBuf,
    url: String,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// Its revision.
    pub(super) rev: String,
    /// When it was made, in seconds since 1970.
    pub(super) time: i64,
}

impl Repository {
    /// The copy of the repository at `url` that lies in `folder`; made where there is none.
    pub(super) fn open(folder: &Path, url: &str) -> Result<Repository, InputError> {
        let repository = Repository { folder: folder.to_owned(), url: url.to_owned() };
        if !folder.join("HEAD").is_file() {
            fs::create_dir_all(folder).map_err(|error| InputError::io(folder, &error))?;
            repository.git(&["init", "--quiet", "--bare"])?;
        }
        Ok(repository)
    }

    /// The commit that a branch or tag is at now (`HEAD` without one), fetched.
    pub(super) fn latest(&self, branch: Option<&str>) -> Result<Commit, InputError> {
        let name = branch.unwrap_or("HEAD");
        self.fetch(&["--depth=1"], name).map_err(|said| self.unreachable(name, &said))?;
        self.commit("FETCH_HEAD")
    }

    /// The commit of a revision, fetched unless it is there already. `branch` is where to look for
    /// it on servers that give nothing by revision.
    pub(super) fn revision(&self, rev: &str, branch: Option<&str>) -> Result<Commit, InputError> {
        if let Ok(commit) = self.commit(rev) {
            return Ok(commit);
        }
        if self.fetch(&["--depth=1"], rev).is_err() {
            let all = "+refs/*:refs/remotes/*";
            self.fetch(&[], branch.unwrap_or(all)).map_err(|said| self.unreachable(rev, &said))?;
        }
        self.commit(rev).map_err(|_| {
            let message = format!("the repository {} has no revision {rev} any more", self.url);
            let help = "its history was rewritten: take another with `cairn lock --update NAME`";
            InputError::new("input::gone", message, help)
        })
    }

    /// Writes the tree of a commit, and gives the paths of its submodules, which stay empty folders.
    pub(super) fn export(
        &self,
        commit: &Commit,
        tree: &mut TreeWriter,
    ) -> Result<Vec<String>, InputError> {
        let list = self.git(&["ls-tree", "-r", "-z", "--full-tree", &commit.rev])?;
        let mut objects = Objects::open(self)?;
        let mut submodules = Vec::new();
        for line in list.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let odd = || self.odd(&format!("`{}` in a tree", String::from_utf8_lossy(line)));
            let text = std::str::from_utf8(line).map_err(|_| {
                let name = String::from_utf8_lossy(line);
                let message = format!("a file's name is not UTF-8: {name}");
                InputError::new(
                    "input::bad-entry",
                    message,
                    "have it renamed, or its folder left out",
                )
            })?;
            // `MODE TYPE OBJECT\tPATH`
            let (words, path) = text.split_once('\t').ok_or_else(odd)?;
            let mut words = words.split(' ');
            let (Some(mode), Some(_), Some(object)) = (words.next(), words.next(), words.next())
            else {
                return Err(odd());
            };
            match mode {
                "100644" | "100664" => objects.read(object, |from| tree.file(path, false, from))?,
                "100755" => objects.read(object, |from| tree.file(path, true, from))?,
                "120000" => objects.read(object, |from| {
                    let mut to = String::new();
                    from.read_to_string(&mut to).map_err(|_| odd())?;
                    tree.link(path, &to)
                })?,
                "160000" => {
                    tree.folder(path)?;
                    submodules.push(path.to_owned());
                }
                _ => return Err(odd()),
            }
        }
        Ok(submodules)
    }

    fn commit(&self, name: &str) -> Result<Commit, InputError> {
        let of_commit = format!("{name}^{{commit}}");
        let output =
            self.git(&["log", "-1", "--format=%H %ct", "--no-show-signature", &of_commit])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (rev, time) = text.trim().split_once(' ').ok_or_else(|| self.odd(&text))?;
        let time = time.parse().map_err(|_| self.odd(&text))?;
        Ok(Commit { rev: rev.to_owned(), time })
    }

    /// Fetches a name, quietly; what git says where it fails.
    fn fetch(&self, options: &[&str], name: &str) -> Result<(), String> {
        let fixed = ["fetch", "--quiet", "--force", "--no-tags", "--no-write-commit-graph"];
        let mut words = fixed.to_vec();
        words.extend(options);
        words.extend(["--", &self.url, name]);
        self.run(&words).map(drop)
    }

    fn git(&self, words: &[&str]) -> Result<Output, InputError> {
        self.run(words).map_err(|said| self.odd(&said))
    }

    /// What git gives, or says where it fails.
    fn run(&self, words: &[&str]) -> Result<Output, String> {
        let output = self.command(words).output();
        let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Err(said.join("; "))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        // A copy of another repository's objects is nobody's working place: no hooks, no upkeep.
        let settings = ["gc.auto=0", "maintenance.auto=false", "core.hooksPath=/dev/null"];
        for setting in settings {
            command.args(["-c", setting]);
        }
        command.arg("--git-dir").arg(&self.folder).args(words).stdin(Stdio::null());
        // What a hook of the fleet's own repository hands down is not about this one.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        command
    }

    fn unreachable(&self, name: &str, said: &str) -> InputError {
        let what = match name {
            "HEAD" => format!("the repository {} cannot be fetched", self.url),
            name => format!("`{name}` of the repository {} cannot be fetched", self.url),
        };
        let help = "check the URL, the branch and your access: `git fetch` is what was tried, with \
                    your own keys and credentials";
        InputError::new("input::unreachable", format!("{what}: {said}"), help)
    }

    fn odd(&self, said: &str) -> InputError {
        let help = "the copy in the cache may be damaged: remove the folder that git's message names, \
                    or $XDG_CACHE_HOME/cairn/git whole";
        InputError::new("input::git", format!("git on {}: {said}", self.url), help)
    }
}

fn no_git(error: &std::io::Error) -> InputError {
    let message = format!("git cannot be run: {error}");
    InputError::new("input::git", message, "install git: inputs in repositories are fetched by it")
}

/// One line for each commit between two revisions of the repository at `url`, the newest first; empty
/// where the way from one to the other is not known, or is longer than anybody reads.
pub(super) fn log(url: &str, old: &str, new: &str) -> Vec<String> {
    // A folder of its own: a copy without trees is of no use for anything else.
    let Ok(folder) = tempfile::tempdir() else { return Vec::new() };
    let Ok(copy) = Repository::open(folder.path(), url) else { return Vec::new() };
    let depth = format!("--depth={LOG_DEPTH}");
    if copy.fetch(&["--filter=tree:0", &depth], new).is_err() || copy.commit(old).is_err() {
        return Vec::new();
    }
    let range = format!("{old}..{new}");
    let log = copy.run(&["log", "--format=%h %s", "--no-show-signature", &range]);
    let text = log.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The contents of a repository's files, by a `git cat-file` that stays.
struct Objects {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn open(repository: &Repository) -> Result<Objects, InputError> {
        let mut command = repository.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(repository.odd("no pipes"));
        };
        Ok(Objects { child, ask, answers: BufReader::new(answers) })
    }

    /// Hands `work` the bytes of an object.
    fn read(
        &mut self,
        object: &str,
        work: impl FnOnce(&mut dyn Read) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        let failed = |error: std::io::Error| no_git(&error);
        writeln!(self.ask, "{object}").and_then(|()| self.ask.flush()).map_err(failed)?;
        let mut head = String::new();
        self.answers.read_line(&mut head).map_err(failed)?;
        // `OBJECT blob SIZE`
        let size = head.trim_end().rsplit_once(" blob ");
        let Some(size) = size.and_then(|(_, size)| size.parse::<u64>().ok()) else {
            let message = format!("git gives no content for {object}: {}", head.trim_end());
            let help = "the copy in the cache is damaged: remove $XDG_CACHE_HOME/cairn/git";
            return Err(InputError::new("input::git", message, help));
        };
        let mut content = (&mut self.answers).take(size);
        work(&mut content)?;
        std::io::copy(&mut content, &mut std::io::sink()).map_err(failed)?;
        // A newline ends it.
        self.answers.read_exact(&mut [0]).map_err(failed)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Half-read answers would keep it waiting.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
