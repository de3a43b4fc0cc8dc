//! Hosts: a fleet's modules to a checked fleet to generations.
//!
//! A [`Fleet`] is read once; hosts are then evaluated in parallel, each by a job of its own. What
//! comes out is a [`Report`] of everything that is wrong, or a [`Built`] generation for each host.
//! Nothing here touches a disk or a network but through [`cairn_lang::FileSystem`],
//! [`cairn_fetch::Fetch`] and a store of blobs.

mod files;
mod fleet;
mod inputs;
pub mod manifest;
mod nixos;
mod reads;
mod report;
mod standard;
mod tree;

pub use files::nix_files;
pub use fleet::{
    Adopt, Built, Chain, Demanded, Deployment, Fleet, FleetFiles, FleetOption, Kin, Look, Names,
    Offer, OptionValue, OptionValues, Origin, SelectError, Source, Study, Template, Unlock, Why,
    templates,
};
pub use inputs::FleetInputs;
pub use nixos::{LeftOut, Takeover, take_over};
pub use report::Report;
pub use standard::{catalogue, standard_modules};
pub use tree::lay_out;
