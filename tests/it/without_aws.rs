//! A build without AWS: every registry but for the logins of Amazon ECR, and no flag that would need them.

use crate::support::project::TestProject;
use crate::support::scene::Scene;

/// Catches a flag that is taken and does nothing.
#[test]
fn flags_that_need_aws_are_not_there() {
    let scene = Scene::ecr();
    for flag in [
        "--aws-profile=x",
        "--aws-role-arn=x",
        "--aws-web-identity-token-env=x",
        "--create-repository",
        "--wait-for-scan",
    ] {
        let name = flag.split('=').next().unwrap_or_default();
        scene.push("v1", &[flag]).exited(2).says(&[name]);
    }
}

/// Catches a registry of Amazon's that cannot be pushed to with a login of Docker's.
#[test]
fn a_stored_login_is_enough() {
    let scene = Scene::ecr();
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let endpoint = format!("{host}=http://{}", scene.registry.host());
    let (base, target) = (format!("{host}/runner:13"), format!("{host}/orders:v1"));
    let arguments = [
        "--base",
        &base,
        "-t",
        &target,
        "--push",
        "--registry-endpoint",
        &endpoint,
    ];
    TestProject::new().logged_in_at(host).build(&arguments).succeeded();
    scene.registry.image("orders", "v1");
    let nobody = TestProject::new().build(&arguments).exited(1).hints();
    nobody.says(&[host, "docker login"]);
}
