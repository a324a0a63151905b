//! What the function is told by its environment.

use shipway::content::{ContentError, Kind, Result};
use shipway::execute::Place;
use shipway::execute::serve::Rules;

use crate::environment::Environment;
use crate::failure::CommandError;

/// Variables that Lambda sets, without which nothing can be served.
const SET_BY_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// What the function does, and where.
#[derive(Debug)]
pub(crate) struct LambdaSettings {
    /// Where tasks run.
    pub(crate) place: Place,
    /// The family of task definitions.
    pub(crate) family: Option<String>,
    /// The container that is watched.
    pub(crate) container: Option<String>,
    /// The table that keeps runs and lets one at a time.
    pub(crate) table: Option<String>,
    /// The topic mails go to.
    pub(crate) topic: Option<String>,
    /// What callers may start.
    pub(crate) rules: Rules,
    /// Whether a run without success is an error of the function.
    pub(crate) is_strict: bool,
    /// What it is called in metrics and mails.
    pub(crate) name: String,
    /// The region.
    pub(crate) region: Option<String>,
}

impl LambdaSettings {
    /// Finds out whether it was Lambda that started us.
    ///
    /// # Errors
    /// When it was not.
    pub(crate) fn is_lambda(environment: &Environment) -> std::result::Result<(), CommandError> {
        let is_missing = |name: &&&str| environment.get(name).is_none();
        let Some(missing) = SET_BY_LAMBDA.iter().find(is_missing) else {
            return Ok(());
        };
        Err(CommandError::usage(format!(
            "{missing} is not set: it is AWS Lambda that starts this command"
        ))
        .hint("docs/lambda.md says how the function is made; to call it: shipway run --via-lambda NAME"))
    }

    /// Settles what the function does.
    ///
    /// # Errors
    /// When the environment does not say where, or says something that makes no sense.
    pub(crate) fn resolve(environment: &Environment) -> Result<Self> {
        let text = |name: &str| environment.get(name).map(str::to_owned);
        let list = |name: &str| environment.list(name).unwrap_or_default();
        let cluster = text("ENV_CLUSTER").ok_or_else(|| {
            ContentError::new(Kind::Usage, "ENV_CLUSTER is not set in the function's environment")
                .hint("the function needs ENV_CLUSTER, ENV_SUBNET and ENV_SECURITY_GROUP: docs/lambda.md")
        })?;
        let is_strict = match environment.get("SHIPWAY_STRICT") {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => {
                return Err(ContentError::new(
                    Kind::Usage,
                    format!("SHIPWAY_STRICT of the function is {other:?}, and is 1 or 0"),
                ));
            }
        };
        Ok(Self {
            place: Place {
                cluster,
                subnets: list("ENV_SUBNET"),
                security_groups: list("ENV_SECURITY_GROUP"),
                assign_public_ip: match environment.get("SHIPWAY_ASSIGN_PUBLIC_IP") {
                    None | Some("DISABLED" | "0" | "false") => false,
                    Some("ENABLED" | "1" | "true") => true,
                    Some(other) => {
                        return Err(ContentError::new(
                            Kind::Usage,
                            format!(
                                "SHIPWAY_ASSIGN_PUBLIC_IP of the function is {other:?}, and is ENABLED or DISABLED"
                            ),
                        ));
                    }
                },
                ..Place::default()
            },
            family: text("SHIPWAY_FAMILY"),
            container: text("SHIPWAY_CONTAINER"),
            table: text("SHIPWAY_TABLE"),
            topic: text("SHIPWAY_TOPIC_ARN"),
            rules: Rules::new(list("SHIPWAY_REPOSITORY"), environment.list("SHIPWAY_ALLOWED_COMMANDS")),
            is_strict,
            name: text("SHIPWAY_NAME")
                .or_else(|| text("AWS_LAMBDA_FUNCTION_NAME"))
                .unwrap_or_default(),
            region: text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_articles_three_variables_are_enough() {
        let environment = Environment::of(&[
            ("AWS_LAMBDA_FUNCTION_NAME", "MyLambdaToTriggerFlyway"),
            ("ENV_CLUSTER", "migrations"),
            ("ENV_SUBNET", "subnet-1, subnet-2"),
            ("ENV_SECURITY_GROUP", "sg-1"),
        ]);
        let settings = LambdaSettings::resolve(&environment).expect("they are enough");
        assert_eq!(settings.place.subnets, ["subnet-1", "subnet-2"]);
        assert_eq!(
            (settings.name.as_str(), settings.is_strict),
            ("MyLambdaToTriggerFlyway", false)
        );
        assert_eq!(settings.rules, Rules::new(Vec::new(), None));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_told() {
        let error = LambdaSettings::resolve(&Environment::of(&[])).expect_err("nothing is set");
        assert!(error.to_string().contains("ENV_CLUSTER"), "{error}");
        let strict = Environment::of(&[("ENV_CLUSTER", "c"), ("SHIPWAY_STRICT", "yes")]);
        let error = LambdaSettings::resolve(&strict).expect_err("it is 1 or 0");
        assert!(error.to_string().contains("SHIPWAY_STRICT"), "{error}");
        let error = LambdaSettings::is_lambda(&Environment::of(&[])).expect_err("it is not");
        assert!(error.to_string().contains("AWS_LAMBDA_RUNTIME_API"), "{error}");
    }
}
