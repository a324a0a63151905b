//! Compares what builders made of a case, and says what nobody has given a reason for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::builders::{Built, Prepared};
use super::case::{Builder, Case, Expected};
use super::differences::{self, Unlike};
use super::image::Image;
use super::why::Why;
use crate::parts::asks_all;

/// Builds all cases, and fails with all that is wrong with any of them.
pub(crate) fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for case in cases {
        for line in judged(case) {
            writeln!(wrong, "{}: {line}", case.name).expect("memory can be written");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn judged(case: &Case) -> Vec<String> {
    let prepared = Prepared::new(case);
    let mut wrong = Vec::new();
    let judgement = match case.expected {
        Some(_) if case.fails => Err("what the reference says".to_owned()),
        Some(expected) => Ok(image_of(&expected)),
        None if is_ignorant(case, case.judge) => Err("cannot be asked".to_owned()),
        None => prepared.built_by(case.judge),
    };
    if case.fails != judgement.is_err() {
        wrong.push(format!("the judge: {}", told(&judgement)));
    }
    for builder in [Builder::BuildKit, Builder::Docker, Builder::Buildah, Builder::Shipway] {
        if !is_asked(case, builder) {
            continue;
        }
        let mut built = prepared.built_by(builder);
        let mut right = judgement.clone();
        if builder != Builder::Shipway || (case.judge != Builder::BuildKit && case.expected.is_none()) {
            right = right.map(|image| image.without_root());
            built = built.map(|image| image.without_root());
        }
        let found = compared(&right, &built, &differences::of(case.name, builder));
        wrong.extend(found.into_iter().map(|line| format!("{builder:?}: {line}")));
    }
    wrong
}

/// Besides shipway and the judge, those of whom the table says that they do something else. To ask them what they agree on too takes
/// some minutes: `SHIPWAY_TEST_ALL_BUILDERS` has it done.
fn is_asked(case: &Case, builder: Builder) -> bool {
    match builder {
        Builder::Shipway => true,
        _ if case.expected.is_some() || builder == case.judge || is_ignorant(case, builder) => false,
        _ => asks_all() || !differences::of(case.name, builder).is_empty(),
    }
}

fn is_ignorant(case: &Case, builder: Builder) -> bool {
    let unlike = differences::of(case.name, builder);
    unlike.iter().any(|(unlike, _)| *unlike == Unlike::Ignorance)
}

/// What of `built` is neither the judge's nor in the table, and what is in the table and not so.
fn compared(judgement: &Built, built: &Built, unlike: &[(Unlike, Why)]) -> Vec<String> {
    let outcome_differs = unlike.iter().any(|(unlike, _)| *unlike == Unlike::Outcome);
    let (Ok(right), Ok(image)) = (judgement, built) else {
        return match (judgement.is_ok() == built.is_ok(), outcome_differs) {
            (true, false) | (false, true) => Vec::new(),
            (true, true) => vec!["agrees, although the table says otherwise".to_owned()],
            (false, false) => vec![format!("{}, the judge: {}", told(built), told(judgement))],
        };
    };
    if outcome_differs {
        // Both build, but not the same: what it makes is of no interest.
        return match right == image {
            true => vec!["agrees, although the table says otherwise".to_owned()],
            false => Vec::new(),
        };
    }
    let found = right.differences(image);
    let is_known = |place: &str| unlike.iter().any(|(unlike, _)| is_at(*unlike, place));
    let mut wrong: Vec<String> = found
        .iter()
        .filter(|(place, _)| !is_known(place))
        .map(|(place, what)| format!("{place} is {what}"))
        .collect();
    for (unlike, why) in unlike {
        if !found.iter().any(|(place, _)| is_at(*unlike, place)) {
            wrong.push(format!("is not {unlike:?} any more: {}", why.subject()));
        }
    }
    wrong
}

fn is_at(unlike: Unlike, place: &str) -> bool {
    match unlike {
        Unlike::At(known) => match known.strip_suffix("/**") {
            Some(above) => place.starts_with(&format!("{above}/")),
            None => known == place,
        },
        Unlike::Outcome | Unlike::Ignorance => false,
    }
}

fn told(built: &Built) -> String {
    match built {
        Ok(_) => "builds".to_owned(),
        Err(said) => {
            let last: Vec<&str> = said
                .lines()
                .rev()
                .filter(|line| !line.trim().is_empty())
                .take(2)
                .collect();
            format!("refuses: {}", last.join(" / "))
        }
    }
}

fn image_of(expected: &Expected) -> Image {
    let files = expected.files.lines().map(str::trim).filter(|line| !line.is_empty());
    let files: BTreeMap<String, String> = files
        .map(|line| {
            let (path, told) = line.split_once("  ").expect("a path, two spaces, and what is there");
            (path.to_owned(), told.trim().to_owned())
        })
        .collect();
    let config: BTreeMap<String, Value> = serde_json::from_str(expected.config).expect("a config in JSON");
    Image { files, config }
}
