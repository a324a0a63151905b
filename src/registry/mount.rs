//! What is known of taking blobs over from one repository of a registry to another.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::assistance::PullThrough;

/// Learnt once for all repositories of a registry.
pub(super) struct Mounts {
    is_refused: AtomicBool,
    pull_through: Option<PullThrough>,
    /// Whether a pull-through cache fills a repository, by its path.
    filled: Mutex<HashMap<String, Arc<OnceCell<bool>>>>,
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mounts")
            .field("is_refused", &self.is_refused)
            .finish_non_exhaustive()
    }
}

impl Mounts {
    /// Nothing is known yet.
    #[must_use]
    pub(super) fn new(pull_through: Option<PullThrough>) -> Self {
        Self {
            is_refused: AtomicBool::new(false),
            pull_through,
            filled: Mutex::default(),
        }
    }

    /// Whether a blob may be taken over from the repository `from`, as far as is known.
    pub(super) async fn may_come_from(&self, from: &str) -> bool {
        if self.is_refused.load(Ordering::Relaxed) {
            return false;
        }
        // The name of a repository that a cache fills begins with the rule's prefix and a slash.
        let Some(question) = self.pull_through.as_ref().filter(|_| from.contains('/')) else {
            return true;
        };
        let answer = {
            let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(filled.entry(from.to_owned()).or_default())
        };
        !*answer.get_or_init(|| question(from.to_owned())).await
    }

    /// Notes that the registry refused; tells whether that is news.
    pub(super) fn were_refused(&self) -> bool {
        !self.is_refused.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_repository_is_asked_about_once_and_only_if_it_may_be_a_caches() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let mounts = Mounts::new(Some(Arc::new(move |path| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                path.starts_with("hub/")
            })
        })));
        let answers = tokio::join!(
            mounts.may_come_from("hub/flyway"),
            mounts.may_come_from("hub/flyway"),
            mounts.may_come_from("team/runner"),
            mounts.may_come_from("runner"),
        );
        assert_eq!(answers, (false, false, true, true));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_refusal_is_news_once() {
        let mounts = Mounts::new(None);
        assert!(mounts.may_come_from("a/b").await);
        assert!(mounts.were_refused());
        assert!(!mounts.were_refused());
        assert!(!mounts.may_come_from("c").await);
    }
}
