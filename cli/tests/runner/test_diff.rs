//! `cairn diff`

use crate::common::{cairn_in, small};

#[test]
fn lines_of_files_and_what_happens_to_units() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let output = cairn_in(folder.path(), &["diff", "demo", "--into", "root"]);
    assert_eq!(output.stdout, "nothing to do: demo is what the fleet says\n");
    let changed = [
        "diff",
        "demo",
        "--into",
        "root",
        "--set",
        "environment.etc.motd.text=\"other\\n\"",
        "--set",
        "systemd.services.hello.description=\"Hello\"",
        "--set",
        "systemd.services.hello.environment.X=\"1\"",
    ];
    let output = cairn_in(folder.path(), &changed);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    demo would change:
      files     ~ /etc/motd
                ~ /etc/systemd/system/hello.service
      units     restart hello.service

    /etc/motd
    @@ -1 +1 @@
    -hello
    +other

    /etc/systemd/system/hello.service
    @@ -1,2 +1,6 @@
    +[Unit]
    +Description=Hello
    +
     [Service]
     ExecStart=/etc/cairn/scripts/hello/start
    +Environment="X=1"
    "#);
}
