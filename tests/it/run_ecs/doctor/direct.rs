//! What a run on ECS itself needs.

use super::*;
use crate::support::aws::{Script, container, failure};

/// The newest revision's definition, changed.
fn with_definition(change: impl FnOnce(&mut Value)) -> EcsScene {
    let scene = prepared();
    scene.aws.amend_definition(|one| change(&mut one["taskDefinition"]));
    scene
}

fn for_machines(definition: &mut Value) {
    definition["requiresCompatibilities"] = json!(["EC2"]);
    definition["compatibilities"] = json!(["EC2"]);
}

/// Catches a right that a run needs taken for one that does not matter, and a refusal that does not name it.
#[test]
fn a_right_that_a_run_needs_is_missed() {
    for right in [
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "ecs:DescribeTasks",
        "logs:GetLogEvents",
        "dynamodb:GetItem",
    ] {
        let scene = prepared();
        scene.aws.deny(right);
        assert_fails(&doctor(&scene, &[]), &[right, "user/dev"]);
    }
}

/// Catches a doctor that only works with rights that no run needs, or keeps to itself what it does not know.
#[test]
fn what_only_a_doctor_asks_for_may_be_denied() {
    let scene = prepared();
    for right in QUESTIONS {
        scene.aws.deny(right);
    }
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["cluster:", "ecs:DescribeClusters"]);
    assert_marked(&outcome, "ok", &["table:", "can be read"]);
    assert_marked(&outcome, "skip", &["table:", "dynamodb:DescribeTable"]);
    // What is not there is known all the same.
    let elsewhere = [
        "doctor",
        "--cluster",
        "other",
        "--lock",
        "other",
        "--subnet",
        "subnet-0a",
    ];
    let outcome = examined(&scene, scene.project.run(&elsewhere));
    assert_eq!(outcome.status, Some(1), "{outcome:#?}");
    assert_marked(&outcome, "FAIL", &["cluster:", "there is no cluster other"]);
    assert_marked(&outcome, "FAIL", &["table:", "there is no table other"]);
}

/// Catches a wrong name, region or state that only a run finds out.
#[test]
fn the_cluster_is_looked_at() {
    let scene = prepared();
    let missing = ["doctor", "--cluster", "other", "--lock", TABLE, "--subnet", "subnet-0a"];
    let outcome = examined(&scene, scene.project.run(&missing));
    assert_fails(
        &outcome,
        &["cluster:", "there is no cluster other in eu-west-1", "--cluster"],
    );

    let scene = prepared();
    let closed = json!({"clusters": [{"clusterName": CLUSTER, "status": "INACTIVE"}], "failures": []});
    scene.aws.fault(answers("ecs:DescribeClusters", &closed));
    assert_fails(&doctor(&scene, &[]), &["cluster:", "is INACTIVE"]);

    let outcome = doctor(&prepared(), &["--capacity-provider", "machines"]);
    assert_fails(&outcome, &["capacity:", "machines", "FARGATE, FARGATE_SPOT"]);
    let outcome = doctor(&prepared(), &["--capacity-provider", "FARGATE_SPOT"]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");

    let scene = prepared();
    let fault = failure("ecs:DescribeClusters", 503, "ServerException", "later");
    scene.aws.fault(fault.always());
    assert_eq!(doctor(&scene, &["--retry", "0"]).status, Some(1));
}

/// Catches a task that runs and is not told of.
#[test]
fn what_runs_now_is_told() {
    let scene = prepared();
    scene.aws.next_task(Script::begins().runs(&[]).holds());
    scene.run(&["--detach"]).succeeded();
    let mut all = vec!["doctor", "--cluster", CLUSTER, "--lock", "none"];
    all.extend(NETWORK);
    let outcome = scene.project.run(&all);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["tasks:", "1 runs now"]);
    assert_marked(&outcome, "skip", &["table:", "nothing lets one run at a time"]);
}

/// Catches a task definition that cannot be run, found out when an image has been built and pushed.
#[test]
fn the_task_definition_is_looked_at() {
    let outcome = doctor(&prepared(), &["--container", "app"]);
    assert_fails(
        &outcome,
        &["task definition:", "no container app; it has flyway", "--container"],
    );
    let scene = with_definition(|one| one["containerDefinitions"] = json!([container("flyway"), container("proxy")]));
    assert_fails(&doctor(&scene, &[]), &["task definition:", "flyway, proxy"]);
    let outcome = doctor(&scene, &["--container", "flyway"]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");

    let missing = [
        "doctor",
        "--cluster",
        CLUSTER,
        "--family",
        "other",
        "--lock",
        TABLE,
        "--subnet",
        "subnet-0a",
    ];
    let scene = prepared();
    let outcome = examined(&scene, scene.project.run(&missing));
    assert_fails(&outcome, &["task definition:", "no task definition other", "--family"]);
}

/// Catches a launch that ECS refuses.
#[test]
fn it_can_be_started_there() {
    let scene = with_definition(for_machines);
    assert_fails(
        &doctor(&scene, &[]),
        &["launch:", "flyway:1 is not for Fargate", "no machines"],
    );
    let outcome = doctor(&scene, &["--capacity-provider", "FARGATE"]);
    assert_fails(&outcome, &["launch:", "FARGATE is nothing else"]);
    let machines = json!({"clusters": [{
        "clusterName": CLUSTER, "status": "ACTIVE", "registeredContainerInstancesCount": 2, "capacityProviders": ["machines"],
    }], "failures": []});
    scene.aws.fault(answers("ecs:DescribeClusters", &machines));
    for more in [&[][..], &["--capacity-provider", "machines"]] {
        let outcome = doctor(&scene, more);
        assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    }
}

/// Catches a network that is missing, or is named for nothing.
#[test]
fn the_network_is_looked_at() {
    let scene = prepared();
    assert_fails(
        &examined(&scene, scene.command("doctor", &[])),
        &["network:", "--subnet"],
    );

    let scene = with_definition(|one| {
        for_machines(one);
        one["networkMode"] = "bridge".into();
    });
    let machines = json!({"clusters": [{"status": "ACTIVE", "registeredContainerInstancesCount": 1}], "failures": []});
    scene.aws.fault(answers("ecs:DescribeClusters", &machines));
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "warn", &["network:", "bridge", "are not used"]);
    let outcome = examined(&scene, scene.command("doctor", &[]));
    assert_marked(&outcome, "ok", &["network:", "bridge"]);

    let scene = with_definition(for_machines);
    scene.aws.fault(answers("ecs:DescribeClusters", &machines));
    let outcome = doctor(&scene, &["--assign-public-ip"]);
    assert_fails(&outcome, &["network:", "public address"]);
}

/// Catches a task that cannot be pulled, or get its password, for want of a role.
#[test]
fn the_execution_role_is_looked_at() {
    let without_role = |one: &mut Value| {
        one.as_object_mut().unwrap().remove("executionRoleArn");
    };
    let outcome = doctor(&with_definition(without_role), &[]);
    let reasons = "its secrets, its image in Amazon ECR, its log";
    assert_fails(&outcome, &["execution role:", reasons, "executionRoleArn"]);
    let scene = with_definition(|one| {
        without_role(one);
        let container = &mut one["containerDefinitions"][0];
        container["secrets"] = json!([]);
        container["image"] = "registry.example.com/orders:1".into();
        container["logConfiguration"] = Value::Null;
    });
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert!(!outcome.stdout.contains("execution role"), "{outcome:#?}");
}

/// Catches a log that nobody can show, and a group that keeps tasks from starting.
#[test]
fn the_log_is_looked_at() {
    let scene = with_definition(|one| {
        one["containerDefinitions"][0]["logConfiguration"] = json!({"logDriver": "json-file"});
    });
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "warn", &["log:", "cannot be shown", "awslogs"]);
    assert_eq!(scene.aws.count("logs:GetLogEvents"), 0);

    let elsewhere = |one: &mut Value| {
        one["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"] = "/other".into();
    };
    let outcome = doctor(&with_definition(elsewhere), &[]);
    assert_fails(
        &outcome,
        &["log:", "no log group /other in eu-west-1", "create-log-group"],
    );
    let scene = with_definition(|one| {
        elsewhere(one);
        one["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-create-group"] = "true".into();
    });
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "ok", &["log:", "created by the first task"]);
}

/// Catches a table that runs cannot be kept in.
#[test]
fn the_table_is_looked_at() {
    let scene = prepared();
    let missing = [
        "doctor",
        "--cluster",
        CLUSTER,
        "--lock",
        "other",
        "--subnet",
        "subnet-0a",
    ];
    let outcome = examined(&scene, scene.project.run(&missing));
    assert_fails(&outcome, &["table:", "there is no table other", "--lock none"]);

    let table = |status: &str, key: &str| {
        json!({"Table": {
            "TableName": TABLE, "TableStatus": status, "ItemCount": 0,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        }})
    };
    let scene = prepared();
    scene
        .aws
        .fault(answers("dynamodb:DescribeTable", &table("ACTIVE", "id")));
    assert_fails(&doctor(&scene, &[]), &["table:", "id (S)", "pk (S), sk (S)"]);

    let mut creating = table("CREATING", "pk");
    creating["Table"]["KeySchema"] =
        json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
    creating["Table"]["AttributeDefinitions"] =
        json!([{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]);
    let scene = prepared();
    scene.aws.fault(answers("dynamodb:DescribeTable", &creating));
    assert_fails(&doctor(&scene, &[]), &["table:", "is CREATING"]);

    let scene = prepared();
    let off = json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}});
    scene.aws.fault(answers("dynamodb:DescribeTimeToLive", &off));
    let outcome = doctor(&scene, &[]);
    assert_eq!(outcome.status, Some(0), "{outcome:#?}");
    assert_marked(&outcome, "warn", &["table:", "by itself", "expires_at"]);
}
