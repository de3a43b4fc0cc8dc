//! Health checks: a host that fails one goes back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use cairn_generation::manifest::{Check, Probe};

use crate::error::Error;
use crate::host::command::Run;
use crate::host::units::ServiceManager;

/// A check that has not passed yet.
struct Open<'a> {
    name: &'a str,
    check: &'a Check,
    next: Instant,
    failures: u32,
    last: String,
}

/// Waits until all checks passed.
///
/// # Errors
/// When one has used up its tries or its time; it is named with what it saw last.
pub(crate) fn check(
    manager: &dyn ServiceManager,
    checks: &BTreeMap<String, Check>,
) -> Result<(), Error> {
    let begin = Instant::now();
    let mut open: Vec<Open> = checks
        .iter()
        .map(|(name, check)| Open { name, check, next: begin, failures: 0, last: String::new() })
        .collect();
    while !open.is_empty() {
        let mut still = Vec::new();
        for mut one in open {
            let deadline = begin + Duration::from_secs(one.check.deadline.into());
            if Instant::now() >= one.next {
                let left = deadline.saturating_duration_since(Instant::now());
                match probe(manager, &one.check.probe, left.max(Duration::from_millis(200))) {
                    Ok(()) => continue,
                    Err(why) => one.last = why,
                }
                one.failures += 1;
                one.next = Instant::now() + Duration::from_secs(one.check.interval.max(1).into());
            }
            let used_up = one.check.retries > 0 && one.failures > one.check.retries;
            if used_up || Instant::now() >= deadline {
                return Err(Error::refused(format!(
                    "the health check `{}` failed after {} tries in {} s: {}",
                    one.name,
                    one.failures,
                    begin.elapsed().as_secs(),
                    one.last
                )));
            }
            still.push(one);
        }
        open = still;
        if !open.is_empty() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

fn probe(manager: &dyn ServiceManager, probe: &Probe, left: Duration) -> Result<(), String> {
    let patience = left.min(Duration::from_secs(10));
    match probe {
        Probe::Unit { unit } => {
            let units = BTreeSet::from([unit.clone()]);
            let conditions = manager.condition(&units).map_err(|error| error.to_string())?;
            match conditions.first() {
                Some(condition) if condition.active == "active" => Ok(()),
                Some(condition) => {
                    Err(format!("{unit} is {} ({})", condition.active, condition.sub))
                }
                None => Err(format!("there is no {unit}")),
            }
        }
        Probe::Tcp { host, port } => connect(host, *port, patience).map(drop),
        Probe::Http { url } => http(url, patience),
        Probe::Command { command } => {
            let run = Run::new("/bin/sh").args(["-c", command.as_str()]).within(left);
            match run.end().map_err(|error| error.to_string())? {
                ended if ended.success => Ok(()),
                ended => Err(format!("`{command}`: {}", ended.said())),
            }
        }
    }
}

fn connect(host: &str, port: u16, patience: Duration) -> Result<TcpStream, String> {
    let address = resolve(host)?;
    TcpStream::connect_timeout(&SocketAddr::new(address, port), patience)
        .map_err(|error| format!("{address} port {port}: {error}"))
}

/// A static program has no resolver of the host's: numbers, and what /etc/hosts says.
fn resolve(host: &str) -> Result<IpAddr, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(address);
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let listed = hosts.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name == host).then_some(address)
    });
    match (listed, host) {
        (Some(address), _) => Ok(address),
        (None, "localhost") => Ok(IpAddr::from([127, 0, 0, 1])),
        _ => Err(format!("`{host}` is neither an address nor in /etc/hosts")),
    }
}

fn http(url: &str, patience: Duration) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` is no http: URL"))?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host, port.parse().map_err(|_| format!("`{port}` is no port"))?)
        }
        _ => (authority, 80),
    };
    let mut stream = connect(host, port, patience)?;
    let said = |error: std::io::Error| format!("{url}: {error}");
    stream.set_read_timeout(Some(patience)).map_err(said)?;
    stream.set_write_timeout(Some(patience)).map_err(said)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: cairn\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(said)?;
    let mut start = Vec::new();
    stream.take(64).read_to_end(&mut start).map_err(said)?;
    let start = String::from_utf8_lossy(&start).into_owned();
    let status = start.split_whitespace().nth(1).and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(200..400) => Ok(()),
        Some(status) => Err(format!("{url} answered {status}")),
        None => Err(format!("{url} did not answer in HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::host::units::Systemctl;

    fn run(probe: Probe, retries: u32, deadline: u32) -> String {
        let check_of = Check { probe, interval: 1, retries, deadline };
        let checks = BTreeMap::from([("probe".to_owned(), check_of)]);
        check(&Systemctl, &checks).err().map_or("healthy".to_owned(), |error| error.to_string())
    }

    /// A server that answers each connection with `answer`.
    fn server(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 512];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    #[test]
    fn what_answers_is_healthy() {
        let port = server("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(run(Probe::Tcp { host: "localhost".to_owned(), port }, 0, 2), "healthy");
        let url = format!("http://127.0.0.1:{port}/health?x");
        assert_eq!(run(Probe::Http { url }, 0, 2), "healthy");
        assert_eq!(run(Probe::Command { command: "true".to_owned() }, 0, 2), "healthy");
    }

    #[test]
    fn what_does_not_is_named_with_what_it_said() {
        let port = server("HTTP/1.1 503 Busy\r\n\r\n");
        let url = format!("http://127.0.0.1:{port}/");
        assert!(run(Probe::Http { url }, 1, 9).ends_with("answered 503"));
        let command = "echo broken >&2; exit 1".to_owned();
        let said = run(Probe::Command { command }, 0, 1);
        // How many tries fit into a second is the machine's business.
        assert!(said.starts_with("the health check `probe` failed after "), "{said}");
        assert!(said.ends_with("broken"), "{said}");
        let host = "nowhere.example".to_owned();
        assert!(run(Probe::Tcp { host, port: 1 }, 0, 1).contains("nor in /etc/hosts"));
    }
}
