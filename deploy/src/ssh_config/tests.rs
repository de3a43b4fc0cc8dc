use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::*;

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(".ssh/config.d")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(".ssh").join(name), text).unwrap();
        }
        Self(dir)
    }

    fn of(&self, alias: &str) -> Result<HostConfig, Cause> {
        let home = self.0.path();
        let config = SshConfig::read(home, Some(&home.join(".ssh/config")))?;
        config.of(&Query { alias, port: None, user: None, home, local_user: "me" })
    }
}

fn of(text: &str, alias: &str) -> Result<HostConfig, Cause> {
    Files::new(&[("config", text)]).of(alias)
}

#[test]
fn nothing_said() {
    let files = Files::new(&[("config", "")]);
    let found = files.of("web").unwrap();
    let ssh = files.0.path().join(".ssh");
    assert_eq!((found.address.as_str(), found.port, found.user.as_str()), ("web", 22, "me"));
    assert_eq!(found.identity_files[0], ssh.join("id_ed25519"));
    assert_eq!(found.known_hosts[0], ssh.join("known_hosts"));
    assert_eq!(found.known_hosts[2], Path::new("/etc/ssh/ssh_known_hosts"));
    assert!(!found.identity_files_named && !found.identities_only);
}

/// `ssh -G` says what OpenSSH makes of a configuration: ours must be the same.
#[test]
fn as_openssh_understands_it() {
    let files = Files::new(&[
        (
            "config",
            "# a comment\n\
             Host web web2 # and another\n\
             \x20 HostName %h.example.org\n\
             \tPort=2222\n\
             \x20 user \"boss\"\n\
             \n\
             Host *.example.org !db.example.org\n\
             \x20 User org\n\
             Include config.d/*.conf none\n\
             Match host *.example.org user boss\n\
             \x20 Port 23\n\
             \x20 ConnectTimeout 1m30\n\
             Match originalhost db.example.org,x\n\
             \x20 HostName 10.0.0.1\n\
             \x20 HostKeyAlias thedb\n\
             Match all\n\
             \x20 IdentitiesOnly yes\n\
             Host jumped\n\
             \x20 ProxyJump me@first:2222,second\n\
             \x20 ProxyCommand nc %h\n\
             Host v6\n\
             \x20 HostName ::1\n\
             Host *\n\
             \x20 Port 24\n\
             \x20 IdentityFile /keys/%n-%r\n\
             \x20 IdentityFile /keys/all\n\
             \x20 UserKnownHostsFile /kh/a /kh/%h\n\
             \x20 GlobalKnownHostsFile /kh/global\n\
             \x20 GSSAPIAuthentication yes\n",
        ),
        ("config.d/a.conf", "User included\nHost inc\n  Port 4\n"),
        ("config.d/.b.conf", "Host *\n  Port 5\n"),
        ("config.d/c.other", "Host *\n  Port 6\n"),
    ]);
    let path = files.0.path().join(".ssh/config");
    // OpenSSH looks for what it includes in the real home.
    let text = fs::read_to_string(&path).unwrap();
    let dir = files.0.path().join(".ssh").display().to_string();
    fs::write(&path, text.replace("config.d/*", &format!("{dir}/config.d/*"))).unwrap();
    for alias in [
        "web",
        "web2",
        "WEB",
        "x.example.org",
        "db.example.org",
        "inc",
        "inc.example.org",
        "jumped",
        "v6",
        "else",
        "x",
    ] {
        let ours = files.of(alias).unwrap();
        let out = Command::new("ssh").args(["-G", "-F"]).arg(&path).arg(alias).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).unwrap();
        let all = |key: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            lines.filter(|(k, _)| *k == key).map(|(_, value)| value.to_owned()).collect()
        };
        let one = |key: &str| all(key).first().cloned();
        assert_eq!(one("hostname"), Some(ours.address.clone()), "{alias}");
        assert_eq!(one("port"), Some(ours.port.to_string()), "{alias}");
        // Where nothing is said it is whoever asks, and OpenSSH asks the system who that is.
        let nobody_said = if ours.user == "me" { current_user() } else { ours.user.clone() };
        assert_eq!(one("user"), Some(nobody_said), "{alias}");
        assert_eq!(one("hostkeyalias"), ours.host_key_alias, "{alias}");
        assert_eq!(one("identitiesonly").as_deref(), Some("yes"));
        assert!(ours.identities_only);
        let timeout = ours.connect_timeout.map_or("none".to_owned(), |t| t.as_secs().to_string());
        assert_eq!(one("connecttimeout"), Some(timeout), "{alias}");
        assert_eq!(one("proxyjump").unwrap_or_default(), ours.jumps.join(","), "{alias}");
        // `-G` shows files before their tokens stand for something.
        assert_eq!(all("identityfile").len(), ours.identity_files.len(), "{alias}");
        assert_eq!(ours.identity_files[0], Path::new(&format!("/keys/{alias}-{}", ours.user)));
        assert_eq!(ours.known_hosts[1], Path::new(&format!("/kh/{}", ours.address)));
        assert_eq!(ours.known_hosts[2], Path::new("/kh/global"));
    }
}

fn current_user() -> String {
    let out = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_is_given_wins() {
    let files = Files::new(&[("config", "Port 1\nUser a\nMatch user b\n  HostName matched\n")]);
    let home = files.0.path();
    let config = SshConfig::read(home, Some(&home.join(".ssh/config"))).unwrap();
    let query = Query { alias: "web", port: Some(2), user: Some("b"), home, local_user: "me" };
    let found = config.of(&query).unwrap();
    assert_eq!((found.address.as_str(), found.port, found.user.as_str()), ("matched", 2, "b"));
}

#[test]
fn agents() {
    let agent = |text: &str| of(&format!("IdentityAgent {text}"), "web").unwrap().identity_agent;
    assert_eq!(agent("none"), Some(IdentityAgent::None));
    assert_eq!(agent("SSH_AUTH_SOCK"), Some(IdentityAgent::Environment));
    assert_eq!(agent("/run/%u/agent"), Some(IdentityAgent::Socket("/run/me/agent".into())));
    assert_eq!(of("", "web").unwrap().identity_agent, None);
}

#[test]
fn no_files() {
    let found = of("IdentityFile none\nUserKnownHostsFile none\n", "web").unwrap();
    assert!(found.identity_files.is_empty() && found.identity_files_named);
    assert_eq!(found.known_hosts.len(), 2);
}

#[test]
fn brackets_around_an_address() {
    assert_eq!(of("", "[fe80::1]").unwrap().address, "fe80::1");
}

#[test]
fn mistakes() {
    for (text, expect) in [
        ("Port 0", "1: `0` is no port"),
        ("\nPort ssh", "2: `ssh` is no port"),
        ("Port 22 23", "1: port takes one value"),
        ("Port", "1: it says nothing"),
        ("User \"a", "1: a quote is not closed"),
        ("IdentitiesOnly perhaps", "1: `perhaps` is neither yes nor no"),
        ("ConnectTimeout soon", "1: `soon` is no time"),
        ("ConnectTimeout 99999999999999999999w", "1: `99999999999999999999w` is no time"),
        (
            "ProxyCommand nc %h %p",
            "1: proxycommand is not supported: `ProxyJump` is, and wins where it stands above it",
        ),
        ("Host web\n  BindAddress 10.0.0.1", "2: bindaddress is not supported"),
        ("Match exec true\n", "1: `Match exec` is not supported"),
        ("Match host\n", "1: `Match host` says nothing"),
        ("IdentityFile ~other/key", "1: `~other/key` is in another's home: write it out"),
        ("IdentityFile %x", "1: `%x` in `%x` is not supported"),
        ("IdentityFile ${NO_SUCH_THING}", "1: the variable `NO_SUCH_THING` is not set"),
        ("Include config", "1: files include each other"),
    ] {
        let error = of(text, "web").unwrap_err().to_string();
        let shown = error.rsplit_once("config:").map(|(_, rest)| rest.to_owned());
        assert_eq!(shown.as_deref(), Some(expect), "{text}");
    }
    // Where it speaks of others, it does not matter.
    for text in ["Host db\n  ProxyCommand nc", "ProxyCommand none", "Host db\nMatch host x exec a"]
    {
        of(text, "web").unwrap();
    }
}

#[test]
fn file_that_is_not_there() {
    let error = Files::new(&[]).of("web").unwrap_err().to_string();
    assert!(error.ends_with("config: No such file or directory (os error 2)"), "{error}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_understood_or_refused(
        text in "(Host |Match |host|Port |IdentityFile |[%~${}!*\"=#]| |\n|[0-9]|\\PC){0,40}",
    ) {
        let _ = of(&text, "web");
    }
}
