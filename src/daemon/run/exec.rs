//! Running a command inside a container that runs.

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::StreamExt as _;

use super::Run;
use crate::credentials::Secret;
use crate::daemon::DaemonError;

/// The most that is kept of what a command prints: a history table has some hundred bytes for each migration.
const OUTPUT_LIMIT: usize = 32 << 20;

/// What became of a command.
#[derive(Debug)]
pub(super) struct Done {
    /// Its exit status.
    pub(super) exit_code: i64,
    /// What it printed.
    pub(super) output: String,
    /// What it said besides.
    pub(super) error: String,
}

impl Run<'_> {
    /// Runs a command in a container; its secret is in its environment.
    pub(super) async fn execute(
        &self,
        container: &str,
        command: Vec<String>,
        variable: (&str, &Secret),
    ) -> Result<Done, DaemonError> {
        let docker = self.daemon.docker();
        let failed = |error| {
            self.daemon
                .failure(format!("cannot run a command in {container}"), error)
        };
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(vec![format!("{}={}", variable.0, variable.1.expose())]),
            cmd: Some(command),
            ..CreateExecOptions::default()
        };
        let id = docker.create_exec(container, options).await.map_err(failed)?.id;
        let (mut output, mut error) = (Vec::new(), Vec::new());
        if let StartExecResults::Attached { output: mut from, .. } =
            docker.start_exec(&id, None).await.map_err(failed)?
        {
            while let Some(log) = from.next().await {
                let (into, bytes) = match log.map_err(failed)? {
                    LogOutput::StdErr { message } => (&mut error, message),
                    LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
                        (&mut output, message)
                    }
                };
                let room = OUTPUT_LIMIT.saturating_sub(into.len());
                into.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
        }
        let ended = docker.inspect_exec(&id).await.map_err(failed)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Done {
            // What has no status yet was not seen to succeed.
            exit_code: ended.exit_code.unwrap_or(-1),
            output: text(output),
            error: text(error),
        })
    }
}
