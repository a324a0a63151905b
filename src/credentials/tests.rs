use std::path::Path;

use super::*;

/// A folder of credentials files and helper programs, which are shell scripts.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A store over one Docker config of this content.
    fn docker(&self, text: &str) -> Store {
        let file = AuthFile::docker(self.file("config.json", text));
        Store::new(Vec::new(), vec![file]).with_helpers_in(self.0.path().to_owned())
    }

    /// Writes a program, through a process of its own: if this one held it open, a process that another test starts
    /// meanwhile would hold it open too, and it could not be executed.
    #[cfg(unix)]
    fn helper(&self, name: &str, script: &str) {
        use std::io::Write as _;
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(self.path(&format!("docker-credential-{name}")))
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("#!/bin/sh\n{script}\n");
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }
}

fn basic(username: &str, password: &str) -> Credentials {
    Credentials::Basic {
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
    }
}

async fn found(store: &Store, host: &str, path: &str) -> Credentials {
    store.find(host, path).await.unwrap().credentials
}

#[test]
fn a_secret_is_never_shown() {
    let secret = Secret::new("hush".to_owned());
    let found = Found {
        credentials: basic("me", "hush"),
        origin: "x".to_owned(),
        is_explicit: false,
    };
    let explicit = Explicit {
        host: "h".to_owned(),
        username: "me".to_owned(),
        password: secret.clone(),
        origin: "--username".to_owned(),
    };
    for text in [
        format!("{secret} {secret:?} {secret:#?}"),
        format!("{found:?} {found:#?} {}", found.credentials),
        format!("{explicit:?} {:?}", Store::new(vec![explicit.clone()], Vec::new())),
        format!("{:?}", Credentials::IdentityToken { token: secret.clone() }),
    ] {
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("***"), "{text}");
    }
    assert_eq!(secret.expose(), "hush");
}

#[tokio::test]
async fn reads_every_form_of_login() {
    let place = Place::new();
    // bWU6aHVzaA== is me:hush; bWU6aDp1AAA= is me:h:u and two NULs.
    let store = place.docker(
        r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "bWU6aHVzaA=="},
            "https://two/v2/": {"auth": "bWU6aDp1AAA="},
            "unpadded:5000": {"auth": "bWU6aHVzaA", "email": "x@y"},
            "separate": {"username": "you", "password": "quiet"},
            "identity": {"auth": "bWU6aHVzaA==", "identitytoken": "idt"},
            "registry": {"registrytoken": "rgt"},
            "empty": {}, "null": null
        }, "HttpHeaders": {"X": "y"}, "credsStore": null}"#,
    );
    let token = |text: &str| Secret::new(text.to_owned());
    assert_eq!(found(&store, "docker.io", "library/alpine").await, basic("me", "hush"));
    assert_eq!(
        found(&store, "index.docker.io", "library/alpine").await,
        basic("me", "hush")
    );
    assert_eq!(found(&store, "two", "x").await, basic("me", "h:u"));
    assert_eq!(found(&store, "unpadded:5000", "x").await, basic("me", "hush"));
    assert_eq!(found(&store, "separate", "x").await, basic("you", "quiet"));
    assert_eq!(
        found(&store, "identity", "x").await,
        Credentials::IdentityToken { token: token("idt") }
    );
    assert_eq!(
        found(&store, "registry", "x").await,
        Credentials::RegistryToken { token: token("rgt") }
    );
    for host in ["empty", "null", "unpadded", "other"] {
        assert_eq!(found(&store, host, "x").await, Credentials::Anonymous, "{host}");
    }
    let origin = store.find("two", "x").await.unwrap().origin;
    assert_eq!(origin, format!("Docker config {}", place.path("config.json").display()));
}

#[tokio::test]
async fn the_longest_key_of_podman_wins() {
    let place = Place::new();
    let file = place.file(
        "auth.json",
        r#"{"auths": {
            "host": {"username": "whole", "password": "x"},
            "host/team": {"username": "team", "password": "x"},
            "host/team/app": {"username": "app", "password": "x"},
            "docker.io/me": {"username": "hub", "password": "x"}
        }}"#,
    );
    let store = Store::new(Vec::new(), vec![AuthFile::podman(file)]);
    for (host, path, user) in [
        ("host", "team/app", "app"),
        ("host", "team/other", "team"),
        ("host", "teams/app", "whole"),
        ("docker.io", "me/app", "hub"),
    ] {
        assert_eq!(found(&store, host, path).await, basic(user, "x"), "{host}/{path}");
    }
    assert_eq!(
        found(&store, "docker.io", "library/alpine").await,
        Credentials::Anonymous
    );
}

#[tokio::test]
async fn places_are_searched_in_order() {
    let place = Place::new();
    let login =
        |host: &str, user: &str| format!(r#"{{"auths": {{"{host}": {{"username": "{user}", "password": "x"}}}}}}"#);
    let first = place.file("first.json", &login("a", "first"));
    let second = place.file("second.json", &login("a", "second").replace("\"a\"", "\"b\""));
    let third = place.file("third.json", &login("a", "third"));
    let explicit = Explicit {
        host: "registry-1.docker.io".to_owned(),
        username: "given".to_owned(),
        password: Secret::new("x".to_owned()),
        origin: "--username".to_owned(),
    };
    let files = vec![
        AuthFile::podman(place.path("missing/auth.json")),
        AuthFile::podman(first.clone()),
        AuthFile::docker(second),
        AuthFile::podman(third),
    ];
    let store = Store::new(vec![explicit], files);
    assert_eq!(found(&store, "docker.io", "x").await, basic("given", "x"));
    assert_eq!(store.find("docker.io", "x").await.unwrap().origin, "--username");
    assert_eq!(found(&store, "a", "x").await, basic("first", "x"));
    assert_eq!(found(&store, "b", "x").await, basic("second", "x"));
    assert_eq!(store.places().len(), 4);
    // Files are read once.
    std::fs::remove_file(first).unwrap();
    assert_eq!(found(&store, "a", "x").await, basic("first", "x"));
}

#[tokio::test]
async fn malformed_files_are_named_and_not_quoted() {
    let place = Place::new();
    for text in [
        "{\"auths\": {\"h\": {\"password\": \"hush\",,}}}",
        "{\"auths\": \"hush\"}",
        "{\"auths\": {\"h\": \"hush\"}}",
        "{\"credsStore\": [\"hush\"]}",
        "hush",
        "[]",
    ] {
        let error = place.docker(text).find("h", "x").await.unwrap_err();
        assert!(
            matches!(error, CredentialsError::Malformed { line: 1, .. }),
            "{text}: {error:?}"
        );
        assert!(error.to_string().contains("config.json"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
    for auth in ["aHVzaA==", "hush!", "/w=="] {
        let store = place.docker(&format!("{{\"auths\": {{\"h\": {{\"auth\": \"{auth}\"}}}}}}"));
        let error = store.find("h", "x").await.unwrap_err();
        assert!(
            matches!(&error, CredentialsError::Entry { key, .. } if key == "h"),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains(auth), "{error:?}");
    }
    for text in [
        "",
        " \n",
        "\u{feff}{}",
        "{}",
        "{\"auths\": null, \"credHelpers\": null}",
    ] {
        assert_eq!(
            found(&place.docker(text), "h", "x").await,
            Credentials::Anonymous,
            "{text:?}"
        );
    }
    let folder = Store::new(Vec::new(), vec![AuthFile::docker(place.0.path().to_owned())]);
    let error = folder.find("h", "x").await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unreadable { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn helpers() {
    let place = Place::new();
    let log = place.path("log");
    let recorded = format!("read -r server; echo \"$1 $server\" >> {}", log.display());
    place.helper("all", &format!(
        "{recorded}\ncase $server in https://old/v2/) ;; host|https://index.docker.io/v1/) ;; *) echo 'credentials not found in native keychain'; exit 1;; esac\nprintf '{{\"ServerURL\":\"%s\",\"Username\":\"all\",\"Secret\":\"hush\"}}' \"$server\""
    ));
    place.helper(
        "token",
        "cat > /dev/null; printf '{\"Username\":\"<token>\",\"Secret\":\"idt\"}'",
    );
    place.helper("deaf", "printf '{\"Username\":\"deaf\",\"Secret\":\"x\"}'");
    place.helper("broken", "cat >/dev/null; echo '{\"Secret\":\"hush\"}'; exit 3");
    place.helper(
        "loud",
        "cat >/dev/null; echo 'error getting credentials: exit status 1, out: `x`'; exit 1",
    );
    place.helper("odd", "cat >/dev/null; echo '{\"Username\":\"hush\",\"Secret\":7}'");
    let store = place.docker(
        r#"{"credsStore": "all", "credHelpers": {"token": "token", "deaf": "deaf", "broken": "broken", "loud": "loud",
            "odd": "odd", "gone": "gone", "bad": "../x", "off": ""},
            "auths": {"https://old/v2/": {}, "plain": {"username": "me", "password": "x"},
            "off": {"username": "off", "password": "x"}}}"#,
    );
    answers(&store).await;
    failures(&store).await;

    // Many ask, one runs; the second address is only tried for the registry that was logged in to under it.
    let place_log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        place_log,
        "get https://index.docker.io/v1/\nget host\nget old\nget https://old/v2/\nget plain\n"
    );
    single_flight(&place, &log).await;
}

async fn answers(store: &Store) {
    let token = Secret::new("idt".to_owned());
    assert_eq!(found(store, "docker.io", "library/x").await, basic("all", "hush"));
    assert_eq!(found(store, "host", "x").await, basic("all", "hush"));
    assert_eq!(found(store, "old", "x").await, basic("all", "hush"));
    assert_eq!(found(store, "token", "x").await, Credentials::IdentityToken { token });
    assert_eq!(found(store, "deaf", "x").await, basic("deaf", "x"));
    assert_eq!(found(store, "plain", "x").await, basic("me", "x"));
    assert_eq!(found(store, "off", "x").await, basic("off", "x"));
    assert_eq!(
        store.find("host", "y").await.unwrap().origin,
        "helper docker-credential-all"
    );
}

async fn failures(store: &Store) {
    for (host, expected) in [
        (
            "broken",
            "the credential helper docker-credential-broken failed for broken: it said nothing",
        ),
        (
            "loud",
            "the credential helper docker-credential-loud failed for loud: error getting credentials: exit status 1, out: `x`",
        ),
        (
            "odd",
            "the credential helper docker-credential-odd answered for odd with something that is not credentials",
        ),
        ("gone", "cannot run the credential helper docker-credential-gone"),
        ("bad", "\"../x\" is not the name of a credential helper"),
    ] {
        let error = store.find(host, "x").await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!error.hints().is_empty(), "{host}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[cfg(unix)]
async fn single_flight(place: &Place, log: &Path) {
    std::fs::remove_file(log).unwrap();
    let store = place.docker(r#"{"credsStore": "all"}"#);
    let (a, b, c) = tokio::join!(
        store.find("host", "a"),
        store.find("host", "b"),
        store.find("host", "c")
    );
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(c.unwrap().credentials, basic("all", "hush"));
    assert_eq!(std::fs::read_to_string(log).unwrap(), "get host\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_helper_that_hangs_is_given_up_and_ended() {
    let place = Place::new();
    let pid = place.path("pid");
    place.helper("slow", &format!("echo $$ > {}; exec sleep 600", pid.display()));
    let store = place.docker(r#"{"credsStore": "slow"}"#);
    let asked = tokio::time::timeout(std::time::Duration::from_millis(800), store.find("h", "x"));
    assert!(asked.await.is_err());
    let process = std::fs::read_to_string(pid).unwrap();
    for _ in 0..100 {
        // The killed process is reaped by the runtime, or lingers as a zombie without a command line.
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", process.trim()));
        if line.map_or(true, |text| text.is_empty()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the helper is still running");
}
