//! Whether an image of Liquibase could speak to a database: since version 5 it brings no drivers.

use super::{Inputs, Profile};
use crate::oci::Reference;

/// The name its makers give their images, on every registry they publish to.
const OFFICIAL: &str = "liquibase/liquibase";
/// The first version without drivers.
const FIRST_WITHOUT: u64 = 5;

/// What is known of the drivers of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drivers {
    /// It has some, or needs none.
    Enough,
    /// It has none.
    None,
    /// The base may have some.
    Unknown,
}

impl Profile {
    /// What is known of the drivers of an image on a base, by the name of the base.
    #[must_use]
    pub fn drivers_on(self, base: &str, inputs: &Inputs) -> Drivers {
        let adds_jar = inputs.additions.iter().any(|(from, to)| {
            let is_jar = |path: &str| path.to_ascii_lowercase().ends_with(".jar");
            // A folder may hold one.
            to.to_string().starts_with("/liquibase/") && (from.is_dir() || is_jar(&to.to_string()))
        });
        if self != Self::Liquibase || !inputs.drivers.is_empty() || adds_jar {
            return Drivers::Enough;
        }
        // A layout, an archive, an image of the daemon.
        let Ok(reference) = base.parse::<Reference>() else {
            return Drivers::Unknown;
        };
        let is_official = reference.repository.to_string().ends_with(OFFICIAL);
        let version = reference.tag.as_ref().map(ToString::to_string);
        let major = version
            .as_deref()
            .and_then(|tag| tag.split(['.', '-']).next()?.parse::<u64>().ok());
        match major {
            Some(major) if major < FIRST_WITHOUT => Drivers::Enough,
            Some(_) if is_official => Drivers::None,
            None if is_official
                && reference.digest.is_none()
                && version.as_deref().is_none_or(|tag| tag == "latest") =>
            {
                Drivers::None
            }
            _ => Drivers::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_missing_since_version_5() {
        let digest = format!("liquibase/liquibase@sha256:{}", "a".repeat(64));
        for (base, expected) in [
            ("liquibase/liquibase:4.33", Drivers::Enough),
            ("liquibase/liquibase:4.33.0-alpine", Drivers::Enough),
            ("ghcr.io/liquibase/liquibase:4", Drivers::Enough),
            ("registry.example.com/tools:4.31", Drivers::Enough),
            ("liquibase/liquibase:5.0.1", Drivers::None),
            ("liquibase/liquibase:5-alpine", Drivers::None),
            ("liquibase/liquibase", Drivers::None),
            ("public.ecr.aws/liquibase/liquibase:latest", Drivers::None),
            ("registry.example.com/hub/liquibase/liquibase:5", Drivers::None),
            ("liquibase/liquibase:nightly", Drivers::Unknown),
            ("registry.example.com/our-liquibase:5.0", Drivers::Unknown),
            (digest.as_str(), Drivers::Unknown),
            ("oci:folder", Drivers::Unknown),
        ] {
            assert_eq!(
                Profile::Liquibase.drivers_on(base, &Inputs::default()),
                expected,
                "{base}"
            );
            assert_eq!(Profile::Flyway.drivers_on(base, &Inputs::default()), Drivers::Enough);
        }
    }

    #[test]
    fn a_driver_that_is_given_is_enough() {
        let base = "liquibase/liquibase:5";
        let given = Inputs {
            drivers: vec!["a.jar".into()],
            ..Inputs::default()
        };
        assert_eq!(Profile::Liquibase.drivers_on(base, &given), Drivers::Enough);
        let added = |to: &str| Inputs {
            additions: vec![("a.jar".into(), to.parse().expect("path"))],
            ..Inputs::default()
        };
        assert_eq!(
            Profile::Liquibase.drivers_on(base, &added("/liquibase/lib/a.jar")),
            Drivers::Enough
        );
        assert_eq!(Profile::Liquibase.drivers_on(base, &added("/a.jar")), Drivers::None);
    }
}
