//! Following a container from its start to its end.

use std::pin::pin;
use std::time::{Duration, Instant};

use bollard::errors::Error as ClientError;
use bollard::query_parameters::{KillContainerOptionsBuilder, StopContainerOptionsBuilder, WaitContainerOptions};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::container::LogStream;
use super::{Run, failure};
use crate::content::Kind;
use crate::daemon::DaemonError;
use crate::execute::{Ending, Failure, Stop};

/// How often the daemon is asked again after the connection broke: a daemon that is restarted, or a tunnel that comes
/// back, takes some seconds.
const RECONNECTS: u32 = 5;

/// How long it waits before the first of them; twice as long before each other one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// A connection that lasted this long was a good one: the count begins anew when it breaks.
const GOOD: Duration = Duration::from_secs(60);

impl Run<'_> {
    /// Hands on what the container writes, and stops it when that is wanted; returns once it has ended and every byte is
    /// handed on.
    pub(super) async fn follow(&self, attached: LogStream) -> Result<Ending, Failure> {
        let (tell_exit, exited) = watch::channel(false);
        let mut pumping = Some(Box::pin(self.pump(attached, exited)));
        let mut waiting = pin!(self.exit_code());
        let mut stopping = FuturesUnordered::new();
        let mut stop = None;
        let exit_code = loop {
            tokio::select! {
                exit_code = &mut waiting => break exit_code,
                () = finished(&mut pumping), if pumping.is_some() => pumping = None,
                wanted = self.stopped_beyond(stop) => {
                    stop = Some(wanted);
                    if wanted == Stop::AtOnce {
                        // Nobody may be reading. As long as output waits, the daemon does not tell that it has ended.
                        pumping = None;
                    }
                    stopping.push(self.end(wanted));
                }
                Some(()) = stopping.next() => {}
            }
        };
        let exit_code = exit_code.map_err(|error| self.unknown(&error))?;
        // What comes later than the end does not change how it ended.
        let is_stopped = stop.is_some();
        // The receiver is the pump, which may be done.
        let _ = tell_exit.send(true);
        while pumping.is_some() && stop != Some(Stop::AtOnce) {
            tokio::select! {
                () = finished(&mut pumping) => pumping = None,
                wanted = self.stopped_beyond(stop.or(Some(Stop::Gently))) => stop = Some(wanted),
            }
        }
        Ok(Ending {
            exit_code: Some(exit_code),
            is_out_of_memory: self.is_out_of_memory().await,
            is_stopped,
        })
    }

    /// Asks the daemon to end the container. That it has ended is told by `exit_code`.
    async fn end(&self, how: Stop) {
        let docker = self.daemon.patient();
        if how == Stop::Gently {
            let seconds = self.request.stop_timeout.as_secs();
            self.step(&format!(
                "stopping {}: it has {seconds} s to end; interrupt again to kill it",
                self.name
            ));
            let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
            let options = StopContainerOptionsBuilder::new().t(seconds).build();
            if docker.stop_container(&self.name, Some(options)).await.is_ok() {
                return;
            }
        }
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        // What has ended by itself cannot be killed, and what the daemon cannot kill it cannot remove: that is told then.
        let _ = docker.kill_container(&self.name, Some(options)).await;
    }

    /// Waits for the container's end. A connection that breaks is made again.
    async fn exit_code(&self) -> Result<i64, DaemonError> {
        let mut breaks = 0;
        loop {
            let begun = Instant::now();
            let error = match self.wait().await {
                Ok(exit_code) => return Ok(exit_code),
                Err(error) => error,
            };
            if begun.elapsed() > GOOD {
                breaks = 0;
            }
            if error.kind() != Kind::Temporary || breaks == RECONNECTS {
                return Err(error);
            }
            tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(breaks)).await;
            breaks += 1;
        }
    }

    async fn wait(&self) -> Result<i64, DaemonError> {
        let docker = self.daemon.patient();
        let mut waiting = docker.wait_container(&self.name, None::<WaitContainerOptions>);
        let error = match waiting.next().await {
            Some(Ok(ended)) => return Ok(ended.status_code),
            // The client takes a status that is not 0 for an error.
            Some(Err(ClientError::DockerContainerWaitError { code, .. })) => return Ok(code),
            Some(Err(error)) => error,
            None => ClientError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)),
        };
        Err(self.daemon.failure("cannot wait for the container", error))
    }

    fn unknown(&self, error: &DaemonError) -> Failure {
        if error.kind() == Kind::NotFound {
            return Failure::new(format!(
                "it is not known how {} ended: somebody else removed the container {} while it ran",
                self.request.image, self.name
            ));
        }
        self.lost(failure(error).to_string())
    }

    /// Whether something in the container was killed for its use of memory. A daemon that cannot tell does not matter:
    /// the exit status is known.
    async fn is_out_of_memory(&self) -> bool {
        let container = self.daemon.docker().inspect_container(&self.name, None).await;
        let state = container.ok().and_then(|container| container.state);
        state.and_then(|state| state.oom_killed) == Some(true)
    }
}

/// Waits for what there is to wait for.
async fn finished(work: &mut Option<impl Future<Output = ()> + Unpin>) {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}
