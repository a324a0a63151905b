//! Every property of every resource.

use serde_json::{Value, json};

use super::stack::{ACCOUNT, Stack};
use crate::aws::account::REGION;
use crate::pipeline::source;

const SECRET: &str = "arn:aws:secretsmanager:eu-west-3:000000000000:secret:orders-database-AbCdEf";
const KEY: &str = "arn:aws:kms:eu-west-3:000000000000:key/1a2b";

/// Catches a property that was forgotten, one that says something else than was meant, and one that nobody has looked at.
#[test]
#[ignore = "needs ministack and the command line of AWS: ci/test.sh"]
fn every_property_of_the_template_is_what_was_meant() {
    let stack = Stack::deploy("template-all", &[&format!("DatabaseSecretKeyArn={KEY}")]);
    repository(&stack);
    cluster_and_log(&stack);
    task_definition(&stack);
    table(&stack);
    topic(&stack);
    roles_of_the_task(&stack);
    role_of_the_function(&stack);
    function(&stack);
    rules(&stack);
    alarms(&stack);
    pipeline(&stack);
    stack.assert_all_was_looked_at();
    the_page_tells(stack.template());
}

/// The page that walks there names every parameter with its default, and the right that a role with a name takes.
fn the_page_tells(template: &Value) {
    let page = std::fs::read_to_string(source("docs/aws.md")).expect("the page can be read");
    for (name, parameter) in template["Parameters"].as_object().expect("an object") {
        let row = page
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        if let Some(default) = parameter["Default"].as_str().filter(|default| default.len() < 30) {
            let told = if default.is_empty() { "empty" } else { default };
            assert!(row.contains(told), "{name} is {told:?} if it is not given: {row}");
        }
        assert!(parameter["Description"].is_string(), "{name}");
    }
    assert!(page.contains("--capabilities CAPABILITY_NAMED_IAM "));
}

/// Catches a function that lacks a variable, or is led to another table than the stack's.
#[test]
#[ignore = "needs ministack and the command line of AWS: ci/test.sh"]
fn the_deployed_function_answers() {
    let stack = Stack::deploy("template-live", &[]);
    stack.lead_the_function_here();
    let answer = stack.invoke(&json!({ "action": "history" }));
    assert_eq!(answer["shipway"]["ok"], true, "{answer}");
    assert_eq!(answer["shipway"]["records"], json!([]), "{answer}");
    // It knows of no image but its own repository's.
    let foreign = json!({ "image": format!("example.com/orders@sha256:{}", "0".repeat(64)) });
    let words = [
        "--function-name",
        stack.name,
        "--payload",
        &foreign.to_string(),
        "/dev/null",
    ];
    let refused = stack.aws(&[&["lambda", "invoke"], &words[..]].concat());
    assert_eq!(refused["FunctionError"], "Unhandled", "{refused}");
}

fn repository(stack: &Stack) {
    let told = stack.aws(&["ecr", "describe-repositories", "--repository-names", stack.name]);
    let told = &told["repositories"][0];
    stack.has("Repository.RepositoryName", &told["repositoryName"], stack.name);
    stack.has(
        "Repository.ImageTagMutability",
        &told["imageTagMutability"],
        "IMMUTABLE_WITH_EXCLUSION",
    );
    stack.says(
        "Repository.ImageTagMutabilityExclusionFilters",
        &json!([{"ImageTagMutabilityExclusionFilterType": "WILDCARD", "ImageTagMutabilityExclusionFilterValue": {"Ref": "MovingTag"}}]),
    );
    stack.has(
        "Repository.ImageScanningConfiguration",
        &told["imageScanningConfiguration"],
        json!({"scanOnPush": true}),
    );
    stack.has(
        "Repository.EncryptionConfiguration",
        &told["encryptionConfiguration"],
        json!({"encryptionType": "KMS"}),
    );
    let policy = stack.aws(&["ecr", "get-lifecycle-policy", "--repository-name", stack.name]);
    let policy: Value = serde_json::from_str(policy["lifecyclePolicyText"].as_str().expect("a text")).expect("JSON");
    stack.has(
        "Repository.LifecyclePolicy",
        &policy,
        json!({"rules": [{
            "rulePriority": 1, "description": "untagged images go after 14 days", "action": {"type": "expire"},
            "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
        }]}),
    );
    assert_eq!(
        stack.output("RepositoryUri"),
        format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{}", stack.name)
    );
    // What a mistake at the stack must not take with it.
    assert_eq!(stack.resource("OidcProvider")["DeletionPolicy"], "RetainExceptOnCreate");
    for kept in ["Repository", "LogGroup", "Table"] {
        // A stack that could not be made can be made again under the same names.
        assert_eq!(stack.resource(kept)["DeletionPolicy"], "RetainExceptOnCreate", "{kept}");
        assert_eq!(stack.resource(kept)["UpdateReplacePolicy"], "Retain", "{kept}");
    }
}

fn cluster_and_log(stack: &Stack) {
    let told = stack.aws(&[
        "ecs",
        "describe-clusters",
        "--clusters",
        stack.name,
        "--include",
        "SETTINGS",
    ]);
    let told = &told["clusters"][0];
    stack.has("Cluster.ClusterName", &told["clusterName"], stack.name);
    stack.has(
        "Cluster.ClusterSettings",
        &told["settings"],
        json!([{"name": "containerInsights", "value": "disabled"}]),
    );
    let group = format!("/shipway/{}", stack.name);
    let told = stack.aws(&["logs", "describe-log-groups", "--log-group-name-prefix", &group]);
    let told = &told["logGroups"][0];
    stack.has("LogGroup.LogGroupName", &told["logGroupName"], group.as_str());
    stack.has("LogGroup.RetentionInDays", &told["retentionInDays"], 90);
    assert_eq!(stack.output("ClusterName"), stack.name);
}

fn task_definition(stack: &Stack) {
    let family = format!("{}-flyway", stack.name);
    let told = stack.ask(
        "ecs",
        "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition",
        &json!({ "taskDefinition": family }),
    );
    let told = &told["taskDefinition"];
    let role = |name| format!("arn:aws:iam::{ACCOUNT}:role/{}", stack.id_of(name));
    for (property, key, expected) in [
        ("Family", "family", json!(family)),
        ("Cpu", "cpu", json!("256")),
        ("Memory", "memory", json!("512")),
        ("NetworkMode", "networkMode", json!("awsvpc")),
        ("RequiresCompatibilities", "requiresCompatibilities", json!(["FARGATE"])),
        ("ExecutionRoleArn", "executionRoleArn", json!(role("ExecutionRole"))),
        ("TaskRoleArn", "taskRoleArn", json!(role("TaskRole"))),
    ] {
        stack.has(&format!("TaskDefinition.{property}"), &told[key], expected);
    }
    stack.says(
        "TaskDefinition.RuntimePlatform",
        &json!({"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"}),
    );
    let container = &told["containerDefinitions"][0];
    assert_eq!(told["containerDefinitions"].as_array().map(Vec::len), Some(1));
    for (key, expected) in [
        ("name", json!(family)),
        ("image", json!("public.ecr.aws/docker/library/busybox:stable")),
        ("essential", json!(true)),
        ("memory", json!(512)),
        ("command", json!(["migrate"])),
        ("stopTimeout", json!(120)),
        (
            "environment",
            json!([{"name": "FLYWAY_URL", "value": "jdbc:mysql://db.example.com:3306/orders"}]),
        ),
        // The emulator leaves the keys of these as the template writes them.
        (
            "secrets",
            json!([
                {"Name": "FLYWAY_USER", "ValueFrom": format!("{SECRET}:username::")},
                {"Name": "FLYWAY_PASSWORD", "ValueFrom": format!("{SECRET}:password::")},
            ]),
        ),
        (
            "logConfiguration",
            json!({"logDriver": "awslogs", "options": {
                "awslogs-group": format!("/shipway/{}", stack.name), "awslogs-region": REGION, "awslogs-stream-prefix": family,
            }}),
        ),
    ] {
        assert_eq!(container[key], expected, "{key} of {container}");
    }
    stack.has("TaskDefinition.ContainerDefinitions", &container["essential"], true);
}

fn table(stack: &Stack) {
    let name = format!("{}-runs", stack.name);
    let told = stack.aws(&["dynamodb", "describe-table", "--table-name", &name]);
    let told = &told["Table"];
    stack.has("Table.TableName", &told["TableName"], name.as_str());
    stack.has(
        "Table.BillingMode",
        &told["BillingModeSummary"]["BillingMode"],
        "PAY_PER_REQUEST",
    );
    stack.has(
        "Table.AttributeDefinitions",
        &told["AttributeDefinitions"],
        json!([{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]),
    );
    stack.has(
        "Table.KeySchema",
        &told["KeySchema"],
        json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]),
    );
    // The emulator keeps neither of a table that CloudFormation makes.
    stack.says(
        "Table.TimeToLiveSpecification",
        &json!({"AttributeName": "expires_at", "Enabled": true}),
    );
    stack.says(
        "Table.PointInTimeRecoverySpecification",
        &json!({"PointInTimeRecoveryEnabled": true}),
    );
    assert_eq!(stack.output("TableName"), name);
}

fn topic_arn(stack: &Stack) -> String {
    Stack::arn("sns", &format!("{}-alerts", stack.name))
}

fn topic(stack: &Stack) {
    let arn = topic_arn(stack);
    let told = stack.aws(&["sns", "get-topic-attributes", "--topic-arn", &arn]);
    stack.has("Topic.TopicName", &told["Attributes"]["TopicArn"], arn.as_str());
    let policy: Value = serde_json::from_str(told["Attributes"]["Policy"].as_str().expect("a text")).expect("JSON");
    stack.has(
        "TopicPolicy.PolicyDocument",
        &policy,
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]},
            "Action": "sns:Publish", "Resource": arn,
        }]}),
    );
    stack.says("TopicPolicy.Topics", &json!([{"Ref": "Topic"}]));
    let told = stack.aws(&["sns", "list-subscriptions-by-topic", "--topic-arn", &arn]);
    assert_eq!(told["Subscriptions"].as_array().map(Vec::len), Some(1));
    let told = &told["Subscriptions"][0];
    stack.has("TopicSubscription.TopicArn", &told["TopicArn"], arn.as_str());
    stack.has("TopicSubscription.Protocol", &told["Protocol"], "email");
    stack.has("TopicSubscription.Endpoint", &told["Endpoint"], "team@example.com");
}

/// Who may take a role, and what it may do: its own policy, and the names of Amazon's.
fn role(stack: &Stack, resource: &str, trust: Value, own: Option<(&str, Value)>, amazons: &[&str]) {
    let name = stack.id_of(resource);
    let told = stack.aws(&["iam", "get-role", "--role-name", &name]);
    stack.has(
        &format!("{resource}.AssumeRolePolicyDocument"),
        &told["Role"]["AssumeRolePolicyDocument"],
        trust,
    );
    let listed = stack.aws(&["iam", "list-role-policies", "--role-name", &name]);
    let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed["PolicyNames"], json!(names), "{resource}");
    if let Some((policy, document)) = own {
        let told = stack.aws(&["iam", "get-role-policy", "--role-name", &name, "--policy-name", policy]);
        stack.has(&format!("{resource}.Policies"), &told["PolicyDocument"], document);
    }
    let attached = stack.aws(&["iam", "list-attached-role-policies", "--role-name", &name]);
    let arns = attached["AttachedPolicies"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|policy| policy["PolicyArn"].clone());
    let arns: Vec<Value> = arns.collect();
    let expected: Vec<Value> = amazons
        .iter()
        .map(|name| json!(format!("arn:aws:iam::aws:policy/service-role/{name}")))
        .collect();
    assert_eq!(arns, expected, "{resource}");
    if !amazons.is_empty() {
        stack.has(&format!("{resource}.ManagedPolicyArns"), &json!(arns), expected);
    }
}

fn trusts(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    ]})
}

fn roles_of_the_task(stack: &Stack) {
    let secret = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY},
    ]});
    let amazons = ["AmazonECSTaskExecutionRolePolicy"];
    role(
        stack,
        "ExecutionRole",
        trusts("ecs-tasks.amazonaws.com"),
        Some(("database-secret", secret)),
        &amazons,
    );
    role(stack, "TaskRole", trusts("ecs-tasks.amazonaws.com"), None, &[]);
}

fn role_of_the_function(stack: &Stack) {
    let name = stack.name;
    let cluster = json!({"ArnEquals": {"ecs:cluster": Stack::arn("ecs", &format!("cluster/{name}"))}});
    let roles: Vec<String> = ["ExecutionRole", "TaskRole"]
        .map(|role| format!("arn:aws:iam::{ACCOUNT}:role/{}", stack.id_of(role)))
        .into();
    let may = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Definitions", "Effect": "Allow", "Action": ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"], "Resource": "*"},
        {"Sid": "Start", "Effect": "Allow", "Action": "ecs:RunTask",
         "Resource": Stack::arn("ecs", &format!("task-definition/{name}-flyway:*")), "Condition": cluster},
        {"Sid": "FollowAndStop", "Effect": "Allow", "Action": ["ecs:DescribeTasks", "ecs:StopTask"],
         "Resource": Stack::arn("ecs", &format!("task/{name}/*"))},
        {"Sid": "Find", "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*", "Condition": cluster},
        {"Sid": "TagWhatIsMade", "Effect": "Allow", "Action": "ecs:TagResource", "Resource": "*",
         "Condition": {"StringEquals": {"ecs:CreateAction": ["RunTask", "RegisterTaskDefinition"]}}},
        {"Sid": "PassTheRolesOfTheTask", "Effect": "Allow", "Action": "iam:PassRole", "Resource": roles,
         "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        {"Sid": "ReadTheLog", "Effect": "Allow", "Action": "logs:GetLogEvents",
         "Resource": Stack::arn("logs", &format!("log-group:/shipway/{name}:*"))},
        {"Sid": "RecordAndLock", "Effect": "Allow",
         "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"],
         "Resource": Stack::arn("dynamodb", &format!("table/{name}-runs"))},
        {"Sid": "Tell", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic_arn(stack)},
    ]});
    let amazons = ["AWSLambdaBasicExecutionRole"];
    role(
        stack,
        "FunctionRole",
        trusts("lambda.amazonaws.com"),
        Some(("run-migrations", may)),
        &amazons,
    );
}

fn function(stack: &Stack) {
    let told = stack.aws(&["lambda", "get-function", "--function-name", stack.name]);
    let told = &told["Configuration"];
    for (property, expected) in [
        ("FunctionName", json!(stack.name)),
        ("Runtime", json!("provided.al2023")),
        ("Handler", json!("bootstrap")),
        ("Architectures", json!(["x86_64"])),
        ("Timeout", json!(900)),
        ("MemorySize", json!(128)),
        (
            "Role",
            json!(format!("arn:aws:iam::{ACCOUNT}:role/{}", stack.id_of("FunctionRole"))),
        ),
    ] {
        stack.has(&format!("Function.{property}"), &told[property], expected);
    }
    let size = std::fs::metadata(crate::package::function_package())
        .expect("it is there")
        .len();
    stack.has("Function.Code", &told["CodeSize"], size);
    let family = format!("{}-flyway", stack.name);
    stack.has(
        "Function.Environment",
        &stack.variables(),
        json!({
            "ENV_CLUSTER": stack.name, "ENV_SUBNET": "subnet-1,subnet-2", "ENV_SECURITY_GROUP": "sg-1,sg-2", "SHIPWAY_ASSIGN_PUBLIC_IP": "DISABLED",
            "SHIPWAY_TABLE": stack.output("TableName"), "SHIPWAY_TOPIC_ARN": topic_arn(stack),
            "SHIPWAY_REPOSITORY": stack.output("RepositoryUri"), "SHIPWAY_ALLOWED_COMMANDS": "migrate,info,validate",
            "SHIPWAY_FAMILY": family, "SHIPWAY_CONTAINER": family, "SHIPWAY_NAME": stack.name,
        }),
    );
    assert_eq!(stack.output("FunctionName"), stack.name);
}

fn rules(stack: &Stack) {
    let name = stack.name;
    for (resource, rule) in [("StoppedRule", "stopped"), ("FailedRule", "failed")] {
        let rule = format!("{name}-{rule}");
        let told = stack.aws(&["events", "describe-rule", "--name", &rule]);
        stack.has(&format!("{resource}.Name"), &told["Name"], rule.as_str());
        assert_eq!(told["State"], "ENABLED");
        let pattern: Value = serde_json::from_str(told["EventPattern"].as_str().expect("a text")).expect("JSON");
        let mut detail = json!({
            "clusterArn": [Stack::arn("ecs", &format!("cluster/{name}"))], "group": [format!("family:{name}-flyway")],
            "lastStatus": ["STOPPED"],
        });
        if resource == "FailedRule" {
            detail["$or"] = json!([
                {"stopCode": [{"anything-but": ["EssentialContainerExited"]}]},
                {"containers": {"exitCode": [{"anything-but": [0]}]}},
                {"containers": {"exitCode": [{"exists": false}]}},
            ]);
        }
        stack.has(
            &format!("{resource}.EventPattern"),
            &pattern,
            json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}),
        );
        let targets = stack.aws(&["events", "list-targets-by-rule", "--rule", &rule]);
        let expected = match resource {
            "StoppedRule" => json!([{"Id": "function", "Arn": Stack::arn("lambda", &format!("function:{name}"))}]),
            _ => json!([{"Id": "topic", "Arn": topic_arn(stack), "InputTransformer": {
                "InputPathsMap": {"task": "$.detail.taskArn", "code": "$.detail.stopCode", "reason": "$.detail.stoppedReason"},
                "InputTemplate": "\"A migration did not succeed: <code>, <reason>. Task <task>\"",
            }}]),
        };
        stack.has(&format!("{resource}.Targets"), &targets["Targets"], expected);
    }
    let policy = stack.aws(&["lambda", "get-policy", "--function-name", name]);
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("a text")).expect("JSON");
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(1), "{policy}");
    let statement = &policy["Statement"][0];
    for (property, told, expected) in [
        (
            "FunctionName",
            &statement["Resource"],
            Stack::arn("lambda", &format!("function:{name}")),
        ),
        ("Action", &statement["Action"], "lambda:InvokeFunction".to_owned()),
        (
            "Principal",
            &statement["Principal"]["Service"],
            "events.amazonaws.com".to_owned(),
        ),
        (
            "SourceArn",
            &statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            Stack::arn("events", &format!("rule/{name}-stopped")),
        ),
    ] {
        stack.has(&format!("StoppedRulePermission.{property}"), told, expected);
    }
}

fn alarms(stack: &Stack) {
    let name = stack.name;
    let told = stack.aws(&["cloudwatch", "describe-alarms", "--alarm-name-prefix", name]);
    let alarms = told["MetricAlarms"].as_array().expect("a list");
    assert_eq!(alarms.len(), 4, "{alarms:?}");
    let rule = |rule: &str| format!("{name}-{rule}");
    for (resource, alarm, namespace, metric, dimension, value) in [
        (
            "MigrationFailedAlarm",
            "migration-failed",
            "Shipway",
            "MigrationFailed",
            "Name",
            name.to_owned(),
        ),
        (
            "FailedRuleAlarm",
            "task-failed",
            "AWS/Events",
            "TriggeredRules",
            "RuleName",
            rule("failed"),
        ),
        (
            "FunctionErrorsAlarm",
            "function-errors",
            "AWS/Lambda",
            "Errors",
            "FunctionName",
            name.to_owned(),
        ),
        (
            "FailedInvocationsAlarm",
            "failed-invocations",
            "AWS/Events",
            "FailedInvocations",
            "RuleName",
            rule("stopped"),
        ),
    ] {
        let alarm = format!("{name}-{alarm}");
        let told = alarms.iter().find(|told| told["AlarmName"] == alarm.as_str());
        let told = told.unwrap_or_else(|| panic!("no {alarm}"));
        for (property, expected) in [
            ("AlarmName", json!(alarm)),
            ("Namespace", json!(namespace)),
            ("MetricName", json!(metric)),
            ("Dimensions", json!([{"Name": dimension, "Value": value}])),
            ("Statistic", json!("Sum")),
            ("Period", json!(60)),
            ("EvaluationPeriods", json!(1)),
            ("Threshold", json!(0.0)),
            ("ComparisonOperator", json!("GreaterThanThreshold")),
            ("TreatMissingData", json!("notBreaching")),
            ("AlarmActions", json!([topic_arn(stack)])),
        ] {
            stack.has(&format!("{resource}.{property}"), &told[property], expected);
        }
    }
}

/// The role of GitLab's jobs, and the provider it trusts.
fn pipeline(stack: &Stack) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            "gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": "project_path:shop/orders:ref_type:branch:ref:main",
        }},
    }]});
    let may = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "LogIn", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Sid": "Push", "Effect": "Allow", "Action": [
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImageScanFindings",
            "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage",
            "ecr:UploadLayerPart",
        ], "Resource": Stack::arn("ecr", &format!("repository/{}", stack.name))},
        {"Sid": "Start", "Effect": "Allow", "Action": "lambda:InvokeFunction",
         "Resource": Stack::arn("lambda", &format!("function:{}", stack.name))},
    ]});
    role(stack, "PipelineRole", trust, Some(("push-and-start", may)), &[]);
    let name = stack.id_of("PipelineRole");
    stack.has(
        "PipelineRole.RoleName",
        &json!(name),
        format!("{}-pipeline", stack.name),
    );
    assert_eq!(stack.output("RoleArn"), format!("arn:aws:iam::{ACCOUNT}:role/{name}"));
    // The emulator has no such resource; the account has one, by the parameter.
    assert_eq!(stack.resource("OidcProvider")["Condition"], "CreateOidc");
    stack.says("OidcProvider.Url", &json!({"Fn::Sub": "https://${GitLabHost}"}));
    stack.says(
        "OidcProvider.ClientIdList",
        &json!([{"Fn::Sub": "https://${GitLabHost}"}]),
    );
}
