//! What shows of secrets without a key: everything that is wrong with them before anything runs.
#![allow(clippy::expect_used, clippy::panic, reason = "a test program")]

use cairn_compiler::{Fleet, Report};
use cairn_fetch::Offline;
use cairn_generation::{Manifest, Store};
use cairn_lang::{Features, MemoryFs};
use cairn_sops::Recipient;

const HOST: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9lcTTv1740mobWuMKfyGkHkl8TbLq9fbxQBXxCwWne host";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEjhXtYlrmoixrKZblyJwpov4/j3ZgAC5eaF3oYfuLQJ other";

/// A value as sops encrypts one; nobody opens it here.
const CIPHER: &str = "ENC[AES256_GCM,data:dGVzdA==,\
    iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]";

/// The form of a host key that `ssh-to-age` makes.
fn age_form(key: &str) -> String {
    let forms = Recipient::forms_of_host_key(key).expect("a host key");
    forms.last().expect("its second form").to_string()
}

/// A file with some values, for these recipients.
fn file(recipients: &[&str]) -> String {
    let stanza = |recipient: &&str| {
        format!(
            "    - recipient: {recipient}\n      enc: |\n        -----BEGIN AGE ENCRYPTED FILE-----\n        \
             -----END AGE ENCRYPTED FILE-----\n"
        )
    };
    let stanzas: String = recipients.iter().map(stanza).collect();
    format!(
        "app:\n    token: {CIPHER}\n    port_unencrypted: 5432\nempty: \"\"\nplain: text\nsops:\n    age:\n\
         {stanzas}    lastmodified: \"2026-01-01T00:00:00Z\"\n    mac: {CIPHER}\n    \
         unencrypted_suffix: _unencrypted\n    version: 3.9.4\n"
    )
}

/// A fleet whose host `a` has this module beside its host key, and these files.
fn fleet(module: &str, files: &[(&str, &str)]) -> MemoryFs {
    let text = format!(
        "{{ outputs = {{ self, ... }}: {{ hosts.a = {{ config, lib, ... }}: {{ imports = [\n{module}\n]; \
         deployment.hostKey = lib.mkDefault \"{HOST}\"; }}; }}; }}"
    );
    let own = std::iter::once(("cairn.nix", text.as_str()));
    MemoryFs::new(own.chain(files.iter().copied()))
}

/// Code, line and message of each.
fn told(report: &Report) -> String {
    let each = report.diagnostics.iter().map(|diagnostic| {
        let place = match report.sources.place(diagnostic.span) {
            Some(at) => format!("{}:{}", at.file, at.start.line),
            None => "nowhere".to_owned(),
        };
        let help = diagnostic.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
        format!("{} at {place}: {}{help}\n", diagnostic.code, diagnostic.message)
    });
    each.collect()
}

/// Everything that there is to say about a fleet.
fn said(module: &str, files: &[(&str, &str)]) -> String {
    match Fleet::load_to_check(fleet(module, files), &[], Features::default()) {
        Err(report) => told(&report),
        Ok(fleet) => told(&fleet.check(&fleet.hosts())),
    }
}

fn said_of(module: &str) -> String {
    said(module, &[("s.yaml", &file(&[HOST]))])
}

fn built(module: &str, files: &[(&str, &str)]) -> Manifest {
    let loaded = Fleet::load(fleet(module, files), &[], Features::default());
    let fleet = loaded.unwrap_or_else(|report| panic!("{}", told(&report)));
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let (built, _) = fleet
        .build(&fleet.hosts(), &Offline, &store)
        .unwrap_or_else(|report| panic!("{}", told(&report)));
    for id in built[0].manifest.blobs() {
        store.verify(&id).expect("every blob is there");
    }
    built[0].manifest.clone()
}

#[test]
fn a_generation_holds_ciphertext_and_placeholders() {
    let text = file(&[HOST]);
    let manifest = built(
        r#"{
          sops.defaultSopsFile = ./s.yaml;
          sops.secrets."app/token" = { owner = "app"; restartUnits = [ "app.service" ]; required = false; };
          sops.secrets.linked = { key = "app/token"; path = "/etc/app/token"; };
          sops.templates."app.conf".content = "token=${config.sops.placeholder."app/token"}\n";
          users.users.app = { isSystemUser = true; group = "app"; };
          users.groups.app = { };
          systemd.services.app.serviceConfig = {
            ExecStart = "/bin/true";
            EnvironmentFile = config.sops.templates."app.conf".path;
          };
        }"#,
        &[("s.yaml", &text)],
    );
    let secrets = serde_json::to_string_pretty(&manifest.secrets).expect("JSON");
    let secrets =
        secrets.replace(&cairn_generation::BlobId::of(text.as_bytes()).to_string(), "FILE");
    insta::assert_snapshot!(secrets);
    assert_eq!(
        manifest.secrets.values["linked"].ciphertext,
        manifest.secrets.values["app/token"].ciphertext
    );
    let link = &manifest.files["/etc/app/token"].content;
    insta::assert_debug_snapshot!(link, @r#"
    To(
        "/run/cairn/secrets/linked",
    )
    "#);
    let unit = manifest.units["app.service"].text.clone().expect("a text");
    assert!(unit.contains("EnvironmentFile=/run/cairn/secrets/rendered/app.conf"), "{unit}");
}

#[test]
fn what_stands_in_the_file() {
    insta::assert_snapshot!(said_of(r#"{
      sops.defaultSopsFile = ./s.yaml;
      sops.secrets."app/tokn" = { };
      sops.secrets.app = { };
      sops.secrets."app/port_unencrypted" = { };
      sops.secrets.empty = { };
      sops.secrets.plain = { };
      sops.secrets.wrong = { key = "app/token"; format = "json"; };
      sops.secrets.host = { sopsFile = "/etc/s.yaml"; };
    }"#), @"
    secret::collision at cairn.nix:4: `app/tokn` and `app` want the same place, /run/cairn/secrets/app/tokn
      a path is a file or a folder, and one secret's: rename one of them
    secret::unknown-key at cairn.nix:4: s.yaml has no `app/tokn`
      did you mean `app/token`?
    secret::not-a-value at cairn.nix:5: `app` in s.yaml holds several values, and a secret is one
      name one of them, with `/` between the keys; an empty `key` takes the whole file
    secret::collision at cairn.nix:6: `app/port_unencrypted` and `app` want the same place, /run/cairn/secrets/app/port_unencrypted
      a path is a file or a folder, and one secret's: rename one of them
    secret::not-encrypted at cairn.nix:6: `app/port_unencrypted` in s.yaml is not encrypted: whoever has the repository can read it
      the file's rule leaves it out, by its name mostly (`_unencrypted`): rename it, and change the value
    secret::empty at cairn.nix:7: `empty` in s.yaml is empty, and anybody could have emptied it
      give it a value with `cairn secrets edit s.yaml`
    secret::not-encrypted at cairn.nix:8: `plain` in s.yaml is not encrypted: whoever has the repository can read it
      the file's rule leaves it out, by its name mostly (`_unencrypted`): rename it, and change the value
    secret::unreadable-file at cairn.nix:9: s.yaml cannot be read as json: not JSON: expected value (line 1)
      `format` says how the file is written; `cairn secrets check` tells more
    secret::not-in-fleet at cairn.nix:10: the secret `host` is in `/etc/s.yaml`, which is no file of the fleet
      write its path without quotes: `./secrets/a.yaml`
    ");
    insta::assert_snapshot!(said_of("{ sops.secrets.gone.sopsFile = ./gone.yaml; }"), @"
    file::not-found at cairn.nix:2: there is no file gone.yaml
      check the name; paths start at the file they are written in
    ");
    insta::assert_snapshot!(said("{ sops.secrets.a.sopsFile = ./p.yaml; }", &[("p.yaml", "a: hush\n")]), @"
    secret::not-encrypted at cairn.nix:2: p.yaml is not encrypted: whoever has the repository can read it
      encrypt it with `cairn secrets edit p.yaml`, and change what is in it: it is known
    ");
    insta::assert_snapshot!(said_of("{ sops.secrets.a = { }; }"), @r#"
    assertion::failed at cairn.nix:2: sops.secrets."a".sopsFile is not set, nor is `sops.defaultSopsFile`
      a module asks for this of the host `a`
    "#);
}

#[test]
fn owners_units_and_places() {
    insta::assert_snapshot!(said_of(r#"{
      sops.defaultSopsFile = ./s.yaml;
      sops.secrets.a = { key = "app/token"; owner = "wwwdata"; group = "1000"; };
      sops.secrets.b = { key = "app/token"; restartUnits = [ "app" "ap.service" "other.service" ]; };
      sops.secrets."a/b" = { key = "app/token"; };
      sops.secrets."rendered/t" = { key = "app/token"; };
      sops.secrets."../x" = { key = "app/token"; };
      sops.templates.t.content = "x";
      sops.age.keyFile = "key.txt";
      systemd.services.app.serviceConfig.ExecStart = "/bin/true";
    }"#), @"
    secret::unknown-owner at cairn.nix:4: `a` belongs to the user `wwwdata`, which does not exist
      did you mean `www-data`?
    secret::unknown-unit at cairn.nix:5: `b` is read by the unit `ap.service`, which does not exist
      did you mean `app.service`?
    secret::collision at cairn.nix:6: `a/b` and `a` want the same place, /run/cairn/secrets/a/b
      a path is a file or a folder, and one secret's: rename one of them
    secret::bad-name at cairn.nix:8: `../x` is no name that a file of a secret can have
      names are paths without `.`, `..`, doubled or trailing slashes
    secret::collision at cairn.nix:9: `t` and `rendered/t` want the same place, /run/cairn/secrets/rendered/t
      a path is a file or a folder, and one secret's: rename one of them
    secret::key-in-fleet at cairn.nix:10: `key.txt` is no absolute path of a file on the host
      start it with `/`
    ");
}

#[test]
fn placeholders_stay_in_templates() {
    insta::assert_snapshot!(said_of(r#"{
      sops.defaultSopsFile = ./s.yaml;
      sops.secrets.a = { key = "app/token"; };
      environment.etc.a.text = "token=${config.sops.placeholder.a}";
      systemd.services.app.serviceConfig.ExecStart = "/bin/app --token ${config.sops.placeholder.a}";
      sops.templates.t.content = builtins.replaceStrings [ "0" "1" ] [ "1" "0" ] config.sops.placeholder.a;
    }"#), @"
    secret::placeholder at cairn.nix:5: the placeholder of a secret stands here, where nothing takes its place
      put the text into `sops.templates.<name>.content`, and name the template's `path` instead
    secret::placeholder at cairn.nix:6: the placeholder of a secret stands here, where nothing takes its place
      put the text into `sops.templates.<name>.content`, and name the template's `path` instead
    secret::unknown-placeholder at cairn.nix:7: the template `t` has the placeholder of a secret that this host has not
      take `config.sops.placeholder.<name>` of this host, and declare the secret in `sops.secrets`
    ");
    // The handle is no text at all, as evaluation and the checker say in one voice.
    insta::assert_snapshot!(said_of(r#"{
      sops.defaultSopsFile = ./s.yaml;
      sops.secrets.a = { key = "app/token"; };
      environment.etc.a.text = "token=${config.sops.secrets.a}";
    }"#), @"
    secret::in-text at cairn.nix:5: a secret is no text: its value is known on the host alone, once it runs
      give the program the file that the secret is in; a text with the secret in it would be in the generation, for everybody to read
    ");
}

#[test]
fn who_can_decrypt() {
    let uses = "{ sops.secrets.a = { sopsFile = ./s.yaml; key = \"app/token\"; }; }";
    for own in [HOST, &age_form(HOST)] {
        assert_eq!(said(uses, &[("s.yaml", &file(&[OTHER, own]))]), "");
    }
    insta::assert_snapshot!(said(uses, &[("s.yaml", &file(&[OTHER]))]), @"
    secret::not-a-recipient at cairn.nix:2: the host `a` cannot decrypt s.yaml: it is not among its recipients (`ssh-ed25519 SHA256:IzAYQ/Lj7rFO2uh0s4tOBbxa+6qh0vID75Z+ccZ2lNY`)
      `cairn secrets rekey s.yaml` encrypts it for the hosts that use it; this one is ssh-ed25519 SHA256:ON7/huOmAvZmyvSSrXwOF64bl+Dpg8XP+YWSWY/vK8Q, or age1kjsayy7a584kntl809qcq7yluvlw4rs4z7eefg7neznakvcmldfqzf00t7
    ");
    insta::assert_snapshot!(
        said("{ deployment.hostKey = null; sops.secrets.a = { sopsFile = ./s.yaml; key = \"app/token\"; }; }",
            &[("s.yaml", &file(&[OTHER]))]),
        @"
    secret::no-host-key at cairn.nix:2: whether the host can decrypt its secrets is not known before it is switched
      set `deployment.hostKey` to its public key: `cairn secrets host-key HOST` fetches it
    "
    );
    let rules = format!(
        "creation_rules:\n    - path_regex: s\\.yaml$\n      age: {}\n",
        [age_form(HOST), age_form(OTHER)].join(",")
    );
    insta::assert_snapshot!(
        said(uses, &[("s.yaml", &file(&[HOST])), (".sops.yaml", &rules)]),
        @"
    secret::rules at cairn.nix:2: s.yaml is not as `.sops.yaml` says: it is not encrypted for `age169enz7vhkjqzww25vrrhmaz8umr8p4ct433rk7masuwgnulmf4tq4fp0fa`
      `cairn secrets rekey s.yaml` encrypts it for those who are meant, with a new key
    "
    );
}

#[test]
fn hosts_that_have_no_use_for_a_file() {
    let text = format!(
        "{{ outputs = {{ self, ... }}: {{ hosts.a = {{ deployment.hostKey = \"{HOST}\"; sops.secrets.a = {{ \
         sopsFile = ./s.yaml; key = \"app/token\"; }}; }}; hosts.b.deployment.hostKey = \"{OTHER}\"; }}; }}"
    );
    let file = file(&[HOST, &age_form(OTHER)]);
    let files = MemoryFs::new([("cairn.nix", text.as_str()), ("s.yaml", &file)]);
    let fleet = Fleet::load_to_check(files, &[], Features::default());
    let fleet = fleet.unwrap_or_else(|report| panic!("{}", told(&report)));
    insta::assert_snapshot!(told(&fleet.check(&fleet.hosts())), @"
    secret::needless-reader at cairn.nix:1: the host `b` can decrypt s.yaml too, without using anything of it
      a file for each circle of hosts keeps what one of them loses from the others; `cairn secrets rekey` takes away who has no use for it
    ");
}

#[test]
fn passwords_of_users_are_secrets() {
    let manifest = built(
        r#"{
          sops.secrets.alice = { sopsFile = ./s.yaml; key = "app/token"; neededForUsers = true; };
          users.users.alice = { isNormalUser = true; hashedPasswordFile = config.sops.secrets.alice.path; };
          users.users.bob = { isNormalUser = true; hashedPasswordFile = config.sops.secrets.alice; };
        }"#,
        &[("s.yaml", &file(&[HOST]))],
    );
    for name in ["alice", "bob"] {
        assert_eq!(manifest.users[name].password_secret.as_deref(), Some("alice"));
    }
    insta::assert_snapshot!(said_of(r#"{
      sops.secrets.a = { sopsFile = ./s.yaml; key = "app/token"; };
      users.users.alice = { isNormalUser = true; hashedPasswordFile = config.sops.secrets.a.path; };
      users.users.bob = { isNormalUser = true; hashedPasswordFile = "/etc/bob"; };
      users.users.eve = { isNormalUser = true; password = "hush"; };
      sops.secrets.b = { sopsFile = ./s.yaml; key = "app/token"; neededForUsers = true; owner = "www-data"; };
    }"#), @r#"
    assertion::failed at cairn.nix:4: users.users.alice.hashedPasswordFile is no secret of `sops.secrets` that is `neededForUsers`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:5: users.users.bob.hashedPasswordFile is no secret of `sops.secrets` that is `neededForUsers`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:6: users.users.eve.password would stand in the fleet's files for all to read: write what `mkpasswd` prints in `hashedPassword`, or keep that in a secret (`hashedPasswordFile`)
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:7: sops.secrets."b".owner: a secret that is needed for users belongs to root, since it is there before they are
      a module asks for this of the host `a`
    "#);
}

#[test]
fn tokens_of_k3s_are_secrets() {
    let manifest = built(
        r#"{
          services.k3s = { enable = true; package = null; token = config.sops.secrets.a; };
          sops.secrets.a = { sopsFile = ./s.yaml; key = "app/token"; };
        }"#,
        &[("s.yaml", &file(&[HOST]))],
    );
    assert!(manifest.secrets.values["a"].access.restart_units.contains("k3s.service"));
    insta::assert_snapshot!(said_of(r#"{
      services.k3s = { enable = true; package = null; token = "K10hush"; agentToken = "hush"; };
    }"#), @r#"
    type::mismatch at cairn.nix:3: `services.k3s.token` takes a secret, and a secret is named, never written: what stands in the fleet's files is known to whoever can read them
      encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put `config.sops.secrets.<name>` here
    type::mismatch at cairn.nix:3: `services.k3s.agentToken` takes a secret, and a secret is named, never written: what stands in the fleet's files is known to whoever can read them
      encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put `config.sops.secrets.<name>` here
    "#);
    insta::assert_snapshot!(said_of(r#"{
      services.k3s = { enable = true; package = null; extraFlags = [ "--token=hush" ]; };
    }"#), @r#"
    type::mismatch at cairn.nix:3: `services.k3s.settings.token` takes a secret, and a secret is named, never written: what stands in the fleet's files is known to whoever can read them
      encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put `config.sops.secrets.<name>` here
    "#);
}

/// Services whose secrets are named, each with the secret in its place.
fn services(secret: &str) -> String {
    let peer = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    format!(
        r#"{{
          networking.wireguard.interfaces.wg0 = {{
            ips = [ "10.100.0.1/24" ];
            privateKey = {secret};
            peers = [ {{ name = "b"; publicKey = "{peer}"; presharedKey = {secret}; allowedIPs = [ "10.100.0.2/32" ]; }} ];
          }};
          services.restic.backups.home = {{
            repository = "/srv/backup";
            password = {secret};
            secretEnvironment.AWS_SECRET_ACCESS_KEY = {secret};
          }};
          services.k3s = {{
            enable = true;
            package = null;
            registries.configs."r.example.org".auth = {{ username = "ada"; password = {secret}; }};
          }};
          sops.secrets.a = {{ sopsFile = ./s.yaml; key = "app/token"; }};
        }}"#
    )
}

#[test]
fn services_take_secrets_by_type() {
    let named = built(&services("config.sops.secrets.a"), &[("s.yaml", &file(&[HOST]))]);
    let restarted = &named.secrets.values["a"].access.restart_units;
    for unit in ["wireguard-wg0.service", "wireguard-wg0-peer-b.service"] {
        assert!(restarted.contains(unit), "{restarted:?}");
    }
    let registries = &named.secrets.templates["registries.yaml"];
    assert_eq!(registries.escape, cairn_generation::secrets::Escape::Json);
    assert!(registries.access.restart_units.contains("k3s.service"));
    assert_eq!(named.secrets.templates["restic-backups-home.env"].placeholders.len(), 1);

    let written = said_of(&services("\"hush\""));
    let refused = |option: &str| {
        written
            .contains(&format!("`{option}` takes a secret, and a secret is named, never written"))
    };
    for option in [
        "networking.wireguard.interfaces.wg0.privateKey",
        "services.restic.backups.home.password",
        "services.restic.backups.home.secretEnvironment.AWS_SECRET_ACCESS_KEY",
        "services.k3s.registries.configs.\"r.example.org\".auth.password",
    ] {
        assert!(refused(option), "{option}: {written}");
    }
    assert!(written.contains("presharedKey` takes a secret"), "{written}");
    assert!(!written.contains("hush"), "{written}");
}

#[test]
fn tunnels_and_backups_that_cannot_work() {
    insta::assert_snapshot!(said_of(r#"{
      networking.wireguard.interfaces.wg0 = {
        ips = [ "10.100.0.1/24" ];
        peers = [
          { name = "b"; publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="; allowedIPs = [ "10.100.0.0/24" ]; }
          { name = "b"; publicKey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="; allowedIPs = [ "10.100.0.0/24" ]; }
        ];
      };
      networking.wireguard.interfaces.a-name-that-is-long.privateKeyFile = "/etc/wireguard/key";
      services.restic.backups.home.paths = [ "/home" ];
    }"#), @"
    assertion::failed at cairn.nix:3: networking.wireguard.interfaces.wg0.privateKey: set this to a secret, or `privateKeyFile` to a file that the host has; not both
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:5: networking.wireguard.interfaces.wg0.peers: two peers are named b
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:5: networking.wireguard.interfaces.wg0.peers: two peers are sent 10.100.0.0/24: only the last of them would be
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:10: networking.wireguard.interfaces.a-name-that-is-long: an interface's name has at most 15 letters, digits, `_`, `-` and `.`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:11: services.restic.backups.home.password: set this to a secret, or `passwordFile` to a file that the host has; not both
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:11: services.restic.backups.home.repository: set this, or `repositoryFile`; not both
      a module asks for this of the host `a`
    ");
    insta::assert_snapshot!(said_of(r#"{
      networking.wireguard.interfaces.wg0 = {
        ips = [ "10.100.0.1/33" ];
        privateKeyFile = "/etc/wireguard/key";
        peers = [ { publicKey = "short"; endpoint = "vpn.example.org"; allowedIPs = [ "10.100.0.300/32" ]; } ];
      };
    }"#), @r#"
    type::mismatch at cairn.nix:6: `networking.wireguard.interfaces.wg0.peers[0].publicKey` takes a WireGuard key (32 bytes in base64), found the string "short"
    type::mismatch at cairn.nix:6: `networking.wireguard.interfaces.wg0.peers[0].endpoint` takes an address or name, and a port (vpn.example.org:51820), found the string "vpn.example.org"
    type::mismatch at cairn.nix:6: `networking.wireguard.interfaces.wg0.peers[0].allowedIPs[0]`: `300` is too large: each number of an IPv4 address is at most 255
    "#);
}
