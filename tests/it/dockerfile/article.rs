//! The Dockerfile that the tool is made for: scripts and a config on Flyway.

use crate::support::base::Base;
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;

const DOCKERFILE: &str = "\
FROM flyway/flyway

WORKDIR /flyway

COPY conf/flyway.conf /flyway/conf
ADD scripts /flyway/sql

CMD [\"migrate\"]
";

/// A project like the article's, with a registry in the place of Docker Hub and the target.
struct Article {
    registry: FakeRegistry,
    project: TestProject,
}

impl Article {
    fn new(base: &Base) -> Self {
        let registry = FakeRegistry::open();
        registry.seed("flyway/flyway", "latest", &base.image());
        let settings = format!("[registry.\"docker.io\"]\nmirrors = [\"{}\"]\n", registry.host());
        let project = TestProject::empty()
            .project_file(&settings)
            .file("Dockerfile", DOCKERFILE)
            .file(
                "conf/flyway.conf",
                "flyway.url=jdbc:mysql://db/orders\nflyway.user=migrator\n",
            )
            .file("scripts/V1__create_orders.sql", "CREATE TABLE orders (id INT);\n")
            .file(
                "scripts/nested/V2__add_total.sql",
                "ALTER TABLE orders ADD total INT;\n",
            );
        Self { registry, project }
    }

    fn push(&self, tag: &str) -> Outcome {
        let target = self.registry.reference(&format!("orders:{tag}"));
        let arguments = [
            "build",
            "--context",
            ".",
            "--dockerfile",
            "Dockerfile",
            "--destination",
            &target,
        ];
        self.project.run(&arguments)
    }
}

/// Catches an image that is not what the article's Dockerfile says.
#[test]
fn it_builds_unchanged() {
    let article = Article::new(&Base::flyway_of(3).without_triggers());
    let outcome = article.push("v1").succeeded();
    let root = article.registry.image("orders", "v1");
    assert_eq!(outcome.digest(), root.digest);
    let image = root.only();
    let base = Base::flyway_of(3).without_triggers().layer_digests();
    let kept: Vec<String> = image.layers[..3]
        .iter()
        .map(|layer| layer.descriptor.digest.clone())
        .collect();
    assert_eq!(kept, base, "the base's layers");
    assert_eq!(image.layers.len(), 5, "one layer for COPY and one for ADD");
    assert_eq!(
        image.text("flyway/conf/flyway.conf"),
        "flyway.url=jdbc:mysql://db/orders\nflyway.user=migrator\n"
    );
    assert_eq!(
        image.text("flyway/sql/V1__create_orders.sql"),
        "CREATE TABLE orders (id INT);\n"
    );
    assert_eq!(
        image.text("flyway/sql/nested/V2__add_total.sql"),
        "ALTER TABLE orders ADD total INT;\n"
    );
    let config = &image.config["config"];
    assert_eq!(config["Cmd"], serde_json::json!(["migrate"]));
    assert_eq!(config["Entrypoint"], serde_json::json!(["flyway"]));
    assert_eq!(config["WorkingDir"], "/flyway");
    article.registry.assert_strict();
}

/// Catches a base layer that is read to learn what Flyway's image is known to hold: these layers are no archives, and large.
#[test]
fn no_layer_of_flyway_is_read() {
    let mut base = Base::flyway().without_triggers();
    for seed in 1..=4 {
        base = base.noise_layer(seed, 100 << 20);
    }
    let registry = FakeRegistry::open();
    registry.seed("flyway/flyway", "latest", &base.image());
    // Where the base's repository is the target's, no layer has to move.
    let settings = format!("[registry.\"docker.io\"]\nmirrors = [\"{}\"]\n", registry.host());
    let project = TestProject::empty()
        .project_file(&settings)
        .file("Dockerfile", DOCKERFILE)
        .file("conf/flyway.conf", "flyway.url=jdbc:mysql://db/orders\n")
        .file("scripts/V1__create_orders.sql", "CREATE TABLE orders (id INT);\n");
    let outcome = project.run(&["build", "--context", ".", "--dry-run"]).succeeded();
    let requests = registry.requests();
    let sent: u64 = requests.iter().map(|request| request.sent()).sum();
    assert!(sent < 100_000, "{sent} bytes were read:{}", registry.story());
    for digest in base.layer_digests() {
        let read = requests.iter().any(|request| request.is("GET", &digest));
        assert!(!read, "{digest} was read:{}", registry.story());
    }
    assert!(
        outcome.peak_kilobytes <= 24 * 1024,
        "{} kilobytes",
        outcome.peak_kilobytes
    );
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches a second push of the same files that writes anything, or another digest.
#[test]
fn the_second_push_writes_nothing() {
    let article = Article::new(&Base::flyway_of(3).without_triggers());
    let first = article.push("v1").succeeded();
    article.registry.forget_requests();
    let second = article.push("v1").succeeded();
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(article.registry.writes(), 0, "{}", article.registry.story());
}

/// Catches a change of a script that is not seen, or that packs the config anew.
#[test]
fn a_changed_script_is_one_new_layer() {
    let article = Article::new(&Base::flyway_of(3).without_triggers());
    article.push("v1").succeeded();
    article.registry.forget_requests();
    article.project.write("scripts/V3__more.sql", "SELECT 1;\n");
    article.push("v2").succeeded();
    let requests = article.registry.requests();
    let uploads = requests.iter().filter(|request| request.is("PUT", "/uploads/"));
    // A small layer is sent again sooner than it is asked for: asking costs a round trip, and its bytes cost less.
    assert_eq!(
        uploads.count(),
        3,
        "a layer that changed, a small one that did not, and a config:{}",
        article.registry.story()
    );
    let [one, two] = ["v1", "v2"].map(|tag| article.registry.image("orders", tag));
    let digest = |root: &crate::support::image::Root, index: usize| root.only().layers[index].descriptor.digest.clone();
    assert_eq!(digest(&one, 3), digest(&two, 3));
    assert_ne!(digest(&one, 4), digest(&two, 4));
}
