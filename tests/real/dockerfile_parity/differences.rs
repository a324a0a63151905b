//! Every known difference: the case, who does not agree with its judge, at which place, and why.

use super::case::Builder::{self, BuildKit, Buildah, Docker, Shipway};
use super::why::Why;

/// What a builder does otherwise than the judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unlike {
    /// It makes something else at this place: a path with `/` in front, or a field of the config. `/path/**` is all below.
    At(&'static str),
    /// It builds where the judge refuses, or the reverse.
    Outcome,
    /// It cannot be asked.
    Ignorance,
}

use Unlike::{At, Ignorance, Outcome};

/// The table.
pub(crate) const KNOWN: &[(&str, Builder, Unlike, Why)] = &[
    ("add-tar-chown", Docker, At("/out"), Why::DirectoriesOnTheWay),
    ("add-tar-chown", Buildah, At("/out/no"), Why::DirectoriesOnTheWay),
    (
        "add-tar-chown",
        Buildah,
        At("/out/no/parents"),
        Why::DirectoriesOnTheWay,
    ),
    (
        "add-tar-with-directory-over-link",
        Shipway,
        At("/lib"),
        Why::DirectoryOverLink,
    ),
    (
        "add-tar-with-directory-over-link",
        Shipway,
        At("/lib/added.so"),
        Why::DirectoryOverLink,
    ),
    (
        "add-tar-with-directory-over-link",
        Shipway,
        At("/usr/lib/added.so"),
        Why::DirectoryOverLink,
    ),
    ("arg-scopes-of-a-stage", Docker, At("Env"), Why::ArgumentsOfStages),
    ("arg-scopes-of-a-stage", Buildah, At("Env"), Why::ArgumentsOfStages),
    ("arg-after-env", Docker, At("Env"), Why::ArgumentsOverVariables),
    ("arg-after-env", Buildah, At("Env"), Why::ArgumentsOverVariables),
    ("base-from-argument", Buildah, Outcome, Why::StageNames),
    ("before-from", Buildah, Outcome, Why::InstructionsBeforeFrom),
    ("brackets-in-names", Buildah, At("/out/a1.txt"), Why::BracketsInPatterns),
    (
        "brackets-in-names",
        Buildah,
        At("/out/a[1].txt"),
        Why::BracketsInPatterns,
    ),
    ("chmod-and-chown", Docker, Outcome, Why::ChmodNeedsBuildKit),
    ("chmod-and-chown", BuildKit, At("/all/**"), Why::SetIdOfChmod),
    ("chmod-octal", Docker, Outcome, Why::ChmodNeedsBuildKit),
    ("chmod-octal", BuildKit, At("/deep/er/y"), Why::SetIdOfChmod),
    (
        "chown-makes-directories",
        Docker,
        At("/srv/more"),
        Why::DirectoriesOnTheWay,
    ),
    ("chown-of-nobody", BuildKit, Outcome, Why::UnknownNames),
    ("chown-of-no-group", BuildKit, Outcome, Why::UnknownNames),
    (
        "destination-is-a-linked-file",
        Buildah,
        At("/etc/settings"),
        Why::LinkToFile,
    ),
    (
        "destination-is-a-linked-file",
        Buildah,
        At("/etc/settings-link"),
        Why::LinkToFile,
    ),
    ("destination-leaves-the-root", Docker, Outcome, Why::OutOfTheRoot),
    (
        "directory-over-linked-directory",
        BuildKit,
        Outcome,
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/bin"),
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/bin/new"),
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/lib"),
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/lib/new.so"),
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/usr/bin/new"),
        Why::DirectoryOverLink,
    ),
    (
        "directory-over-linked-directory",
        Shipway,
        At("/usr/lib/new.so"),
        Why::DirectoryOverLink,
    ),
    ("env-keeps-its-place", Buildah, At("Env"), Why::OrderOfVariables),
    ("env-refers-to-earlier", Buildah, At("Env"), Why::OrderOfVariables),
    ("escape-directive", Buildah, At("/windows"), Why::Escape),
    ("escape-directive", Buildah, At("/windows\\"), Why::Escape),
    ("escape-directive", Buildah, At("Env"), Why::Escape),
    ("expose", Buildah, At("ExposedPorts"), Why::Expose),
    ("expose-nonsense", Buildah, Outcome, Why::Expose),
    ("file-over-directory", Docker, Outcome, Why::DirectoryOverFile),
    ("file-over-directory", Buildah, Outcome, Why::DirectoryOverFile),
    ("from-image", Shipway, At("/opt/first"), Why::HardLinks),
    ("from-image", Shipway, At("/opt/second"), Why::HardLinks),
    (
        "from-image-hard-links-and-capabilities",
        Shipway,
        At("/usr/bin/tool"),
        Why::HardLinks,
    ),
    (
        "from-image-hard-links-and-capabilities",
        Shipway,
        At("/usr/bin/tool-again"),
        Why::HardLinks,
    ),
    ("from-image-whole", Shipway, At("/opt/first"), Why::HardLinks),
    ("from-image-whole", Shipway, At("/opt/second"), Why::HardLinks),
    ("from-image-whole", Shipway, At("/usr/bin/tool"), Why::HardLinks),
    ("from-image-whole", Shipway, At("/usr/bin/tool-again"), Why::HardLinks),
    ("hard-links-in-the-context", Shipway, At("/out/**"), Why::HardLinks),
    ("healthcheck-none", Docker, At("Healthcheck"), Why::Healthcheck),
    ("healthcheck-replaced", Docker, At("Healthcheck"), Why::Healthcheck),
    ("ignore-all-but-deep", Shipway, At("/app/d"), Why::ExceptionsAnywhere),
    ("ignore-all-but-deep", Shipway, At("/app/d/**"), Why::ExceptionsAnywhere),
    (
        "ignore-of-the-dockerfile",
        Docker,
        At("/app/a.txt"),
        Why::IgnoreFileOfTheDockerfile,
    ),
    (
        "ignore-of-the-dockerfile",
        Docker,
        At("/app/b.txt"),
        Why::IgnoreFileOfTheDockerfile,
    ),
    ("inherited-group", Docker, At("/srv/shared/copied"), Why::InheritedGroup),
    ("inherited-group", Docker, At("/srv/shared/worked"), Why::InheritedGroup),
    (
        "inherited-group",
        Buildah,
        At("/srv/shared/copied"),
        Why::InheritedGroup,
    ),
    (
        "inherited-group",
        Buildah,
        At("/srv/shared/worked"),
        Why::InheritedGroup,
    ),
    ("link-over-directory", Docker, Outcome, Why::DirectoryOverFile),
    ("link-over-directory", Buildah, Outcome, Why::DirectoryOverFile),
    ("names-in-json", Buildah, Outcome, Why::NamesBeyondAscii),
    ("no-from", BuildKit, Ignorance, Why::EngineEnds),
    ("pattern-matches-nothing", BuildKit, Outcome, Why::EmptyPattern),
    (
        "pattern-of-several-without-slash",
        BuildKit,
        Outcome,
        Why::SeveralSources,
    ),
    (
        "pattern-of-several-without-slash",
        Buildah,
        Outcome,
        Why::SeveralSources,
    ),
    ("predefined-platform", Docker, Outcome, Why::Platforms),
    ("several-without-slash", BuildKit, Outcome, Why::SeveralSources),
    ("several-without-slash", Buildah, Outcome, Why::SeveralSources),
    ("shell", Buildah, At("Entrypoint"), Why::Shell),
    ("shell-of-the-base", Buildah, At("Cmd"), Why::Shell),
    ("source-leaves-the-context", Docker, Outcome, Why::OutOfTheRoot),
    ("special-modes", Docker, At("/out/raised"), Why::SetIdOfContext),
    ("special-modes", Buildah, At("/out/raised"), Why::SetIdOfContext),
    ("special-modes", Buildah, At("/out/inherits"), Why::SetIdOfContext),
    ("stage-names-in-any-case", Buildah, Outcome, Why::StageNames),
    ("stage-that-nobody-needs", Docker, Outcome, Why::AllStages),
    ("target-by-number", BuildKit, Outcome, Why::TargetNumber),
    ("target-by-number", Docker, Outcome, Why::TargetNumber),
    ("user-does-not-own", Docker, At("/made"), Why::DirectoriesOnTheWay),
    ("user-does-not-own", Docker, At("/made/**"), Why::DirectoriesOnTheWay),
    ("users-of-this-build", Docker, Outcome, Why::GroupOfTheUser),
    ("workdir-by-user", Docker, At("/users"), Why::DirectoriesOnTheWay),
    ("workdir-by-user", Docker, At("/users/own"), Why::DirectoriesOnTheWay),
    ("workdir-is-a-file", Buildah, Outcome, Why::WorkdirIsFile),
    (
        "workdir-relative-to-the-base",
        Docker,
        At("/work/place/inner"),
        Why::DirectoriesOnTheWay,
    ),
    (
        "workdir-relative-to-the-base",
        Docker,
        At("/work/place/inner/deeper"),
        Why::DirectoriesOnTheWay,
    ),
];

/// What a builder does otherwise in a case.
pub(crate) fn of(case: &str, builder: Builder) -> Vec<(Unlike, Why)> {
    KNOWN
        .iter()
        .filter(|(name, other, ..)| *name == case && *other == builder)
        .map(|(_, _, unlike, why)| (*unlike, *why))
        .collect()
}
