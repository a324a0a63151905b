//! Every form of a registry's host name, behind an address of the test's own.

use crate::support::aws::EcrScene;
use crate::support::registry::Options;

/// Pushes to a registry, and fails unless that took one token of its region.
fn pushes(host: &str, region: &str) {
    let scene = EcrScene::at(host, region, Options::ecr()).with_dev();
    let outcome = scene.push(&[]).succeeded();
    assert!(outcome.stdout.starts_with(&format!("{host}/orders@")), "{outcome:#?}");
    let calls = scene.aws.calls();
    assert_eq!(calls.len(), 1, "{host}: {}", scene.aws.recorded());
    assert_eq!(calls[0].region, region, "{host}");
}

/// Catches a form that is not known as Amazon ECR's, and a region misread.
#[test]
fn every_partition_gives_tokens_of_its_regions() {
    pushes("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1");
    pushes("123456789012.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1");
    pushes("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1");
    pushes("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1");
}

/// Catches an SDK that refuses FIPS together with an address of the user's own.
#[test]
fn fips_hosts_have_addresses_too() {
    pushes("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1");
    pushes("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1");
}

/// Catches an SDK that refuses dual-stack together with an address of the user's own.
#[test]
fn dual_stack_hosts_have_addresses_too() {
    pushes("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1");
    pushes("123456789012.dkr-ecr-fips.us-west-2.on.aws", "us-west-2");
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

/// Catches an endpoint for one service that loses to the one for all.
#[test]
fn each_service_may_have_an_address_of_its_own() {
    let scene = EcrScene::signed_in();
    scene.aws.allow(&["sts:AssumeRole"]);
    let role = scene.aws.role("123456789012", "deploy");
    let url = scene.aws.url();
    let scene = scene
        .environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .environment("AWS_ENDPOINT_URL_ECR", &url)
        .environment("AWS_ENDPOINT_URL_STS", &url);
    scene.push(&["--aws-role-arn", &role]).succeeded();
    assert_eq!(scene.aws.calls().len(), 2);
}

/// Catches a company's proxy that is the only way to AWS and is not taken.
#[test]
fn a_proxy_leads_to_aws() {
    let scene = EcrScene::signed_in();
    let url = scene.aws.url();
    let scene = scene
        .environment("AWS_ENDPOINT_URL", "http://aws.test")
        .environment("HTTP_PROXY", &url)
        .environment("NO_PROXY", "127.0.0.1");
    scene.push(&[]).succeeded();
    assert_eq!(scene.aws.calls().len(), 1);
}
