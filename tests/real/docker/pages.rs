//! The page about the Docker daemon: every command in it is run, and does what is shown.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::page::Page;
use crate::parts::{Registry, program, setting};
use crate::transcript::{AT_AN_ENGINE, Shown, read};

/// The registry as the page calls it.
const REGISTRY: &str = "registry.example.com";

#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn every_command_of_the_page_does_what_is_shown() {
    for name in AT_AN_ENGINE {
        let page = Page::named(name);
        let count = tell(&page);
        assert!(count > 5, "{name}: only {count} commands were found");
    }
}

/// Runs all that a page shows, in one project; returns how many commands that were.
fn tell(page: &Page) -> usize {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = |name: &str| folder.path().join(name);
    for name in ["bin", "home", "db-migrations/scripts"] {
        fs::create_dir_all(path(name)).expect("a folder can be made");
    }
    symlink(program(), path("bin/shipway")).expect("a link can be made");
    fs::write(path("db-migrations/scripts/V1__orders.sql"), "SELECT 1;\n").expect("a script can be written");
    // Under the name of the page the registry could not be reached by the engine.
    let address = Registry::plain().address;
    let here = |text: &str| text.replace(REGISTRY, &address);
    let blocks = page.blocks();
    for block in &blocks {
        let named = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
        if let (Some(name), "toml" | "dockerfile") = (named, block.language.as_str()) {
            fs::write(path(name), here(&block.text)).expect("a file can be written");
        }
    }
    let mut count = 0;
    for block in blocks.iter().filter(|block| block.language == "console") {
        for shown in read(block) {
            let shown = Shown {
                // The engine of the tests has no bridge.
                command: here(&shown.command).replace("docker run ", "docker run --network none "),
                output: shown.output.iter().map(|line| here(line)).collect(),
                status: shown.status,
            };
            let output = Command::new("sh")
                .args(["-c", &shown.command])
                .current_dir(folder.path())
                .env_clear()
                .env("PATH", format!("{}:{}", path("bin").display(), setting("PATH")))
                .env("HOME", path("home"))
                .env("DOCKER_HOST", setting("SHIPWAY_TEST_DOCKER"))
                .output()
                .expect("there is a shell");
            shown.assert_is(&page.place(block.line), &output);
            count += 1;
        }
    }
    count
}
