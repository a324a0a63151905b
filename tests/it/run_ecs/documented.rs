//! JSON in docs/run.md has the members of what is printed.

use serde_json::json;

use crate::support::aws::{EcsScene, Script};

#[path = "../../docs/shape.rs"]
mod shape;

/// The page.
const PAGE: &str = include_str!("../../../docs/run.md");

/// The first JSON on the page that is of this schema.
fn shown(schema: &str) -> &'static str {
    let blocks = PAGE.split("```json\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| Some(rest.split_once("\n```")?.0));
    let named = |block: &&str| block.contains(&format!("\"schema\": \"{schema}\""));
    blocks
        .find(named)
        .unwrap_or_else(|| panic!("docs/run.md shows {schema}"))
}

/// Catches members that are renamed, added or left out, and not where readers look them up.
#[test]
fn the_page_shows_what_is_printed() {
    let scene = [
        ("GITLAB_CI", "true"),
        ("CI_PROJECT_PATH", "group/orders"),
        ("CI_JOB_ID", "3"),
        ("CI_COMMIT_SHA", "5be1c0de"),
        ("CI_COMMIT_REF_NAME", "main"),
    ]
    .iter()
    .fold(EcsScene::new(), |scene, (name, value)| scene.environment(name, value));
    let migrated = json!({
        "initialSchemaVersion": "1.2", "targetSchemaVersion": "1.4", "migrationsExecuted": 1, "success": true, "warnings": [],
        "migrations": [{"category": "Versioned", "version": "1.4", "description": "add users", "type": "SQL",
            "filepath": "/flyway/sql/V1.4__add_users.sql", "executionTime": 61_000}],
        "flywayVersion": "12.4.0", "database": "orders", "databaseType": "MySQL", "operation": "migrate",
    });
    scene.aws.next_task(Script::succeeds(&[&migrated.to_string()]));
    let run = scene.run(&["--format", "json"]).succeeded();
    shape::assert_same("docs/run.md, a run", shown("shipway.run/v1"), run.stdout.as_bytes());
    let history = scene.command("history", &["--format", "json"]).succeeded();
    shape::assert_same(
        "docs/run.md, the history",
        shown("shipway.history/v1"),
        history.stdout.as_bytes(),
    );
}
