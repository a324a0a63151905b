//! Update expressions: `SET`, `REMOVE` and `ADD`, each once.

use serde_json::{Value, json};

use super::Item;
use super::expression::{Parser, Token};
use super::path::{Part, Words, find, place};

/// Changes an item; every value is one from before any change.
pub(super) fn apply(text: &str, words: &Words, item: &mut Item) -> Result<(), String> {
    let old = item.clone();
    let mut parser = Parser::new(text, words, &old)?;
    let mut changes: Vec<(Vec<Part>, Option<Value>)> = Vec::new();
    let mut seen = Vec::new();
    while parser.peek().is_some() {
        let clauses = ["SET", "REMOVE", "ADD"];
        let clause = clauses.into_iter().find(|clause| parser.takes_word(clause));
        let clause = clause.ok_or_else(|| format!("Syntax error; token: {:?}", parser.peek()))?;
        if seen.contains(&clause) {
            return Err(format!(
                "The \"{clause}\" section can only be used once in an update expression;"
            ));
        }
        seen.push(clause);
        loop {
            let path = parser.path()?;
            let value = match clause {
                "SET" => {
                    parser.expect("=")?;
                    Some(sum(&mut parser)?)
                }
                "ADD" => {
                    let added = operand(&mut parser)?;
                    Some(match find(&old, &path) {
                        Some(before) => plus(&before, &added, 1.0)?,
                        None => added,
                    })
                }
                _ => None,
            };
            changes.push((path, value));
            if !parser.takes(",") {
                break;
            }
        }
    }
    for (index, (path, _)) in changes.iter().enumerate() {
        let overlaps = |other: &[Part]| path.starts_with(other) || other.starts_with(path);
        if changes[..index].iter().any(|(other, _)| overlaps(other)) {
            return Err("Two document paths overlap with each other".to_owned());
        }
        if let [Part::Name(name)] = path.as_slice()
            && ["pk", "sk"].contains(&name.as_str())
        {
            return Err(format!(
                "Cannot update attribute {name}. This attribute is part of the key"
            ));
        }
    }
    changes
        .into_iter()
        .try_for_each(|(path, value)| place(item, &path, value))
}

fn sum(parser: &mut Parser<'_>) -> Result<Value, String> {
    let value = operand(parser)?;
    if parser.takes("+") {
        return plus(&value, &operand(parser)?, 1.0);
    }
    if parser.takes("-") {
        return plus(&value, &operand(parser)?, -1.0);
    }
    Ok(value)
}

fn operand(parser: &mut Parser<'_>) -> Result<Value, String> {
    let missing = || "The provided expression refers to an attribute that does not exist in the item".to_owned();
    if !matches!(parser.peek(), Some(Token::Word(word)) if word == "if_not_exists") {
        return parser.operand()?.ok_or_else(missing);
    }
    parser.takes_word("if_not_exists");
    parser.expect("(")?;
    let found = parser.operand()?;
    parser.expect(",")?;
    let instead = parser.operand()?;
    parser.expect(")")?;
    found.or(instead).ok_or_else(missing)
}

fn plus(left: &Value, right: &Value, sign: f64) -> Result<Value, String> {
    let number = |value: &Value| value["N"].as_str().and_then(|text| text.parse::<f64>().ok());
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(json!({"N": (left + sign * right).to_string()})),
        _ => Err("An operand in the update expression has an incorrect data type".to_owned()),
    }
}
