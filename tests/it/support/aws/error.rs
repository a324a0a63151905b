//! The errors of AWS, in the forms of its protocols.

use serde_json::json;

use super::super::registry::{Action, Fault, Reply};

/// An error of the service that an operation belongs to.
pub(crate) fn refusal(operation: &str, status: u16, code: &str, message: &str) -> Reply {
    match operation.split(':').next() {
        Some(service @ ("sts" | "sns")) => {
            let space = match service {
                "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
                _ => "http://sns.amazonaws.com/doc/2010-03-31/",
            };
            let text = format!(
                "<ErrorResponse xmlns=\"{space}\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST}</RequestId>\
                 </ErrorResponse>"
            );
            Reply::text(status, &text).header("x-amzn-requestid", REQUEST)
        }
        Some("sso" | "container" | "imds") => Reply::json(status, &json!({"code": code, "message": message}))
            .header("x-amzn-errortype", code)
            .header("x-amzn-requestid", REQUEST),
        Some("lambda") => Reply::json(status, &json!({"Type": "User", "Message": message}))
            .header("x-amzn-errortype", code)
            .header("x-amzn-requestid", REQUEST),
        Some("dynamodb") => {
            let code = match code {
                "ValidationException" => format!("com.amazon.coral.validate#{code}"),
                _ => format!("com.amazonaws.dynamodb.v20120810#{code}"),
            };
            Reply::json(status, &json!({"__type": code, "message": message})).header("x-amzn-requestid", REQUEST)
        }
        _ => Reply::json(status, &json!({"__type": code, "message": message})).header("x-amzn-requestid", REQUEST),
    }
}

/// The id of every request.
const REQUEST: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

/// A fault that answers an operation once with an error of its service.
pub(crate) fn failure(operation: &str, status: u16, code: &str, message: &str) -> Fault {
    let reply = refusal(operation, status, code, message);
    let body = reply
        .content
        .bytes()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Fault::on_operation(operation).with(Action::Respond {
        status,
        headers: reply.headers,
        body: body.unwrap_or_default(),
    })
}

/// The refusal of an operation that a caller may not do, in AWS's words.
pub(crate) fn access_denied(operation: &str, caller: &str, resource: &str) -> Reply {
    let message = format!(
        "User: {caller} is not authorized to perform: {operation} on resource: {resource} because no identity-based \
         policy allows the {operation} action"
    );
    match operation.split(':').next() {
        Some("sts") => refusal(operation, 403, "AccessDenied", &message),
        Some("sns") => refusal(operation, 403, "AuthorizationError", &message),
        Some("lambda") => refusal(operation, 403, "AccessDeniedException", &message),
        _ => refusal(operation, 400, "AccessDeniedException", &message),
    }
}
