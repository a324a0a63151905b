//! Amazon ECR: tokens, and what is true of a registry as a whole. Repositories and scans have files of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::registry::Reply;
use super::State;
use super::call::{Asked, function_of};
use super::error::refusal;
use super::signature::Signer;

impl State {
    /// Answers a call to a private registry.
    pub(super) fn ecr(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        let operation = asked.operation.strip_prefix("ecr:").unwrap_or_default();
        match operation {
            "GetAuthorizationToken" => self.authorize(asked, signer),
            "GetAccountSetting" => {
                let name = asked.text("name");
                let value = self.account_settings.get(name).map_or("DISABLED", String::as_str);
                Reply::json(200, &json!({"name": name, "value": value}))
            }
            "GetRegistryScanningConfiguration" => Reply::json(
                200,
                &json!({
                    "registryId": self.account(asked, signer),
                    "scanningConfiguration": {"scanType": self.registry_scan_type, "rules": []},
                }),
            ),
            "DescribeRepositoryCreationTemplates" => {
                let prefixes = asked.input["prefixes"].as_array().cloned();
                let asked_for =
                    |template: &&Value| prefixes.as_ref().is_none_or(|all| all.contains(&template["prefix"]));
                let found: Vec<_> = self.templates.iter().filter(asked_for).collect();
                if found.is_empty() && prefixes.is_some() {
                    let message = "The repository creation template does not exist";
                    return refusal(&asked.operation, 400, "TemplateNotFoundException", message);
                }
                let account = self.account(asked, signer);
                Reply::json(
                    200,
                    &json!({"registryId": account, "repositoryCreationTemplates": found}),
                )
            }
            "DescribePullThroughCacheRules" => {
                let prefixes = asked.input["ecrRepositoryPrefixes"].as_array().cloned();
                let asked_for = |rule: &&Value| {
                    prefixes
                        .as_ref()
                        .is_none_or(|all| all.contains(&rule["ecrRepositoryPrefix"]))
                };
                let found: Vec<_> = self.pull_through.iter().filter(asked_for).collect();
                if found.is_empty() && prefixes.is_some() {
                    let message = "The pull through cache rule does not exist";
                    return refusal(&asked.operation, 400, "PullThroughCacheRuleNotFoundException", message);
                }
                Reply::json(200, &json!({"pullThroughCacheRules": found}))
            }
            _ => self.repository(operation, asked, signer),
        }
    }

    /// The registry a call is about: the one it names, else the caller's own.
    pub(super) fn account(&self, asked: &Asked, signer: &Signer) -> String {
        match asked.text("registryId") {
            "" => signer.account.clone(),
            account => account.to_owned(),
        }
    }

    /// The ARN of what a call is about.
    pub(super) fn resource(&self, asked: &Asked, signer: &Signer) -> String {
        let place = format!("{}:{}", signer.region, signer.account);
        match asked.service() {
            "ecs" => {
                let resource = match asked.operation.as_str() {
                    "ecs:RunTask" => asked.text("taskDefinition").to_owned(),
                    "ecs:DescribeTasks" => asked.input["tasks"][0].as_str().unwrap_or("*").to_owned(),
                    "ecs:StopTask" => asked.text("task").to_owned(),
                    _ => "*".to_owned(),
                };
                return resource;
            }
            "logs" => {
                return format!(
                    "arn:aws:logs:{place}:log-group:{}:log-stream:*",
                    asked.text("logGroupName")
                );
            }
            "dynamodb" => return format!("arn:aws:dynamodb:{place}:table/{}", asked.text("TableName")),
            "lambda" => {
                return format!(
                    "arn:aws:lambda:{place}:function:{}",
                    function_of(&asked.path).unwrap_or_default()
                );
            }
            "sns" => return asked.text("TopicArn").to_owned(),
            _ => {}
        }
        let name = match &asked.input["repositoryNames"][0] {
            Value::String(name) => name.as_str(),
            _ => asked.text("repositoryName"),
        };
        match name {
            "" => "*".to_owned(),
            name => format!(
                "arn:aws:ecr:{}:{}:repository/{name}",
                signer.region,
                self.account(asked, signer)
            ),
        }
    }

    /// Gives a token; its password is what opens the data planes of the account in the region from now on.
    fn authorize(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        let accounts = match asked.input["registryIds"].as_array() {
            Some(accounts) => accounts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => vec![signer.account.clone()],
        };
        let mut data = Vec::new();
        for account in accounts {
            let password = self.next_password();
            let mut is_known = false;
            for registry in &self.registries {
                let is_open = registry.account == account || registry.trusted.as_ref() == Some(&account);
                if is_open && registry.region == signer.region {
                    registry.plane.accept(&password);
                    is_known = true;
                }
            }
            if !is_known {
                let what = format!("a token for {account} in {}, where nothing is tested", signer.region);
                self.violations.push(what);
            }
            let endpoint = format!("https://{account}.dkr.ecr.{}.amazonaws.com", signer.region);
            data.push(self.authorization(&password, Some(&endpoint)));
        }
        Reply::json(200, &json!({"authorizationData": data}))
    }

    /// A password nobody has had yet.
    pub(super) fn next_password(&mut self) -> String {
        self.passwords += 1;
        format!("canary-ecr-password-{}-not-to-be-seen", self.passwords)
    }

    /// A password as `GetAuthorizationToken` gives it.
    pub(super) fn authorization(&self, password: &str, endpoint: Option<&str>) -> Value {
        let expires = self.now() + jiff::SignedDuration::from_secs(self.token_seconds);
        let mut data = json!({
            "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
            "expiresAt": expires.as_millisecond() as f64 / 1000.0,
        });
        if let Some(endpoint) = endpoint {
            data["proxyEndpoint"] = endpoint.into();
        }
        data
    }
}
