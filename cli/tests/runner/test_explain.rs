//! `cairn explain`

use crate::common::{cairn_in, small};

#[test]
fn every_definition_and_which_won() {
    let folder = small();
    let output = cairn_in(folder.path(), &["explain", "demo", "environment.etc.motd.text"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    environment.etc.motd.text = "hello\n"
      type null or string of lines
      declared <cairn>/environment.nix:50:9
      Content of the file.

      ✓ "hello\n"
          demo.nix:4:31 (mkDefault, host)
      · null
          <cairn>/environment.nix:52:21 (the option's default, standard)
    "#);
    let set = [
        "explain",
        "demo",
        "networking.hostName",
        "--set",
        "networking.hostName=\"x\"",
        "--format",
        "json",
    ];
    let output = cairn_in(folder.path(), &set);
    let objects = output.objects();
    assert_eq!((&objects[0]["type"], &objects[0]["value"]), (&"option".into(), &"\"x\"".into()));
    assert_eq!(objects[0]["definitions"][0]["layer"], "command line");
}

#[test]
fn an_option_that_is_none() {
    let folder = small();
    let output = cairn_in(folder.path(), &["explain", "demo", "networking.hostname"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    option::unknown

      × there is no option `networking.hostname`
      help: did you mean `networking.hostName`?

    1 error
    ");
}
