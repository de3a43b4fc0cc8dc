//! The way through proxies, as curl and apt go it: which one is taken depends on the URL's scheme, and a page
//! without TLS is asked of the proxy itself. ureq would open a tunnel (`CONNECT`) for those as well, which
//! proxies mostly allow to port 443 alone.

use std::env;
use std::sync::Arc;

use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    TcpConnector, Transport,
};
use ureq::{Agent, Error, Proxy, ProxyProtocol, config::Config};

/// A variable of the environment that names no proxy.
#[derive(Debug, Clone)]
pub(crate) struct BadProxy {
    /// Its name. Its value may hold a password.
    pub(crate) variable: String,
}

/// An agent for URLs of one scheme; `config` makes its settings, with this proxy.
///
/// # Errors
/// When the environment names a proxy in words that mean none: going without it is not what was asked for.
pub(crate) fn agent(
    scheme: &str,
    config: impl FnOnce(Option<Proxy>) -> Config,
) -> Result<Agent, BadProxy> {
    let connector = Relay
        .chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(RustlsConnector::default());
    let config = config(from_environment(scheme)?);
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

/// `<scheme>_proxy`, or `all_proxy`, and what `no_proxy` leaves out.
fn from_environment(scheme: &str) -> Result<Option<Proxy>, BadProxy> {
    let Some((variable, url)) = set(&format!("{scheme}_proxy")).or_else(|| set("all_proxy")) else {
        return Ok(None);
    };
    let bad = |_| BadProxy { variable: variable.clone() };
    let named = Proxy::new(&url).map_err(bad)?;
    let mut proxy = Proxy::builder(named.protocol()).host(named.host()).port(named.port());
    if let Some(username) = named.username() {
        proxy = proxy.username(username).password(named.password().unwrap_or_default());
    }
    for left_out in set("no_proxy").iter().flat_map(|(_, list)| list.split(',')) {
        proxy = proxy.no_proxy(left_out.trim());
    }
    proxy.build().map(Some).map_err(bad)
}

/// A variable that is set, in small letters or in capitals, and its value.
fn set(name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_uppercase()].into_iter().find_map(|name| {
        let value = env::var(&name).ok().filter(|value| !value.is_empty())?;
        Some((name, value))
    })
}

/// Connects to a proxy that is asked for whole URLs.
#[derive(Debug)]
struct Relay;

impl Connector for Relay {
    type Out = Relayed;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Relayed>, Error> {
        let proxy = details.config.proxy().filter(|proxy| !proxy.is_no_proxy(details.uri));
        let plain =
            |proxy: &&Proxy| proxy.protocol() == ProxyProtocol::Http && !details.needs_tls();
        let (Some(proxy), Some(origin)) = (proxy.filter(plain), details.uri.authority()) else {
            return Ok(None);
        };
        let addrs = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let connected = TcpConnector::default().connect(&to_proxy, None::<()>)?;
        let login = proxy.username().map(|name| {
            let login = crate::netrc::basic(name, proxy.password().unwrap_or_default());
            format!("Proxy-Authorization: {login}\r\n")
        });
        Ok(connected.map(|transport| Relayed {
            transport: Box::new(transport),
            origin: format!("http://{origin}"),
            login: login.unwrap_or_default(),
        }))
    }
}

/// A connection on which requests name the whole URL.
#[derive(Debug)]
struct Relayed {
    transport: Box<dyn Transport>,
    origin: String,
    login: String,
}

impl Relayed {
    /// `GET /path HTTP/1.1` and what follows, as a proxy wants it; nothing for what is no request's head.
    fn rewritten(&self, head: &[u8]) -> Option<Vec<u8>> {
        let path = head.strip_prefix(b"GET ").filter(|rest| rest.starts_with(b"/"))?;
        let end = path.windows(2).position(|two| two == b"\r\n")? + 2;
        let (line, rest) = path.split_at_checked(end)?;
        Some([b"GET ", self.origin.as_bytes(), line, self.login.as_bytes(), rest].concat())
    }
}

impl Transport for Relayed {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let head = self.transport.buffers().output().get(..amount).unwrap_or_default().to_vec();
        let Some(text) = self.rewritten(&head) else {
            return self.transport.transmit_output(amount, timeout);
        };
        let size = self.transport.buffers().output().len().max(1);
        for part in text.chunks(size) {
            let output = self.transport.buffers().output();
            output.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            self.transport.transmit_output(part.len(), timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}
