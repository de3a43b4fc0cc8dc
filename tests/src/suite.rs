//! The runner: one binary a suite, each case by its name, in the manner of `cargo test`.

use libtest_mimic::{Arguments, Failed, Trial};

use crate::hosts_missing;

/// A test: its name, and what it does. It fails by panicking.
pub type Case = (&'static str, fn());

/// Runs a suite and ends the process. `modules` pairs the name of a file with its cases.
///
/// Where a suite needs real hosts and none can be made, its cases are skipped, loudly; with
/// `CAIRN_REQUIRE_HOSTS=1` they fail instead.
pub fn run(needs_hosts: bool, modules: &[(&str, &[Case])]) -> ! {
    let modules: Vec<_> =
        modules.iter().map(|(name, cases)| (needs_hosts, *name, *cases)).collect();
    run_each(&modules)
}

/// Runs a suite as [`run`] does; each module says for itself whether it needs what hosts need.
pub fn run_each(modules: &[(bool, &str, &[Case])]) -> ! {
    let missing = hosts_missing();
    let required = std::env::var_os("CAIRN_REQUIRE_HOSTS").is_some_and(|value| value == "1");
    if let Some(why) = &missing
        && !required
        && modules.iter().any(|(needs_hosts, ..)| *needs_hosts)
    {
        eprintln!("LEFT OUT, every test on a real host: {why}");
    }
    let mut trials = Vec::new();
    for (needs_hosts, module, cases) in modules {
        for &(name, case) in *cases {
            let missing = missing.clone().filter(|_| *needs_hosts);
            let skipped = missing.is_some() && !required;
            let trial = Trial::test(format!("{module}::{name}"), move || match missing {
                Some(why) => Err(Failed::from(format!("CAIRN_REQUIRE_HOSTS=1, but {why}"))),
                None => {
                    case();
                    Ok(())
                }
            });
            trials.push(trial.with_ignored_flag(skipped));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
