//! The policy that `shipway doctor --policy` prints, tried out.

use serde_json::Value;

use crate::support::aws::{EcrScene, HOST};
use crate::support::registry::Fault;

/// What each request to the data plane takes: method, what its path holds, action.
const REQUESTS: [(&str, &str, &str); 9] = [
    ("GET", "/manifests/", "ecr:BatchGetImage"),
    ("HEAD", "/manifests/", "ecr:BatchGetImage"),
    ("GET", "/blobs/", "ecr:GetDownloadUrlForLayer"),
    ("HEAD", "/blobs/", "ecr:BatchCheckLayerAvailability"),
    ("POST", "/blobs/uploads/", "ecr:InitiateLayerUpload"),
    ("PATCH", "/blobs/uploads/", "ecr:UploadLayerPart"),
    ("PUT", "/blobs/uploads/", "ecr:UploadLayerPart"),
    ("PUT", "/blobs/uploads/", "ecr:CompleteLayerUpload"),
    ("PUT", "/manifests/", "ecr:PutImage"),
];

/// The actions a policy allows on a repository.
fn allowed(policy: &Value, repository: &str) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let is_about = |statement: &&Value| {
        let resources = statement["Resource"].as_array().unwrap();
        let end = format!(":repository/{repository}");
        resources
            .iter()
            .any(|resource| resource.as_str().unwrap().ends_with(&end))
    };
    statements
        .iter()
        .filter(is_about)
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// Catches a right that only the second release needs.
#[test]
fn two_releases_take_no_more_than_is_printed() {
    let scene = EcrScene::signed_in();
    let file = format!(
        "[migrations]\nscripts = \"db\"\n[runner]\nbase = \"{HOST}/runner:13\"\n[image]\nrepository = \"{HOST}/orders\"\n\
         tags = [\"{{migrations.digest}}\", \"current\"]\n"
    );
    let scene = scene.set(|project| project.project_file(&file));
    let policy = scene.run(&["doctor", "--policy"]).succeeded().json();
    for repository in ["orders", "runner"] {
        let allowed = allowed(&policy, repository);
        for (method, part, action) in REQUESTS {
            if !allowed.iter().any(|name| name == action) {
                let fault = Fault::on(method, &format!("/v2/{repository}{part}")).always();
                scene
                    .registry
                    .fault(fault.respond(403, "DENIED", "User is not authorized"));
            }
        }
    }
    // Each release is made on another machine.
    let build = ["build", "--push", "--no-cache"];
    scene.run(&build).succeeded();
    let other_image = ["--label", "team=orders"];
    scene.run(&[&build[..], &other_image].concat()).succeeded();
    let is_config = |path: &str| path.starts_with("/v2/orders/blobs/sha256:");
    let requests = scene.registry.requests();
    let looked_into = requests
        .iter()
        .any(|request| request.method == "GET" && is_config(&request.path));
    assert!(looked_into, "the image the tag names: {}", scene.registry.story());
    scene.next_release();
    scene.run(&build).succeeded();
}

/// Catches actions the service of the gallery does not have, with which IAM refuses the whole policy.
#[test]
fn the_gallery_knows_five_actions() {
    let scene = EcrScene::new();
    let arguments = ["doctor", "public.ecr.aws/a1b2c3d4/orders", "--policy"];
    let policy = scene.run(&arguments).succeeded().json();
    assert_eq!(
        allowed(&policy, "orders"),
        [
            "ecr-public:BatchCheckLayerAvailability",
            "ecr-public:CompleteLayerUpload",
            "ecr-public:InitiateLayerUpload",
            "ecr-public:PutImage",
            "ecr-public:UploadLayerPart",
        ]
    );
}

/// Catches enhanced findings that are refused, since they are another service's.
#[test]
fn waiting_for_scans_takes_inspector_too() {
    let scene = EcrScene::new();
    let reference = scene.reference("orders");
    let arguments = ["doctor", &reference, "--policy", "--wait-for-scan"];
    let policy = scene.run(&arguments).succeeded().json();
    let text = policy.to_string();
    for action in [
        "ecr:DescribeImageScanFindings",
        "inspector2:ListFindings",
        "inspector2:ListCoverage",
    ] {
        assert!(text.contains(action), "{action}: {policy:#}");
    }
}
