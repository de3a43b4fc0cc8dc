//! k3s as far as its configuration goes: reads it as k3s does, refuses what k3s would refuse
//! and what k3s would only grumble about, says that it is ready, and stays up.
//!
//! It stands for k3s on test hosts, where the real one cannot be had, and is no part of Cairn.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a command, with nobody above it.

mod flags;
mod settings;
mod yaml;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io, thread};

use settings::Settings;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((role, rest)) if role == "server" || role == "agent" => configure(role, rest),
        Some((flag, [])) if flag == "--version" => {
            println!("k3s version v1.31.4+k3s1 (a stand-in for tests)");
            return ExitCode::SUCCESS;
        }
        _ => Err("usage: k3s server|agent [--FLAG[=VALUE]]...".to_owned()),
    };
    if let Err(why) = outcome {
        eprintln!("k3s: {why}");
        return ExitCode::FAILURE;
    }
    println!("k3s: the configuration is accepted");
    if let Err(error) = notify() {
        eprintln!("k3s: systemd cannot be told: {error}");
        return ExitCode::FAILURE;
    }
    loop {
        thread::park();
    }
}

/// Reads the files, then the command line over them, and checks what comes of it.
fn configure(role: &str, arguments: &[String]) -> Result<(), String> {
    let flags = command_line(role, arguments)?;
    let named = flags.iter().rev().find(|(key, _)| key == "config" || key == "c");
    let mut settings = Settings::default();
    for file in files(named.map(|(_, path)| path.as_str()))? {
        let place = file.display();
        let text = fs::read_to_string(&file).map_err(|error| format!("{place}: {error}"))?;
        for (key, value) in yaml::parse(&text).map_err(|why| format!("{place}: {why}"))? {
            let taken = settings.take_from_file(role, &key, value);
            taken.map_err(|why| format!("{place}: {why}"))?;
        }
    }
    for (key, value) in flags.iter().filter(|(key, _)| key != "c") {
        settings.take_from_command(role, key, value)?;
    }
    settings.check(role)
}

/// The configuration file and its drop-ins, in the order of their names.
fn files(named: Option<&str>) -> Result<Vec<PathBuf>, String> {
    let base = PathBuf::from(named.unwrap_or("/etc/rancher/k3s/config.yaml"));
    let dropins = PathBuf::from(format!("{}.d", base.display()));
    let mut files: Vec<PathBuf> = match fs::read_dir(&dropins) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(format!("{}: {error}", dropins.display())),
    };
    files.retain(|path| path.is_file() && path.extension().is_some_and(is_yaml));
    files.sort();
    if base.exists() {
        files.insert(0, base);
    } else if named.is_some() {
        return Err(format!("{}: no such file", base.display()));
    }
    Ok(files)
}

fn is_yaml(extension: &std::ffi::OsStr) -> bool {
    Path::new(extension) == Path::new("yaml") || Path::new(extension) == Path::new("yml")
}

/// The flags of the command line: `--key=value`, `--key value`, and `--key` for a switch.
fn command_line(role: &str, arguments: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let flag = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'));
        let flag = flag.ok_or_else(|| format!("{argument}: k3s {role} takes flags only"))?;
        let (key, value) = match flag.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (flag, None),
        };
        let switch = key != "c" && flags::find(key)?.kind == flags::Kind::Bool;
        let value = match value {
            Some(value) => value,
            None if switch => "true".to_owned(),
            None => rest.next().ok_or_else(|| format!("--{key} needs a value"))?.clone(),
        };
        found.push((key.to_owned(), value));
    }
    Ok(found)
}

/// Tells systemd that the service is up, where it asked to be told.
fn notify() -> io::Result<()> {
    let Ok(place) = env::var("NOTIFY_SOCKET") else { return Ok(()) };
    let socket = UnixDatagram::unbound()?;
    match place.strip_prefix('@') {
        Some(name) => socket.send_to_addr(b"READY=1", &SocketAddr::from_abstract_name(name)?),
        None => socket.send_to(b"READY=1", place),
    }
    .map(|_| ())
}
