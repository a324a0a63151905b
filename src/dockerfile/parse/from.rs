//! `FROM`: where a stage begins.

use super::{Fault, Statement, words};
use crate::dockerfile::error::Problem;
use crate::dockerfile::flags::Takes;
use crate::dockerfile::instruction::{Stage, Word};

/// Reads `FROM [--platform=P] IMAGE [AS NAME]`.
pub(super) fn stage(statement: &Statement<'_>) -> Result<Stage, Fault> {
    statement.check(&[("platform", Takes::Text)])?;
    let mut words = words::blank_separated(statement).into_iter();
    let (image, name) = match (words.next(), words.next(), words.next(), words.next()) {
        (Some(image), None, ..) => (image, None),
        (Some(image), Some(keyword), Some(name), None) if keyword.text.eq_ignore_ascii_case("AS") => {
            (image, Some(stage_name(&name)?))
        }
        (None, ..) => {
            return Err(statement.fault(Problem::syntax_with(
                "FROM names no image",
                "FROM scratch begins with nothing",
            )));
        }
        (_, Some(odd), ..) => {
            return Err(Problem::syntax_with(
                format!("{} behind the image is not understood", odd.text),
                "the form is: FROM [--platform=PLATFORM] IMAGE [AS NAME]",
            )
            .here(odd.position));
        }
    };
    let platform = statement.flags.text(statement.logical, "platform");
    Ok(Stage {
        position: statement.position(),
        name,
        image,
        platform: platform.filter(|word| !word.text.is_empty()),
        instructions: Vec::new(),
    })
}

fn stage_name(word: &Word) -> Result<String, Fault> {
    let name = word.text.to_lowercase();
    let is_fine = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || matches!(other, '-' | '_' | '.'));
    if is_fine {
        return Ok(name);
    }
    Err(Problem::syntax_with(
        format!("{:?} cannot name a stage", word.text),
        "a name begins with a letter, then letters, digits, - _ and . may follow",
    )
    .here(word.position))
}
