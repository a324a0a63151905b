//! What CloudWatch makes metrics of: lines of the log in its embedded metric format.

use serde_json::{Value, json};

use super::super::{Record, Status};

/// Where the metrics are.
const NAMESPACE: &str = "Shipway";

/// The line about a run that has ended. What is not a metric in it can be searched for.
pub(super) fn line(name: &str, record: &Record, now_milliseconds: i64) -> Value {
    let is_failure = record.status != Status::Succeeded;
    let milliseconds = record.run_milliseconds.unwrap_or_default();
    json!({
        "_aws": {
            "Timestamp": now_milliseconds,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Name"]],
                "Metrics": [
                    {"Name": "MigrationFailed", "Unit": "Count"},
                    {"Name": "MigrationSeconds", "Unit": "Seconds"},
                ],
            }],
        },
        "Name": name,
        "MigrationFailed": u8::from(is_failure),
        "MigrationSeconds": milliseconds as f64 / 1000.0,
        "run_id": record.run_id,
        "attempt": record.attempt,
        "family": record.family,
        "status": record.status,
        "exit_code": record.exit_code,
        "image": record.image,
        "task_arn": record.task_arn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_cloudwatch_wants() {
        let record = Record {
            status: Status::StartFailed,
            ..Record::default()
        };
        let failed = line("migrations", &record, 1_795_333_531_000);
        let directive = &failed["_aws"]["CloudWatchMetrics"][0];
        // Each name in the directive is a key of the line, or CloudWatch drops it silently.
        for metric in directive["Metrics"].as_array().expect("metrics") {
            assert!(failed[metric["Name"].as_str().expect("a name")].is_number(), "{metric}");
        }
        assert!(failed[directive["Dimensions"][0][0].as_str().expect("a name")].is_string());
        assert_eq!(
            (&failed["MigrationFailed"], &failed["MigrationSeconds"]),
            (&json!(1), &json!(0.0))
        );
        assert_eq!(failed["_aws"]["Timestamp"], json!(1_795_333_531_000_i64));

        let record = Record {
            status: Status::Succeeded,
            run_milliseconds: Some(12_345),
            ..Record::default()
        };
        let succeeded = line("migrations", &record, 0);
        assert_eq!(
            (&succeeded["MigrationFailed"], &succeeded["MigrationSeconds"]),
            (&json!(0), &json!(12.345))
        );
        assert!(!succeeded.to_string().contains('\n'), "one line");
    }
}
