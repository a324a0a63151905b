//! Texts that stand in a Dockerfile: `<<EOF`, `<<-EOF` and `<<"EOF"`.

use super::error::Problem;
use super::expand::{shell_words, unquote};
use super::instruction::Heredoc;
use super::lines::{Fault, Lines, Logical};

/// What a word like `<<-EOF` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    /// The name, quotes taken off.
    pub(super) name: String,
    /// Whether variables are filled in: not if any of the name was quoted.
    expand: bool,
    /// Whether tabs at the beginning of lines are taken off.
    without_tabs: bool,
}

/// Reads a word that announces a text, perhaps behind the number of a file descriptor.
pub(super) fn announcement(word: &str) -> Option<Announcement> {
    let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let rest = rest.strip_prefix("<<")?;
    let (rest, without_tabs) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name = unquote(rest)?;
    Some(Announcement {
        expand: name == rest,
        name,
        without_tabs,
    })
}

/// Reads the texts an instruction announces, which stand below it one after the other.
pub(super) fn read(logical: &Logical, lines: &mut Lines<'_>) -> Result<Vec<Heredoc>, Fault> {
    // Quotes that do not match are the shell's affair.
    let words = match logical.text.contains("<<") {
        true => shell_words(&logical.text).unwrap_or_default(),
        false => Vec::new(),
    };
    let mut heredocs = Vec::new();
    let mut searched = 0;
    for word in words {
        let Some(announced) = announcement(&word) else {
            continue;
        };
        let start = logical.text[searched..]
            .find(&word)
            .map_or(searched, |at| searched + at);
        searched = start;
        if let Some(after) = logical.text.get(start + word.len()..) {
            searched = logical.text.len() - after.len();
        }
        let position = logical.position(start);
        let Some(content) = lines.until(&announced.name, announced.without_tabs) else {
            return Err(Problem::syntax_with(
                format!("the text {word} has no end"),
                format!("it ends with a line that holds nothing but {}", announced.name),
            )
            .here(position));
        };
        heredocs.push(Heredoc {
            name: announced.name,
            content,
            expand: announced.expand,
            position,
        });
    }
    Ok(heredocs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_announce_texts() {
        let says = |name: &str, expand, without_tabs| {
            Some(Announcement {
                name: name.to_owned(),
                expand,
                without_tabs,
            })
        };
        for (word, expected) in [
            ("<<EOF", says("EOF", true, false)),
            ("<<-EOF", says("EOF", true, true)),
            ("3<<EOF", says("EOF", true, false)),
            ("<<'EOF'", says("EOF", false, false)),
            ("<<\"EOF\"", says("EOF", false, false)),
            ("<<E'O'F", says("EOF", false, false)),
            ("<<\\EOF", says("EOF", false, false)),
            ("<<-\"E O\"", says("E O", false, true)),
            ("<<a.txt", says("a.txt", true, false)),
            ("<<$X", says("$X", true, false)),
            ("<<", None),
            ("<<-", None),
            ("<<<EOF", None),
            ("<EOF", None),
            ("x<<EOF", None),
            ("'<<EOF'", None),
            ("<<'EOF", None),
            ("<<''", None),
        ] {
            assert_eq!(announcement(word), expected, "{word}");
        }
    }

    #[test]
    fn several_texts_follow_each_other() {
        let mut lines = Lines::of("RUN 3<<A cat <<-'B' \"<<C\"\n$x\nA\n\ty\n\tB\nEND\n", '\\');
        let logical = lines.next_instruction().expect("instruction");
        let heredocs = read(&logical, &mut lines).expect("texts");
        let told: Vec<_> = heredocs
            .iter()
            .map(|text| {
                (
                    text.name.as_str(),
                    text.content.as_str(),
                    text.expand,
                    text.position.column,
                )
            })
            .collect();
        assert_eq!(told, [("A", "$x\n", true, 5), ("B", "y\n", false, 14)]);
        assert_eq!(lines.next_instruction().expect("rest").text, "END");
    }

    #[test]
    fn a_text_without_an_end_is_an_error() {
        let mut lines = Lines::of("COPY <<A /x\na\n", '\\');
        let logical = lines.next_instruction().expect("instruction");
        let fault = read(&logical, &mut lines).expect_err("no end");
        assert_eq!(fault.problem.to_string(), "the text <<A has no end");
        assert_eq!((fault.position.line, fault.position.column), (1, 6));
    }
}
