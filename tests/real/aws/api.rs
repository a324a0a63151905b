//! The API of an emulator, asked as the AWS command line would.

use std::process::Command;

use serde_json::{Value, json};

use super::account::REGION;
use crate::parts::output;

/// Asks an emulator something about ECR, for an account of moto.
///
/// The error is the name of AWS's exception.
pub(crate) fn ask(emulator: &str, account: &str, operation: &str, question: &Value) -> Result<Value, String> {
    ask_in(REGION, emulator, account, operation, question)
}

/// As [`ask`], in another region.
pub(crate) fn ask_in(
    region: &str,
    emulator: &str,
    account: &str,
    operation: &str,
    question: &Value,
) -> Result<Value, String> {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let account = format!("x-moto-account-id: {account}");
    call(emulator, region, "ecr", &target, &[&account], question)
}

/// Asks an emulator something of a service whose operations are named by a header.
///
/// The error is the name of AWS's exception.
pub(crate) fn call(
    emulator: &str,
    region: &str,
    service: &str,
    target: &str,
    headers: &[&str],
    question: &Value,
) -> Result<Value, String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--header"])
        .arg(format!("X-Amz-Target: {target}"))
        .args(["--header", "Content-Type: application/x-amz-json-1.1", "--header"])
        .arg(format!(
            "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        ))
        .args(headers.iter().flat_map(|header| ["--header", header]))
        .args(["--data-binary", &question.to_string(), &format!("{emulator}/")]);
    let answer = output(&mut curl);
    // Some operations answer nothing.
    let answer: Value = match answer.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).expect("an emulator answers JSON"),
    };
    match answer["__type"].as_str() {
        Some(kind) => Err(kind.rsplit('#').next().unwrap_or(kind).to_owned()),
        None => Ok(answer),
    }
}

/// Makes a repository, which must not be there.
pub(crate) fn create_repository(emulator: &str, account: &str, name: &str, mutability: &str) {
    let question = json!({ "repositoryName": name, "imageTagMutability": mutability });
    ask(emulator, account, "CreateRepository", &question).expect("a repository can be made");
}

/// What the API tells of a repository.
pub(crate) fn repository(emulator: &str, account: &str, name: &str) -> Value {
    let answer = ask(
        emulator,
        account,
        "DescribeRepositories",
        &json!({ "repositoryNames": [name] }),
    );
    answer.expect("the repository is there")["repositories"][0].clone()
}
