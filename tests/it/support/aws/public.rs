//! Amazon ECR Public, which is asked in one region and gives one token for one host.

use serde_json::{Value, json};

use super::super::registry::Reply;
use super::State;
use super::call::Asked;
use super::error::refusal;

impl State {
    /// Answers a call to the public gallery.
    pub(super) fn ecr_public(&mut self, asked: &Asked) -> Reply {
        let refuse = |code, message: &str| refusal(&asked.operation, 400, code, message);
        let Some(plane) = self.public.clone() else {
            return refuse("ServerException", "no gallery is tested");
        };
        let name = asked.text("repositoryName").to_owned();
        let describe = |name: &str| json!({"repositoryName": name, "repositoryUri": format!("public.ecr.aws/{name}")});
        match asked.operation.as_str() {
            "ecr-public:GetAuthorizationToken" => {
                let password = self.next_password();
                plane.accept(&password);
                Reply::json(200, &json!({"authorizationData": self.authorization(&password, None)}))
            }
            "ecr-public:DescribeRepositories" => {
                let names = asked.input["repositoryNames"].as_array().cloned().unwrap_or_default();
                let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
                let held = plane.repositories();
                if let Some(missing) = names
                    .iter()
                    .find(|name| !held.iter().any(|held| held.ends_with(**name)))
                {
                    return refuse("RepositoryNotFoundException", &format!("{missing} does not exist"));
                }
                let found: Vec<_> = names.into_iter().map(describe).collect();
                Reply::json(200, &json!({"repositories": found}))
            }
            "ecr-public:CreateRepository" => {
                // The account of the tests has this alias.
                plane.create(&format!("a1b2c3d4/{name}"));
                Reply::json(200, &json!({"repository": describe(&name)}))
            }
            _ => refuse("UnsupportedCommandException", "no such operation"),
        }
    }
}
