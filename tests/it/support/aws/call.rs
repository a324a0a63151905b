//! What is asked of AWS: the operation, by the forms that its services speak, and what is remembered of it.

use hyper::HeaderMap;
use serde_json::{Map, Value};

use super::super::registry::{Query, header};

/// One call and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The operation as IAM names it: `ecr:CreateRepository`.
    pub(crate) operation: String,
    /// The region it was signed for; empty if it was not signed.
    pub(crate) region: String,
    /// The ARN of who signed it; empty if nobody known did.
    pub(crate) caller: String,
    /// What was asked; a form is an object of texts.
    pub(crate) input: Value,
    /// The status, or 0 if there was no answer.
    pub(crate) status: u16,
}

impl Call {
    /// The call on one line.
    pub(crate) fn line(&self) -> String {
        let words = [self.operation.as_str(), &self.region, &self.caller];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{} {}", words.join(" "), self.status)
    }
}

/// A request whose body has been read.
pub(crate) struct Asked {
    /// The method.
    pub(crate) method: String,
    /// The path without query.
    pub(crate) path: String,
    /// The query.
    pub(crate) query: Query,
    /// The query as it was sent.
    pub(crate) raw_query: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// The operation as IAM names it; empty if there is none of this form.
    pub(crate) operation: String,
    /// What is asked, a form as an object of texts.
    pub(crate) input: Value,
}

/// The prefix of an operation's name in a header, and the service's name in IAM.
const TARGETS: [(&str, &str); 5] = [
    ("AmazonEC2ContainerRegistry_V20150921.", "ecr"),
    ("SpencerFrontendService.", "ecr-public"),
    ("AmazonEC2ContainerServiceV20141113.", "ecs"),
    ("Logs_20140328.", "logs"),
    ("DynamoDB_20120810.", "dynamodb"),
];

impl Asked {
    /// Reads a request.
    pub(crate) fn new(method: &str, path: &str, query: &str, headers: HeaderMap, body: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&body).into_owned();
        let mut asked = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Query::parse(query),
            raw_query: query.to_owned(),
            operation: String::new(),
            input: Value::Null,
            headers,
            body,
        };
        if let Some(target) = asked.header("x-amz-target") {
            let known = TARGETS
                .iter()
                .find_map(|(prefix, service)| Some((service, target.strip_prefix(prefix)?)));
            if let Some((service, name)) = known {
                asked.operation = format!("{service}:{name}");
                asked.input = serde_json::from_str(&text).unwrap_or_default();
            }
            return asked;
        }
        let role = path.strip_prefix("/latest/meta-data/iam/security-credentials/");
        asked.operation = match (method, path, role) {
            ("POST", "/", _) => {
                asked.input = form(&text);
                let action = asked.input["Action"].as_str().unwrap_or_default();
                let service = match asked.input["Version"].as_str() {
                    Some("2010-03-31") => "sns",
                    _ => "sts",
                };
                format!("{service}:{action}")
            }
            ("POST", _, _) if function_of(path).is_some() => {
                asked.input = serde_json::from_str(&text).unwrap_or_default();
                "lambda:InvokeFunction".to_owned()
            }
            ("GET", "/2018-06-01/runtime/invocation/next", _) => "runtime:Next".to_owned(),
            ("POST", _, _) if path.starts_with("/2018-06-01/runtime/") => {
                asked.input = serde_json::from_str(&text).unwrap_or_default();
                match path.rsplit('/').next() {
                    Some("response") => "runtime:Response".to_owned(),
                    _ => "runtime:Error".to_owned(),
                }
            }
            ("GET", "/federation/credentials", _) => {
                asked.input = form(query);
                "sso:GetRoleCredentials".to_owned()
            }
            ("GET", "/container/credentials", _) => "container:GetCredentials".to_owned(),
            ("PUT", "/latest/api/token", _) => "imds:GetToken".to_owned(),
            ("GET", _, Some("")) => "imds:GetRole".to_owned(),
            ("GET", _, Some(_)) => "imds:GetCredentials".to_owned(),
            _ => String::new(),
        };
        asked
    }

    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }

    /// The service: `ecr`.
    pub(crate) fn service(&self) -> &str {
        self.operation.split(':').next().unwrap_or_default()
    }

    /// A text of the input, empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.input[name].as_str().unwrap_or_default()
    }
}

/// The name, or ARN, of the function that a path invokes.
pub(crate) fn function_of(path: &str) -> Option<String> {
    let name = path
        .strip_prefix("/2015-03-31/functions/")?
        .strip_suffix("/invocations")?;
    Some(name.replace("%3A", ":"))
}

fn form(text: &str) -> Value {
    let mut object = Map::new();
    let query = Query::parse(text);
    for (name, value) in query.pairs() {
        object.insert(name.to_owned(), value.into());
    }
    Value::Object(object)
}
