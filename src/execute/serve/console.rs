//! Addresses of pages of AWS's console.

/// The console of a region: each partition has its own.
fn host(region: &str) -> String {
    if region.starts_with("cn-") {
        format!("{region}.console.amazonaws.cn")
    } else if region.starts_with("us-gov-") {
        format!("{region}.console.amazonaws-us-gov.com")
    } else {
        format!("{region}.console.aws.amazon.com")
    }
}

/// The page of a task; `None` where the ARN is of another form.
pub(super) fn task(arn: &str) -> Option<String> {
    // arn:PARTITION:ecs:REGION:ACCOUNT:task/CLUSTER/ID
    let region = arn.split(':').nth(3)?;
    let (cluster, id) = arn.rsplit_once(":task/")?.1.split_once('/')?;
    let host = host(region);
    Some(format!(
        "https://{host}/ecs/v2/clusters/{cluster}/tasks/{id}/configuration?region={region}"
    ))
}

/// The page of a log stream.
pub(super) fn log(region: &str, group: &str, stream: &str) -> String {
    let (group, stream) = (twice_encoded(group), twice_encoded(stream));
    let host = host(region);
    format!("https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}")
}

/// Names in the console's fragment are percent-encoded twice, with `$` in place of the outer `%`.
fn twice_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("$25{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_the_partition() {
        assert_eq!(
            task("arn:aws:ecs:eu-west-3:1:task/migrations/0a1b").as_deref(),
            Some(
                "https://eu-west-3.console.aws.amazon.com/ecs/v2/clusters/migrations/tasks/0a1b/configuration?region=eu-west-3"
            )
        );
        let china = task("arn:aws-cn:ecs:cn-north-1:1:task/migrations/0a1b").expect("a page");
        assert!(china.starts_with("https://cn-north-1.console.amazonaws.cn/"), "{china}");
        assert_eq!(
            task("arn:aws:ecs:eu-west-3:1:task/0a1b"),
            None,
            "the old form names no cluster"
        );
        assert_eq!(
            log("us-gov-west-1", "/shipway/m", "flyway/flyway/0a"),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logsV2:log-groups/log-group/$252Fshipway$252Fm/log-events/flyway$252Fflyway$252F0a"
        );
    }
}
