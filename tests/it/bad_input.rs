//! Folders and files that cannot be shipped as they are: each a clear error, and nothing is written.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::image::Root;
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;

fn build(project: &TestProject) -> Outcome {
    project.build(&["--base", "scratch", "--output", "oci:out", "-t", "v1"])
}

/// Builds, and checks that the failure left nothing.
fn refused(project: &TestProject, status: i32, words: &[&str]) {
    build(project).exited(status).says(words).hints();
    assert!(!project.folder().join("out").exists());
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

fn layout(project: &TestProject) -> Root {
    Root::layout(&project.folder().join("out"), Some("v1"))
}

/// Catches an image without migrations, which would run and do nothing.
#[test]
fn a_missing_or_empty_folder_is_refused() {
    let project = TestProject::empty();
    refused(&project, 2, &["db"]);
    fs::remove_dir(project.folder().join("db")).unwrap();
    refused(&project, 2, &["db"]);
    project.write("db", "a file");
    refused(&project, 2, &["db"]);
}

/// Catches a file that is left out because it cannot be read, as Flyway itself does.
#[test]
fn what_cannot_be_read_is_an_error() {
    let project = TestProject::new()
        .script("V3__secret.sql", "SELECT 3;\n")
        .without_privileges();
    let file = project.folder().join("db/V3__secret.sql");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    build(&project)
        .exited(2)
        .says(&["V3__secret.sql", "permission"])
        .hints();
    project
        .build(&["--base", "scratch", "--dry-run", "-t", "{migrations.digest}"])
        .exited(2)
        .says(&["V3__secret.sql", "permission"])
        .hints();
    let folder = project.folder().join("db/closed");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
    build(&project).exited(2).says(&["closed", "permission"]).hints();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert!(!project.folder().join("out").exists());
}

/// Catches a layer whose header and content disagree because the file grew meanwhile.
#[test]
fn a_file_that_changes_while_it_is_packed_is_an_error() {
    let project = TestProject::new();
    let path = project.folder().join("db/V3__grows.sql");
    let mut file = File::create(&path).unwrap();
    file.set_len(96 << 20).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
        while !stopped.load(Ordering::Relaxed) {
            file.write_all(b"-- more\n").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let outcome = build(&project);
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    outcome.exited(1).says(&["V3__grows.sql", "chang"]);
    assert!(!project.folder().join("out").exists());
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches names that are cut, replaced or escaped.
#[test]
fn strange_names_are_kept() {
    let long = format!("{}/{}/V9__x.sql", "a".repeat(150), "b".repeat(150));
    let names = ["V3__with space.sql", "V4__ünïcode_名前.sql", "V5__quote'\".sql", &long];
    let mut project = TestProject::new();
    for name in names {
        project = project.script(name, name);
    }
    build(&project).succeeded();
    let root = layout(&project);
    for name in names {
        assert_eq!(root.only().text(&format!("flyway/sql/{name}")), name);
    }
}

/// Catches links that are followed, and links that lead out of the folder.
#[test]
fn links_inside_are_kept_and_links_outside_refused() {
    let project = TestProject::new();
    let db = project.folder().join("db");
    symlink("V1__create_orders.sql", db.join("R__again.sql")).unwrap();
    build(&project).succeeded();
    let entry = layout(&project)
        .only()
        .entry("flyway/sql/R__again.sql")
        .cloned()
        .unwrap();
    assert_eq!(entry.link.as_deref(), Some("V1__create_orders.sql"));
    fs::remove_dir_all(project.folder().join("out")).unwrap();
    for target in ["../../home/secret", "/etc/passwd"] {
        let link = db.join("R__outside.sql");
        symlink(target, &link).unwrap();
        refused(&project, 2, &["R__outside.sql"]);
        fs::remove_file(link).unwrap();
    }
}

/// Catches a migration that is a link and counts for nothing: the tag of the set would stay, and it would never be shipped.
#[test]
fn a_script_that_is_a_link_is_part_of_the_set() {
    let project = TestProject::new();
    let json = |project: &TestProject| {
        // The same script twice is an error of its own.
        let arguments = ["--base", "scratch", "--dry-run", "--format", "json", "--no-check"];
        project.build(&arguments).succeeded().json()["migrations"].clone()
    };
    let before = json(&project);
    symlink("V1__create_orders.sql", project.folder().join("db/V3__again.sql")).unwrap();
    let after = json(&project);
    assert_eq!(after["version"], "3");
    assert_eq!(after["scripts"], 3);
    assert_ne!(before["digest"], after["digest"]);
    project.write("db/more/V4__x.sql", "SELECT 4;\n");
    symlink("more", project.folder().join("db/other")).unwrap();
    assert_eq!(json(&project)["scripts"], 5);
    symlink("absent.sql", project.folder().join("db/V9__dangling.sql")).unwrap();
    refused(&project, 2, &["V9__dangling.sql", "absent.sql"]);
}

/// Catches a socket, a pipe or a device that blocks the build or becomes an empty file.
#[test]
fn sockets_and_pipes_are_refused() {
    let project = TestProject::new();
    let socket = project.folder().join("db/V3__socket.sql");
    let listener = UnixListener::bind(&socket).unwrap();
    refused(&project, 2, &["V3__socket.sql"]);
    drop(listener);
    fs::remove_file(&socket).unwrap();
    let pipe = project.folder().join("db/V4__pipe.sql");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    refused(&project, 2, &["V4__pipe.sql"]);
}

/// Catches a file that removes another of the base.
#[test]
fn names_of_whiteouts_are_refused() {
    let project = TestProject::new().script(".wh.V1__create_orders.sql", "");
    refused(&project, 2, &[".wh.V1__create_orders.sql", "removes"]);
    let project = TestProject::new().script("nested/.wh..wh..opq/V3__x.sql", "");
    refused(&project, 2, &[".wh..wh..opq"]);
    let project = TestProject::new().file("x", "1");
    let arguments = ["--base", "scratch", "--output", "oci:out", "--add", "x:/etc/.wh.passwd"];
    project
        .build(&arguments)
        .exited(2)
        .says(&["--add", ".wh.passwd"])
        .hints();
}

/// Catches one of two inputs winning in silence.
#[test]
fn two_inputs_for_one_path_are_refused() {
    let project = TestProject::new()
        .file("a/flyway.toml", "[flyway]\n")
        .file("b/flyway.toml", "[flyway]\nmixed = true\n");
    project
        .build(&[
            "--base",
            "scratch",
            "--output",
            "oci:out",
            "--config",
            "a/flyway.toml",
            "--config",
            "b/flyway.toml",
        ])
        .exited(2)
        .says(&["flyway.toml", "a/", "b/"]);
    let custom = TestProject::empty().file("a/x", "1").file("b/x", "2");
    custom
        .run(&[
            "build",
            "--profile",
            "custom",
            "--base",
            "scratch",
            "--add",
            "a:/data",
            "--add",
            "b:/data",
            "--output",
            "oci:out",
        ])
        .exited(2)
        .says(&["data/x"]);
}

/// Catches an input named on the command line that is not there.
#[test]
fn a_missing_config_is_refused() {
    let project = TestProject::new();
    project
        .build(&["--base", "scratch", "--output", "oci:out", "--config", "absent.toml"])
        .exited(2)
        .says(&["absent.toml"])
        .hints();
    project
        .build(&["--base", "scratch", "--output", "oci:out", "--add", "absent.sh:/x"])
        .exited(2)
        .says(&["absent.sh"])
        .hints();
    project
        .run(&["--project-file", "absent-project.toml", "build"])
        .exited(2)
        .says(&["absent-project.toml"])
        .hints();
}

/// Catches a folder that cannot be written to, found out after the work, without its name.
#[test]
fn a_read_only_folder_is_named() {
    let project = TestProject::new().without_privileges();
    let folder = project.folder().join("sealed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    for output in [
        "oci:sealed/out",
        "oci-archive:sealed/out.tar",
        "docker-archive:sealed/docker.tar",
    ] {
        project
            .build(&["--base", "scratch", "--output", output, "-t", "x:v1"])
            .failed()
            .says(&["sealed", "permission"]);
    }
    project
        .build(&[
            "--base",
            "scratch",
            "--output",
            "oci:out",
            "--digest-file",
            "sealed/digest",
        ])
        .says(&["sealed"])
        .failed();
}

/// A wrapper that runs the command with a file system of 1 MiB mounted at `small` in the project.
fn with_small_disk(project: TestProject) -> Option<TestProject> {
    let usable = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    if !usable.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let folder = project.folder().join("small");
    fs::create_dir(&folder).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs '{0}' && \"$0\" \"$@\"; status=$?; ls -A '{0}' > '{0}.left'; exit $status",
        folder.display()
    );
    Some(project.wrapped(&["unshare", "-rm", "sh", "-c", &script]))
}

/// A script that does not compress: larger than what is packed in memory.
fn noise() -> Vec<u8> {
    let noise = crate::support::registry::Content::noise(7, 12 << 20);
    let mut bytes = Vec::new();
    while bytes.len() < 12 << 20 {
        bytes.extend_from_slice(&noise.chunk(bytes.len() as u64));
    }
    bytes
}

/// Catches a full disk that is told without its place, and what is left on it.
/// Where the machine lets no one mount, a limit on the size of files stands for the disk.
#[test]
fn a_full_disk_is_named() {
    let project = TestProject::new().file("db/V3__noise.sql", noise());
    if let Some(project) = with_small_disk(project) {
        for arguments in [
            &["--output", "oci:small/out", "-t", "x:v1"][..],
            &["--output", "oci-archive:small/out.tar", "-t", "x:v1"],
            &["--output", "docker-archive:small/out.tar", "-t", "x:v1"],
            &["--output", "oci:out", "--temp-dir", "small"],
        ] {
            project
                .build(&[&["--base", "scratch", "--no-check"], arguments].concat())
                .exited(1)
                .says(&["small", "space"])
                .hints();
            assert_eq!(
                fs::read_to_string(project.folder().join("small.left")).unwrap(),
                "",
                "{arguments:?}"
            );
            assert!(!project.folder().join("out").exists());
        }
        return;
    }
    let limit = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    let project = TestProject::new()
        .file("db/V3__noise.sql", noise())
        .wrapped(&["sh", "-c", limit]);
    project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "v1", "--no-check"])
        .exited(1);
    assert!(!project.folder().join("out").exists());
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches ten thousand scripts that are ten thousand open files, layers or history entries.
#[test]
fn ten_thousand_scripts_are_one_layer() {
    let project = TestProject::empty();
    for version in 1..=10_000 {
        project.write(&format!("db/V{version}__x.sql"), format!("SELECT {version};\n"));
    }
    build(&project).succeeded();
    let root = layout(&project);
    assert_eq!(root.only().layers.len(), 1);
    let scripts = root.only().layers[0].entries.iter();
    assert_eq!(scripts.filter(|entry| entry.path.ends_with(".sql")).count(), 10_000);
}

/// Catches flags that contradict one another, or that nobody knows, being half obeyed.
#[test]
fn bad_flags_are_usage_errors() {
    let project = TestProject::new();
    for arguments in [
        &["--frobnicate"][..],
        &["--profile", "liquid"],
        &["--platform", "linux"],
        &["--label", "novalue"],
        &["--image-format", "squashfs"],
        &["--entrypoint", "[\"unclosed\""],
        &["--base", "Not A Reference"],
        &["--base", "scratch", "-t", "UPPER/case:v1", "--push"],
        &["--workdir", "/x"],
    ] {
        let outcome = project.build(&[&["--output", "oci:out"], arguments].concat()).exited(2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(!project.folder().join("out").exists());
    }
}
