//! What a file of Rust says, as far as the rules need to know: its code, and the paths it names.

use std::collections::BTreeSet;

/// A file without comments, without what is inside literals, and without its tests.
pub(crate) fn code_of(text: &str) -> String {
    without_tests(&without_comments_and_literals(text))
}

pub(crate) fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every identifier that begins a path (`a` of `a::b`) or is imported whole (`use a;`).
pub(crate) fn first_segments(code: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("::") {
        let start = code[..at]
            .rfind(|character| !is_identifier(character))
            .map_or(0, |end| end + 1);
        if !code[..start].ends_with("::") {
            found.insert(&code[start..at]);
        }
    }
    for (at, keyword) in code.match_indices("use ") {
        found.insert(
            code[at + keyword.len()..]
                .split(|character| !is_identifier(character))
                .next()
                .unwrap_or_default(),
        );
    }
    found
}

/// The paths of the library that a module's code names through `crate::` or `super::`, use groups taken apart.
pub(crate) fn modules_named(module: &str, code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, root) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(is_identifier) || code[..at].ends_with("::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut prefix: Vec<&str> = if root == "crate::" {
            Vec::new()
        } else {
            module.split("::").collect()
        };
        rest = rest.strip_prefix("crate::").unwrap_or(rest);
        while let Some(above) = rest.strip_prefix("super::") {
            prefix.pop();
            rest = above;
        }
        use_tree(rest, &prefix.join("::"), &mut found);
    }
    found
}

/// Reads one use tree (`a::b`, `a::{b, c::d}`, `*`) and returns what follows it.
fn use_tree<'code>(code: &'code str, prefix: &str, found: &mut BTreeSet<String>) -> &'code str {
    let code = code.trim_start();
    if let Some(mut group) = code.strip_prefix('{') {
        loop {
            group = use_tree(group, prefix, found).trim_start();
            match group.strip_prefix(',') {
                Some(next) if !next.trim_start().starts_with('}') => group = next,
                Some(end) => return end.trim_start().strip_prefix('}').unwrap_or_default(),
                None => return group.strip_prefix('}').unwrap_or_default(),
            }
        }
    }
    let end = code.find(|character| !is_identifier(character)).unwrap_or(code.len());
    let path = if prefix.is_empty() || end == 0 {
        format!("{prefix}{}", &code[..end])
    } else {
        format!("{prefix}::{}", &code[..end])
    };
    match code[end..].strip_prefix("::") {
        Some(rest) if end > 0 && !rest.starts_with('<') => use_tree(rest, &path, found),
        _ => {
            found.insert(path);
            let rest = code[end..].trim_start_matches('*').trim_start();
            // `a as b` inside a group: the new name belongs to this tree.
            rest.strip_prefix("as ")
                .map_or(rest, |name| name.trim_start().trim_start_matches(is_identifier))
        }
    }
}

/// Blanks comments and the contents of string and character literals; line breaks stay.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, code.ends_with(is_identifier));
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(
                rest[..length]
                    .chars()
                    .map(|character| if character == '\n' { '\n' } else { ' ' }),
            );
            rest = &rest[length..];
        }
    }
    code
}

/// How many bytes of comment or literal the text begins with.
fn skipped(text: &str, after_identifier: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        let mut depth = 0;
        let bytes = text.as_bytes();
        for at in 0..bytes.len() - 1 {
            match &bytes[at..at + 2] {
                b"/*" => depth += 1,
                b"*/" if depth == 1 => return at + 2,
                b"*/" => depth -= 1,
                _ => {}
            }
        }
        return text.len();
    }
    if text.starts_with('"') {
        return end_of_quoted(text, '"');
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        // A lifetime has no closing quote right behind its first character.
        let mut characters = quoted.chars();
        return match (characters.next(), characters.next()) {
            (Some('\\'), _) => end_of_quoted(text, '\''),
            (Some(character), Some('\'')) => character.len_utf8() + 2,
            _ => 0,
        };
    }
    let raw = text
        .strip_prefix("br")
        .or_else(|| text.strip_prefix('r'))
        .filter(|_| !after_identifier);
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let opening = text.len() - raw.len() + hashes + 1;
            return text[opening..]
                .find(&end)
                .map_or(text.len(), |at| opening + at + end.len());
        }
    }
    0
}

/// The length of a quoted literal with backslash escapes, quotes included.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Takes out every item marked `#[cfg(test)]`. The code is free of comments and literals, so braces can be counted.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let Some(start) = code.find(MARK) else {
        return code.to_owned();
    };
    let item = &code[start + MARK.len()..];
    let mut depth = 0_usize;
    let mut end = item.len();
    for (at, character) in item.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => {
                end = at + 1;
                break;
            }
            '}' => depth -= 1,
            ';' if depth == 0 => {
                end = at + 1;
                break;
            }
            _ => {}
        }
    }
    format!("{}{}", &code[..start], without_tests(&item[end..]))
}
