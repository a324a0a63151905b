//! Questions about paths, answered by what the layers say from the top down.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::headers::normalised;
use super::listing::Fact;
use crate::oci::Attributes;

/// What the layer that is being read said so far.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Silent,
    /// Lower layers do not count any more, but this one may still have the path.
    Hidden,
    /// It is a directory, since something lies in it; what mode and owner it has, this layer or a lower one may say.
    Implied,
    /// The answer.
    Found(Node),
}

impl Verdict {
    fn is_found(&self) -> bool {
        matches!(self, Self::Found(_))
    }
}

/// The questions no layer has answered yet, and the answers.
#[derive(Debug, Clone)]
pub(super) struct Questions {
    /// By path, so that thousands of questions cost a layer of a hundred thousand entries little.
    open: BTreeMap<String, Verdict>,
    /// How many of them the layer that is being read has not answered.
    unanswered: usize,
    answers: BTreeMap<String, Node>,
    /// Directories by what lies in them, whose own entry has not been met.
    implied: BTreeSet<String>,
}

impl Questions {
    /// Asks for each path.
    pub(super) fn new(paths: &BTreeSet<String>) -> Self {
        let mut open: BTreeMap<String, Verdict> = paths
            .iter()
            .map(|path| (normalised(path.as_bytes()), Verdict::Silent))
            .collect();
        // The root is a directory whatever the layers say.
        let root = open
            .remove("")
            .map(|_| (String::new(), Node::Directory(Attributes::PLAIN)));
        Self {
            unanswered: open.len(),
            open,
            answers: root.into_iter().collect(),
            implied: BTreeSet::new(),
        }
    }

    /// Takes a fact of the layer that is being read.
    pub(super) fn apply(&mut self, path: &str, fact: &Fact) {
        let Self { open, unanswered, .. } = self;
        let mut change = |verdict: &mut Verdict, by: &dyn Fn(&mut Verdict)| {
            let was_open = !verdict.is_found();
            by(verdict);
            if was_open && verdict.is_found() {
                *unanswered -= 1;
            }
        };
        if let Some(verdict) = open.get_mut(path) {
            change(verdict, &|verdict| at(verdict, fact));
        }
        // A directory says nothing of what lies in it.
        if !matches!(fact, Fact::Directory(_)) {
            let start = if path.is_empty() {
                String::new()
            } else {
                format!("{path}/")
            };
            let below = open.range_mut(start.clone()..);
            for (_, verdict) in below.take_while(|(question, _)| question.starts_with(&start)) {
                change(verdict, &|verdict| above(verdict, fact));
            }
        }
        // A layer need not have entries for the parents of its entries.
        for (slash, _) in path.match_indices('/') {
            if let Some(verdict) = open.get_mut(&path[..slash]) {
                change(verdict, &|verdict| {
                    if matches!(verdict, Verdict::Silent) {
                        *verdict = Verdict::Implied;
                    } else if matches!(verdict, Verdict::Hidden | Verdict::Found(Node::Missing)) {
                        *verdict = Verdict::Found(Node::Directory(Attributes::PLAIN));
                    }
                });
            }
        }
    }

    /// Whether nothing more needs to be read of any layer.
    pub(super) fn all_answered(&self) -> bool {
        self.unanswered == 0
    }

    /// Ends a layer: what it answered or hid is settled.
    pub(super) fn end_layer(&mut self) {
        let Self { answers, implied, .. } = self;
        self.open.retain(|path, verdict| {
            let node = match std::mem::replace(verdict, Verdict::Silent) {
                Verdict::Silent => return true,
                Verdict::Implied => {
                    implied.insert(path.clone());
                    return true;
                }
                Verdict::Hidden => Node::Missing,
                Verdict::Found(node) => node,
            };
            let node = match node {
                Node::Directory(_) => node,
                // An upper layer has something in it, whatever this one has there.
                _ if implied.contains(path) => Node::Directory(Attributes::PLAIN),
                other => other,
            };
            answers.insert(path.clone(), node);
            false
        });
        self.unanswered = self.open.len();
    }

    /// The answers under the paths as they were asked for, once all layers there are have been heard.
    pub(super) fn into_answers(mut self, paths: &BTreeSet<String>) -> BTreeMap<String, Node> {
        self.end_layer();
        let answer = |path: &String| {
            let normal = normalised(path.as_bytes());
            let unheard = match self.implied.contains(&normal) {
                true => Node::Directory(Attributes::PLAIN),
                false => Node::Missing,
            };
            (path.clone(), self.answers.get(&normal).cloned().unwrap_or(unheard))
        };
        paths.iter().map(answer).collect()
    }
}

/// A fact about the path itself. Of two entries for one path the last counts, as for any unpacker.
fn at(verdict: &mut Verdict, fact: &Fact) {
    match fact {
        Fact::Directory(attributes) => *verdict = Verdict::Found(Node::Directory(*attributes)),
        // The directory's own entry may have come before.
        Fact::Opaque if matches!(verdict, Verdict::Found(Node::Directory(_))) => {}
        Fact::Opaque => *verdict = Verdict::Found(Node::Directory(Attributes::PLAIN)),
        Fact::File => *verdict = Verdict::Found(Node::File),
        Fact::Link(target) => *verdict = Verdict::Found(Node::Link(target.clone())),
        Fact::Whiteout => hide(verdict),
    }
}

/// A fact about a directory the path lies in.
fn above(verdict: &mut Verdict, fact: &Fact) {
    match fact {
        Fact::Directory(_) => {}
        // What is no directory has nothing in it. Behind a link there may be something, under another path.
        Fact::File | Fact::Link(_) => *verdict = Verdict::Found(Node::Missing),
        Fact::Whiteout | Fact::Opaque => hide(verdict),
    }
}

/// Lower layers' content goes; what this layer brings itself stays, whichever entry comes first.
fn hide(verdict: &mut Verdict) {
    match verdict {
        Verdict::Silent => *verdict = Verdict::Hidden,
        Verdict::Implied => *verdict = Verdict::Found(Node::Directory(Attributes::PLAIN)),
        Verdict::Hidden | Verdict::Found(_) => {}
    }
}
