use super::*;

fn described() -> Value {
    serde_json::from_str(
        r#"{
        "taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:eu-west-3:1:task-definition/flyway:7",
            "family": "flyway", "revision": 7, "status": "ACTIVE", "registeredAt": 1.5, "registeredBy": "arn:x",
            "deregisteredAt": null, "deleteRequestedAt": null,
            "requiresAttributes": [{"name": "x"}], "compatibilities": ["EC2", "FARGATE"],
            "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "taskRoleArn": "arn:task", "executionRoleArn": "arn:execution", "volumes": [], "placementConstraints": [],
            "pidMode": "task", "ipcMode": "none", "proxyConfiguration": {"a": 1}, "inferenceAccelerators": [],
            "ephemeralStorage": {"sizeInGiB": 30}, "runtimePlatform": {"cpuArchitecture": "X86_64"},
            "enableFaultInjection": false, "trustedExecutionConfiguration": {"b": 2}, "fieldOfNextYear": {"kept": [1, 2]},
            "containerDefinitions": [
                {"name": "sidecar", "image": "a.b/sidecar:1", "essential": false},
                {"name": "flyway", "image": "a.b/c:1", "essential": true, "restartPolicy": {"enabled": false}, "versionConsistency": "enabled",
                 "secrets": [{"name": "FLYWAY_PASSWORD", "valueFrom": "arn:secret:password::"}], "stopTimeout": 120,
                 "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/shipway/m", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "flyway"}}}
            ]
        },
        "tags": [{"key": "team", "value": "orders"}, {"key": "aws:cloudformation:stack-name", "value": "x"}]
    }"#,
    )
    .expect("it is JSON")
}

fn wish(image: &str) -> Pin {
    Pin {
        image: Some(image.to_owned()),
        tags: BTreeMap::from([("shipway:run-id".to_owned(), "r".to_owned())]),
        ..Pin::default()
    }
}

#[test]
fn every_field_is_copied_and_only_the_image_changes() {
    let described = described();
    let pinned = pin(&described, &wish("a.b/c@sha256:1")).expect("it can be pinned");
    let mut register = pinned.register.expect("another image");
    let mut expected = described["taskDefinition"].clone();
    for key in ANSWERED_ONLY {
        assert!(register.get(key).is_none(), "{key}");
        expected.as_object_mut().expect("an object").remove(key);
    }
    expected["containerDefinitions"][1]["image"] = json!("a.b/c@sha256:1");
    let tags = register.as_object_mut().expect("an object").remove("tags");
    assert_eq!(register, expected);
    assert_eq!(
        tags,
        Some(json!([{"key": "shipway:run-id", "value": "r"}, {"key": "team", "value": "orders"}]))
    );
    assert_eq!(pinned.container, "flyway");
    assert_eq!(pinned.image, "a.b/c@sha256:1");
    assert!(pinned.is_fargate && pinned.is_awsvpc);
    let log = pinned.log.expect("it has one");
    assert_eq!(
        (log.group.as_str(), log.region.as_deref(), log.prefix.as_str()),
        ("/shipway/m", Some("eu-west-1"), "flyway")
    );
}

#[test]
fn a_revision_with_that_image_is_not_registered_again() {
    assert_eq!(pin(&described(), &wish("a.b/c:1")).expect("it can").register, None);
    let pinned = pin(&described(), &Pin::default()).expect("it can");
    assert_eq!((pinned.register, pinned.image.as_str()), (None, "a.b/c:1"));
}

#[test]
fn the_container_is_the_one_that_is_named_or_the_only_essential_one() {
    let of = |described: &Value, name: Option<&str>| {
        let wish = Pin {
            container: name.map(str::to_owned),
            ..Pin::default()
        };
        pin(described, &wish)
            .map(|pinned| pinned.container)
            .map_err(|error| error.to_string())
    };
    let mut described = described();
    assert_eq!(of(&described, Some("sidecar")), Ok("sidecar".to_owned()));
    assert_eq!(
        of(&described, Some("x")),
        Err("it has no container x; it has sidecar, flyway".to_owned())
    );
    // Essential is what does not say otherwise.
    described["taskDefinition"]["containerDefinitions"][0]
        .as_object_mut()
        .expect("one")
        .remove("essential");
    assert_eq!(
        of(&described, None),
        Err("it has 2 essential containers: sidecar, flyway".to_owned())
    );
}

fn task() -> RunTask {
    RunTask {
        cluster: "c".to_owned(),
        definition: "flyway:8".to_owned(),
        client_token: "t".to_owned(),
        started_by: "shipway/r".to_owned(),
        launch: Launch::Fargate,
        network: None,
        container: "flyway".to_owned(),
        command: None,
        environment: BTreeMap::new(),
        cpu: None,
        memory: None,
        tags: BTreeMap::new(),
    }
}

#[test]
fn a_task_is_asked_for_with_launch_type_or_capacity_provider() {
    let fargate = run_task_input(&task()).expect("it can");
    assert_eq!(fargate["launchType"], "FARGATE");
    assert!(fargate.get("capacityProviderStrategy").is_none() && fargate.get("overrides").is_none());
    let provided = run_task_input(&RunTask {
        launch: Launch::CapacityProvider("P".to_owned()),
        network: Some(Network {
            subnets: vec!["s".to_owned()],
            ..Network::default()
        }),
        command: Some(vec!["info".to_owned()]),
        memory: Some("1024".to_owned()),
        ..task()
    })
    .expect("it can");
    assert!(provided.get("launchType").is_none());
    assert_eq!(provided["capacityProviderStrategy"][0]["capacityProvider"], "P");
    assert_eq!(
        provided["networkConfiguration"]["awsvpcConfiguration"],
        json!({"subnets": ["s"], "assignPublicIp": "DISABLED"})
    );
    assert_eq!(
        provided["overrides"],
        json!({"containerOverrides": [{"name": "flyway", "command": ["info"]}], "memory": "1024"})
    );
}

#[test]
fn overrides_are_measured_as_ecs_does() {
    let long = RunTask {
        environment: BTreeMap::from([("A".to_owned(), "x".repeat(8192))]),
        ..task()
    };
    let error = run_task_input(&long).expect_err("too long");
    assert!(
        matches!(error, PinError::TooLong { length, .. } if length > 8192),
        "{error}"
    );
}

#[test]
fn want_of_capacity_is_told_from_other_failures() {
    for reason in [
        "Capacity is unavailable at this time. Please try again later",
        "RESOURCE:MEMORY",
        "RESOURCE:ENI",
    ] {
        assert!(is_capacity(reason), "{reason}");
    }
    for reason in ["MISSING", "ATTRIBUTE", "INACTIVE", "InvalidParameter"] {
        assert!(!is_capacity(reason), "{reason}");
    }
}

#[test]
fn an_exception_about_capacity_is_told_from_a_mistake() {
    for message in [
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        "You've reached the limit on the number of tasks you can run concurrently",
        "You've reached the limit on the number of vCPUs you can run concurrently",
        "You have reached the limit of tasks in the PROVISIONING state",
    ] {
        assert!(is_capacity_exception(message), "{message}");
    }
    for message in [
        "The specified capacity provider 'FARGTE' was not found. Specify a valid name or ARN and try again.",
        "TaskDefinition is inactive",
        "No Container Instances were found in your cluster.",
    ] {
        assert!(!is_capacity_exception(message), "{message}");
    }
}

#[test]
fn a_command_that_just_fits_is_taken_and_its_punctuation_counts() {
    let of = |length: usize| {
        run_task_input(&RunTask {
            command: Some(vec!["x".repeat(length)]),
            ..task()
        })
    };
    let around = of(0).expect("it fits")["overrides"].to_string().chars().count();
    assert!(of(8192 - around).is_ok());
    assert_eq!(
        of(8193 - around).expect_err("one too many"),
        PinError::TooLong {
            length: 8193,
            limit: 8192
        }
    );
}
