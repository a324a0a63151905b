//! `copy`: an image goes from one place to another and keeps its digest.

mod again;
mod files;
mod kinds;
mod platforms;
mod tags;
mod told;

use crate::support::base::{Base, Bundle};
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};

/// Two registries, an index of two platforms with attestations in the first.
struct Pair {
    source: FakeRegistry,
    target: FakeRegistry,
    project: TestProject,
    digest: String,
}

/// The platforms of the index.
const PLATFORMS: usize = 2;

fn index() -> Bundle {
    Bundle::index(&[Base::flyway_of(3), Base::flyway_of(2).platform("linux/arm64/v8")])
}

impl Pair {
    fn new() -> Self {
        Self::with(Options::open())
    }

    fn with(target: Options) -> Self {
        let source = FakeRegistry::open();
        let digest = source.seed("orders", "1.4", &index());
        Self {
            source,
            target: FakeRegistry::start(target),
            project: TestProject::empty(),
            digest,
        }
    }

    fn from(&self) -> String {
        self.source.reference("orders:1.4")
    }

    fn copy(&self, target: &str, more: &[&str]) -> Outcome {
        let (from, to) = (self.from(), self.target.reference(target));
        let mut arguments = vec!["copy", from.as_str(), to.as_str()];
        arguments.extend(more);
        self.project.run(&arguments)
    }

    fn forget(&self) {
        self.source.forget_requests();
        self.target.forget_requests();
    }

    fn requests(&self) -> usize {
        self.source.count() + self.target.count()
    }

    fn story(&self) -> String {
        format!("source:{}\ntarget:{}", self.source.story(), self.target.story())
    }

    fn assert_strict(&self) {
        self.source.assert_strict();
        self.target.assert_strict();
        assert_eq!(self.source.writes(), 0, "{}", self.source.story());
        assert_eq!(self.target.redundant_uploads(), 0);
    }
}

/// Catches a copy that changes a byte, or loses a platform, an attestation or the tag.
#[test]
fn an_index_keeps_its_digest_and_its_tag() {
    let pair = Pair::new();
    let outcome = pair.copy("promoted", &[]).succeeded();
    let repository = pair.target.reference("promoted");
    assert_eq!(outcome.stdout, format!("{repository}@{}\n", pair.digest));
    assert_eq!(pair.target.assert_complete("promoted", "1.4"), pair.digest);
    assert_eq!(pair.target.tags("promoted").len(), 1);
    pair.assert_strict();
}

/// Catches a second copy that asks for more than whether the tags moved and the images are there.
#[test]
fn a_second_copy_asks_little() {
    let pair = Pair::new();
    pair.copy("promoted", &[]).succeeded();
    pair.forget();
    let json = pair.copy("promoted", &["--format", "json"]).succeeded().json();
    assert_eq!(json["status"], "unchanged");
    assert_eq!(pair.requests(), PLATFORMS + 2, "{}", pair.story());
    pair.forget();
    pair.copy("promoted", &["--no-cache"]).succeeded();
    assert_eq!(pair.requests(), PLATFORMS + 2, "{}", pair.story());
    assert_eq!(pair.target.writes(), 0);
    pair.assert_strict();
}

fn to_tagged(repository: &str) -> String {
    format!("{repository}:1.4")
}

/// Catches a blob that is held in memory on its way, whatever the number of them.
#[test]
fn memory_stays_small() {
    let discarding = || {
        FakeRegistry::start(Options {
            discards: true,
            ..Options::open()
        })
    };
    let (source, target) = (discarding(), discarding());
    let mut base = Base::flyway();
    for seed in 1..=4 {
        base = base.noise_layer(seed, 100 << 20);
    }

    let digest = source.seed("orders", "1.4", &base.index());
    let project = TestProject::empty();
    let outcome = project
        .run(&["copy", &source.reference("orders:1.4"), &target.reference("promoted")])
        .succeeded();
    let received: u64 = target.requests().iter().map(|request| request.bytes_in).sum();
    assert!(received > 400 << 20, "{received} bytes were received");
    assert_eq!(target.assert_complete("promoted", "1.4"), digest);
    assert!(outcome.peak_kilobytes > 0);
    assert!(
        outcome.peak_kilobytes <= 32 * 1024,
        "{} kilobytes",
        outcome.peak_kilobytes
    );
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}
