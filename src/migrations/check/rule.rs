//! The rules: what each is called, how bad it is, and what its page says.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It is not looked for.
    Off,
    /// Worth knowing.
    Info,
    /// Likely to hurt.
    Warning,
    /// It fails the check, and the build.
    Error,
}

impl Level {
    /// Its name, as in `shipway.toml` and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a level: there are error, warning, info and off")]
pub struct LevelError(pub String);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        [Self::Off, Self::Info, Self::Warning, Self::Error]
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The names of files.
    Names,
    /// What is in them.
    Content,
    /// What they would do to a database in use; asked of new files only.
    Risk,
    /// What must not be in an image. It cannot be switched off.
    Secrets,
    /// What became of that which was shipped.
    Drift,
}

/// A rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: a letter and three digits.
    pub code: &'static str,
    /// What it is about.
    pub family: Family,
    /// How bad a finding is as a rule.
    pub level: Level,
    /// What it finds, in a phrase.
    pub title: &'static str,
    /// Its page, in Markdown.
    pub page: &'static str,
}

impl Rule {
    /// The rule with a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<&'static Self> {
        let at = RULES.binary_search_by(|rule| rule.code.cmp(code)).ok()?;
        RULES.get(at)
    }

    /// The code most like one that is none.
    #[must_use]
    pub fn nearest(code: &str) -> Option<&'static str> {
        /// As many characters may differ.
        const DISTANCE: usize = 2;
        let code = code.to_ascii_uppercase();
        let near = RULES
            .iter()
            .map(|rule| (strsim::levenshtein(rule.code, &code), rule.code));
        near.min()
            .filter(|(distance, _)| *distance <= DISTANCE)
            .map(|(_, code)| code)
    }
}

const fn rule(code: &'static str, family: Family, level: Level, title: &'static str, page: &'static str) -> Rule {
    Rule {
        code,
        family,
        level,
        title,
        page,
    }
}

macro_rules! rules {
    ($($code:ident $family:ident $level:ident $title:literal)*) => {
        /// All rules, sorted by code.
        pub static RULES: &[Rule] = &[$(rule(
            stringify!($code),
            Family::$family,
            Level::$level,
            $title,
            include_str!(concat!("../../../docs/rules/", stringify!($code), ".md")),
        )),*];
    };
}

rules! {
    C001 Content Error "a script that is not in the configured encoding"
    C002 Content Warning "a byte order mark inside a script, or UTF-16 that is not configured"
    C003 Content Error "a placeholder nobody gives a value"
    C004 Content Warning "a repeatable migration whose checksum changes by itself"
    C005 Content Error "statements that need a transaction beside statements that refuse one"
    C006 Content Warning "an index made concurrently while Flyway holds its lock"
    C007 Content Error "a quote, comment, parenthesis or block that does not end"
    C008 Content Warning "a DELIMITER that is not set back"
    C009 Content Warning "a transaction inside the transaction of the migration"
    C010 Content Warning "a text or parameter that Flyway reads differently from PostgreSQL"
    C011 Content Error "a command of a client program, which is not SQL"
    C012 Content Warning "several definitions in one script for a database that cannot take them back"
    C013 Content Info "a script without a statement"
    C014 Content Warning "a comment that is to allow a rule, and allows none"
    D001 Drift Error "a migration that was shipped has changed"
    D002 Drift Info "a migration that was shipped has changed in a way its checksum does not show"
    D003 Drift Error "a migration that was shipped is gone"
    D004 Drift Error "a repeatable migration that was shipped is gone"
    D005 Drift Error "the description of a version that was shipped has changed"
    D006 Drift Info "a migration that was shipped lies somewhere else"
    D007 Drift Error "a new version that is not above all that were shipped"
    D008 Drift Error "the kind of a version that was shipped has changed"
    D009 Drift Info "a repeatable migration has changed and will run again"
    D010 Drift Warning "a callback was added, changed or removed"
    D011 Drift Warning "the configuration has changed in what migrations depend on"
    D012 Drift Warning "the base image has another major version"
    D013 Drift Error "the image that was shipped is of another project"
    D014 Drift Info "the image that was shipped has no manifest and was read from its layers"
    D015 Drift Info "two branches bring migrations that collide"
    N001 Names Error "a file that looks like a migration and is silently passed over"
    N002 Names Error "two migrations with one version"
    N003 Names Error "two repeatable migrations with one description"
    N004 Names Error "two callbacks with one name"
    N005 Names Error "a version that is not digits joined by dots or underscores"
    N006 Names Warning "a version, a description or a path longer than the history table keeps"
    N007 Names Warning "a migration without a description"
    N008 Names Info "a version that is spelled differently from the one that was shipped"
    N009 Names Warning "an undo migration, which the open edition of Flyway never runs"
    N010 Names Error "a migration the runner cannot run"
    N011 Names Error "a script configuration without a script, or with a key or value Flyway refuses"
    N012 Names Warning "a file that is hidden, unreadable, or differs from another by case only"
    N013 Names Error "flyway.toml and flyway.conf in one image, of which Flyway reads the first only"
    N014 Names Error "no migrations at all"
    N015 Names Error "atlas.sum does not fit the files"
    N016 Names Error "a changelog that cannot be read, includes itself, or includes what is not there"
    N017 Names Warning "migrations whose order as texts is not that of their numbers"
    R001 Risk Warning "a table, schema or database is dropped"
    R002 Risk Warning "a column is dropped"
    R003 Risk Warning "rows are deleted or changed without a condition, or a table is emptied"
    R010 Risk Warning "an index is made or dropped while writers wait"
    R011 Risk Warning "a foreign key or check is validated while writers wait"
    R012 Risk Warning "a unique or primary key is built while everybody waits"
    R013 Risk Warning "a column that must not be null is added without a default"
    R014 Risk Warning "a column is made NOT NULL, which reads the whole table"
    R015 Risk Warning "the type of a column is changed"
    R016 Risk Warning "a table or column is renamed"
    R017 Risk Off "a strong lock is asked for without a limit on the waiting"
    R018 Risk Warning "a value of an enum is used in the transaction that adds it"
    R020 Risk Warning "more rights than needed are granted"
    R021 Risk Error "a password in a script"
    R022 Risk Warning "a column is added whose value is worked out for every row"
    S001 Secrets Error "a secret in a configuration file"
    S002 Secrets Error "an address with a password in it"
    S003 Secrets Warning "what looks like a key or a token"
    S004 Secrets Error "a secret in the environment or a label of the image"
}
