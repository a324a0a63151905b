//! The fake of AWS itself: a test double that is wrong would make every other test lie.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::aws::{ACCOUNT, FakeAws, HOST, REGION, failure};
use crate::support::registry::FakeRegistry;

/// Sends one request over a connection of its own and gives the whole answer.
fn ask(aws: &FakeAws, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(aws.address()).unwrap();
    let length = body.len();
    let request = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const FORM: &str = "POST / HTTP/1.1";
const TOKEN: &str = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";

fn fails(aws: FakeAws) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(aws))).is_err()
}

#[test]
fn what_is_not_allowed_fails_the_test() {
    let aws = FakeAws::start();
    assert!(ask(&aws, TOKEN, "{}").contains("UnknownOperationException"));
    assert_eq!(aws.recorded(), "ecr:GetAuthorizationToken 400");
    assert!(fails(aws));
    let aws = FakeAws::start();
    ask(&aws, "GET /nothing HTTP/1.1", "");
    assert!(fails(aws));
}

#[test]
fn an_unsigned_call_fails_the_test_unless_it_is_to_be_unsigned() {
    let aws = FakeAws::start();
    aws.allow(&["ecr:GetAuthorizationToken"]);
    assert!(ask(&aws, TOKEN, "{}").contains("MissingAuthenticationTokenException"));
    assert!(fails(aws));
    let aws = FakeAws::start();
    let operation = "sts:AssumeRoleWithWebIdentity";
    aws.allow(&[operation]);
    let role = aws.trust("token", ACCOUNT, "deploy");
    let form = |token: &str| {
        format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=ci&\
             WebIdentityToken={token}"
        )
    };
    assert!(ask(&aws, FORM, &form("token")).contains("<AccessKeyId>ASIA"));
    assert!(ask(&aws, FORM, &form("other")).contains("<Code>InvalidIdentityToken</Code>"));
    assert_eq!(aws.calls_of(operation)[0].input["RoleSessionName"], "ci");
    ask(
        &aws,
        &format!("{FORM}\r\nAuthorization: AWS4-HMAC-SHA256 x"),
        &form("token"),
    );
    assert!(fails(aws));
}

#[test]
fn keys_nobody_was_given_are_refused() {
    let aws = FakeAws::start();
    aws.allow(&["ecr:GetAuthorizationToken", "sts:GetCallerIdentity"]);
    let header = |service: &str| {
        format!(
            "X-Amz-Date: 20261122T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIANOBODY/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature={}",
            "0".repeat(64)
        )
    };
    let refused = ask(&aws, &format!("{TOKEN}\r\n{}", header("ecr")), "{}");
    assert!(refused.contains("UnrecognizedClientException"), "{refused}");
    let form = format!("{FORM}\r\n{}", header("sts"));
    let refused = ask(&aws, &form, "Action=GetCallerIdentity");
    assert!(refused.contains("InvalidClientTokenId"), "{refused}");
    assert!(!fails(aws));
}

#[test]
fn the_clock_and_the_signature_are_checked() {
    let aws = FakeAws::start();
    aws.allow(&["ecr:GetAuthorizationToken"]);
    let key = aws.user(ACCOUNT, "dev");
    let signed = |time: &str| {
        let header = format!(
            "X-Amz-Date: {time}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={}/{}/eu-west-1/ecr/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={}",
            key.access_key,
            &time[..8],
            "0".repeat(64)
        );
        ask(&aws, &format!("{TOKEN}\r\n{header}"), "{}")
    };
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    assert!(signed("20200101T000000Z").contains("Signature expired: 20200101T000000Z is now earlier than"));
    assert!(signed(&now).contains("does not match the signature"));
    aws.ahead_seconds(-3600);
    assert!(signed(&now).contains("Signature not yet current"));
}

#[test]
fn faults_strike_when_they_are_told_to() {
    let aws = FakeAws::start();
    aws.allow(&["imds:GetToken"]);
    let fault = aws.fault(failure("imds:GetToken", 503, "Busy", "later"));
    let head = "PUT /latest/api/token HTTP/1.1\r\nx-aws-ec2-metadata-token-ttl-seconds: 60";
    assert!(ask(&aws, head, "").starts_with("HTTP/1.1 503"));
    assert!(fault.struck());
    assert!(ask(&aws, head, "").starts_with("HTTP/1.1 200"));
    aws.forget_calls();
    aws.assert_silent();
}

/// Catches a fake that the SDK does not understand, or that takes a signature for false.
#[test]
fn the_sdk_and_the_fake_understand_each_other() {
    use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region};
    let registry = FakeRegistry::ecr();
    registry.create("orders");
    let aws = FakeAws::start();
    aws.governs(ACCOUNT, REGION, &registry);
    aws.allow(&[
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRepositories",
        "ecr:CreateRepository",
    ]);
    aws.allow(&["sts:GetCallerIdentity", "sts:AssumeRole"]);
    let role = aws.role(ACCOUNT, "deploy");
    let key = aws.user(ACCOUNT, "dev");
    let credentials = Credentials::new(&key.access_key, &key.secret_key, None, None, "test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let config = aws_sdk_ecr::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(credentials.clone())
            .endpoint_url(aws.url())
            .build();
        let ecr = aws_sdk_ecr::Client::from_conf(config);
        let token = ecr.get_authorization_token().send().await.unwrap();
        let data = &token.authorization_data()[0];
        assert!(data.proxy_endpoint().unwrap().ends_with(HOST));
        assert!(data.expires_at().unwrap().secs() > jiff::Timestamp::now().as_second() + 11 * 3600);
        ecr.create_repository().repository_name("bills").send().await.unwrap();
        let again = ecr.create_repository().repository_name("bills").send().await;
        let again = again.unwrap_err().into_service_error();
        assert!(again.is_repository_already_exists_exception());
        let found = ecr
            .describe_repositories()
            .repository_names("bills")
            .send()
            .await
            .unwrap();
        assert_eq!(found.repositories()[0].registry_id(), Some(ACCOUNT));
        let absent = ecr.describe_repositories().repository_names("absent").send().await;
        let absent = absent.unwrap_err().into_service_error();
        assert!(absent.is_repository_not_found_exception());
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(credentials)
            .endpoint_url(aws.url())
            .build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let caller = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(caller.arn(), Some("arn:aws:iam::123456789012:user/dev"));
        let assumed = sts
            .assume_role()
            .role_arn(role)
            .role_session_name("x")
            .send()
            .await
            .unwrap();
        assert!(assumed.credentials().unwrap().access_key_id().starts_with("ASIA"));
    });
    assert_eq!(registry.tags("bills"), []);
    assert!(
        aws.recorded()
            .contains("ecr:CreateRepository eu-west-1 arn:aws:iam::123456789012:user/dev 400")
    );
}
