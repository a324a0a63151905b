//! Every form of a registry's host name, behind an address of the test's own.

use crate::support::aws::EcrScene;
use crate::support::registry::Options;

/// Catches a form that is not known as Amazon ECR's, a region misread, and an SDK that refuses the combination.
#[test]
fn every_form_of_host_gets_a_token_of_its_region() {
    for (host, region) in [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        ("123456789012.dkr-ecr-fips.us-west-2.on.aws", "us-west-2"),
    ] {
        let scene = EcrScene::at(host, region, Options::ecr()).with_dev();
        let outcome = scene.push(&[]).succeeded();
        assert!(outcome.stdout.starts_with(&format!("{host}/orders@")), "{outcome:#?}");
        let calls = scene.aws.calls();
        assert_eq!(calls.len(), 1, "{host}: {}", scene.aws.recorded());
        assert_eq!(calls[0].region, region, "{host}");
    }
}

/// Catches the roles of the China and GovCloud partitions, asked for at the wrong STS.
#[test]
fn a_role_is_assumed_in_the_hosts_region() {
    let host = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn";
    let scene = EcrScene::at(host, "cn-north-1", Options::ecr()).with_dev();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = scene.aws.role("123456789012", "deploy");
    scene.push(&["--aws-role-arn", &role]).succeeded();
    let regions: Vec<_> = scene.aws.calls().into_iter().map(|call| call.region).collect();
    assert_eq!(regions, ["cn-north-1", "cn-north-1"]);
}
