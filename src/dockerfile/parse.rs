//! The text of a Dockerfile becomes instructions, as BuildKit reads it.
//!
//! The crate `parse-dockerfile` hands the arguments of `ENV`, `LABEL` and `ARG` out as one string, in which the places of
//! single words are lost where lines are continued, and fills in no variables; so this is a parser of its own.

use std::collections::BTreeSet;

use super::error::{DockerfileError, Problem};
use super::flags::{Flags, Takes, nearest};
use super::heredoc;
use super::instruction::{Dockerfile, Heredoc, Instruction, Kind, Position, Stage, Word};
use super::lines::{Fault, Lines, Logical};

mod command;
mod duration;
mod from;
mod pairs;
mod sources;
mod text;
mod words;

/// Longest Dockerfile. The longest in the wild have some hundred kilobytes; with a file of SQL in a heredoc there may be
/// more.
const TEXT_LIMIT: usize = 16 * 1024 * 1024;

/// Every instruction.
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// What `RUN` may have before its command.
const RUN: [(&str, Takes); 4] = [
    ("mount", Takes::Texts),
    ("network", Takes::Text),
    ("security", Takes::Text),
    ("device", Takes::Texts),
];

impl Dockerfile {
    /// Reads a Dockerfile; `name` is what messages call it.
    ///
    /// # Errors
    /// The first thing in it that is not of the language, with its place. Variables are not looked at.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, DockerfileError> {
        let mut dockerfile = Self {
            name: name.to_owned(),
            lines: Vec::new(),
            escape: '\\',
            arguments: Vec::new(),
            stages: Vec::new(),
            notices: Vec::new(),
        };
        let text = match text::decode(bytes, TEXT_LIMIT) {
            Ok(text) => text,
            Err(fault) => return Err(fault.problem.at(&dockerfile, fault.position)),
        };
        dockerfile.lines = text.lines().map(str::to_owned).collect();
        match dockerfile.read(&text) {
            Ok(()) => Ok(dockerfile),
            Err(fault) => Err(fault.problem.at(&dockerfile, fault.position)),
        }
    }

    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut lines = Lines::open(text)?;
        self.escape = lines.escape;
        let mut is_empty = true;
        let mut names = BTreeSet::new();
        while let Some(logical) = lines.next_instruction() {
            is_empty = false;
            let statement = Statement::read(&logical, 0, lines.escape)?;
            let heredocs = statement.heredocs(&mut lines)?;
            self.take(&statement, heredocs, &mut names)?;
        }
        for (line, words) in lines.oddities.drain(..) {
            self.notices.push(format!("{}:{line}: {words}", self.name));
        }
        if !self.stages.is_empty() {
            return Ok(());
        }
        let problem = if is_empty {
            Problem::syntax_with(
                "there is no instruction in it",
                "it begins with FROM, such as: FROM flyway/flyway:13",
            )
        } else {
            Problem::syntax_with(
                "there is no FROM in it",
                "FROM names the image to build on; FROM scratch begins with nothing",
            )
        };
        Err(problem.here(lines.last()))
    }

    /// Puts an instruction where it belongs.
    fn take(
        &mut self,
        statement: &Statement<'_>,
        heredocs: Vec<Heredoc>,
        names: &mut BTreeSet<String>,
    ) -> Result<(), Fault> {
        if statement.name == "FROM" {
            let stage = from::stage(statement)?;
            self.note_name(&stage, names);
            self.stages.push(stage);
            return Ok(());
        }
        let instruction = statement.instruction(heredocs)?;
        match (self.stages.last_mut(), instruction.kind) {
            (Some(stage), kind) => stage.instructions.push(Instruction { kind, ..instruction }),
            (None, Kind::Arg(arguments)) => self.arguments.extend(arguments),
            (None, _) => {
                return Err(Problem::syntax_with(
                    format!("{} stands before the first FROM", statement.name),
                    "only ARG may stand there",
                )
                .here(instruction.position));
            }
        }
        Ok(())
    }

    /// Names Docker warns of.
    fn note_name(&mut self, stage: &Stage, names: &mut BTreeSet<String>) {
        let Some(name) = &stage.name else { return };
        let words = if ["scratch", "context"].contains(&name.as_str()) {
            "means something else already, and should not name a stage"
        } else if !names.insert(name.clone()) {
            "names two stages; the later one is meant from here on"
        } else {
            return;
        };
        let line = stage.position.line;
        self.notices.push(format!("{}:{line}: {name} {words}", self.name));
    }
}

/// Reads an instruction that a base has for those who build on it.
///
/// # Errors
/// It is not one instruction, or not one that may stand there.
pub fn trigger(text: &str, escape: char) -> Result<Instruction, Problem> {
    let mut lines = Lines::of(text, escape);
    let read = |lines: &mut Lines<'_>| {
        let Some(logical) = lines.next_instruction() else {
            return Ok(None);
        };
        let statement = Statement::read(&logical, 0, escape)?;
        let heredocs = statement.heredocs(lines)?;
        statement.may_be_trigger()?;
        statement.instruction(heredocs).map(Some)
    };
    let instruction = read(&mut lines).map_err(|fault: Fault| fault.problem)?;
    match (instruction, lines.next_instruction()) {
        (Some(instruction), None) => Ok(instruction),
        _ => Err(Problem::syntax(format!("{text:?} is not one instruction"))),
    }
}

/// One instruction, taken apart into its name, its flags and the rest.
struct Statement<'l> {
    name: &'static str,
    logical: &'l Logical,
    /// Where it begins in the text.
    offset: usize,
    flags: Flags,
    /// Where the rest begins.
    start: usize,
    /// Where the rest ends, blanks not counted.
    end: usize,
    escape: char,
}

impl<'l> Statement<'l> {
    fn read(logical: &'l Logical, offset: usize, escape: char) -> Result<Self, Fault> {
        let text = &logical.text[offset..];
        let offset = offset + text.len() - text.trim_start().len();
        let text = text.trim();
        let length = text.find(words::is_blank).unwrap_or(text.len());
        let written = &text[..length];
        let Some(name) = INSTRUCTIONS.iter().find(|name| name.eq_ignore_ascii_case(written)) else {
            let problem = Problem::UnknownInstruction {
                name: written.to_owned(),
                nearest: nearest(written, INSTRUCTIONS.into_iter()),
            };
            return Err(logical.fault(offset, problem));
        };
        let (flags, start) = Flags::read(logical, offset + length);
        let rest = logical.text[start..].trim();
        let start = start + logical.text[start..].find(rest).unwrap_or_default();
        Ok(Self {
            name,
            logical,
            offset,
            flags,
            start,
            end: start + rest.len(),
            escape,
        })
    }

    /// What stands behind the name and the flags.
    fn rest(&self) -> &'l str {
        &self.logical.text[self.start..self.end]
    }

    /// A problem where the instruction begins.
    fn fault(&self, problem: Problem) -> Fault {
        self.logical.fault(self.offset, problem)
    }

    fn position(&self) -> Position {
        self.logical.position(self.offset)
    }

    fn check(&self, known: &[(&'static str, Takes)]) -> Result<(), Fault> {
        self.flags.check(self.logical, self.name, known)
    }

    /// The texts that stand below it.
    fn heredocs(&self, lines: &mut Lines<'_>) -> Result<Vec<Heredoc>, Fault> {
        let name = match self.name {
            "ONBUILD" => self.rest().split(words::is_blank).next().unwrap_or_default(),
            name => name,
        };
        let has_texts = ["ADD", "COPY", "RUN"]
            .iter()
            .any(|other| other.eq_ignore_ascii_case(name));
        if !has_texts || command::words(self.rest()).is_ok_and(|words| words.is_some()) {
            return Ok(Vec::new());
        }
        heredoc::read(self.logical, lines)
    }

    /// Refuses what must not wait in a base.
    fn may_be_trigger(&self) -> Result<(), Fault> {
        match self.name {
            "ONBUILD" | "FROM" | "MAINTAINER" => {
                Err(self.fault(Problem::syntax(format!("{} cannot stand behind ONBUILD", self.name))))
            }
            _ => Ok(()),
        }
    }

    /// What it says. `FROM` is no instruction of a stage, but begins one.
    fn instruction(&self, heredocs: Vec<Heredoc>) -> Result<Instruction, Fault> {
        let known: &[(&'static str, Takes)] = match self.name {
            "COPY" => &sources::COPY,
            "ADD" => &sources::ADD,
            "RUN" => &RUN,
            "HEALTHCHECK" => &command::HEALTHCHECK,
            _ => &[],
        };
        self.check(known)?;
        let kind = match self.name {
            "ARG" => Kind::Arg(pairs::arguments(self)?),
            "ENV" => Kind::Env(pairs::pairs(self)?),
            "LABEL" => Kind::Label(pairs::pairs(self)?),
            "COPY" | "ADD" => Kind::Copy(sources::copy(self, heredocs)?),
            "WORKDIR" => Kind::Workdir(self.whole()?),
            "USER" => Kind::User(self.whole()?),
            "STOPSIGNAL" => Kind::StopSignal(self.whole()?),
            "MAINTAINER" => Kind::Maintainer(self.whole()?.text),
            "EXPOSE" => Kind::Expose(self.some(words::blank_separated(self))?),
            "VOLUME" => Kind::Volume(command::volumes(self)?),
            "ENTRYPOINT" => Kind::Entrypoint(command::command(self, self.start)?),
            "CMD" => Kind::Cmd(command::command(self, self.start)?),
            "SHELL" => Kind::Shell(command::shell(self)?),
            "HEALTHCHECK" => Kind::Healthcheck(command::healthcheck(self)?),
            "ONBUILD" => Kind::OnBuild(self.nested(heredocs)?),
            "RUN" => {
                command::command(self, self.start)?;
                Kind::Run
            }
            name => return Err(self.fault(Problem::syntax(format!("{name} cannot stand here")))),
        };
        let length = self.name.len();
        Ok(Instruction {
            position: self.position(),
            text: format!("{} {}", self.name, self.logical.told(self.offset + length))
                .trim_end()
                .to_owned(),
            kind,
        })
    }

    /// The one argument, blanks in it included.
    fn whole(&self) -> Result<Word, Fault> {
        if self.rest().is_empty() {
            return Err(self.fault(Problem::syntax(format!("{} names nothing", self.name))));
        }
        Ok(self.logical.word(self.rest(), self.start))
    }

    /// One argument at least.
    fn some<T>(&self, list: Vec<T>) -> Result<Vec<T>, Fault> {
        if list.is_empty() {
            return Err(self.fault(Problem::syntax(format!("{} names nothing", self.name))));
        }
        Ok(list)
    }

    /// The instruction behind `ONBUILD`, as text, checked.
    fn nested(&self, heredocs: Vec<Heredoc>) -> Result<String, Fault> {
        self.whole()?;
        let mut text = self.logical.text[self.start..].to_owned();
        let nested = Self::read(self.logical, self.start, self.escape)?;
        nested.may_be_trigger()?;
        for heredoc in &heredocs {
            text.push('\n');
            text.push_str(&heredoc.content);
            text.push_str(&heredoc.name);
        }
        nested.instruction(heredocs)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
