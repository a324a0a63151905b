//! What a Dockerfile says, with variables not filled in yet.

use std::time::Duration;

/// A place in a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line, from one.
    pub line: usize,
    /// The character in the line, from one.
    pub column: usize,
}

/// A piece of text as written, quotes and variables included, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Where it begins.
    pub position: Position,
}

/// A whole Dockerfile.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// Its name for messages.
    pub name: String,
    /// Its lines, for messages.
    pub lines: Vec<String>,
    /// The character that continues lines and takes a character's meaning away.
    pub escape: char,
    /// The `ARG`s before the first `FROM`.
    pub arguments: Vec<Argument>,
    /// The stages, in their order.
    pub stages: Vec<Stage>,
    /// What is odd but no error, for the user to know.
    pub notices: Vec<String>,
}

/// What follows a `FROM`.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Where its `FROM` begins.
    pub position: Position,
    /// The name given with `AS`, in lower case.
    pub name: Option<String>,
    /// What it starts from: an image, an earlier stage, or `scratch`.
    pub image: Word,
    /// The value of `--platform`.
    pub platform: Option<Word>,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

/// An instruction of a stage.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// Where it begins.
    pub position: Position,
    /// Its text as the history tells it: on one line, without comments.
    pub text: String,
    /// What it says.
    pub kind: Kind,
}

/// What an instruction says.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `ARG`: variables of the build.
    Arg(Vec<Argument>),
    /// `COPY` or `ADD`.
    Copy(Copy),
    /// `ENV`: names and values.
    Env(Vec<(Word, Word)>),
    /// `LABEL`: names and values.
    Label(Vec<(Word, Word)>),
    /// `WORKDIR`.
    Workdir(Word),
    /// `USER`.
    User(Word),
    /// `EXPOSE`: ports, ranges of ports, with or without a protocol.
    Expose(Vec<Word>),
    /// `VOLUME`: directories.
    Volume(Vec<Word>),
    /// `ENTRYPOINT`.
    Entrypoint(Command),
    /// `CMD`.
    Cmd(Command),
    /// `SHELL`.
    Shell(Vec<String>),
    /// `STOPSIGNAL`.
    StopSignal(Word),
    /// `HEALTHCHECK`.
    Healthcheck(Healthcheck),
    /// `ONBUILD`: the instruction as text, checked to be one that may stand there.
    OnBuild(String),
    /// `MAINTAINER`.
    Maintainer(String),
    /// `RUN`, which only a daemon can do.
    Run,
}

/// A variable of the build.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its name, and where it stands.
    pub name: Word,
    /// Its default.
    pub default: Option<Word>,
}

/// A program to start. Variables in it are the program's own business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A list of words.
    Exec(Vec<String>),
    /// A line for a shell.
    Shell(String),
}

/// `HEALTHCHECK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// No check, whatever the base has.
    None,
    /// A check.
    Check {
        /// What is run.
        command: Command,
        /// Time between two runs.
        interval: Option<Duration>,
        /// How long a run may take.
        timeout: Option<Duration>,
        /// Time for the program to start.
        start_period: Option<Duration>,
        /// Time between two runs while it starts.
        start_interval: Option<Duration>,
        /// How many runs in a row have to fail.
        retries: Option<u32>,
    },
}

/// `COPY` or `ADD`.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Whether it is `ADD`.
    pub is_add: bool,
    /// What is copied.
    pub sources: Vec<CopySource>,
    /// Where it goes.
    pub destination: Word,
    /// `--from`: a stage, an image or a named context.
    pub from: Option<Word>,
    /// `--chown`.
    pub chown: Option<Word>,
    /// `--chmod`.
    pub chmod: Option<Word>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`, each.
    pub exclude: Vec<Word>,
    /// `--checksum` of `ADD`.
    pub checksum: Option<Word>,
    /// `--keep-git-dir` of `ADD`.
    pub keep_git_dir: bool,
    /// `--unpack` of `ADD`.
    pub unpack: Option<bool>,
}

/// What `COPY` and `ADD` copy.
#[derive(Debug, Clone)]
pub enum CopySource {
    /// A path, a pattern or an address.
    Path(Word),
    /// Text that stands in the Dockerfile.
    Heredoc(Heredoc),
}

/// Text that stands in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The name it begins and ends with, which is the file's name too.
    pub name: String,
    /// The text, tabs taken off already where `<<-` says so.
    pub content: String,
    /// Whether variables in it are filled in.
    pub expand: bool,
    /// Where its name stands.
    pub position: Position,
}
