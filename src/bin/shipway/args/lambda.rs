//! `shipway lambda`.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

/// The name of the program in a function's package (Lambda runtimes provided.al2023).
const BOOTSTRAP: &str = "bootstrap";

/// Serve as the AWS Lambda function that starts and watches runs.
///
/// AWS Lambda starts it: under the name bootstrap, no argument is needed. Its settings are the function's environment variables (docs/lambda.md).
#[derive(Debug, Args)]
pub(crate) struct LambdaArguments {}

/// The words of the command line. Under the name Lambda starts programs by, and without any more words, they are `shipway lambda`.
pub(super) fn words(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().map(Path::new).and_then(Path::file_name);
    if words.len() == 1 && name.is_some_and(|name| name == BOOTSTRAP) {
        words.push("lambda".into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_lambdas_name_it_serves() {
        let run = |text: &str| words(text.split(' ').map(OsString::from).collect()).join(" ".as_ref());
        assert_eq!(run("/var/task/bootstrap"), "/var/task/bootstrap lambda");
        assert_eq!(run("./bootstrap --version"), "./bootstrap --version");
        assert_eq!(run("/usr/bin/shipway"), "/usr/bin/shipway");
    }
}
