//! Fleets over SSH: reaching a host, sending what it does not have yet, switching it, and confirming
//! over a connection of its own that it can still be reached.
//!
//! A [`Deployer`] is made once from [`Settings`]. It opens a [`Session`] with one host, which answers
//! questions ([`Session::status`], [`Session::history`], [`Session::current`], [`Session::blob`]),
//! or does a whole switch ([`Deployer::switch`], [`Deployer::rollback`]). [`fleet::run`] does either
//! on many hosts at once. Whatever happens on the way is told to an [`Observer`]; nothing is printed.
//!
//! Every failure is an [`Error`]: a stable code, what happened where, what to do, and what it means
//! for the host.

mod activator;
pub mod bundle;
mod deployer;
mod error;
mod event;
pub mod fleet;
mod help;
mod here;
mod identity;
pub mod known_hosts;
mod pattern;
mod session;
mod settings;
mod ssh;
pub mod ssh_config;
mod target;
pub mod transport;

pub use activator::Activators;
pub use deployer::{Deployer, Generation, Switch};
pub use error::{Attempt, Cause, Effect, Endpoint, Error, Expected, Lost, Place};
pub use event::{HostEvent, Observer, Quiet};
pub use here::Here;
pub use identity::{NoPassphrases, Passphrases};
pub use session::Session;
pub use settings::Settings;
pub use ssh::{ShownKey, host_key};
pub use target::Target;
