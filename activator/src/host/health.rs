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
