//! The command as a user meets it: one file a command.
#![allow(clippy::expect_used, clippy::panic, reason = "a test program")]

mod common;
mod test_build;
mod test_check;
mod test_completions;
mod test_diff;
mod test_eval;
mod test_explain;
mod test_fmt;
mod test_from_nixos;
mod test_git;
mod test_init;
mod test_inputs;
mod test_lock;
mod test_lsp;
mod test_mistakes;
mod test_options;
mod test_packages;
mod test_promotion;
mod test_proxy;
mod test_repl;
mod test_rollback;
mod test_secrets;
mod test_status;
mod test_switch;
