//! Which keys a host may show.

/// How `known_hosts` files name a host: `host`, or `[host]:port` where the port is not 22.
pub fn name_of(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}
