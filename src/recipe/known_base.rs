//! Bases whose files are known without reading them.

use super::ImagePath;
use crate::oci::ImageConfig;

/// What a profile knows of the bases made for it, so that nothing has to be read to place files in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBase {
    /// The base is one of them if this program, by its name or its path in the directory, is all its entrypoint says,
    /// and the directory is its working directory.
    pub program: String,
    /// In such a base this is a directory, and all directories below are plain: mode 0755, of root, no links.
    pub directory: ImagePath,
    /// Directories in it, with nothing in them that files could be mistaken for: no links, and no directories but
    /// plain ones.
    pub folders: Vec<ImagePath>,
    /// Directories of the same kind that may be there or not.
    pub possible: Vec<ImagePath>,
}

impl KnownBase {
    /// Whether a config is of such a base: it starts the program, nothing before it, and from its directory. A wrapper
    /// of the program may be part of an image that is laid out in another way.
    #[must_use]
    pub fn is(&self, config: &ImageConfig) -> bool {
        let (Ok(entrypoint), Ok(directory)) = (config.entrypoint(), config.working_directory()) else {
            return false;
        };
        let [program] = entrypoint.as_slice() else {
            return false;
        };
        let home = self.directory.to_string();
        (*program == self.program || *program == format!("{home}/{}", self.program)) && directory == home
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_program_makes_a_base_known() {
        let known = KnownBase {
            program: "flyway".to_owned(),
            directory: "/flyway".parse().expect("path"),
            folders: Vec::new(),
            possible: Vec::new(),
        };
        let is_known = |execution: &str| {
            let text = format!(
                r#"{{"os":"linux","architecture":"amd64","config":{execution},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
            );
            known.is(&ImageConfig::parse(text.as_bytes()).expect(execution))
        };
        assert!(is_known(r#"{"Entrypoint":["flyway"],"WorkingDir":"/flyway"}"#));
        assert!(is_known(r#"{"Entrypoint":["/flyway/flyway"],"WorkingDir":"/flyway"}"#));
        for execution in [
            "{}",
            r#"{"Entrypoint":["flyway"]}"#,
            r#"{"Entrypoint":["flyway"],"WorkingDir":"/work"}"#,
            r#"{"Entrypoint":["flyway","migrate"],"WorkingDir":"/flyway"}"#,
            r#"{"Entrypoint":["/opt/flyway"],"WorkingDir":"/flyway"}"#,
            r#"{"Entrypoint":["tini","flyway"],"WorkingDir":"/flyway"}"#,
        ] {
            assert!(!is_known(execution), "{execution}");
        }
    }
}
