//! The cache: what it saves, that it can be broken, shared or switched off, and that it never lies.

use std::fs;

use crate::support::project::files_below;
use crate::support::registry::Options;
use crate::support::scene::Scene;

/// Catches a cache that outlives a base tag that moved.
#[test]
fn a_base_tag_that_moved_is_noticed() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let moved = crate::support::base::Base::flyway_of(3);
    scene.registry.seed("runner", "13", &moved.index());
    scene.push("v2", &[]).succeeded();
    let root = scene.registry.image("orders", "v2");
    assert_eq!(root.only().layers.len(), 4);
}

/// Catches files written although the cache is switched off, and files at another place.
#[test]
fn the_cache_can_be_switched_off_and_moved() {
    let scene = Scene::ecr();
    scene.push("v1", &["--no-cache"]).succeeded();
    assert_eq!(files_below(&scene.project.cache()), Vec::<String>::new());
    assert_eq!(files_below(&scene.project.home()), [".docker/config.json"]);
    scene.push("v1", &[]).succeeded();
    let files = files_below(&scene.project.cache());
    assert!(
        !files.is_empty() && files.iter().all(|file| file.starts_with("shipway/")),
        "{files:?}"
    );
    let moved = scene.project.folder().join("elsewhere");
    let project = scene
        .project
        .environment("SHIPWAY_CACHE_DIR", &moved.display().to_string());
    project
        .push(&scene.base, &scene.registry.reference("orders:v2"))
        .succeeded();
    assert!(!files_below(&moved).is_empty());
}

/// Catches a broken cache file that breaks the build, or that is believed.
#[test]
fn a_broken_cache_is_as_good_as_none() {
    let scene = Scene::ecr();
    let first = scene.push("v1", &[]).succeeded().digest();
    for garbage in ["", "{", "[1,2,3]", "\u{0}\u{1}"] {
        for file in files_below(&scene.project.cache()) {
            fs::write(scene.project.cache().join(file), garbage).unwrap();
        }
        assert_eq!(scene.push("v1", &[]).succeeded().digest(), first);
    }
    scene.registry.image("orders", "v1");
}

/// Catches a cache folder that cannot be made being an error.
#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let scene = Scene::ecr();
    fs::remove_dir(scene.project.cache()).unwrap();
    fs::write(scene.project.cache(), "a file").unwrap();
    scene.push("v1", &[]).succeeded();
}

/// Catches an upload that is left out because the cache remembers another registry, or one that lost it.
#[test]
fn a_repository_that_was_emptied_gets_everything_again() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let fresh = Scene::new(Options {
        creates_repositories: true,
        ..Options::ecr()
    });
    let project = scene.project.logged_in(&fresh.registry);
    project.push(&fresh.base, &fresh.target("v1")).succeeded();
    fresh.registry.image("orders", "v1");
    project
        .push(&fresh.base, &fresh.registry.reference("other/orders:v1"))
        .succeeded();
    fresh.registry.image("other/orders", "v1");
}

/// Catches a cached challenge that is wrong being followed for ever.
#[test]
fn a_registry_that_changed_its_ways_is_followed() {
    let scene = Scene::open();
    scene.push("v1", &[]).succeeded();
    for file in files_below(&scene.project.cache()) {
        let path = scene.project.cache().join(file);
        if let Ok(text) = fs::read_to_string(&path) {
            let changed = text.replace("basic", "bearer").replace("Basic", "Bearer");
            fs::write(path, changed).unwrap();
        }
    }
    scene.push("v2", &[]).succeeded();
}

/// Catches several jobs of one runner that share a cache and break it.
#[test]
fn processes_share_the_cache() {
    let scene = Scene::ecr();
    let targets: Vec<_> = (0..4).map(|index| scene.target(&format!("run-{index}"))).collect();
    let running: Vec<_> = targets
        .iter()
        .map(|target| {
            scene
                .project
                .start_build(&["--base", &scene.base, "-t", target, "--push"])
        })
        .collect();
    for run in running {
        run.wait().succeeded();
    }
    for index in 0..4 {
        scene.registry.image("orders", &format!("run-{index}"));
    }
    scene.push("v1", &[]).succeeded();
}
