//! Compares what builders made of a case, and says what nobody has given a reason for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::builders::{Built, Prepared};
use super::case::{Builder, Case, Expected, Unlike};
use super::image::Image;
use super::why::Why;

const BUILDERS: [Builder; 3] = [Builder::BuildKit, Builder::Docker, Builder::Buildah];

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
        None if case.fails && ignores(case, case.judge) => Err(String::new()),
        None => prepared.built_by(case.judge),
    };
    if case.fails != judgement.is_err() {
        wrong.push(format!("the judge: {}", told(&judgement)));
    }
    let others = BUILDERS
        .iter()
        .filter(|builder| case.expected.is_none() && **builder != case.judge);
    for builder in others {
        let unlike: Vec<(Unlike, Why)> = case
            .unlike
            .iter()
            .filter(|(other, ..)| other == builder)
            .map(|(_, unlike, why)| (*unlike, *why))
            .collect();
        if !ignores(case, *builder) {
            let [right, built] =
                [&judgement, &prepared.built_by(*builder)].map(|built| built.clone().map(|image| image.without_root()));
            let found = compared(&right, &built, &unlike);
            wrong.extend(found.into_iter().map(|line| format!("{builder:?}: {line}")));
        }
    }
    // TEMPORARY
    if !std::path::Path::new("/tmp/pp/with-shipway").exists() {
        return wrong;
    }
    let found = compared(&judgement, &prepared.built_by_shipway(), &case.shipway_unlike);
    wrong.extend(found.into_iter().map(|line| format!("shipway: {line}")));
    wrong
}

fn ignores(case: &Case, builder: Builder) -> bool {
    let mut unlike = case.unlike.iter();
    unlike.any(|(other, unlike, _)| *other == builder && *unlike == Unlike::Ignorance)
}

/// What of `built` is neither the judge's nor accounted for, and what is accounted for and not so.
fn compared(judgement: &Built, built: &Built, unlike: &[(Unlike, Why)]) -> Vec<String> {
    let outcome_differs = unlike.iter().any(|(unlike, _)| *unlike == Unlike::Outcome);
    let (Ok(right), Ok(image)) = (judgement, built) else {
        return match (judgement.is_ok() == built.is_ok(), outcome_differs) {
            (true, false) | (false, true) => Vec::new(),
            (true, true) => vec!["agrees, although the case says otherwise".to_owned()],
            (false, false) => vec![format!("{}, the judge: {}", told(built), told(judgement))],
        };
    };
    if outcome_differs {
        return vec!["agrees, although the case says otherwise".to_owned()];
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
            wrong.push(format!("is not {unlike:?} any more: {}", why.text()));
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
