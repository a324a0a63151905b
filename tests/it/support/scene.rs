//! The scene most tests need: a registry that holds a base and an empty repository, and a project logged in to it.

use super::base::Base;
use super::outcome::Outcome;
use super::project::TestProject;
use super::registry::{FakeRegistry, Options};

/// The layers of the scene's base.
pub(crate) const BASE_LAYERS: usize = 6;

/// A registry, a project, and the base in the registry.
pub(crate) struct Scene {
    /// Holds the base as `runner:13` and the empty repository `orders`.
    pub(crate) registry: FakeRegistry,
    /// Two scripts, logged in.
    pub(crate) project: TestProject,
    /// The reference of the base.
    pub(crate) base: String,
    /// The digest of the base.
    pub(crate) base_digest: String,
}

impl Scene {
    /// A scene with a registry of these options.
    pub(crate) fn new(options: Options) -> Self {
        let registry = FakeRegistry::start(options);
        let base_digest = registry.seed("runner", "13", &Base::flyway_of(BASE_LAYERS).index());
        registry.create("orders");
        Self {
            project: TestProject::new().logged_in(&registry),
            base: registry.reference("runner:13"),
            base_digest,
            registry,
        }
    }

    /// A scene like Amazon ECR.
    pub(crate) fn ecr() -> Self {
        Self::new(Options::ecr())
    }

    /// A scene whose registry asks nobody who they are.
    pub(crate) fn open() -> Self {
        Self::new(Options::open())
    }

    /// The reference of a tag in the repository `orders`.
    pub(crate) fn target(&self, tag: &str) -> String {
        self.registry.reference(&format!("orders:{tag}"))
    }

    /// Pushes the project under one tag, with more arguments.
    pub(crate) fn push(&self, tag: &str, more: &[&str]) -> Outcome {
        self.push_tags(&[tag], more)
    }

    /// Pushes the project under several tags, with more arguments.
    pub(crate) fn push_tags(&self, tags: &[&str], more: &[&str]) -> Outcome {
        let targets: Vec<_> = tags.iter().map(|tag| self.target(tag)).collect();
        let mut arguments = vec!["--base", self.base.as_str(), "--push"];
        for target in &targets {
            arguments.extend(["-t", target.as_str()]);
        }
        arguments.extend(more);
        self.project.build(&arguments)
    }

    /// Adds a script, so that the next build is another image, and forgets the requests so far.
    pub(crate) fn next_release(&self) {
        let text = "ALTER TABLE orders ADD note VARCHAR(100);\n";
        self.project.write("db/V3__add_note.sql", text);
        self.registry.forget_requests();
    }
}
