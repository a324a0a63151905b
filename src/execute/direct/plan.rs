//! What would be started.

use super::super::pin::pin;
use super::super::{Order, RunId, View};
use super::start::{started_by, wish};
use super::{Direct, Known, unusable, view};
use crate::content::Result;

/// What would be started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is called.
    pub run_id: RunId,
    /// The revision it starts from, by ARN.
    pub revision: String,
    /// Whether a revision with the image is registered first.
    pub registers: bool,
    /// The image.
    pub image: String,
    /// The container that is watched.
    pub container: String,
    /// A task that there is already under this name, and how it is.
    pub existing: Option<View>,
    /// The body of `RunTask`; `taskDefinition` is the revision it starts from.
    pub run_task: serde_json::Value,
}

impl Direct {
    /// Says what [`super::super::Runs::start`] would do, and changes nothing.
    ///
    /// # Errors
    /// When it could not be started.
    pub async fn plan(&self, order: &Order) -> Result<Plan> {
        let id = self.name(order);
        let started_by = started_by(&id, order);
        let definition = self.definition(order);
        let (known, described) = tokio::try_join!(
            self.tasks_of_family(&started_by, self.family_of(order)),
            self.ecs.definition(&definition)
        )?;
        let pinned = pin(&described, &wish(&id, order)).map_err(unusable)?;
        let input = self.input(&id, order, &pinned, &pinned.arn, 1)?;
        Ok(Plan {
            revision: pinned.arn.clone(),
            registers: pinned.register.is_some() && !order.no_register,
            image: pinned.image.clone(),
            container: pinned.container.clone(),
            existing: known
                .into_iter()
                .next()
                .map(|Known { task, raw }| view::of_task(&task, raw, &pinned)),
            run_task: input,
            run_id: id,
        })
    }
}
