//! What calls to ECS may hold: everything else is a mistake of ours that the real service would refuse, or not notice.

use serde_json::Value;

/// Fields by operation.
const FIELDS: [(&str, &[&str]); 7] = [
    ("DescribeTaskDefinition", &["taskDefinition", "include"]),
    (
        "RegisterTaskDefinition",
        &[
            "family",
            "taskRoleArn",
            "executionRoleArn",
            "networkMode",
            "containerDefinitions",
            "volumes",
            "placementConstraints",
            "requiresCompatibilities",
            "cpu",
            "memory",
            "pidMode",
            "ipcMode",
            "proxyConfiguration",
            "inferenceAccelerators",
            "ephemeralStorage",
            "runtimePlatform",
            "enableFaultInjection",
            "trustedExecutionConfiguration",
            "tags",
            // Newer than any SDK: fixtures have one such field.
            "futureConfiguration",
        ],
    ),
    (
        "RunTask",
        &[
            "cluster",
            "taskDefinition",
            "clientToken",
            "startedBy",
            "count",
            "launchType",
            "capacityProviderStrategy",
            "networkConfiguration",
            "overrides",
            "tags",
            "propagateTags",
            "enableECSManagedTags",
        ],
    ),
    ("DescribeTasks", &["cluster", "tasks", "include"]),
    (
        "ListTasks",
        &[
            "cluster",
            "startedBy",
            "family",
            "desiredStatus",
            "nextToken",
            "maxResults",
        ],
    ),
    ("StopTask", &["cluster", "task", "reason"]),
    ("DescribeClusters", &["clusters", "include"]),
];

/// Longest reason of a stop, and overrides in all, in characters.
const LONGEST_REASON: usize = 1024;
const LONGEST_OVERRIDES: usize = 8192;

/// What is wrong with a call.
pub(super) fn complaints(operation: &str, input: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |is_wrong: bool, what: &str| {
        if is_wrong {
            complaints.push(format!("ecs:{operation}: {what}: {input}"));
        }
    };
    let known = FIELDS.iter().find(|(name, _)| *name == operation);
    let fields = input.as_object().cloned().unwrap_or_default();
    for name in fields.keys() {
        let is_known = known.is_some_and(|(_, known)| known.contains(&name.as_str()));
        complain(!is_known, &format!("{name} is not to be asked"));
        complain(fields[name].is_null(), &format!("{name} is null"));
    }
    let length = |name: &str| input[name].as_str().map_or(0, |text| text.chars().count());
    match operation {
        "RunTask" => {
            complain(input["count"] != 1, "count is to be 1");
            let token = input["clientToken"].as_str().unwrap_or_default();
            let is_token = (1..=64).contains(&token.len()) && token.bytes().all(|byte| (33..=126).contains(&byte));
            complain(!is_token, "clientToken");
            let by = input["startedBy"].as_str().unwrap_or_default();
            let is_by = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
            complain(by.is_empty() || by.len() > 128 || !by.chars().all(is_by), "startedBy");
            let ways = ["launchType", "capacityProviderStrategy"];
            let ways = ways.iter().filter(|name| fields.contains_key(**name)).count();
            complain(ways != 1, "launchType or capacityProviderStrategy");
            let overrides = input["overrides"].to_string();
            complain(overrides.chars().count() > LONGEST_OVERRIDES, "overrides");
            let name = input["taskDefinition"].as_str().unwrap_or_default();
            let revision = name.rsplit(':').next().and_then(|number| number.parse::<u32>().ok());
            complain(revision.is_none(), "the revision is not named");
            complain(tags(input).any(|key| key.starts_with("aws:")), "a tag of AWS's own");
            complain(tags(input).count() > 50, "more than 50 tags");
        }
        "RegisterTaskDefinition" => {
            complain(tags(input).count() > 50, "more than 50 tags");
            let containers = input["containerDefinitions"].as_array();
            complain(containers.is_none_or(Vec::is_empty), "no containers");
        }
        "DescribeTasks" => {
            let count = input["tasks"].as_array().map_or(0, Vec::len);
            complain(count == 0 || count > 100, "1 to 100 tasks");
        }
        "ListTasks" => {
            let filters = ["startedBy", "family"];
            let filters = filters.iter().filter(|name| fields.contains_key(**name)).count();
            complain(filters != 1, "exactly one of startedBy and family");
        }
        "StopTask" => complain(length("reason") == 0 || length("reason") > LONGEST_REASON, "reason"),
        _ => {}
    }
    complaints
}

fn tags(input: &Value) -> impl Iterator<Item = &str> {
    let tags = input["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| tag["key"].as_str())
}
