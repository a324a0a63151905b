//! Changelogs in XML.

use roxmltree::{Document as Tree, Node, ParsingOptions};

use super::document::{Document, Part, PartKind, RawChangeset, Unreadable, digest, line_at};

/// Elements and texts of one changelog; a dump of a large schema has some ten thousand.
const NODES_LIMIT: u32 = 5_000_000;

/// Reads a changelog. Nothing outside it is read, whatever its DTD says: one is refused.
pub(super) fn read(text: &str) -> Result<Document, Unreadable> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_LIMIT,
        ..ParsingOptions::default()
    };
    let tree = Tree::parse_with_options(text, options).map_err(|error| (error.pos().row.into(), error.to_string()))?;
    let root = tree.root_element();
    if root.tag_name().name() != "databaseChangeLog" {
        return Err((1, "its outermost element is not databaseChangeLog".to_owned()));
    }
    let mut document = Document {
        logical_path: root.attribute("logicalFilePath").map(str::to_owned),
        ..Document::default()
    };
    for node in root.children().filter(Node::is_element) {
        let line = line_at(text, node.range().start);
        match part(node, text) {
            Some(kind) => document.parts.push(Part { line, kind }),
            None => continue,
        }
        let files = node.descendants().filter(|below| below != &node);
        let paths = files.filter_map(|below| below.attribute("path").or_else(|| below.attribute("file")));
        document.mentions.extend(paths.map(str::to_owned));
    }
    Ok(document)
}

fn part(node: Node<'_, '_>, text: &str) -> Option<PartKind> {
    let of = |name: &str| node.attribute(name).map(str::to_owned);
    let is = |name: &str, value: &str| {
        node.attribute(name)
            .is_some_and(|text| text.eq_ignore_ascii_case(value))
    };
    Some(match node.tag_name().name() {
        "changeSet" => {
            let (Some(id), Some(author)) = (of("id"), of("author")) else {
                return Some(PartKind::Wrong("a changeset without id and author".to_owned()));
            };
            let own = &text[node.range()];
            PartKind::Changeset(RawChangeset {
                id,
                author,
                logical_path: of("logicalFilePath"),
                runs_on_change: is("runOnChange", "true"),
                runs_always: is("runAlways", "true"),
                out_of_transaction: is("runInTransaction", "false"),
                contexts: of("contextFilter").or_else(|| of("context")),
                labels: of("labels"),
                sha256: digest(own),
                size_bytes: own.len() as u64,
                sql: None,
            })
        }
        "include" => match of("file") {
            Some(file) => PartKind::Include {
                file,
                is_relative: is("relativeToChangelogFile", "true"),
                may_be_missing: is("errorIfMissing", "false"),
                logical_path: of("logicalFilePath"),
            },
            None => PartKind::Wrong("an include without file".to_owned()),
        },
        "includeAll" => match of("path") {
            Some(folder) => PartKind::IncludeAll {
                folder,
                is_relative: is("relativeToChangelogFile", "true"),
                may_be_missing: is("errorIfMissingOrEmpty", "false"),
                ending: of("endsWithFilter"),
                logical_path: of("logicalFilePath"),
            },
            None => PartKind::Wrong("an includeAll without path".to_owned()),
        },
        _ => return None,
    })
}
