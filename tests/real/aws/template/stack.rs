//! A stack of the template at ministack.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aws::account::{REGION, ministack, with_keys};
use crate::aws::api::call;
use crate::package::function_package;
use crate::parts::{output, setting};
use crate::pipeline::source;

/// The account of everything.
pub(super) const ACCOUNT: &str = "000000000000";

/// Makes JSON of the template: functions such as `!Ref Name` become `{"Ref": "Name"}`.
const AS_JSON: &str = r#"
import json, sys, yaml
def function(loader, tag, node):
    name = tag if tag in ("Ref", "Condition") else "Fn::" + tag
    if isinstance(node, yaml.ScalarNode): value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode): value = loader.construct_sequence(node, deep=True)
    else: value = loader.construct_mapping(node, deep=True)
    return {name: value}
yaml.SafeLoader.add_multi_constructor("!", function)
print(json.dumps(yaml.safe_load(open(sys.argv[1]))))
"#;

pub(super) struct Stack {
    /// What the stack and, by its parameter, everything in it is called.
    pub(super) name: &'static str,
    /// The template as JSON.
    template: Value,
    /// The properties that were looked at, as `Resource.Property`.
    checked: RefCell<BTreeSet<String>>,
    folder: TempDir,
}

impl Stack {
    /// Deploys it with the command of docs/aws.md, and these parameters besides those it shows.
    pub(super) fn deploy(name: &'static str, more: &[&str]) -> Self {
        let python = Path::new(&setting("SHIPWAY_TEST_AWS_COMMAND")).with_file_name("python3");
        let file = source("deploy/cloudformation.yaml");
        let template = output(Command::new(python).args(["-c", AS_JSON]).arg(&file));
        let stack = Self {
            name,
            template: serde_json::from_str(&template).expect("it is JSON"),
            checked: RefCell::default(),
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        };
        let bucket = format!("{name}-code");
        let place = format!("LocationConstraint={REGION}");
        stack.aws(&[
            "s3api",
            "create-bucket",
            "--bucket",
            &bucket,
            "--create-bucket-configuration",
            &place,
        ]);
        let package = function_package().to_string_lossy();
        stack.aws(&[
            "s3",
            "cp",
            "--quiet",
            &package,
            &format!("s3://{bucket}/shipway-lambda.zip"),
        ]);
        let file = file.to_string_lossy();
        let mut words = vec![
            "cloudformation",
            "deploy",
            "--stack-name",
            name,
            "--template-file",
            &file,
        ];
        words.extend(["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides"]);
        let (named, family, bucket) = (
            format!("Name={name}"),
            format!("Family={name}-flyway"),
            format!("FunctionCodeBucket={bucket}"),
        );
        words.extend([
            &named,
            &family,
            &bucket,
            "FunctionCodeKey=shipway-lambda.zip",
            "VpcSubnets=subnet-1,subnet-2",
            "TaskSecurityGroups=sg-1,sg-2",
            "DatabaseSecretArn=arn:aws:secretsmanager:eu-west-3:000000000000:secret:orders-database-AbCdEf",
            "JdbcUrl=jdbc:mysql://db.example.com:3306/orders",
            "AlertEmail=team@example.com",
            "GitLabProjectPath=shop/orders",
            // The emulator knows no identity providers, so an account that has one.
            "GitLabOidcProviderArn=arn:aws:iam::000000000000:oidc-provider/gitlab.com",
        ]);
        words.extend(more);
        stack.aws(&words);
        stack
    }

    /// Asks the account with the command line of AWS.
    pub(super) fn aws(&self, words: &[&str]) -> Value {
        let mut aws = Command::new(setting("SHIPWAY_TEST_AWS_COMMAND"));
        aws.env_clear()
            .env("PATH", setting("PATH"))
            .env("HOME", self.folder.path())
            .args(["--region", REGION, "--output", "json"])
            .args(words);
        serde_json::from_str(&output(with_keys(&mut aws, &ministack()))).unwrap_or(Value::Null)
    }

    /// Asks a service for what the command line does not know how to tell.
    pub(super) fn ask(&self, service: &str, target: &str, question: &Value) -> Value {
        call(&ministack(), REGION, service, target, &[], question).unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    /// What a resource is called by the account.
    pub(super) fn id_of(&self, resource: &str) -> String {
        let words = ["cloudformation", "describe-stack-resource", "--stack-name", self.name];
        let described = self.aws(&[&words[..], &["--logical-resource-id", resource]].concat());
        let id = described["StackResourceDetail"]["PhysicalResourceId"].as_str();
        id.unwrap_or_else(|| panic!("no {resource}: {described}")).to_owned()
    }

    /// The stack's outputs, by name.
    pub(super) fn output(&self, name: &str) -> String {
        let stacks = self.aws(&["cloudformation", "describe-stacks", "--stack-name", self.name]);
        assert_eq!(stacks["Stacks"][0]["StackStatus"], "CREATE_COMPLETE", "{stacks}");
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().expect("a list");
        let output = outputs.iter().find(|output| output["OutputKey"] == name);
        output.expect("it is told")["OutputValue"]
            .as_str()
            .expect("a text")
            .to_owned()
    }

    /// Fails unless a property of a resource has become this.
    pub(super) fn has(&self, property: &str, told: &Value, expected: impl Into<Value>) {
        assert_eq!(*told, expected.into(), "{property}");
        self.checked.borrow_mut().insert(property.to_owned());
    }

    /// As [`Stack::has`], for a property that the emulator does not keep: what the template says itself.
    pub(super) fn says(&self, property: &str, expected: &Value) {
        let (resource, name) = property.split_once('.').expect("Resource.Property");
        let said = &self.template["Resources"][resource]["Properties"][name];
        assert_eq!(said, expected, "{property}");
        self.checked.borrow_mut().insert(property.to_owned());
    }

    /// The template as JSON.
    pub(super) fn template(&self) -> &Value {
        &self.template
    }

    /// What the template says of a resource besides its properties.
    pub(super) fn resource(&self, name: &str) -> &Value {
        &self.template["Resources"][name]
    }

    /// Fails unless every property of the template was looked at.
    pub(super) fn assert_all_was_looked_at(&self) {
        let resources = self.template["Resources"].as_object().expect("an object");
        let properties = resources.iter().flat_map(|(name, resource)| {
            let properties = resource["Properties"].as_object().expect("an object");
            properties.keys().map(move |property| format!("{name}.{property}"))
        });
        let properties: BTreeSet<String> = properties.collect();
        let checked = self.checked.borrow();
        let missed: Vec<_> = properties.difference(&checked).collect();
        assert!(missed.is_empty(), "nobody looks at {missed:?}");
        let gone: Vec<_> = checked.difference(&properties).collect();
        assert!(gone.is_empty(), "the template has no {gone:?}");
    }

    /// An ARN in the account.
    pub(super) fn arn(service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
    }

    /// Sends the function an event.
    pub(super) fn invoke(&self, event: &Value) -> Value {
        let answer = self.folder.path().join("answer.json");
        let invoked = self.aws(&[
            "lambda",
            "invoke",
            "--function-name",
            self.name,
            "--payload",
            &event.to_string(),
            &answer.to_string_lossy(),
        ]);
        let answer = std::fs::read_to_string(answer).expect("an answer is written");
        assert!(invoked.get("FunctionError").is_none(), "{invoked}: {answer}");
        serde_json::from_str(&answer).expect("an answer is JSON")
    }

    /// The function's variables, as it is started with them.
    pub(super) fn variables(&self) -> Value {
        let told = self.aws(&["lambda", "get-function-configuration", "--function-name", self.name]);
        told["Environment"]["Variables"].clone()
    }

    /// Tells the function where this account is, which a real one knows.
    pub(super) fn lead_the_function_here(&self) {
        let mut variables = self.variables();
        variables["AWS_ENDPOINT_URL"] = json!(ministack());
        let environment = json!({ "Variables": variables }).to_string();
        self.aws(&[
            "lambda",
            "update-function-configuration",
            "--function-name",
            self.name,
            "--environment",
            &environment,
        ]);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.aws(&["cloudformation", "delete-stack", "--stack-name", self.name]);
        }
    }
}
