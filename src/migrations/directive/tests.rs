use super::*;
use crate::migrations::Inventory;
use crate::migrations::inventory::Listed;

/// What a tool reads in a script, given in pieces of a size.
fn read_in(tool: &Tool, text: &str, size: usize) -> Directives {
    let inventory = Inventory::of(tool.clone(), [Listed::in_memory("1_a.sql", b"")]);
    let mut reader = DirectiveReader::of(tool, &inventory.entries()[0]);
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
        reader.update(piece);
        rest = more;
    }
    reader.finish()
}

/// The same whatever the pieces are.
fn read(tool: &Tool, text: &str) -> Directives {
    let whole = read_in(tool, text, usize::MAX);
    for size in [1, 2, 7] {
        assert_eq!(read_in(tool, text, size), whole, "pieces of {size}: {text:?}");
    }
    whole
}

fn refusals(tool: &Tool, rows: &[(&str, Option<(u64, &str)>)]) {
    for (text, expected) in rows {
        let read = read(tool, text).refusals;
        let fits = match expected {
            None => read.is_empty(),
            Some((line, why)) => read.len() == 1 && read[0].0 == *line && read[0].1.contains(why),
        };
        assert!(fits, "{text:?}: {read:?} and not {expected:?}");
    }
}

#[test]
fn dbmate_wants_both_parts() {
    let rows = [
        ("-- migrate:up\nx;\n-- migrate:down\ny;\n", None),
        ("--migrate:up\n--migrate:down", None),
        ("-- a\n\n  -- b\n-- migrate:up\r\nx;\r\n-- migrate:down\r\n", None),
        ("-- migrate:up\nx;\n", Some((0, "migrate:down"))),
        ("x;\n", Some((0, "migrate:up"))),
        ("-- migrate:upwards\n-- migrate:down\n", Some((0, "migrate:up"))),
        (" -- migrate:up\n-- migrate:down\n", Some((0, "migrate:up"))),
        ("-- migrate:down\n-- migrate:up\n", Some((0, "migrate:down"))),
        (
            "-- migrate:up\n-- migrate:up\n-- migrate:down\n",
            Some((2, "one \"-- migrate:up\"")),
        ),
        (
            "-- migrate:up\n-- migrate:down\n-- migrate:down\n",
            Some((3, "one \"-- migrate:up\"")),
        ),
        (
            "\nx;\n-- migrate:up\n-- migrate:down\n",
            Some((2, "nothing but comments")),
        ),
    ];
    refusals(&Tool::Dbmate, &rows);
    let said = read(
        &Tool::Dbmate,
        "-- migrate:up transaction:false\nx;\n\n-- migrate:down\ny;",
    );
    assert_eq!((said.transaction, said.down), (Some(false), Some(4)));
    assert!(said.is_down(5) && !said.is_down(3));
    let said = read(&Tool::Dbmate, "-- migrate:up\n-- migrate:down transaction:false\n");
    assert_eq!(said.transaction, Some(true));
}

#[test]
fn goose_wants_its_annotations_in_order() {
    let rows = [
        ("-- +goose Up\nx;\n-- +goose Down\ny;\n", None),
        ("-- +goose Up\nx;\n", None),
        ("-- +goose UP\n", None),
        ("--+goose Up\r\nx;\r\n", None),
        ("\n-- a\n-- +goose NO TRANSACTION\n-- +goose Up\nx; -- a\n", None),
        (
            "-- +goose Up\n-- +goose StatementBegin\nx\n-- +goose StatementEnd\n",
            None,
        ),
        ("-- +goose Up\n-- +goose ENVSUB ON\nx;\n-- +goose ENVSUB OFF\n", None),
        ("-- +goose Up\nx;\n-- +goose Down\ny\n", None),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\nx\n",
            None,
        ),
        (
            "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\nx\ny\n",
            Some((5, "semicolon")),
        ),
        ("", Some((0, "-- +goose Up"))),
        ("x;\n-- +goose Up\n", Some((1, "nothing but comments"))),
        ("-- +goose Down\nx;\n", Some((1, "after"))),
        (
            "-- +goose Up\nx;\n-- +goose Up\n",
            Some((3, "one \"-- +goose Up\" only")),
        ),
        ("-- +goose Up\nx\n", Some((2, "semicolon"))),
        ("-- +goose Up\nx\n-- y;\n", Some((2, "semicolon"))),
        ("-- +goose Up\nx\n-- +goose Down\n", Some((2, "semicolon"))),
        ("-- +goose Up\n -- +goose Down\n", Some((2, "no blanks"))),
        ("-- +goose Upp\n", Some((1, "does not know"))),
        ("-- +goose Up\n-- +goose StatementBegin\nx;\n", Some((2, "without"))),
        (
            "-- +goose Up\n-- +goose StatementEnd\n",
            Some((2, "no \"-- +goose StatementBegin\"")),
        ),
        ("-- +goose StatementBegin\n", Some((1, "in a part"))),
    ];
    refusals(&Tool::Goose, &rows);
    let said = read(
        &Tool::Goose,
        "-- +goose NO TRANSACTION\n-- +goose Up\nx;\n-- +goose Down\n",
    );
    assert_eq!((said.transaction, said.down), (Some(false), Some(4)));
}

#[test]
fn goose_reads_the_end_of_a_long_line_and_refuses_a_longer_one() {
    let long = format!("-- +goose Up\nINSERT INTO t VALUES ('{}') ;\n", "é".repeat(100_000));
    assert_eq!(read_in(&Tool::Goose, &long, 65_536).refusals, []);
    assert_eq!(read_in(&Tool::Goose, &long, usize::MAX).refusals, []);
    let longer = format!("-- +goose Up\n{};\n", "x".repeat(5 * 1024 * 1024));
    let refusals = read_in(&Tool::Goose, &longer, 65_536).refusals;
    assert_eq!(refusals, [(2, "goose reads no line of more than 4 MiB")]);
}

#[test]
fn atlas_reads_the_head() {
    let said = |text: &str| {
        let said = read(&Tool::Atlas, text);
        (said.transaction, said.is_checkpoint, said.refusals.len())
    };
    assert_eq!(said("-- atlas:txmode none\n\nx;\n"), (Some(false), false, 0));
    assert_eq!(
        said("-- atlas:txmode none\nx;\n"),
        (Some(true), false, 0),
        "a comment of the statement"
    );
    assert_eq!(
        said("-- atlas:checkpoint\n-- atlas:txmode file\r\n\r\nx;\n"),
        (Some(true), true, 0)
    );
    assert_eq!(said("-- atlas:txmode often\n\nx;\n"), (Some(true), false, 1));
    assert_eq!(said("x;\n-- atlas:txmode none\n\n"), (Some(true), false, 0));
}

#[test]
fn nothing_risky_counts_where_nothing_runs() {
    let said = read(&Tool::Dbmate, "-- migrate:up\nx;\n-- migrate:down\ny;\n");
    let at = |code: &str, line| {
        let place = Place {
            line,
            ..Place::file("a")
        };
        Finding::new(code, place, "x")
    };
    let mut findings = vec![at("R001", 2), at("R001", 4), at("C011", 4)];
    said.keep_what_runs(&mut findings);
    let left: Vec<_> = findings
        .iter()
        .map(|finding| (finding.rule.code, finding.place.line))
        .collect();
    assert_eq!(left, [("R001", 2), ("C011", 4)]);
}
