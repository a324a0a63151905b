//! A shipway without the feature `daemon`.

use crate::support::project::TestProject;

/// Catches a place that is read as the name of a repository, and an error that does not say what is missing.
#[test]
fn the_daemon_is_said_to_be_missing() {
    let project = TestProject::new();
    for arguments in [
        &["--base", "scratch", "--output", "docker-daemon:orders:1"][..],
        &["--base", "docker-daemon:orders:1", "--output", "oci:out"],
    ] {
        project
            .build(arguments)
            .exited(2)
            .says(&["built without the Docker daemon"])
            .hints();
    }
}
