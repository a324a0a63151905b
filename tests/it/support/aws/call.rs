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
const TARGETS: [(&str, &str); 2] = [
    ("AmazonEC2ContainerRegistry_V20150921.", "ecr"),
    ("SpencerFrontendService.", "ecr-public"),
];

impl Asked {
    /// Reads a request.
    pub(crate) fn new(method: &str, path: &str, query: &str, headers: HeaderMap, body: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&body).into_owned();
        let mut asked = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Query::parse(query),
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
                format!("sts:{action}")
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

fn form(text: &str) -> Value {
    let mut object = Map::new();
    let query = Query::parse(text);
    for (name, value) in query.pairs() {
        object.insert(name.to_owned(), value.into());
    }
    Value::Object(object)
}
