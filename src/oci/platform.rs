//! Platforms an image runs on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Operating system, processor architecture and its variant, in the words of the image specification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// Processor architecture, such as `amd64`.
    pub architecture: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Variant of the architecture, such as `v8`; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl Platform {
    /// The platform used where nobody names one.
    #[must_use]
    pub fn linux_amd64() -> Self {
        Self {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            variant: String::new(),
        }
    }

    /// Whether an image for `offered` is what this request asks for: a variant counts only if asked for, and `v8` is
    /// what arm64 without a variant means.
    #[must_use]
    pub fn accepts(&self, offered: &Self) -> bool {
        self.os == offered.os
            && self.architecture == offered.architecture
            && (self.variant.is_empty() || self.variant == offered.normal_variant())
    }

    /// How far an image for `offered` is from the best this request can get: the exact platform first, and of arm without
    /// a variant `v7`, then `v6`, then `v5`, as containerd has it.
    #[must_use]
    pub fn distance(&self, offered: &Self) -> u8 {
        if self == offered {
            return 0;
        }
        match (offered.architecture.as_str(), offered.variant.as_str()) {
            ("arm", "v7") => 1,
            ("arm", "v6") => 2,
            ("arm", "v5") => 3,
            _ => 4,
        }
    }

    /// Whether both mean the same platform: `v8` is what arm64 without a variant means.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && self.normal_variant() == other.normal_variant()
    }

    fn normal_variant(&self) -> &str {
        if self.variant.is_empty() && self.architecture == "arm64" {
            "v8"
        } else {
            &self.variant
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

/// A text that is not `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("platform {0:?} is not OS/ARCHITECTURE[/VARIANT], such as linux/arm64")]
pub struct PlatformError(pub String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(is_word) {
            return Err(PlatformError(text.to_owned()));
        }
        let architecture = match parts[1] {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Ok(Self {
            architecture: architecture.to_owned(),
            os: parts[0].to_owned(),
            variant: parts.get(2).copied().unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().expect(text)
    }

    #[test]
    fn reads_the_usual_spellings() {
        assert_eq!(platform("linux/x86_64"), Platform::linux_amd64());
        assert_eq!(platform("linux/arm64/v8").to_string(), "linux/arm64/v8");
        for wrong in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_newest_arm_is_the_nearest() {
        let arm = platform("linux/arm");
        let mut offered = ["linux/arm/v5", "linux/arm/v7", "linux/arm", "linux/arm/v6"].map(platform);
        offered.sort_by_key(|offered| arm.distance(offered));
        let sorted = offered.map(|platform| platform.to_string());
        assert_eq!(sorted, ["linux/arm", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]);
    }

    #[test]
    fn a_variant_counts_only_if_asked_for() {
        assert!(platform("linux/arm64").accepts(&platform("linux/arm64/v8")));
        assert!(platform("linux/arm64/v8").accepts(&platform("linux/arm64")));
        assert!(!platform("linux/arm/v6").accepts(&platform("linux/arm/v7")));
        assert!(!platform("linux/amd64").accepts(&platform("windows/amd64")));
    }
}
