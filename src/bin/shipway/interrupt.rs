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

/// Signals that are taken as they come, for work that ends itself.
#[cfg(any(feature = "aws", feature = "daemon"))]
pub(crate) struct Signals {
    /// How soon the work is to end: gently with the first signal, at once with the second.
    pub(crate) stop: tokio::sync::watch::Receiver<Option<shipway::execute::Stop>>,
    first: std::sync::Arc<std::sync::OnceLock<Interrupted>>,
}

#[cfg(any(feature = "aws", feature = "daemon"))]
impl Signals {
    /// Takes the signals from now on.
    pub(crate) fn take() -> Self {
        use shipway::execute::Stop;
        let (sender, stop) = tokio::sync::watch::channel(None);
        let first = std::sync::Arc::<std::sync::OnceLock<Interrupted>>::default();
        let told = std::sync::Arc::clone(&first);
        tokio::spawn(async move {
            let mut sources = Sources::open();
            loop {
                let interrupted = sources.next().await;
                // Only the first one counts.
                let _ = told.set(interrupted);
                sender.send_modify(|stop| {
                    *stop = Some(if stop.is_none() { Stop::Gently } else { Stop::AtOnce });
                });
            }
        });
        Self { stop, first }
    }

    /// Who interrupted the work first.
    pub(crate) fn first(&self) -> Interrupted {
        self.first.get().copied().unwrap_or(Interrupted::ByUser)
    }
}

/// Where signals come from. None is lost between two calls of `next`.
#[cfg(all(unix, any(feature = "aws", feature = "daemon")))]
struct Sources(Option<[tokio::signal::unix::Signal; 3]>);

#[cfg(all(unix, any(feature = "aws", feature = "daemon")))]
impl Sources {
    fn open() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // A terminal that is closed would end us as well, and leave the container behind.
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [Ok(interrupt), Ok(terminate), Ok(hangup)] = kinds.map(signal) else {
            return Self(None);
        };
        Self(Some([interrupt, terminate, hangup]))
    }

    async fn next(&mut self) -> Interrupted {
        let Some([interrupt, terminate, hangup]) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Interrupted::ByUser,
            _ = terminate.recv() => Interrupted::ByTermination,
            _ = hangup.recv() => Interrupted::ByTermination,
        }
    }
}

#[cfg(all(not(unix), any(feature = "aws", feature = "daemon")))]
struct Sources;

#[cfg(all(not(unix), any(feature = "aws", feature = "daemon")))]
impl Sources {
    fn open() -> Self {
        Self
    }

    async fn next(&mut self) -> Interrupted {
        signal().await
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
