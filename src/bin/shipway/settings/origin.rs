//! Values that know where they were said.

use std::str::FromStr;

use shipway::error::Error;

use crate::environment::Environment;
use crate::failure::CommandError;

/// Where a value was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// With a flag.
    Flag(&'static str),
    /// In an environment variable.
    Variable(&'static str),
    /// In the project file, under this key.
    File(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File(key) => write!(f, "{key} in the project file"),
        }
    }
}

/// A value, and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it was said.
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    /// A value given with a flag.
    pub(crate) fn flag(name: &'static str, value: Option<T>) -> Option<Self> {
        value.map(|value| Self {
            value,
            origin: Origin::Flag(name),
        })
    }

    /// A value of the project file.
    pub(crate) fn file(key: &'static str, value: Option<T>) -> Option<Self> {
        value.map(|value| Self {
            value,
            origin: Origin::File(key),
        })
    }

    /// Another value said in the same place.
    pub(crate) fn with<U>(&self, value: U) -> Setting<U> {
        Setting {
            value,
            origin: self.origin,
        }
    }

    /// Whether it was said in the project file.
    pub(crate) fn is_from_file(&self) -> bool {
        matches!(self.origin, Origin::File(_))
    }
}

impl Setting<String> {
    /// The value of an environment variable.
    pub(crate) fn variable(environment: &Environment, name: &'static str) -> Option<Self> {
        environment.get(name).map(|value| Self {
            value: value.to_owned(),
            origin: Origin::Variable(name),
        })
    }

    /// Reads the value as a `T`; the error names where it was said.
    pub(crate) fn parse<T>(&self) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: Into<Error>,
    {
        self.value.parse::<T>().map_err(|error| {
            let error: Error = error.into();
            CommandError::usage(format!("{}: {:?} cannot be used", self.origin, self.value))
                .because(error)
                .into()
        })
    }
}

impl Setting<Vec<String>> {
    /// The list in an environment variable.
    pub(crate) fn variable_list(environment: &Environment, name: &'static str) -> Option<Self> {
        environment.list(name).map(|value| Self {
            value,
            origin: Origin::Variable(name),
        })
    }
}

/// The first value that was said.
pub(crate) fn first<T: Clone>(candidates: &[Option<Setting<T>>]) -> Option<Setting<T>> {
    candidates.iter().flatten().next().cloned()
}
