//! Which tags a copy gives, keeps and refuses.

use serde_json::json;

use super::{PLATFORMS, Pair};
use crate::support::base::Base;
use crate::support::registry::{Action, Fault};

/// Catches blobs that are looked for one by one where the manifest is known to be there.
#[test]
fn another_tag_for_what_is_there_costs_little() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    pair.forget();
    pair.copy("promoted:current", &["--no-cache"]).succeeded();
    assert!(pair.requests() <= PLATFORMS + 3, "{}", pair.story());
    assert_eq!(pair.target.writes(), 1, "{}", pair.target.story());
    assert_eq!(pair.target.tag("promoted", "current"), Some(pair.digest.clone()));
    pair.assert_strict();
}

/// Catches tags that are lost or put before the image is complete.
#[test]
fn tags_are_kept_changed_and_added() {
    let pair = Pair::new();
    let json = pair
        .copy("promoted:2", &["-t", "stable", "-t", "stable", "--format", "json"])
        .succeeded()
        .json();
    let name = |tag: &str| pair.target.reference(&format!("promoted:{tag}"));
    assert_eq!(json["tags"], json!([name("2"), name("stable")]));
    assert_eq!(
        json["images"],
        json!([format!("{}@{}", pair.target.reference("promoted"), pair.digest)])
    );
    assert_eq!(json["source"], pair.from());
    assert_eq!(json["status"], "pushed");
    assert_eq!(json["platforms"].as_array().unwrap().len(), PLATFORMS);
    assert_eq!(json["platforms"][1]["platform"], "linux/arm64/v8");
    assert_eq!(json["referrers"], json!([]));
    let tags: Vec<String> = pair.target.tags("promoted").into_iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, ["2", "stable"]);
    let requests = pair.target.requests();
    let first_tag = requests.iter().position(|request| request.is("PUT", "/manifests/2"));
    let last_blob = requests.iter().rposition(|request| request.path.contains("/blobs/"));
    assert!(first_tag > last_blob, "{}", pair.target.story());
    pair.copy("kept", &["-t", "stable"]).succeeded();
    let tags: Vec<String> = pair.target.tags("kept").into_iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, ["1.4", "stable"]);
}

/// Catches an image named by its digest alone that gets a tag nobody named, or that is sent twice.
#[test]
fn a_digest_alone_gets_no_tag() {
    let pair = Pair::new();
    let from = pair.source.reference(&format!("orders@{}", pair.digest));
    let to = pair.target.reference("promoted");
    pair.project.run(&["copy", &from, &to]).succeeded();
    pair.target.assert_complete("promoted", &pair.digest);
    assert_eq!(pair.target.tags("promoted"), []);
    pair.forget();
    pair.project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    assert!(pair.requests() <= PLATFORMS + 2, "{}", pair.story());
}

/// Catches a tag that is lost because a digest stands beside it.
#[test]
fn a_tag_beside_a_digest_is_kept() {
    let pair = Pair::new();
    let from = pair.source.reference(&format!("orders:1.4@{}", pair.digest));
    let to = pair.target.reference("promoted");
    pair.project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(pair.target.tags("promoted"), [("1.4".to_owned(), pair.digest.clone())]);
}

/// Catches two runs of which the later one moves the tag of the earlier.
#[test]
fn a_tag_that_another_run_puts_meanwhile_stays() {
    let pair = Pair::new();
    let delay = Action::Delay(std::time::Duration::from_millis(1500));
    let slow = pair.target.fault(Fault::on("PUT", "/blobs/uploads/").with(delay));
    let other = std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            while !slow.struck() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            pair.target.seed("promoted", "1.4", &Base::plain().image())
        });
        let outcome = pair.copy("promoted", &[]).exited(4);
        let other = meanwhile.join().unwrap();
        outcome.says(&["1.4", &other, &pair.digest, "--move-tags"]).hints();
        other
    });
    assert_eq!(pair.target.tag("promoted", "1.4"), Some(other));
}

/// Catches a release that is overwritten, or a write before all tags were asked.
#[test]
fn a_tag_that_must_not_move_is_refused() {
    let pair = Pair::new();
    let other = pair.target.seed("promoted", "1.4", &Base::plain().image());
    pair.target.seed("promoted", "current", &Base::plain().image());
    let outcome = pair.copy("promoted:current", &["-t", "new", "-t", "1.4"]).exited(4);
    outcome.says(&["1.4", &other, &pair.digest, "--move-tags"]).hints();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    pair.copy("promoted:current", &["-t", "1.4", "--move-tags"]).succeeded();
    assert_eq!(pair.target.tag("promoted", "1.4"), Some(pair.digest.clone()));
    assert_eq!(pair.target.tag("promoted", "current"), Some(pair.digest.clone()));
}

/// Catches `immutable_tags` that is not looked at.
#[test]
fn the_rule_of_the_project_file_holds() {
    let pair = Pair::new();
    pair.project
        .write("shipway.toml", "[image]\nimmutable_tags = [\"stable\"]\n");
    for tag in ["1.4", "stable"] {
        pair.target.seed("promoted", tag, &Base::plain().image());
    }
    pair.copy("promoted:stable", &[]).exited(4).says(&["stable"]);
    pair.copy("promoted:1.4", &[]).succeeded();
}

/// Catches an image that was not tested and goes on all the same.
#[test]
fn the_source_must_be_what_was_tested() {
    let pair = Pair::new();
    pair.copy("promoted", &["--require-digest", &pair.digest]).succeeded();
    let moved = pair.source.seed("orders", "1.4", &Base::plain().image());
    pair.forget();
    pair.copy(
        "promoted",
        &["--require-digest", &pair.digest, "--digest-file", "digest"],
    )
    .exited(4)
    .says(&[&moved, &pair.digest])
    .hints();
    assert_eq!(pair.target.writes(), 0, "{}", pair.target.story());
    assert!(!pair.project.folder().join("digest").exists());
    pair.copy("promoted", &["--require-digest", "1.4"])
        .exited(2)
        .says(&["--require-digest"]);
}
