//! System calls of a program: those that change the disk, found by a traced run, and one of them
//! turned into a kill or an error.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::host::Host;
use crate::tool::must;

/// One system call of a program: the `number`-th of its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The system call.
    pub name: String,
    /// Counted from 1 among the calls of that name.
    pub number: u32,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}#{}", self.name, self.number)
    }
}

/// What happens instead of a system call, or at its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Injection {
    /// The program is killed before the call does anything.
    Kill,
    /// The call does nothing and fails, with an error as C names it.
    Error(&'static str),
}

/// Calls that leave the disk as it is. Whatever is not among these, known or not, counts as a change.
const HARMLESS: &[&str] = &[
    "access",
    "alarm",
    "arch_prctl",
    "bind",
    "brk",
    "capget",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "clone3",
    "close",
    "close_range",
    "connect",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "eventfd2",
    "execve",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fcntl",
    "fgetxattr",
    "flock",
    "fstat",
    "fstatfs",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpgid",
    "getpid",
    "getppid",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getsockname",
    "getsockopt",
    "gettid",
    "getuid",
    "getxattr",
    "ioctl",
    "kill",
    "lgetxattr",
    "lseek",
    "lstat",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "prlimit64",
    "pselect6",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "recvfrom",
    "recvmsg",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_yield",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_tid_address",
    "setpgid",
    "setsockopt",
    "shutdown",
    "sigaltstack",
    "socket",
    "socketpair",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "tgkill",
    "umask",
    "uname",
    "vfork",
    "wait4",
    "waitid",
];

/// Calls on an open file: changes only where the file lies in what is looked at.
const ON_FILES: &[&str] = &[
    "copy_file_range",
    "fallocate",
    "fchmod",
    "fchown",
    "fdatasync",
    "fsetxattr",
    "fsync",
    "ftruncate",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "sendfile",
    "syncfs",
    "utimensat",
    "write",
    "writev",
];

/// A command that runs `program` under strace with every call of its first thread written to `log`.
#[must_use]
pub fn traced(log: &Path, program: &Path) -> Command {
    let mut command = Command::new("strace");
    // Paths of open files (-y), no contents (-s 0).
    command.args(["-qq", "-y", "-s", "0", "-e", "signal=none", "-o"]).arg(log).arg(program);
    command
}

/// A command that runs `program`, which starts no other, with `injection` at the call.
#[must_use]
pub fn injected(at: &Call, injection: Injection, program: &Path) -> Command {
    let mut command = Command::new("strace");
    if injection != Injection::Kill {
        // The kernel itself lets all other calls pass. A kill does not come through, with strace 6.1.
        command.args(["--follow-forks", "--seccomp-bpf"]);
    }
    command.args(arguments(at, injection)).arg(program);
    command
}

/// What strace is told to do for `injection`. The program comes after it.
fn arguments(at: &Call, injection: Injection) -> Vec<String> {
    let what = match injection {
        Injection::Kill => "signal=KILL".to_owned(),
        Injection::Error(name) => format!("error={name}"),
    };
    let words = ["-qq", "-o", "/dev/null", "-e", "signal=none", "-e"].map(str::to_owned);
    let inject = format!("inject={}:{what}:when={}", at.name, at.number);
    words.into_iter().chain([format!("trace={}", at.name), "-e".to_owned(), inject]).collect()
}

/// strace on a test host, which has none of its own.
pub struct Tracer {
    words: Vec<String>,
}

impl Tracer {
    /// Brings this machine's strace to `host`, with the libraries that it needs.
    #[must_use]
    pub fn bring(host: &Host<'_>) -> Self {
        const PLACE: &str = "/opt/strace";
        let place = host.outside(PLACE);
        fs::create_dir_all(&place).unwrap();
        let program = must(Command::new("sh").args(["-c", "command -v strace"]));
        let libraries = must(Command::new("ldd").arg(program.trim()));
        // `libc.so.6 => /lib/libc.so.6 (0x…)`, and the loader alone.
        let files = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        let mut loader = None;
        for file in files.chain([program.trim()]) {
            let name = Path::new(file).file_name().unwrap().to_string_lossy().into_owned();
            fs::copy(file, place.join(&name)).unwrap();
            if name.starts_with("ld-") {
                loader = Some(format!("{PLACE}/{name}"));
            }
        }
        let loader = loader.expect("strace has a loader");
        Self {
            words: vec![
                loader,
                "--library-path".to_owned(),
                PLACE.to_owned(),
                format!("{PLACE}/strace"),
            ],
        }
    }

    /// The words before a command on the host that has its calls written to `log`.
    #[must_use]
    pub fn traced(&self, log: &str) -> Vec<String> {
        let words = ["-qq", "-y", "-s", "0", "-e", "signal=none", "-o", log].map(str::to_owned);
        self.words.iter().cloned().chain(words).collect()
    }

    /// The words before a command on the host that has `injection` at the call.
    #[must_use]
    pub fn injected(&self, at: &Call, injection: Injection) -> Vec<String> {
        self.words.iter().cloned().chain(arguments(at, injection)).collect()
    }
}

/// The calls in the log of a [`traced`] run that change something, in their order. `counts` tells
/// by its path whether an open file is looked at.
#[must_use]
pub fn changes(log: &str, counts: impl Fn(&str) -> bool) -> Vec<Call> {
    changing_lines(log, counts).into_iter().map(|(call, _)| call).collect()
}

/// The same, each with its line of the log.
#[must_use]
pub fn changing_lines(log: &str, counts: impl Fn(&str) -> bool) -> Vec<(Call, &str)> {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut changes = Vec::new();
    for line in log.lines() {
        let Some((name, arguments)) = line.split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            continue;
        }
        let number = seen.entry(name).or_default();
        *number += 1;
        if is_change(name, arguments, &counts) {
            changes.push((Call { name: name.to_owned(), number: *number }, line));
        }
    }
    changes
}

fn is_change(name: &str, arguments: &str, counts: &impl Fn(&str) -> bool) -> bool {
    if HARMLESS.contains(&name) {
        return false;
    }
    if name.starts_with("open") {
        let writes = ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"];
        return writes.iter().any(|flag| arguments.contains(flag))
            && !arguments.contains("\"/dev/null\"");
    }
    if ON_FILES.contains(&name) {
        // `3</etc/motd>, …`: the file that is written comes first, but for copies.
        let first = if name == "copy_file_range" {
            arguments.rsplit('<').next()
        } else {
            arguments.split_once('<').map(|(_, rest)| rest)
        };
        let path = first.and_then(|rest| rest.split_once('>')).map(|(path, _)| path);
        return path.is_none_or(counts);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_disk_is_found() {
        let log = "\
execve(\"./node\", [\"\"...], 0x1 /* 12 vars */) = 0
openat(AT_FDCWD</>, \"/lib/libc.so.6\", O_RDONLY|O_CLOEXEC) = 3</lib/libc.so.6>
openat(AT_FDCWD</>, \"/r/a\", O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = 3</r/a>
write(3</r/a>, \"\"..., 5) = 5
write(1<pipe:[12]>, \"\"..., 5) = 5
fsync(3</r/a>) = 0
rename(\"/r/a\", \"/r/b\") = 0
newcall(7) = 0
+++ exited with 0 +++
";
        let found = changes(log, |path| path.starts_with("/r"));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["openat#2", "write#1", "fsync#1", "rename#1", "newcall#1"]);
    }
}
