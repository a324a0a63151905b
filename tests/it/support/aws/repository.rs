//! Repositories of Amazon ECR. What exists is what the data plane holds; the rest is settings.

use serde_json::{Value, json};

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;
use super::signature::Signer;
use super::{Registry, State};

/// What an answer of `DescribeRepositories` holds at most when a test asks for small pages; AWS's own default is 100.
const PAGE: usize = 100;

impl State {
    /// Answers a call about repositories of one registry.
    pub(super) fn repository(&mut self, operation: &str, asked: &Asked, signer: &Signer) -> Reply {
        let account = self.account(asked, signer);
        let refuse = |code, message: &str| refusal(&asked.operation, 400, code, message);
        let name = asked.text("repositoryName").to_owned();
        let absent = |name: &str| {
            let message =
                format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
            refuse("RepositoryNotFoundException", &message)
        };
        let is_it = |registry: &Registry| registry.account == account && registry.region == signer.region;
        let Some(index) = self.registries.iter().position(is_it) else {
            return absent(&name);
        };
        let registry = &mut self.registries[index];
        let held = registry.plane.repositories();
        if operation == "DescribeRepositories" {
            let names = asked.input["repositoryNames"].as_array().cloned();
            let names = names.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            let names: Vec<String> = names.unwrap_or_else(|| held.clone());
            if let Some(missing) = names.iter().find(|name| !held.contains(name)) {
                return absent(missing);
            }
            let found: Vec<_> = names.iter().take(PAGE).map(|name| registry.describe(name)).collect();
            return Reply::json(200, &json!({"repositories": found}));
        }
        if operation == "BatchGetRepositoryScanningConfiguration" {
            let names = asked.input["repositoryNames"].as_array().cloned().unwrap_or_default();
            let found: Vec<_> = names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| {
                    let frequency = registry
                        .settings
                        .get(name)
                        .map(|settings| settings["scanFrequency"].clone());
                    let frequency = frequency.filter(|frequency| !frequency.is_null());
                    json!({
                        "repositoryName": name, "repositoryArn": registry.arn(name), "scanOnPush": true,
                        "scanFrequency": frequency.unwrap_or_else(|| "SCAN_ON_PUSH".into()),
                    })
                })
                .collect();
            return Reply::json(200, &json!({"scanningConfigurations": found, "failures": []}));
        }
        if operation == "CreateRepository" {
            if held.contains(&name) {
                let message =
                    format!("The repository with name '{name}' already exists in the registry with id '{account}'");
                return refuse("RepositoryAlreadyExistsException", &message);
            }
            registry.plane.create(&name);
            registry.settings.insert(name.clone(), asked.input.clone());
            return Reply::json(200, &json!({"repository": registry.describe(&name)}));
        }
        if !held.contains(&name) {
            return absent(&name);
        }
        match operation {
            "PutLifecyclePolicy" => {
                let text = asked.text("lifecyclePolicyText").to_owned();
                if serde_json::from_str::<Value>(&text).is_err() {
                    return refuse("InvalidParameterException", "the lifecycle policy is not JSON");
                }
                registry.policies.insert(name.clone(), text.clone());
                let answer = json!({"registryId": account, "repositoryName": name, "lifecyclePolicyText": text});
                Reply::json(200, &answer)
            }
            "TagResource" => Reply::json(200, &json!({})),
            "DescribeImages" => {
                let details: Vec<_> = asked.input["imageIds"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|id| id["imageDigest"].as_str().or_else(|| id["imageTag"].as_str()))
                    .filter_map(|reference| registry.plane.digest(&name, reference))
                    .filter_map(|digest| Some((registry.plane.held(&name, &digest)?, digest)))
                    .map(|(held, digest)| {
                        json!({
                            "registryId": account, "repositoryName": name, "imageDigest": digest,
                            "imageTags": held.tags, "imageSizeInBytes": held.size_bytes,
                            "imageManifestMediaType": held.media_type,
                        })
                    })
                    .collect();
                match details.is_empty() {
                    true => refuse("ImageNotFoundException", "The image does not exist"),
                    false => Reply::json(200, &json!({"imageDetails": details})),
                }
            }
            "StartImageScan" | "DescribeImageScanFindings" => {
                let id = &asked.input["imageId"];
                let reference = id["imageDigest"].as_str().or_else(|| id["imageTag"].as_str());
                let plane = registry.plane.clone();
                let found = reference.and_then(|reference| {
                    let digest = plane.digest(&name, reference)?;
                    Some((plane.held(&name, &digest)?, digest))
                });
                let Some((held, digest)) = found else {
                    return refuse("ImageNotFoundException", "The image does not exist");
                };
                match operation {
                    "StartImageScan" => self.scans.start(asked, &digest, &held.media_type),
                    _ => self.scans.findings(asked, &digest, &held.media_type),
                }
            }
            _ => refuse("UnsupportedCommandException", "no such operation"),
        }
    }
}

impl Registry {
    fn arn(&self, name: &str) -> String {
        format!("arn:aws:ecr:{}:{}:repository/{name}", self.region, self.account)
    }

    /// A repository as `DescribeRepositories` shows it.
    fn describe(&self, name: &str) -> Value {
        let mut answer = json!({
            "repositoryName": name, "repositoryArn": self.arn(name), "registryId": self.account,
            "repositoryUri": format!("{}.dkr.ecr.{}.amazonaws.com/{name}", self.account, self.region),
            "createdAt": 1_767_322_800.0, "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": false},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        });
        let settings = self.settings.get(name).and_then(Value::as_object);
        for (field, value) in settings.into_iter().flatten() {
            if answer.get(field).is_some() || field == "imageTagMutabilityExclusionFilters" {
                answer[field] = value.clone();
            }
        }
        answer
    }
}
