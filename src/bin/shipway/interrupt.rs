//! Ctrl-C and termination: what runs is dropped, and with it everything half done.

use std::future::Future;

use crate::failure::Interrupted;

/// Runs `work` until it ends or the process is asked to.
pub(crate) async fn until_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        result = work => result,
        interrupted = signal() => Err(interrupted.into()),
    }
}

#[cfg(unix)]
async fn signal() -> Interrupted {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the system's own way of ending the process stays in place.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Interrupted::ByUser,
        _ = terminate.recv() => Interrupted::ByTermination,
    }
}

#[cfg(not(unix))]
async fn signal() -> Interrupted {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Interrupted::ByUser,
        Err(_) => std::future::pending().await,
    }
}
