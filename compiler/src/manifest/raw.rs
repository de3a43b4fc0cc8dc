//! `config.resources` as the standard modules declare it (`<cairn>/resources.nix`), field by field.

use std::collections::BTreeMap;

use cairn_lang::Data;
use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

/// All resources of a host. Of a host with errors, some are left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resources {
    pub(super) files: BTreeMap<String, File>,
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) kernel: Kernel,
    pub(super) nftables: BTreeMap<String, Table>,
    pub(super) directories: Vec<String>,
    pub(super) secrets: Secrets,
    pub(super) packages: Packages,
    pub(super) checks: BTreeMap<String, Check>,
    pub(super) order: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) text: Option<String>,
    pub(super) source: Option<String>,
    pub(super) to: Option<String>,
    pub(super) mode: String,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) method: cairn_generation::manifest::Method,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Unit {
    pub(super) text: Option<String>,
    pub(super) enable: bool,
    pub(super) wanted_by: Vec<String>,
    pub(super) required_by: Vec<String>,
    pub(super) restart_if_changed: bool,
    pub(super) reload_if_changed: bool,
    pub(super) stop_if_changed: bool,
    pub(super) stop_on_removal: bool,
    pub(super) only_manual_start: bool,
    pub(super) restart_triggers: Vec<String>,
    pub(super) reload_triggers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct User {
    pub(super) uid: Option<i64>,
    pub(super) group: String,
    pub(super) home: String,
    pub(super) shell: String,
    pub(super) description: String,
    pub(super) is_system: bool,
    pub(super) create_home: bool,
    pub(super) hashed_password: Option<String>,
    pub(super) password_secret: Option<String>,
    pub(super) extra_groups: Vec<String>,
    pub(super) sub_uids: Vec<IdRange>,
    pub(super) sub_gids: Vec<IdRange>,
    pub(super) auto_sub_ids: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdRange {
    pub(super) start: i64,
    pub(super) count: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) gid: Option<i64>,
    pub(super) members: Vec<String>,
    pub(super) is_system: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Kernel {
    pub(super) sysctl: BTreeMap<String, String>,
    pub(super) modules: Vec<String>,
    pub(super) hostname: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) family: String,
    pub(super) name: String,
    pub(super) body: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Packages {
    pub(super) debian: BTreeMap<String, DebianPackage>,
    pub(super) fetched: BTreeMap<String, FetchedPackage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DebianPackage {
    pub(super) version: Option<String>,
    pub(super) sha256: Option<String>,
}

/// The value that `lib.fetchPackage` makes, settled for the host's platform; it may carry more than is
/// needed here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FetchedPackage {
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) checksums: Option<String>,
    #[serde(default)]
    pub(super) sha256: Option<String>,
    /// Whether the hash is the lock's, and not the fleet's own.
    #[serde(default)]
    pub(super) locked: bool,
    #[serde(default)]
    pub(super) bin: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(super) files: BTreeMap<String, Option<String>>,
    pub(super) out_path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Secrets {
    /// Not part of the generation: what its files must be encrypted for.
    pub(super) host_key: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) ssh_key_paths: Vec<String>,
    pub(super) values: BTreeMap<String, Secret>,
    pub(super) templates: BTreeMap<String, Template>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Secret {
    pub(super) sops_file: Option<String>,
    pub(super) format: cairn_generation::secrets::Format,
    pub(super) key: String,
    pub(super) required: bool,
    pub(super) mode: String,
    pub(super) owner: String,
    pub(super) group: String,
    pub(super) restart_units: Vec<String>,
    pub(super) reload_units: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Template {
    pub(super) content: String,
    pub(super) escape: cairn_generation::secrets::Escape,
    pub(super) mode: String,
    pub(super) owner: String,
    pub(super) group: String,
    pub(super) restart_units: Vec<String>,
    pub(super) reload_units: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) kind: CheckKind,
    pub(super) unit: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) url: Option<String>,
    pub(super) command: Option<String>,
    pub(super) interval: u32,
    pub(super) retries: u32,
    pub(super) deadline: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CheckKind {
    Unit,
    Tcp,
    Http,
    Command,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edge {
    pub(super) before: String,
    pub(super) after: String,
}

impl Resources {
    /// Reads what the module system has typed already; an error is a fault of the standard modules.
    pub(super) fn read(data: &Data) -> Result<Resources, Error> {
        Resources::deserialize(Read(data))
    }
}

/// Data, as serde reads it.
#[derive(Clone, Copy)]
struct Read<'de>(&'de Data);

impl<'de> IntoDeserializer<'de> for Read<'de> {
    type Deserializer = Read<'de>;

    fn into_deserializer(self) -> Read<'de> {
        self
    }
}

impl<'de> Deserializer<'de> for Read<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Data::Null => visitor.visit_unit(),
            Data::Bool(value) => visitor.visit_bool(*value),
            Data::Int(value) => visitor.visit_i64(*value),
            Data::Float(value) => visitor.visit_f64(*value),
            Data::Str(text) => visitor.visit_borrowed_str(text),
            Data::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Read))),
            Data::Attrs(attrs) => {
                let entries = attrs.iter().map(|(name, data)| (name.as_str(), Read(data)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Data::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Data::Str(text) => {
                text.as_str().into_deserializer().deserialize_enum(name, variants, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
