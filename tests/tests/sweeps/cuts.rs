//! The power goes while a host is being switched: what its disk then holds, and what comes of it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cairn_activator::Node;
use cairn_tests::{Case, Outside, outside};

use crate::blocklog::{Log, Logged, Random};
use crate::depth;
use crate::world::{Name, Order, World, lay_out_host, node};

pub(crate) const CASES: &[Case] = &[
    ("a power cut at any time", power_cuts),
    ("a power cut, with the flushes left out", without_flushes),
];

/// The life of a host: each order begins where the one before has ended.
const LIFE: [Order; 6] = [
    Order::Switch(Name::One),
    Order::Switch(Name::Two),
    Order::Rollback(1),
    Order::Switch(Name::Two),
    Order::Rollback(0),
    Order::Switch(Name::One),
];

/// A life, and the log of its disk.
struct Life {
    world: World,
    log: Log,
    /// What the host looked like after each order, and how long the log was then.
    seen: Vec<(Outside, u64)>,
}

/// How a host came up again.
#[derive(Debug, Default)]
struct Tally {
    old: usize,
    new: usize,
    /// Its generation is older than the one that was confirmed.
    lost: usize,
    /// It is in no generation wholly, or does not come up.
    damaged: Vec<String>,
}

impl Life {
    /// Lives it. `carry_out` makes a command that does the order, however it likes.
    fn live(carry_out: impl Fn(&World, &Path, Order) -> Command) -> Self {
        let (world, disk) = (World::new(), Logged::mount());
        let root = disk.root().join("host");
        lay_out_host(&root);
        rustix::fs::sync();
        let mut seen = vec![(outside(&root), disk.length())];
        for order in LIFE {
            let done = carry_out(&world, &root, order).output().unwrap();
            assert!(done.status.success(), "{done:?}");
            seen.push((outside(&root), disk.length()));
        }
        Self { world, log: disk.unmount(), seen }
    }

    /// Cuts the power at `count` random points.
    fn cut(&self, count: usize) -> Tally {
        let mut random = Random(7);
        let (first, last) = (self.log.entry_after(self.seen[0].1), self.log.count().0);
        let mut points: Vec<usize> =
            (0..count).map(|_| first + random.below(last - first)).collect();
        points.sort_unstable();
        let mut tally = Tally::default();
        self.log.cut(&points, &mut random, |point, disk| {
            let done =
                self.seen.iter().filter(|(_, length)| self.log.entry_after(*length) <= point);
            let done = done.count() - 1;
            let came_up = disk.mounted(|root| self.come_up(&root.join("host"), done));
            match came_up.and_then(|came_up| came_up) {
                Ok(seen) if seen == self.seen[done].0 => tally.old += 1,
                Ok(seen) if self.seen.get(done + 1).is_some_and(|(next, _)| seen == *next) => {
                    tally.new += 1
                }
                Ok(seen) if self.seen.iter().any(|(known, _)| seen == *known) => tally.lost += 1,
                Ok(seen) => {
                    tally.damaged.push(format!("at {point}, after {done} orders: mixed: {seen:#?}"))
                }
                Err(why) => tally.damaged.push(format!("at {point}, after {done} orders: {why}")),
            }
        });
        tally
    }

    fn report(&self, what: &str, Tally { old, new, lost, damaged }: &Tally) {
        let (writes, flushes) = self.log.count();
        let (damaged, points) = (damaged.len(), old + new + lost + damaged.len());
        println!(
            "{what} ({writes} writes, {flushes} flushes): {points} points tried, {old} old, {new} new, \
             {lost} lost, {damaged} damaged or mixed"
        );
    }

    /// The host boots: what it is recovered to. It must then be as it says, and take the next order.
    fn come_up(&self, root: &Path, done: usize) -> Result<Outside, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let mut host = Node::at_root(root).map_err(|error| told(&error))?;
        host.recover(&mut cairn_activator::silent).map_err(|error| told(&error))?;
        let seen = outside(root);
        let status = host.status().map_err(|error| told(&error))?;
        let history = host.history().map_err(|error| told(&error))?;
        if !history.broken.is_empty() {
            return Err(format!("history: {:?}", history.broken));
        }
        if status.switching || !status.drift.is_empty() {
            return Err(format!("{status:?}"));
        }
        // A blob that was torn must be found before it is used: the life goes on.
        let here = [done, done + 1]
            .into_iter()
            .find(|at| self.seen.get(*at).is_some_and(|(known, _)| seen == *known));
        if let Some((next, at_its_end)) =
            here.and_then(|at| Some((LIFE.get(at)?, self.seen.get(at + 1)?)))
        {
            let words = self.world.words(root, *next);
            let carried_out = Command::new(node()).args(words).output().unwrap();
            if !carried_out.status.success() || outside(root) != at_its_end.0 {
                return Err(format!("{next:?} afterwards: {carried_out:?}"));
            }
        }
        Ok(seen)
    }
}

fn power_cuts() {
    let life = Life::live(|world, root, order| {
        let mut command = Command::new(node());
        command.args(world.words(root, order));
        command
    });
    let tally = life.cut(depth(100, 1000));
    life.report("power cuts", &tally);
    assert!(tally.lost == 0 && tally.damaged.is_empty(), "{tally:#?}");
    assert!(tally.old > 0 && tally.new > 0, "{tally:#?}");
}

/// The control: the same, but nothing is flushed. A suite that does not see this sees nothing.
fn without_flushes() {
    let life = Life::live(|world, root, order| {
        // The disk's own time to write, as between two switches of a real host.
        std::thread::sleep(Duration::from_millis(1200));
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync,fdatasync,syncfs",
        ]);
        command.args(["-e", "inject=fsync,fdatasync,syncfs:retval=0"]);
        command.arg(node()).args(world.words(root, order));
        command
    });
    let tally = life.cut(depth(40, 200));
    life.report("power cuts, flushes left out", &tally);
    assert!(tally.lost + tally.damaged.len() > 0, "nothing was lost: {tally:#?}");
}
