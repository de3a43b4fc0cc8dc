//! What a program that holds keys does to itself.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dump of this process, and no look into its memory but root's.
///
/// A kernel that refuses either is no reason not to switch: neither is needed for that.
pub(crate) fn keep_private() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
