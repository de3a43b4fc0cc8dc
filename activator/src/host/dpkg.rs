//! dpkg itself, beneath apt: what it says of packages, and what it ends by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use cairn_generation::wire::Event;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::command::Run;
use crate::disk::Disk;
use crate::error::{Error, io};
use crate::system::Tell;

/// Downloads and maintainer scripts take their time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1800);
/// How long somebody else's apt or dpkg is waited for.
const OTHERS: Duration = Duration::from_secs(300);
/// Whoever changes packages holds the first of these; dpkg itself, the second.
const LOCKS: [&str; 2] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Daemons are the generation's to start: a package's script may not.
pub(crate) const NO_STARTS: &str =
    "#!/bin/sh\n# cairn: no service starts while packages are installed\nexit 101\n";
/// Those of a package that goes end with it.
pub(crate) const ONLY_STOPS: &str = "#!/bin/sh\n# cairn: no service starts while packages are removed\n\
    case $2 in stop | force-stop) exit 0 ;; esac\nexit 101\n";

/// Packages that are installed, with their versions.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn installed() -> Result<BTreeMap<String, String>, Error> {
    let is_installed =
        |entry: Entry| (entry.status == "installed").then_some((entry.name, entry.version));
    Ok(entries()?.into_iter().filter_map(is_installed).collect())
}

/// Packages between two states. For each, whether only half of it is there: then dpkg does not know
/// of all the files that it placed.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn torn() -> Result<BTreeMap<String, bool>, Error> {
    let torn = |entry: Entry| {
        let half = entry.flag == "reinstreq" || entry.status == "half-installed";
        let between = half || ["unpacked", "half-configured"].contains(&entry.status.as_str());
        between.then_some((entry.name, half))
    };
    Ok(entries()?.into_iter().filter_map(torn).collect())
}

/// Those of `names` that are neither there nor gone.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn begun(names: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
    let begun = |entry: Entry| {
        let ended = ["installed", "not-installed"].contains(&entry.status.as_str());
        (!ended && names.contains(&entry.name)).then_some(entry.name)
    };
    Ok(entries()?.into_iter().filter_map(begun).collect())
}

/// Ends a removal of `names`: those that it did not come to are to stay.
///
/// # Errors
/// When dpkg fails.
pub(crate) fn purge_begun(names: &BTreeSet<String>) -> Result<(), Error> {
    purge(&begun(names)?)?;
    // apt asks for this after every dpkg that was cut off, even where nothing is half there.
    run(["--configure", "-a"]).succeed()?;
    // apt has told dpkg of all of them before it began.
    let stay = |entry: Entry| {
        let stays = names.contains(&entry.name) && entry.status == "installed";
        (stays && entry.want != "install").then(|| format!("{} install\n", entry.name))
    };
    let stay: String = entries()?.into_iter().filter_map(stay).collect();
    match stay.is_empty() {
        true => Ok(()),
        false => run(["--set-selections"]).input(stay).succeed().map(drop),
    }
}

/// A run of dpkg that asks nothing, and keeps settings.
pub(crate) fn run<const N: usize>(arguments: [&str; N]) -> Run<'static> {
    Run::new("dpkg")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["--force-confdef", "--force-confold"])
        .args(arguments)
        .within(PATIENCE)
}

/// Removes packages with their settings, in whatever state they are.
///
/// # Errors
/// When dpkg fails.
pub(crate) fn purge(names: &BTreeSet<String>) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    run(["--purge", "--force-remove-reinstreq", "--force-depends", "--"])
        .args(names.iter().cloned())
        .succeed()
        .map(drop)
}

/// Waits until no other program changes packages, and says so.
///
/// # Errors
/// When one still does after a while.
pub(crate) fn wait_for_others(tell: Tell) -> Result<(), Error> {
    let end = Instant::now() + OTHERS;
    let mut said = false;
    while let Some(lock) = LOCKS.into_iter().find(|lock| is_taken(Path::new(lock))) {
        if Instant::now() > end {
            return Err(Error::refused(format!(
                "another program has held {lock} for {} s: wait for the apt or dpkg that runs on the host to end, \
                 or end it, and try again",
                OTHERS.as_secs()
            )));
        }
        if !std::mem::replace(&mut said, true) {
            let message = "waiting for another apt or dpkg that runs on the host to end".to_owned();
            tell(Event::Warning { message });
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn is_taken(path: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(path) else { return false };
    let tried = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
    matches!(tried, Err(Errno::ACCESS | Errno::AGAIN))
}

/// What dpkg has written down of a package.
struct Entry {
    name: String,
    version: String,
    want: String,
    flag: String,
    status: String,
}

fn entries() -> Result<Vec<Entry>, Error> {
    const FORMAT: &str =
        "-f=${Package} ${Version} ${db:Status-Want} ${db:Status-Eflag} ${db:Status-Status}\n";
    let listed = Run::new("dpkg-query").args(["-W", FORMAT]).succeed()?;
    let entry = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next();
        let (name, version, want) = (word()?, word()?, word()?);
        Some(Entry { name, version, want, flag: word()?, status: word()? })
    };
    Ok(listed.lines().filter_map(entry).collect())
}

/// While it lives, no package's script starts a service.
pub(crate) struct Quiet<'a> {
    disk: &'a Disk,
    ours: bool,
}

impl<'a> Quiet<'a> {
    /// From here on, the script `policy` says what may start or stop.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn begin(disk: &'a Disk, policy: &str) -> Result<Self, Error> {
        let path = Path::new(POLICY);
        // A host's own policy stands; one that a killed switch left is ours.
        let is_ours =
            |text: Vec<u8>| [NO_STARTS, ONLY_STOPS].iter().any(|our| our.as_bytes() == text);
        let ours = fs::read(path).map_or(true, is_ours);
        if ours {
            disk.replace_file(path, policy.as_bytes(), 0o755, None)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
                .map_err(io("set the mode of", path))?;
        }
        Ok(Self { disk, ours })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if self.ours {
            // What is left is recognised as ours the next time.
            let _ = self.disk.remove_file(Path::new(POLICY));
        }
    }
}
