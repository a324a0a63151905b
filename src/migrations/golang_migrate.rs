//! golang-migrate: `VERSION_name.up.sql` and `VERSION_name.down.sql`, where a version is a number of 64 bits.

use super::flyway::name::Kind;
use super::revision::{Direction, digits, ignored, step};

/// Where its profile puts scripts.
pub const FOLDER: &str = "/migrations";

/// What golang-migrate makes of a name. What stands behind the direction may be anything: the last direction in the name counts.
#[must_use]
pub fn classify(name: &str) -> Kind {
    let version = digits(name);
    if version.is_empty() {
        return ignored("its name does not begin with a digit");
    }
    let Some(rest) = name[version.len()..].strip_prefix('_') else {
        return ignored("no underscore follows its number");
    };
    let directions = [(".up.", Direction::Up), (".down.", Direction::Down)];
    let found = directions
        .into_iter()
        .filter_map(|(word, direction)| Some((rest.rfind(word)?, direction)));
    let Some((at, direction)) = found.max_by_key(|(at, _)| *at) else {
        return ignored("its name has neither .up. nor .down. in it");
    };
    match version.parse::<u64>() {
        Ok(version) => step(version.to_string(), &rest[..at], direction),
        Err(_) => ignored("its number does not fit into 64 bits"),
    }
}
