use serde_json::json;

use super::*;

fn migration(script: &str, kind: MigrationKind, key: &str, sha256: &str) -> Migration {
    let is_versioned = kind == MigrationKind::Versioned;
    Migration {
        kind,
        key: key.to_owned(),
        version: is_versioned.then(|| key.to_owned()),
        description: script.trim_end_matches(".sql").to_owned(),
        script: script.to_owned(),
        checksum: None,
        sha256: sha256.to_owned(),
        bytes: 1,
        statements: Some(1),
        transactional: None,
        program: false,
        repeats: false,
        uses_placeholders: Vec::new(),
        risk: vec!["R010".to_owned()],
    }
}

fn manifest(migrations: Vec<Migration>, out_of_order: bool) -> Manifest {
    let value = json!({
        "schema": "io.shipway.manifest/v1",
        "project": "orders",
        "runner": { "profile": "flyway" },
        "config": { "outOfOrder": out_of_order },
        "migrations": migrations,
        "setDigest": "sha256:0",
    });
    serde_json::from_value(value).unwrap()
}

fn told<T>(before: &Manifest, after: &Manifest, tell: impl Fn(&DiffResult<'_>) -> T) -> T {
    let comparison = Comparison::of(before, after);
    let side = |name, manifest| DiffSide {
        name,
        identity: None,
        manifest,
        set: None,
    };
    tell(&DiffResult {
        before: &side("current", before),
        after: &side("here", after),
        comparison: &comparison,
        patch: false,
    })
}

fn sets() -> (Manifest, Manifest) {
    use MigrationKind::{Repeatable, Versioned};
    let before = vec![
        migration("V1__a.sql", Versioned, "1", "a"),
        migration("V2__b.sql", Versioned, "2", "b"),
        migration("V3__gone.sql", Versioned, "3", "c"),
        migration("V4__d.sql", Versioned, "4", "d"),
        migration("R__views.sql", Repeatable, "views", "v"),
    ];
    let after = vec![
        migration("V1__a.sql", Versioned, "1", "a"),
        migration("V2__b.sql", Versioned, "2", "changed"),
        migration("V2_5__late|`x`.sql", Versioned, "2.5", "l"),
        migration("V4__d.sql", Versioned, "4", "d"),
        migration("V5__new.sql", Versioned, "5", "n"),
        migration("R__views.sql", Repeatable, "views", "w"),
    ];
    (manifest(before, false), manifest(after, true))
}

/// Catches a text that leaves out what will fail, or what will run.
#[test]
fn people_see_what_will_run_and_what_is_wrong() {
    let (before, after) = sets();
    let text = told(&before, &after, |result| result.text().unwrap());
    let expected = "before  current: 5 migrations up to version 4
after   here: 6 migrations up to version 5

3 migrations will run:
  V2_5__late|`x`.sql  version 2.5         new
  V5__new.sql         version 5           new
  R__views.sql        repeatable \"R__views\"  again
";
    let lines = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(lines(&text).starts_with(&lines(expected)), "{text}");
    for line in [
        "  changed  V2__b.sql           version 2 was shipped with another content",
        "  removed  V3__gone.sql        version 3 was shipped and is gone",
        "  late     V2_5__late|`x`.sql  version 2.5 will run behind version 4, which was shipped already",
        "  config  outOfOrder: false -> true",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    let same = told(&before, &before, |result| result.text().unwrap());
    assert!(same.ends_with("nothing is different\n"), "{same}");
}

/// Catches a name that breaks a table, and a headline that says something else than the list.
#[test]
fn a_merge_request_sees_the_same() {
    let (before, after) = sets();
    let markdown = told(&before, &after, |result| result.markdown().unwrap());
    assert!(markdown.starts_with("### Migrations: 3 migrations will run\n\n**Warning:** 3 migrations of what"));
    assert!(
        markdown.contains("| 1 | ``V2_5__late\\|`x`.sql`` | version 2.5 | new | 1 | R010 |"),
        "{markdown}"
    );
    assert!(markdown.contains("| changed | `V2__b.sql` | version 2 was shipped with another content |"));
    assert!(markdown.ends_with("Compared: `current` with `here`\n"));
}

/// Catches a member that is gone, or a list that holds something else.
#[test]
fn the_json_form_has_all_lists() {
    let (before, after) = sets();
    let text = told(&before, &after, |result| result.json().unwrap());
    let json: Value = serde_json::from_str(&text).unwrap();
    let scripts = |key: &str| -> Vec<&str> {
        let list = json[key].as_array().unwrap().iter();
        list.map(|one| one["script"].as_str().or(one["after"]["script"].as_str()).unwrap())
            .collect()
    };
    assert_eq!(
        scripts("pending"),
        ["V2_5__late|`x`.sql", "V5__new.sql", "R__views.sql"]
    );
    assert_eq!(scripts("changed"), ["V2__b.sql"]);
    assert_eq!(scripts("removed"), ["V3__gone.sql"]);
    assert_eq!(scripts("repeated"), ["R__views.sql"]);
    assert_eq!(json["breaksShipped"], true);
    assert_eq!(json["config"][0]["key"], "outOfOrder");
}
