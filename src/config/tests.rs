use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("bbd.toml")).map_err(|e| e.to_string())
}

fn error(text: &str) -> String {
    parse(text).expect_err("this must be refused")
}

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(parse(""), Ok(Config::default()));
}

#[test]
fn every_mistake_is_one_line_with_file_line_and_key() {
    let cases = [
        ("[web]\nlisen = []\n", "bbd.toml:2: web.lisen: unknown key 'lisen', expected one of"),
        ("[wbe]\n", "bbd.toml:1: wbe: unknown key 'wbe', expected one of"),
        (
            "# one\n[sip]\n\nudp = [\n  \"[::]:5060\",\n  \"nowhere\",\n]\n",
            "bbd.toml:6: sip.udp: \"nowhere\" is no address",
        ),
        ("[sip]\nudp = \"[::]:5060\"\n", "bbd.toml:2: sip.udp: invalid type"),
        ("[media]\nrtp_ports = \"9-8\"\n", "bbd.toml:2: media.rtp_ports: \"9-8\" must start"),
        ("[media]\nrtp_ports = \"0-0\"\n", "bbd.toml:2: media.rtp_ports: \"0-0\" must start"),
        (
            "[media]\nbrowser_candidates = [\"::g\"]\n",
            "bbd.toml:2: media.browser_candidates: \"::g\" is no IP address",
        ),
        ("[limits]\ncalls = -1\n", "bbd.toml:2: limits.calls: -1 is out of range; use 1 to 100000"),
        (
            "[limits]\ndrain_seconds = 99999999999\n",
            "bbd.toml:2: limits.drain_seconds: 99999999999 is out of range",
        ),
        ("[log]\nlevel = \"bluebean=loud\"\n", "bbd.toml:2: log.level: \"bluebean=loud\" is no log level"),
        ("[web]\nlisten = []\n", "bbd.toml:2: web.listen: names no address"),
        ("[web]\nhosts = [\"https://x\"]\n", "bbd.toml:2: web.hosts: \"https://x\" is no host name"),
        ("[web]\ncertificate = \"a.pem\"\n", "bbd.toml:2: web.certificate: has no 'key' beside it"),
        ("[web]\nkey = \"a.pem\"\n", "bbd.toml:2: web.key: has no 'certificate' beside it"),
        (
            "[web]\ncertificate = \"a.pem\"\nkey = \"b.pem\"\n",
            "bbd.toml:2: web.certificate: a.pem can't be read",
        ),
        ("[web\n", "bbd.toml:1: "),
        ("[web]\nlisten = [\"\u{3042}\"]\n\u{3042} = 1", "bbd.toml:3: web"),
    ];
    for (text, expected) in cases {
        let error = error(text);
        assert!(error.starts_with(expected), "{text:?} gave {error:?}");
        assert!(!error.contains('\n'), "{error:?} is more than one line");
    }
}

#[test]
fn a_key_that_does_not_belong_to_its_certificate_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(dir.path().join(format!("{name}.crt")), pair.cert.pem()).unwrap();
        std::fs::write(dir.path().join(format!("{name}.key")), pair.signing_key.serialize_pem()).unwrap();
    };
    make("one");
    make("two");
    let file = dir.path().join("bbd.toml");
    let document = |key: &str| format!("[web]\ncertificate = \"one.crt\"\nkey = \"{key}\"\n");
    let config = Config::parse(&document("one.key"), &file).unwrap();
    assert_eq!(config.web.certificate, Some(dir.path().join("one.crt")));
    let error = Config::parse(&document("two.key"), &file).unwrap_err().to_string();
    assert!(error.contains(":3: web.key: ") && error.contains("does not belong"), "{error}");
    let error = Config::parse(&document("one.crt"), &file).unwrap_err().to_string();
    assert!(error.contains(":3: web.key: ") && error.contains("holds no PEM private key"), "{error}");
}

#[test]
fn a_missing_file_that_was_named_is_an_error() {
    let error = Config::load(Some(Path::new("/nonexistent/bbd.toml"))).unwrap_err().to_string();
    assert!(error.starts_with("/nonexistent/bbd.toml: can't be read"), "{error}");
}

/// The packaged file: every key stands in it, and says what the default is.
#[test]
fn the_example_names_every_key_with_its_default() {
    let text = include_str!("../../examples/bbd.toml");
    assert_eq!(parse(text), Ok(Config::default()));
    // Keys without a default value stand there as comments; uncommented, the file must still parse.
    for key in [
        "listen",
        "redirect",
        "certificate",
        "key",
        "hosts",
        "udp",
        "tcp",
        "public_address",
        "rtp_ports",
        "browser",
        "browser_candidates",
        "calls",
        "invites_per_second",
        "drain_seconds",
        "level",
    ] {
        let names =
            |line: &str| line.trim_start_matches(['#', ' ']).split('=').next().map(str::trim) == Some(key);
        assert!(text.lines().any(names), "{key} is missing in examples/bbd.toml");
    }
}
