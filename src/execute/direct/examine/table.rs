//! The table of runs and locks.

use super::super::super::RunId;
use super::super::super::finding::{Finding, Health};
use super::super::super::store::{Store, TableFacts};
use super::super::{Direct, Guard};
use crate::content::Kind;

/// A run that nobody has started: it is asked for to learn whether the table may be read.
const NOBODYS_RUN: &str = "nobody-s-run";

impl Direct {
    pub(super) async fn examine_guard(&self) -> Vec<Finding> {
        match &self.guard {
            Guard::Table(store) => examine_table(store).await,
            Guard::Family => vec![
                Finding::new(
                    "table",
                    Health::Warning,
                    "none is named: two runs that start at the same moment may both run, and nothing is kept of runs",
                )
                .hint("name it: --lock TABLE, SHIPWAY_TABLE, or lock under [run] in shipway.toml"),
            ],
            Guard::None => vec![Finding::new(
                "table",
                Health::Skipped,
                "none, as was said: nothing lets one run at a time",
            )],
        }
    }
}

async fn examine_table(store: &Store) -> Vec<Finding> {
    let name = store.name();
    let facts = match store.facts().await {
        Ok(Some(facts)) => Ok(facts),
        Ok(None) => {
            let text = format!("there is no table {name}");
            let missing = Finding::new("table", Health::Failed, text)
                .hint("deploy/cloudformation.yaml makes one; without a table: --lock none");
            return vec![missing];
        }
        Err(error) => Err(error),
    };
    if let Ok(facts) = &facts
        && let Some(finding) = unusable(name, facts)
    {
        return vec![finding];
    }
    // The one right of these that a run needs itself.
    if let Err(error) = store.latest(&RunId::of(NOBODYS_RUN), "", "").await {
        return vec![Finding::of_error("table", Health::Failed, &error)];
    }
    let mut findings = vec![Finding::new("table", Health::Ok, format!("{name} can be read"))];
    match facts {
        Ok(facts) if !facts.has_our_expiry => findings.push(
            Finding::new("table", Health::Warning, format!("nothing goes away from {name} by itself"))
                .hint(format!(
                    "aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName=expires_at"
                )),
        ),
        Ok(_) => {}
        Err(error) => {
            let health = match error.kind() {
                Kind::Denied => Health::Skipped,
                _ => Health::Warning,
            };
            findings.push(Finding::of_error("table", health, &error));
        }
    }
    findings
}

/// A table that runs cannot be kept in.
fn unusable(name: &str, facts: &TableFacts) -> Option<Finding> {
    if !facts.has_our_keys {
        let text = format!(
            "{name} has the keys {}, and runs need pk (S), sk (S)",
            facts.keys.join(", ")
        );
        return Some(
            Finding::new("table", Health::Failed, text)
                .hint("name another table, or make one: deploy/cloudformation.yaml has its keys"),
        );
    }
    (!facts.is_usable).then(|| {
        Finding::new("table", Health::Failed, format!("{name} is {}", facts.status))
            .hint("wait until it is ACTIVE, and look again")
    })
}
