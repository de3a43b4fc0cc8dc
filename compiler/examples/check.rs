#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]
use cairn_compiler::Fleet;
use cairn_lang::{DiskFs, Features};
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let start = std::time::Instant::now();
    let fleet = match Fleet::load_to_check(
        DiskFs::new(std::path::Path::new(&dir)).unwrap(),
        &[],
        Features::default(),
    ) {
        Ok(fleet) => fleet,
        Err(report) => {
            for d in report.diagnostics {
                println!("{} {} {:?}", d.code, d.message, report.sources.place(d.span));
            }
            return;
        }
    };
    let loaded = start.elapsed();
    let report = fleet.check(&fleet.hosts());
    println!("load {loaded:?} total {:?}", start.elapsed());
    for d in report.diagnostics.iter().take(20) {
        println!("{} {} {:?}", d.code, d.message, report.sources.place(d.span));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
    std::process::exit(0);
}
