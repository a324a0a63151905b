//! Questions about paths, answered by what the layers say from the top down.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::headers::normalised;
use super::listing::Fact;

/// What the layer that is being read said so far.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Silent,
    /// Lower layers do not count any more, but this one may still have the path.
    Hidden,
    /// The answer.
    Found(Node),
}

#[derive(Debug, Clone)]
struct Question {
    path: String,
    verdict: Verdict,
}

/// The questions no layer has answered yet, and the answers.
#[derive(Debug, Clone)]
pub(super) struct Questions {
    open: Vec<Question>,
    answers: BTreeMap<String, Node>,
}

impl Questions {
    /// Asks for each path.
    pub(super) fn new(paths: &BTreeSet<String>) -> Self {
        let paths: BTreeSet<String> = paths.iter().map(|path| normalised(path.as_bytes())).collect();
        let open = paths.into_iter().map(|path| Question {
            // The root is a directory whatever the layers say.
            verdict: if path.is_empty() {
                Verdict::Found(Node::Directory)
            } else {
                Verdict::Silent
            },
            path,
        });
        Self {
            open: open.collect(),
            answers: BTreeMap::new(),
        }
    }

    /// Takes a fact of the layer that is being read.
    pub(super) fn apply(&mut self, path: &str, fact: &Fact) {
        for question in &mut self.open {
            if question.path.is_empty() {
                continue;
            }
            let verdict = &mut question.verdict;
            if question.path == path {
                at(verdict, fact);
            } else if is_below(&question.path, path) {
                above(verdict, fact);
            } else if is_below(path, &question.path) && !matches!(verdict, Verdict::Found(Node::File | Node::Link(_))) {
                // A layer need not have entries for the parents of its entries.
                *verdict = Verdict::Found(Node::Directory);
            }
        }
    }

    /// Whether nothing more needs to be read of any layer.
    pub(super) fn all_answered(&self) -> bool {
        self.open
            .iter()
            .all(|question| matches!(question.verdict, Verdict::Found(_)))
    }

    /// Ends a layer: what it answered or hid is settled.
    pub(super) fn end_layer(&mut self) {
        let answers = &mut self.answers;
        self.open.retain_mut(|question| {
            let node = match std::mem::replace(&mut question.verdict, Verdict::Silent) {
                Verdict::Silent => return true,
                Verdict::Hidden => Node::Missing,
                Verdict::Found(node) => node,
            };
            answers.insert(std::mem::take(&mut question.path), node);
            false
        });
    }

    /// The answers under the paths as they were asked for, once all layers there are have been heard.
    pub(super) fn into_answers(mut self, paths: &BTreeSet<String>) -> BTreeMap<String, Node> {
        self.end_layer();
        let answer = |path: &String| {
            let node = self.answers.get(&normalised(path.as_bytes())).cloned();
            (path.clone(), node.unwrap_or(Node::Missing))
        };
        paths.iter().map(answer).collect()
    }
}

/// A fact about the path itself. Of two entries for one path the last counts, as for any unpacker.
fn at(verdict: &mut Verdict, fact: &Fact) {
    match fact {
        Fact::Directory | Fact::Opaque => *verdict = Verdict::Found(Node::Directory),
        Fact::File => *verdict = Verdict::Found(Node::File),
        Fact::Link(target) => *verdict = Verdict::Found(Node::Link(target.clone())),
        Fact::Whiteout => hide(verdict),
    }
}

/// A fact about a directory the path lies in.
fn above(verdict: &mut Verdict, fact: &Fact) {
    match fact {
        Fact::Directory => {}
        // What is no directory has nothing in it. Behind a link there may be something, under another path.
        Fact::File | Fact::Link(_) => *verdict = Verdict::Found(Node::Missing),
        Fact::Whiteout | Fact::Opaque => hide(verdict),
    }
}

/// Lower layers' content goes; what this layer brings itself stays, whichever entry comes first.
fn hide(verdict: &mut Verdict) {
    if *verdict == Verdict::Silent {
        *verdict = Verdict::Hidden;
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
