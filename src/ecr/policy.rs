//! The smallest IAM policy with which shipway does its work.

use serde_json::{Value, json};

use super::cache::is_usual_cache;
use super::host::EcrHost;
use super::operation::Operation;

/// What the policy's owner is going to do.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Repositories that are pushed to: host and path.
    pub push: Vec<(EcrHost, String)>,
    /// Repositories that are only read: bases, and what is copied from.
    pub pull: Vec<(EcrHost, String)>,
    /// Making repositories that are missing, if they are to be made.
    pub creation: Option<CreationNeeds>,
    /// Whether scans are waited for.
    pub scan: bool,
}

/// What making repositories takes besides the repositories themselves.
#[derive(Debug, Clone, Default)]
pub struct CreationNeeds {
    /// Whether they get tags.
    pub tags: bool,
    /// Whether they get a lifecycle policy.
    pub lifecycle_policy: bool,
    /// The key of AWS KMS they are encrypted with.
    pub kms_key: Option<String>,
}

/// What pushing asks for. Reading is part of it: tags are compared before anything is written, and an image that a tag
/// names already is looked into.
const PUSH: [Operation; 6] = [
    Operation::FindBlob,
    Operation::ReadManifest,
    Operation::ReadBlob,
    Operation::BeginUpload,
    Operation::FinishUpload,
    Operation::PutManifest,
];
/// What reading asks for. Mounting layers from a repository takes the same.
const PULL: [Operation; 2] = [Operation::ReadManifest, Operation::ReadBlob];

impl Needs {
    /// The actions and the resources each is needed on, in the order of the policy.
    #[must_use]
    pub fn policy(&self) -> Value {
        let mut statements = Vec::new();
        for (service, sid) in [("ecr", ""), ("ecr-public", "Public")] {
            let is_meant = |host: &EcrHost| host.private().is_some() == (service == "ecr");
            let resources = |repositories: &[(EcrHost, String)]| -> Vec<String> {
                let mut resources: Vec<String> = repositories
                    .iter()
                    .filter(|(host, _)| is_meant(host))
                    .map(|(host, path)| resource(host, path))
                    .collect();
                resources.sort();
                resources.dedup();
                resources
            };
            let (push, pull) = (resources(&self.push), resources(&self.pull));
            let mut cached = self.pull.clone();
            cached.retain(|(_, path)| is_usual_cache(path));
            let cached = resources(&cached);
            // Anybody may read the public gallery.
            if push.is_empty() && (pull.is_empty() || service == "ecr-public") {
                continue;
            }
            let mut login = vec![format!("{service}:GetAuthorizationToken")];
            if service == "ecr-public" {
                login.push("sts:GetServiceBearerToken".to_owned());
            }
            let mut add = |name: &str, actions: Vec<String>, resources: Vec<String>| {
                if !actions.is_empty() && !resources.is_empty() {
                    statements.push(json!({
                        "Sid": format!("{name}{sid}"),
                        "Effect": "Allow",
                        "Action": actions,
                        "Resource": resources,
                    }));
                }
            };
            add("Login", login, vec!["*".to_owned()]);
            add("Push", actions(service, &PUSH), push.clone());
            add("Pull", actions(service, &PULL), pull);
            if service == "ecr" {
                // A cache fetches on the first pull, into a repository it makes.
                let rights = ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"].map(str::to_owned);
                add("PullThrough", rights.to_vec(), cached);
            }
            if let Some(creation) = &self.creation {
                let mut rights = vec![format!("{service}:CreateRepository")];
                if service == "ecr" && creation.lifecycle_policy {
                    rights.push("ecr:PutLifecyclePolicy".to_owned());
                }
                if service == "ecr" && creation.tags {
                    rights.push("ecr:TagResource".to_owned());
                }
                add("CreateRepository", rights, push.clone());
                if let (Some(key), "ecr") = (&creation.kms_key, service) {
                    let key = if key.starts_with("arn:") { key } else { "*" };
                    let rights = ["kms:CreateGrant", "kms:DescribeKey"].map(str::to_owned);
                    add("UseKey", rights.to_vec(), vec![key.to_owned()]);
                }
            }
            if self.scan && service == "ecr" {
                let rights = [
                    "ecr:BatchGetRepositoryScanningConfiguration",
                    "ecr:DescribeImageScanFindings",
                    "ecr:StartImageScan",
                ];
                add("Scan", rights.map(str::to_owned).to_vec(), push);
                // Enhanced findings are Amazon Inspector's, whose actions know no repositories.
                let rights = ["inspector2:ListCoverage", "inspector2:ListFindings"].map(str::to_owned);
                add("EnhancedScan", rights.to_vec(), vec!["*".to_owned()]);
            }
        }
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

fn actions(service: &str, operations: &[Operation]) -> Vec<String> {
    let rights = operations.iter().flat_map(|operation| match service {
        "ecr-public" => operation.public_rights(),
        _ => operation.rights(),
    });
    let mut actions: Vec<String> = rights.map(|right| format!("{service}:{right}")).collect();
    actions.sort();
    actions.dedup();
    actions
}

fn resource(host: &EcrHost, path: &str) -> String {
    match host {
        EcrHost::Private(host) => host.repository_arn(path),
        EcrHost::Public => {
            // The alias before the name says nothing of the account.
            let name = path.split_once('/').map_or(path, |(_, name)| name);
            format!("arn:aws:ecr-public::*:repository/{name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, path: &str) -> (EcrHost, String) {
        (EcrHost::parse(host).expect("a host of Amazon ECR"), path.to_owned())
    }

    #[test]
    fn a_push_takes_seven_actions_and_a_login() {
        let needs = Needs {
            push: vec![at("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "orders")],
            ..Needs::default()
        };
        assert_eq!(
            needs.policy(),
            json!({
                "Version": "2012-10-17",
                "Statement": [
                    {"Sid": "Login", "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
                    {
                        "Sid": "Push",
                        "Effect": "Allow",
                        "Action": [
                            "ecr:BatchCheckLayerAvailability",
                            "ecr:BatchGetImage",
                            "ecr:CompleteLayerUpload",
                            "ecr:GetDownloadUrlForLayer",
                            "ecr:InitiateLayerUpload",
                            "ecr:PutImage",
                            "ecr:UploadLayerPart",
                        ],
                        "Resource": ["arn:aws:ecr:eu-west-1:123456789012:repository/orders"],
                    },
                ],
            })
        );
    }

    #[test]
    fn nothing_is_allowed_that_is_not_needed() {
        let nothing = Needs::default().policy();
        assert_eq!(nothing["Statement"], json!([]));
        let public_base = Needs {
            pull: vec![at("public.ecr.aws", "docker/library/alpine")],
            ..Needs::default()
        };
        assert_eq!(public_base.policy()["Statement"], json!([]));
        let all = Needs {
            push: vec![at("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "orders")],
            pull: vec![at("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "base/flyway")],
            creation: Some(CreationNeeds {
                tags: true,
                lifecycle_policy: false,
                kms_key: Some("alias/images".to_owned()),
            }),
            scan: true,
        };
        let sids: Vec<_> = all.policy()["Statement"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|statement| statement["Sid"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(
            sids,
            [
                "Login",
                "Push",
                "Pull",
                "CreateRepository",
                "UseKey",
                "Scan",
                "EnhancedScan"
            ]
        );
        let text = all.policy().to_string();
        assert!(
            !text.contains("PutLifecyclePolicy") && text.contains("ecr:TagResource"),
            "{text}"
        );
    }

    #[test]
    fn a_cache_may_have_to_fetch_the_base_first() {
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let needs = Needs {
            push: vec![at(host, "orders")],
            pull: vec![at(host, "docker-hub/flyway/flyway"), at(host, "base/flyway")],
            ..Needs::default()
        };
        let policy = needs.policy();
        let fetching = &policy["Statement"][3];
        assert_eq!(fetching["Sid"], "PullThrough", "{policy}");
        assert_eq!(
            fetching["Action"],
            json!(["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])
        );
        assert_eq!(
            fetching["Resource"],
            json!(["arn:aws:ecr:eu-west-1:123456789012:repository/docker-hub/flyway/flyway"])
        );
    }

    #[test]
    fn the_gallery_has_a_service_of_its_own() {
        let needs = Needs {
            push: vec![at("public.ecr.aws", "a1b2c3d4/orders")],
            creation: Some(CreationNeeds::default()),
            scan: true,
            ..Needs::default()
        };
        let text = needs.policy().to_string();
        assert!(
            text.contains("ecr-public:PutImage") && text.contains("sts:GetServiceBearerToken"),
            "{text}"
        );
        assert!(text.contains("arn:aws:ecr-public::*:repository/orders"), "{text}");
        assert!(!text.contains("Scan"), "{text}");
        // The service has no such actions, and IAM takes no policy for them.
        for action in ["BatchGetImage", "GetDownloadUrlForLayer"] {
            assert!(!text.contains(action), "{text}");
        }
    }
}
