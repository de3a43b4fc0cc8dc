//! One download, from where it is wanted on.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use crate::FetchError;
use crate::netrc::Netrc;
use crate::percent;
use crate::proxy::{self, BadProxy};

/// The way to servers: proxies from the environment (`http_proxy`, `no_proxy`, …), logins from netrc.
#[derive(Debug)]
pub(crate) struct Wire {
    plain: Result<ureq::Agent, BadProxy>,
    tls: Result<ureq::Agent, BadProxy>,
    netrc: Netrc,
}

/// What can be read now.
pub(crate) struct Opened {
    /// The bytes.
    pub(crate) reader: Box<dyn Read>,
    /// The place in the whole where they begin: what was asked for, or 0.
    pub(crate) from: u64,
}

impl Wire {
    pub(crate) fn new() -> Wire {
        let config = |proxy| {
            ureq::Agent::config_builder()
                .timeout_connect(Some(Duration::from_secs(30)))
                .timeout_recv_response(Some(Duration::from_secs(60)))
                .user_agent(concat!("cairn/", env!("CARGO_PKG_VERSION")))
                .proxy(proxy)
                .build()
        };
        let [plain, tls] = ["http", "https"].map(|scheme| proxy::agent(scheme, config));
        Wire { plain, tls, netrc: Netrc::load() }
    }

    /// Opens `url`, at `from` where the server can.
    pub(crate) fn open(&self, url: &str, from: u64) -> Result<Opened, FetchError> {
        if let Some(path) = url.strip_prefix("file:") {
            return open_file(url, path.strip_prefix("//").unwrap_or(path), from);
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(FetchError::Scheme { url: url.to_owned() });
        }
        // Some servers compress again what is an archive already; the hash is of the plain file.
        let agent = if url.starts_with("https:") { &self.tls } else { &self.plain };
        let agent = agent.as_ref().map_err(|BadProxy { variable }| FetchError::Proxy {
            url: url.to_owned(),
            variable: variable.clone(),
        })?;
        let mut request = agent.get(url).header("Accept-Encoding", "identity");
        if let Some(login) = self.netrc.authorization(url) {
            request = request.header("Authorization", login);
        }
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        match request.call() {
            Ok(answer) => {
                let from = if answer.status().as_u16() == 206 { from } else { 0 };
                Ok(Opened { reader: Box::new(answer.into_body().into_reader()), from })
            }
            // There is no more than what is here already, or less.
            Err(ureq::Error::StatusCode(416)) if from > 0 => self.open(url, 0),
            Err(error @ ureq::Error::StatusCode(404 | 410)) => {
                Err(FetchError::Missing { url: url.to_owned(), message: error.to_string() })
            }
            Err(error) => Err(FetchError::transfer(url, error)),
        }
    }
}

fn open_file(url: &str, path: &str, from: u64) -> Result<Opened, FetchError> {
    let path = percent::decoded(path).unwrap_or_else(|| path.to_owned());
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            FetchError::Missing { url: url.to_owned(), message: error.to_string() }
        }
        _ => FetchError::transfer(url, error),
    };
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    Ok(Opened { reader: Box::new(file), from })
}
