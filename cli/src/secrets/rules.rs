//! The `.sops.yaml` that a file falls under.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use cairn_sops::{CreationRule, CreationRules};

use crate::error::CommandError;

/// The rule for a file: of the nearest `.sops.yaml` upward, the first that fits. None where there
/// is no such file, or no rule of it fits.
pub(crate) fn of(file: &Path) -> Result<Option<CreationRule>, CommandError> {
    let file = std::path::absolute(file)?;
    for folder in file.ancestors().skip(1) {
        let path = folder.join(".sops.yaml");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(CommandError::user(format!("{}: {error}", path.display())));
            }
        };
        let rules = CreationRules::parse(&bytes)
            .map_err(|error| CommandError::user(format!("{}: {error}", path.display())))?;
        let below = file.strip_prefix(folder).unwrap_or(&file);
        return Ok(rules.for_path(&below.to_string_lossy()).cloned());
    }
    Ok(None)
}

/// The rule that a new file needs.
pub(crate) fn required(file: &Path) -> Result<CreationRule, CommandError> {
    let rule = of(file)?.filter(|rule| rule.groups.iter().all(|group| !group.is_empty()));
    rule.ok_or_else(|| {
        let message = format!("no `.sops.yaml` says for whom {} is encrypted", file.display());
        CommandError::user(message).hint(
            "write one at the top of the fleet: `creation_rules:`, with `- age: [\"age1…\"]` below; \
             `cairn secrets keygen` makes a key",
        )
    })
}
