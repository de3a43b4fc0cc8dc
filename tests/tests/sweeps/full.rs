//! A disk that is full and stays so: with so many blocks left, for every number of them from none to
//! enough.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use cairn_activator::Node;
use cairn_tests::{Case, outside};

use crate::world::{Name, Order, World, folder, lay_out_host, node};

pub(crate) const CASES: &[Case] = &[("a disk that is full and stays so", stays_full)];

const BLOCK: u64 = 4096;

fn stays_full() {
    let courses: [(&str, &[Order], Order); 3] = [
        ("first", &[], Order::Switch(Name::One)),
        ("change", &[Order::Switch(Name::One)], Order::Switch(Name::Two)),
        ("rollback", &[Order::Switch(Name::One), Order::Switch(Name::Two)], Order::Rollback(0)),
    ];
    let (world, place) = (World::new(), folder());
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("this needs root");
    must(Command::new("mount").args(["--make-rprivate", "/"]));
    must(Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "full"]).arg(place.path()));
    for (name, before, order) in courses {
        let prepared = folder();
        let found = prepared.path().join("root");
        lay_out_host(&found);
        before.iter().for_each(|order| world.must(&found, *order));
        let old = outside(&found);
        let (mut olds, mut news, mut look, mut left) = (0, 0, 0, 0);
        loop {
            let root = place.path().join("root");
            must(Command::new("cp").arg("-a").args([&found, &root]));
            let ballast = place.path().join("ballast");
            fill(place.path(), &ballast, left);
            let ended = Command::new(node()).args(world.words(&root, order)).output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            let seen = outside(&root);
            let at = format!("{name}, {left} blocks left: {:?} {said}", ended.status);
            match ended.status.code() {
                Some(0) => {}
                Some(3) => assert_eq!(seen, old, "{at}"),
                Some(4) => {
                    // It could not even write down that it went back; but it did.
                    assert_eq!(seen, old, "{at}");
                    look += 1;
                }
                _ => panic!("{at}"),
            }
            fs::remove_file(&ballast).unwrap();
            world.must(&root, Order::Recover);
            let status = Node::at_root(&root).unwrap().status().unwrap();
            assert!(!status.switching && status.drift.is_empty(), "{at}: {status:?}");
            let done = ended.status.success();
            if done {
                news += 1;
                assert_ne!(seen, old, "{at}");
            } else {
                olds += 1;
                assert!(said.contains("No space left on device"), "{at}");
                assert_eq!(outside(&root), old, "{at}: with room again");
                world.must(&root, order);
            }
            fs::remove_dir_all(&root).unwrap();
            left += 1;
            if news == 3 {
                break;
            }
        }
        println!(
            "{name} on a disk that stays full: {} points tried, {olds} old ({look} of them could not \
             write it down), {news} new, 0 mixed",
            olds + news
        );
    }
    must(Command::new("umount").arg(place.path()));
}

/// Leaves room for so many blocks.
fn fill(disk: &Path, ballast: &Path, left: u64) {
    let file = File::create(ballast).unwrap();
    let free = rustix::fs::statvfs(disk).unwrap().f_bavail;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, (free - left) * BLOCK)
        .unwrap();
    assert_eq!(rustix::fs::statvfs(disk).unwrap().f_bavail, left);
}

fn must(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
