//! Which stages are needed, and what each begins with.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{DockerfileError, Problem};
use super::instruction::{Dockerfile, Instruction, Kind, Stage};
use super::variables::Global;
use crate::oci::Platform;

/// What a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Nothing.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image, and for which platform, where the Dockerfile says.
    Image(String, Option<String>),
}

/// What `--from` of a `COPY` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// An earlier stage.
    Stage(usize),
    /// Something else: a named context or an image.
    Other(String),
}

impl Dockerfile {
    /// Finds the stage that is to be built, by its name or number; the last one if none is named.
    ///
    /// # Errors
    /// When there is no such stage.
    pub fn target(&self, name: Option<&str>) -> Result<usize, DockerfileError> {
        let last = self.stages.len().saturating_sub(1);
        let Some(name) = name else { return Ok(last) };
        let by_name = self.stages.iter().rposition(|stage| is_called(stage, name));
        let by_number = || name.parse().ok().filter(|number| *number <= last);
        by_name.or_else(by_number).ok_or_else(|| {
            let names: Vec<&str> = self.stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
            let there = match names.is_empty() {
                true => format!("no stage has a name; there are the numbers 0 to {last}"),
                false => format!("the stages are: {}", names.join(", ")),
            };
            let position = self.stages.last().map(|stage| stage.position).unwrap_or_default();
            Problem::syntax_with(format!("there is no stage {name:?}"), there).at(self, position)
        })
    }

    /// Whether any `ARG` declares a name.
    pub(super) fn declares(&self, name: &str) -> bool {
        let of_stage = |instruction: &Instruction| match &instruction.kind {
            Kind::Arg(arguments) => arguments.iter().any(|argument| argument.name.text == name),
            _ => false,
        };
        self.arguments.iter().any(|argument| argument.name.text == name)
            || self.stages.iter().any(|stage| stage.instructions.iter().any(of_stage))
    }

    /// What a stage begins with.
    pub(super) fn beginning(&self, index: usize, global: &Global) -> Result<Beginning, DockerfileError> {
        let stage = &self.stages[index];
        let at = |problem: Problem| problem.at(self, stage.image.position);
        let name = global.fill(&stage.image).map_err(at)?;
        if name.is_empty() {
            return Err(at(Problem::syntax_with(
                format!("{} is empty, and names no image", stage.image.text),
                "pass it with --build-arg, or give the ARG before FROM a default",
            )));
        }
        if name == "scratch" {
            return Ok(Beginning::Scratch);
        }
        let earlier = self.stages[..index].iter().rposition(|stage| is_called(stage, &name));
        if let Some(earlier) = earlier.filter(|_| !global.is_context(&name)) {
            return Ok(Beginning::Stage(earlier));
        }
        let platform = match &stage.platform {
            Some(word) => Some(global.fill(word).map_err(|problem| problem.at(self, word.position))?),
            None => None,
        };
        Ok(Beginning::Image(name, platform.filter(|platform| !platform.is_empty())))
    }

    /// The image a stage is built on in the end, through the stages it begins with; `None` where it begins with nothing.
    /// Its name is as the Dockerfile has it, with `given` in the place of its arguments.
    ///
    /// # Errors
    /// When a `FROM` on the way names nothing.
    pub fn base(
        &self,
        target: usize,
        given: &BTreeMap<String, String>,
        build: &Platform,
        platform: &Platform,
    ) -> Result<Option<String>, DockerfileError> {
        let name = self.stages.get(target).and_then(|stage| stage.name.as_deref());
        let global = Global::new(
            given,
            build,
            platform,
            name.unwrap_or_default(),
            self.escape,
            &self.arguments,
        );
        let global = global.map_err(|wrong| wrong.1.at(self, wrong.0.position))?;
        let mut index = target;
        loop {
            match self.beginning(index, &global)? {
                Beginning::Scratch => return Ok(None),
                // An earlier one each time.
                Beginning::Stage(earlier) => index = earlier,
                Beginning::Image(name, _) => return Ok(Some(name)),
            }
        }
    }

    /// What `--from` names in a stage.
    pub(super) fn origin(&self, index: usize, from: &str, global: &Global) -> Result<Origin, Problem> {
        if global.is_context(from) {
            return Ok(Origin::Other(from.to_owned()));
        }
        if let Some(stage) = self.stages[..index].iter().rposition(|stage| is_called(stage, from)) {
            return Ok(Origin::Stage(stage));
        }
        match from.parse::<usize>() {
            Ok(number) if number < index => Ok(Origin::Stage(number)),
            Ok(number) => Err(Problem::syntax_with(
                format!("--from={number} is not a stage before this one"),
                "stages are counted from 0; a name (FROM … AS name) is clearer",
            )),
            Err(_) if self.stages[index..].iter().any(|stage| is_called(stage, from)) => Err(Problem::syntax_with(
                format!("the stage {from:?} does not come before this one"),
                "move it up: files are copied from stages that are there already",
            )),
            Err(_) => Ok(Origin::Other(from.to_owned())),
        }
    }

    /// Finds the stages the target needs, itself included, and checks that none of them would have to run something,
    /// before anything is fetched. Each comes after those it needs.
    pub(super) fn needed(&self, target: usize, global: &Global) -> Result<BTreeSet<usize>, DockerfileError> {
        let mut needed = BTreeSet::from([target]);
        let mut open = vec![target];
        while let Some(index) = open.pop() {
            let mut needs = Vec::new();
            if let Beginning::Stage(earlier) = self.beginning(index, global)? {
                needs.push(earlier);
            }
            for instruction in &self.stages[index].instructions {
                match &instruction.kind {
                    Kind::Run => return Err(Problem::Run.at(self, instruction.position)),
                    Kind::Copy(copy) => {
                        let Some(from) = &copy.from else { continue };
                        if from.text.contains('$') {
                            let problem = Problem::syntax_with(
                                "--from takes no variables",
                                "begin a stage with it, FROM $IMAGE AS name, and copy from that",
                            );
                            return Err(problem.at(self, from.position));
                        }
                        let origin = self.origin(index, &from.text, global);
                        if let Origin::Stage(stage) = origin.map_err(|problem| problem.at(self, from.position))? {
                            needs.push(stage);
                        }
                    }
                    _ => {}
                }
            }
            open.extend(needs.into_iter().filter(|stage| needed.insert(*stage)));
        }
        Ok(needed)
    }
}

fn is_called(stage: &Stage, name: &str) -> bool {
    stage
        .name
        .as_deref()
        .is_some_and(|known| known.eq_ignore_ascii_case(name))
}
