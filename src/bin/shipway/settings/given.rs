//! What a run is given, wherever it is.

use std::fs;
use std::path::Path;

use shipway::execute::Variables;

use crate::args::RunArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Largest file of variables. It is text that somebody wrote.
const ENV_FILE_LIMIT: u64 = 1 << 20;

/// Files first, flags over them.
pub(super) fn variables(
    arguments: &RunArguments,
    environment: &Environment,
    notices: &mut Vec<String>,
) -> anyhow::Result<Variables> {
    let here = |name: &str| environment.even_empty(name).map(str::to_owned);
    let mut variables = Variables::default();
    for file in &arguments.env_file {
        let content = read(file)?;
        let missing = variables.add_file(&content, &here).map_err(|error| {
            CommandError::usage(format!("--env-file: {} cannot be used", file.display())).because(error)
        })?;
        for line in missing {
            let file = file.display();
            notices.push(format!(
                "{file}: line {line} names a variable that is not set here; it is left out"
            ));
        }
    }
    for (index, text) in arguments.env.iter().enumerate() {
        match variables.add(text, &here) {
            Ok(true) => {}
            // It may be a value whose name was forgotten, so it is not shown.
            Ok(false) => notices.push(format!(
                "--env number {} names a variable that is not set here; it is left out",
                index + 1
            )),
            // What was given may be a value whose name was forgotten.
            Err(error) => {
                return Err(CommandError::usage("--env: it is not NAME or NAME=VALUE")
                    .because(error)
                    .into());
            }
        }
    }
    Ok(variables)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    let failed = |error: std::io::Error| CommandError::usage(format!("--env-file: cannot read {shown}")).because(error);
    // A pipe has no size, and is read as it comes.
    if fs::metadata(file).map_err(failed)?.len() > ENV_FILE_LIMIT {
        let message = format!("--env-file: {shown} is larger than {ENV_FILE_LIMIT} bytes");
        return Err(CommandError::usage(message).into());
    }
    Ok(fs::read(file).map_err(failed)?)
}

/// A number of bytes, or of kilo-, mega- or gigabytes (of 1024) with a letter behind it.
pub(super) fn memory(text: &str) -> anyhow::Result<u64> {
    let wrong = || {
        CommandError::usage(format!("--memory {text}: not a size"))
            .hint("a number with b, k, m or g behind it, such as 512m")
    };
    let lower = text.to_ascii_lowercase();
    let (number, factor): (&str, u64) = match lower.char_indices().last() {
        Some((at, 'b')) => (&lower[..at], 1),
        Some((at, 'k')) => (&lower[..at], 1 << 10),
        Some((at, 'm')) => (&lower[..at], 1 << 20),
        Some((at, 'g')) => (&lower[..at], 1 << 30),
        _ => (&lower, 1),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(factor) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(wrong().into()),
    }
}
