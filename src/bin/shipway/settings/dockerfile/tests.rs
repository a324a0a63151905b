use std::path::Path;

use clap::Parser as _;

use super::*;
use crate::args::{Arguments, Command};
use crate::settings::BuildSettings;

fn resolve(flags: &[&str], variables: &[(&str, &str)], file: &str) -> anyhow::Result<BuildSettings> {
    let words = ["shipway", "build"].iter().chain(flags);
    let arguments = Arguments::try_parse_from(words).expect("arguments");
    let Command::Build(build) = arguments.command else {
        panic!("build")
    };
    let project = Project::parse(file, Path::new("/p/shipway.toml")).expect("project");
    BuildSettings::resolve(&build, &Environment::of(variables), &project)
}

fn settled(flags: &[&str], variables: &[(&str, &str)], file: &str) -> DockerfileSettings {
    let flags: Vec<&str> = flags.iter().copied().chain(["--dry-run"]).collect();
    let settings = resolve(&flags, variables, file).expect("settings");
    settings.dockerfile.expect("a Dockerfile")
}

fn refused(flags: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    let flags: Vec<&str> = flags.iter().copied().chain(["--dry-run"]).collect();
    let error = resolve(&flags, variables, file).expect_err("refused");
    format!("{error:#}")
}

const FILE: &str = "[dockerfile]\npath='docker/Dockerfile'\ncontext='app'\ntarget='t'\nargs={A='1',B='2'}\ncontexts={lib='lib',base='docker-image://a.b/c'}\n";

#[test]
fn a_dockerfile_is_built_where_one_is_named() {
    let settings = settled(&["--dockerfile", "D"], &[], "");
    assert_eq!(settings.dockerfile.as_deref(), Some(Path::new("D")));
    assert_eq!(settings.context, ContextLocation::Folder(".".into()));
    assert_eq!(settled(&["-c", "app"], &[], "").dockerfile, None);
    let settings = settled(&[], &[("SHIPWAY_DOCKERFILE", "V"), ("SHIPWAY_TARGET", "x")], FILE);
    assert_eq!(settings.dockerfile.as_deref(), Some(Path::new("V")));
    assert_eq!(settings.target.as_deref(), Some("x"));
    // Nothing of all this: scripts.
    let file = "[runner]\nbase='a.b/c'\n[dockerfile]\ncontext='app'\n";
    assert!(
        resolve(&["--dry-run"], &[], file)
            .expect("settings")
            .dockerfile
            .is_none()
    );
}

#[test]
fn the_file_is_meant_from_where_it_is() {
    let settings = settled(&[], &[], FILE);
    assert_eq!(settings.dockerfile.as_deref(), Some(Path::new("/p/docker/Dockerfile")));
    assert_eq!(settings.context, ContextLocation::Folder("/p/app".into()));
    assert_eq!(settings.target.as_deref(), Some("t"));
    assert_eq!(settings.contexts["lib"], "/p/lib");
    assert_eq!(settings.contexts["base"], "docker-image://a.b/c");
}

#[test]
fn flags_win_over_the_file_one_by_one() {
    let flags = [
        "--target",
        "u",
        "--build-arg",
        "B=3",
        "--build-arg",
        "C",
        "--build-arg",
        "D",
        "--build-context",
        "lib=x",
    ];
    let settings = settled(&flags, &[("C", "4")], FILE);
    assert_eq!(settings.target.as_deref(), Some("u"));
    let arguments: Vec<_> = settings
        .arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // D has no value anywhere, so that its default stays.
    assert_eq!(arguments, ["A=1", "B=3", "C=4"]);
    assert_eq!(settings.contexts["lib"], "x");
}

#[test]
fn contexts_are_folders_and_archives() {
    for (text, expected) in [
        ("app", ContextLocation::Folder("app".into())),
        ("dir:///builds/x", ContextLocation::Folder("/builds/x".into())),
        ("tar://a.tar.gz", ContextLocation::Archive("a.tar.gz".into())),
        ("tar://stdin", ContextLocation::Stdin),
        ("-", ContextLocation::Stdin),
    ] {
        assert_eq!(settled(&["--context", text], &[], "").context, expected, "{text}");
    }
    for (text, expected) in [
        ("git://github.com/a/b", "clones no repository"),
        ("s3://a/b.tar.gz", "over s3://"),
        ("gs://a/b.tar.gz", "over gs://"),
        ("https://a.b/c.tar.gz", "over https://"),
        ("ftp://a", "not a kind of context"),
        ("dir://", "names nothing"),
    ] {
        let error = refused(&["--context", text], &[], "");
        assert!(
            error.contains("--context") && error.contains(expected),
            "{text}: {error}"
        );
    }
    let below = settled(&["--context", "dir:///b", "--context-sub-path", "db"], &[], "");
    assert_eq!(below.context, ContextLocation::Folder("/b/db".into()));
    assert!(refused(&["--context", "-", "--context-sub-path", "db"], &[], "").contains("archive"));
    assert!(refused(&["--context", "a", "--context-sub-path", "/db"], &[], "").contains("not a path below"));
}

#[test]
fn two_things_cannot_be_on_standard_input() {
    let error = refused(&["--context", "-", "--dockerfile", "-"], &[], "");
    assert!(error.contains("standard input already"), "{error}");
    let error = refused(&["--dockerfile", "https://a.b/Dockerfile"], &[], "");
    assert!(error.contains("fetches no Dockerfile"), "{error}");
}

#[test]
fn what_says_the_same_in_another_way_is_refused() {
    for flag in [
        "scripts",
        "config",
        "profile",
        "base",
        "add",
        "workdir",
        "env",
        "user",
        "entrypoint",
        "cmd",
    ] {
        let error = refused(&["--dockerfile", "D", &format!("--{flag}"), "x"], &[], "");
        assert_eq!(error, format!("--dockerfile and --{flag} exclude each other"));
    }
    assert_eq!(
        refused(&["--base", "scratch"], &[], FILE),
        "dockerfile.path in the project file and --base exclude each other"
    );
    let both = format!("{FILE}[runner]\nbase='scratch'\n");
    assert!(refused(&[], &[], &both).contains("runner.base in the project file exclude"));
    // The command line replaces what the file says.
    settled(&["--dockerfile", "D"], &[], "[runner]\nbase='scratch'\n");
    for flags in [["--target", "x"], ["--build-arg", "A=1"], ["--engine", "docker"]] {
        let flags = ["--base", "scratch", flags[0], flags[1]];
        assert!(refused(&flags, &[], "").contains("is for Dockerfiles"));
    }
}

#[test]
fn a_key_nobody_reads_is_told_with_the_nearest() {
    let error = Project::parse("[dockerfile]\ntaget='x'\n", Path::new("shipway.toml")).expect_err("key");
    assert!(
        error.to_string().contains("unknown key \"taget\" in [dockerfile]"),
        "{error}"
    );
    assert!(error.hints()[0].contains("target"), "{:?}", error.hints());
}

#[test]
fn secrets_are_allowed_by_file_and_key() {
    let settings = resolve(
        &["-c", ".", "--dry-run", "--allow-secret", "conf/a.conf:flyway.password"],
        &[],
        "",
    );
    let allowed = settings.expect("settings").allowed_secrets;
    assert_eq!(
        allowed.into_iter().collect::<Vec<_>>(),
        [("conf/a.conf".to_owned(), "flyway.password".to_owned())]
    );
    assert!(refused(&["-c", ".", "--allow-secret", "a"], &[], "").contains("not PATH:KEY"));
}

mod kaniko {
    use super::*;

    #[test]
    fn a_job_of_kaniko_says_the_same() {
        let settings = resolve(
            &[
                "--context",
                "dir:///builds/x",
                "--dockerfile",
                "Dockerfile",
                "-d",
                "a.b/c:1",
                "--destination=a.b/c:2",
                "--tar-path",
                "x.tar",
                "--oci-layout-path=out",
                "--custom-platform=linux/arm64",
                "--reproducible",
                "--label",
                "a=b",
                "--digest-file",
                "d",
            ],
            &[],
            "",
        )
        .expect("settings");
        assert!(settings.push && !settings.is_rehearsal);
        let tags: Vec<_> = settings.tags.iter().map(|tag| tag.value.as_str()).collect();
        assert_eq!(tags, ["a.b/c:1", "a.b/c:2"]);
        assert_eq!(settings.output_texts, ["docker-archive:x.tar", "oci:out"]);
        assert_eq!(settings.labels["a"], "b");
        assert!(matches!(settings.platforms, shipway::build::Platforms::List(list) if list.len() == 1));
        assert!(settings.notices.is_empty(), "{:?}", settings.notices);
    }

    #[test]
    fn nothing_is_pushed_where_that_is_said() {
        for (flags, variables, push) in [
            (&["--no-push"][..], &[][..], false),
            (&["--no-push=true"], &[], false),
            (&["--no-push=false"], &[], true),
            (&[], &[("KANIKO_NO_PUSH", "true")], false),
            (&["--no-push=false"], &[("KANIKO_NO_PUSH", "true")], true),
            (&[], &[], true),
        ] {
            let flags: Vec<&str> = ["-c", ".", "-d", "a.b/c"]
                .into_iter()
                .chain(flags.iter().copied())
                .collect();
            let settings = resolve(&flags, variables, "").expect("settings");
            assert_eq!((settings.push, settings.is_rehearsal), (push, !push), "{flags:?}");
        }
        // With a file to write it is written.
        let settings = resolve(&["-c", ".", "--no-push", "--tar-path", "x"], &[], "").expect("settings");
        assert!(!settings.push && !settings.is_rehearsal);
        assert!(resolve(&["-c", ".", "--no-push", "--push"], &[], "").is_err());
        assert!(resolve(&["-c", "."], &[("KANIKO_NO_PUSH", "yes")], "").is_err());
    }

    #[test]
    fn flags_without_a_meaning_are_told_once() {
        let settings = resolve(
            &[
                "-c",
                ".",
                "--dry-run",
                "--cache=true",
                "--cache-ttl=6h",
                "--snapshotMode",
                "redo",
                "--single-snapshot",
                "--use-new-run=false",
                "--compression-level",
                "-1",
                "--git",
                "branch=x",
                "--ignore-path=/a",
                "--ignore-path=/b",
            ],
            &[],
            "",
        )
        .expect("settings");
        assert_eq!(settings.notices.len(), 1, "{:?}", settings.notices);
        for flag in [
            "--cache,",
            "--cache-ttl",
            "--snapshot-mode",
            "--single-snapshot",
            "--use-new-run",
            "--git",
            "--ignore-path",
        ] {
            assert_eq!(
                settings.notices[0].matches(flag).count(),
                1,
                "{flag}: {}",
                settings.notices[0]
            );
        }
    }

    #[test]
    fn carelessness_is_for_the_hosts_it_was_said_of() {
        let laxity = |flags: &[&str]| {
            let flags: Vec<&str> = ["-c", ".", "--dry-run"]
                .into_iter()
                .chain(flags.iter().copied())
                .collect();
            let settings = resolve(&flags, &[], "").expect("settings");
            assert_eq!(settings.notices.len(), flags.len() - 3, "{:?}", settings.notices);
            settings.laxity
        };
        let found = laxity(&["--insecure"]);
        assert!(found.may_be_plain("a.b", true) && !found.may_be_plain("a.b", false));
        assert!(!found.is_unverified("a.b", true));
        let found = laxity(&["--insecure-pull"]);
        assert!(!found.may_be_plain("a.b", true) && found.may_be_plain("a.b", false));
        let found = laxity(&["--skip-tls-verify"]);
        assert!(found.is_unverified("a.b", true) && !found.is_unverified("a.b", false));
        let found = laxity(&["--skip-tls-verify-pull"]);
        assert!(!found.is_unverified("a.b", true) && found.is_unverified("a.b", false));
        let found = laxity(&["--insecure-registry=a.b:5000"]);
        assert!(found.may_be_plain("a.b:5000", true) && found.may_be_plain("a.b:5000", false));
        assert!(!found.may_be_plain("a.b", true));
        let found = laxity(&["--skip-tls-verify-registry=a.b"]);
        assert!(found.is_unverified("a.b", false) && !found.is_unverified("c.d", false));
        assert_eq!(laxity(&[]), crate::settings::Laxity::default());
        assert!(refused(&["-c", ".", "--insecure-registry", "https://a.b"], &[], "").contains("host name"));
    }

    #[test]
    fn mirrors_are_maps() {
        let settings = resolve(
            &[
                "-c",
                ".",
                "--dry-run",
                "--registry-map=gcr.io=a.b;index.docker.io=c.d/e",
                "--registry-map",
                "quay.io=f.g",
                "--skip-default-registry-fallback",
            ],
            &[("KANIKO_REGISTRY_MAP", "h.i=j.k"), ("KANIKO_REGISTRY_MIRROR", "l.m")],
            "",
        )
        .expect("settings");
        let mirrors: Vec<_> = settings
            .laxity
            .mirrors
            .iter()
            .map(|(host, mirror)| format!("{host}={mirror}"))
            .collect();
        assert_eq!(
            mirrors,
            [
                "gcr.io=a.b",
                "docker.io=c.d/e",
                "quay.io=f.g",
                "h.i=j.k",
                "docker.io=l.m"
            ]
        );
        assert!(settings.laxity.only_mirrors);
        assert!(refused(&["-c", ".", "--registry-map", "a.b"], &[], "").contains("not HOST=MIRROR"));
    }

    #[test]
    fn how_much_is_told_and_tried() {
        let read = |flags: &str| {
            let words = format!("executor --context . {flags}");
            Arguments::read(words.split_whitespace().map(Into::into)).map(|arguments| arguments.global)
        };
        assert!(read("-v debug").expect("debug").verbose);
        assert!(read("--verbosity=TRACE").expect("trace").verbose);
        assert!(read("-v error").expect("error").quiet);
        let global = read("-v info --push-retry 3").expect("info");
        assert!(!global.verbose && !global.quiet);
        assert_eq!(global.retry, 6);
        assert_eq!(read("--push-retry 9 --image-download-retry=8").expect("retry").retry, 9);
        assert!(read("-v loud").is_err());
        assert!(read("--insecure=perhaps").is_err());
    }
}
