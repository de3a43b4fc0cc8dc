//! Values as they are written in a module.

use cairn_lang::{Diagnostic, Evaluator, Result, Root, Span, Value, is_identifier};

use crate::standard::catalogue;

/// Packages of nixpkgs that Debian has by another name.
const RENAMED: [(&str, &str); 21] = [
    ("bind", "bind9"),
    ("bridge-utils", "bridge-utils"),
    ("cifs-utils", "cifs-utils"),
    ("coreutils-full", "coreutils"),
    ("dig", "bind9-dnsutils"),
    ("dogdns", "bind9-dnsutils"),
    ("fd", "fd-find"),
    ("gnumake", "make"),
    ("gnused", "sed"),
    ("gnutar", "tar"),
    ("inetutils", "inetutils-telnet"),
    ("killall", "psmisc"),
    ("lm_sensors", "lm-sensors"),
    ("netcat", "netcat-openbsd"),
    ("nettools", "net-tools"),
    ("nfs-utils", "nfs-common"),
    ("openiscsi", "open-iscsi"),
    ("openssh", "openssh-client"),
    ("procps", "procps"),
    ("python3Full", "python3"),
    ("zfs", "zfsutils-linux"),
];

/// Packages of the catalogue that Debian has as well. Debian's need no lock.
const BOTH: [&str; 3] = ["age", "restic", "skopeo"];

/// Packages of nixpkgs that nobody has.
const ABSENT: [&str; 10] = [
    "helm",
    "helmfile",
    "k0sctl",
    "kubectx",
    "kustomize",
    "lazygit",
    "nerdctl",
    "nushell",
    "starship",
    "stern",
];

/// The Debian package of a name in nixpkgs; why there is none.
pub(super) fn package(name: &str) -> std::result::Result<&str, String> {
    if !BOTH.contains(&name) && catalogue().any(|one| one == name) {
        return Err(format!(
            "`pkgs.{name}` is of Cairn's catalogue: add it by hand, and run `cairn lock`"
        ));
    }
    if ABSENT.contains(&name) {
        return Err(format!("Debian has no package `{name}`: see lib.fetchPackage"));
    }
    let renamed = RENAMED.iter().find(|(nixpkgs, _)| *nixpkgs == name);
    Ok(renamed.map_or(name, |(_, debian)| debian))
}

/// What is left of a value once it is written.
#[derive(Default)]
pub(super) struct Written {
    /// Files of the flake that it names.
    pub(super) files: Vec<String>,
    /// Elements of lists that cannot be written, with their places.
    pub(super) left_out: Vec<(Span, String)>,
}

impl Written {
    /// A value as an expression. `at` is where it is written.
    pub(super) fn value<'a>(
        &mut self,
        eval: &Evaluator<'a>,
        value: Value<'a>,
        at: Span,
    ) -> Result<String> {
        eval.deeper(at, || match eval.force_at(value, at)? {
            Value::Str(text) if text.contains("/var/lib/cairn/store/") => {
                Err(odd(at, "it names a file inside of a text"))
            }
            Value::Str(text) => Ok(string(text)),
            Value::Path(path) if path.root == Root::Fleet => {
                self.files.push(path.path.to_owned());
                Ok(format!("../files/{}", path.path))
            }
            Value::Path(_) => Err(odd(at, "it names a file outside of the flake")),
            Value::List(list) => {
                let spans = eval.element_spans(at).unwrap_or_default();
                let mut items = String::new();
                for (number, item) in list.iter().enumerate() {
                    let at = spans.get(number).copied().unwrap_or(at);
                    match self.value(eval, item, at) {
                        Ok(text) if text.starts_with('-') => items += &format!(" ({text})"),
                        Ok(text) => items += &format!(" {text}"),
                        Err(error) => self.left_out.push((at, error.message.clone())),
                    }
                }
                Ok(format!("[{items} ]"))
            }
            Value::Attrs(set) if set.get_str("outPath").is_some() => {
                let name = set.get_str("name").filter(|_| set.get_str("kind").is_some());
                let name = name.ok_or_else(|| odd(at, "it is something that Nix builds"))?;
                let name = eval.force_attr(name)?;
                let name = eval.expect_str(name, at)?;
                let debian = package(name).map_err(|why| odd(at, &why))?;
                let from = if BOTH.contains(&debian) { "pkgs.debian" } else { "pkgs" };
                Ok(format!("{from}.{}", quoted(debian)))
            }
            Value::Attrs(set) if set.get_str("_type").is_some() => {
                Err(odd(at, "it depends on more than can be known here"))
            }
            Value::Attrs(set) => {
                let mut fields = String::new();
                for attr in set.sorted() {
                    let at = eval.value_span(attr.span).or(at);
                    let text = self.value(eval, attr.value.get(), at)?;
                    fields += &format!(" {} = {text};", quoted(attr.name.as_str()));
                }
                Ok(format!("{{{fields} }}"))
            }
            function @ (Value::Lambda(_) | Value::PrimOp(_)) => {
                Err(odd(at, &format!("it is {}", function.described())))
            }
            plain => eval.print(plain),
        })
    }
}

fn odd(at: Span, why: &str) -> Box<Diagnostic> {
    Diagnostic::error("eval::not-data", at, why).into()
}

/// A name as it stands in a path.
pub(super) fn quoted(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { string(name) }
}

/// A string; of several lines, where nothing in them means anything else there.
fn string(text: &str) -> String {
    let is_plain = |line: &str| !line.starts_with([' ', '\t']) && !line.contains(['\r', '\\']);
    let lines = text.strip_suffix('\n').filter(|lines| lines.contains('\n'));
    if let Some(lines) = lines.filter(|lines| lines.lines().all(is_plain)) {
        let lines = lines.replace("''", "'''").replace("${", "''${");
        return format!("''\n{lines}\n''");
    }
    let mut quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    for (raw, escape) in [("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")] {
        quoted = quoted.replace(raw, escape);
    }
    format!("\"{quoted}\"")
}
