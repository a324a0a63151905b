//! Values that are written in one text.

use std::collections::BTreeMap;
use std::path::PathBuf;

use shipway::error::Error;
use shipway::recipe::ImagePath;

use crate::failure::CommandError;

pub(super) fn image_path(origin: &str, text: &str) -> anyhow::Result<ImagePath> {
    text.parse::<ImagePath>().map_err(|error| {
        CommandError::usage(format!("{origin}: {text:?} cannot be used"))
            .because(Error::from(error))
            .into()
    })
}

/// A file or folder and its place. A file whose place ends with a slash goes into that directory.
pub(super) fn addition(origin: &str, from: PathBuf, to: &str) -> anyhow::Result<(PathBuf, ImagePath)> {
    let place = match from.file_name().and_then(|name| name.to_str()) {
        Some(name) if to.ends_with('/') && !from.is_dir() => image_path(origin, &format!("{to}{name}"))?,
        _ => image_path(origin, to)?,
    };
    Ok((from, place))
}

/// `KEY=VALUE`, each.
pub(super) fn pairs(flag: &str, texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(CommandError::usage(format!("{flag} {text}: not KEY=VALUE")).into()),
        })
        .collect()
}

/// A JSON list of words, or one word.
pub(super) fn words(flag: &str, text: &str) -> anyhow::Result<Vec<String>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| {
            CommandError::usage(format!("{flag} {text}: not a JSON list of words"))
                .because(error)
                .into()
        });
    }
    Ok(vec![text.to_owned()])
}
