//! What lies below a source, without what is excluded.

use super::Picked;
use crate::dockerfile::error::Problem;
use crate::dockerfile::ignore::{Fitting, Rules};
use crate::dockerfile::pattern::Pattern;
use crate::dockerfile::tree::{FileTree, Listed};
use crate::recipe::{Entry, ImagePath};

/// Walks over sources and picks what is selected.
pub(super) struct Walk<'a> {
    tree: &'a dyn FileTree,
    exclude: Rules,
    picked: Vec<Picked>,
    has_found: bool,
}

/// A directory that is walked through.
struct Level {
    /// What is left of it, the last first.
    left: Vec<Listed>,
    relative: String,
    fitting: Fitting,
    /// Whether the pattern fits it, and therefore all that is in it.
    is_included: bool,
    /// The directory itself, as long as it is not known whether anything in it is picked.
    pending: Option<Entry>,
}

impl<'a> Walk<'a> {
    /// A walk that leaves out what the rules fit, relative to each source.
    pub(super) fn new(tree: &'a dyn FileTree, exclude: Option<&Rules>) -> Self {
        Self {
            tree,
            exclude: exclude.cloned().unwrap_or_default(),
            picked: Vec::new(),
            has_found: false,
        }
    }

    /// Whether any pattern fit anything, excluded or not.
    pub(super) fn has_found(&self) -> bool {
        self.has_found
    }

    /// What was picked.
    pub(super) fn finish(self) -> Vec<Picked> {
        self.picked
    }

    /// Picks a source and what is below it: all, or what a pattern fits.
    ///
    /// The tree may be deep, so the way down is a list and not the stack.
    pub(super) fn include(&mut self, source: &ImagePath, entry: Entry, only: Option<&Pattern>) -> Result<(), Problem> {
        if !entry.is_directory() {
            // The reference promises that `--exclude=*.txt hom*` leaves out hom.txt; BuildKit forgets to
            // (https://github.com/moby/buildkit/issues/5489).
            if !self.exclude.fit(source.name()) {
                self.pick(source, String::new(), entry);
            }
            return Ok(());
        }
        self.has_found |= only.is_none();
        let mut levels = vec![Level {
            left: self.list(&entry.path)?,
            relative: String::new(),
            fitting: Fitting::default(),
            is_included: only.is_none(),
            pending: None,
        }];
        self.pick(source, String::new(), entry);
        while let Some(level) = levels.last_mut() {
            let Some(listed) = level.left.pop() else {
                levels.pop();
                continue;
            };
            let relative = match level.relative.as_str() {
                "" => listed.name,
                directory => format!("{directory}/{}", listed.name),
            };
            let fitting = self.exclude.fitting_below(&level.fitting, &relative);
            let is_included = level.is_included || only.is_some_and(|pattern| pattern.matches(&relative));
            self.has_found |= is_included;
            let is_picked = is_included && !fitting.is_fitting();
            let entry = match listed.entry {
                Ok(entry) => entry,
                Err(problem) if is_picked => return Err(problem),
                Err(_) => continue,
            };
            if is_picked {
                for level in &mut levels {
                    if let Some(directory) = level.pending.take() {
                        self.pick(source, level.relative.clone(), directory);
                    }
                }
            }
            if !entry.is_directory() {
                if is_picked {
                    self.pick(source, relative, entry);
                }
                continue;
            }
            let may_be_included = is_included || only.is_some_and(|pattern| pattern.may_match_below(&relative));
            let may_be_spared = !fitting.is_fitting() || self.exclude.may_spare_below(&relative);
            let left = if may_be_included && may_be_spared {
                self.list(&entry.path)?
            } else {
                Vec::new()
            };
            let pending = if is_picked {
                self.pick(source, relative.clone(), entry);
                None
            } else {
                Some(entry)
            };
            levels.push(Level {
                left,
                relative,
                fitting,
                is_included,
                pending,
            });
        }
        Ok(())
    }

    fn list(&self, directory: &ImagePath) -> Result<Vec<Listed>, Problem> {
        let mut all = self.tree.list(directory)?;
        all.reverse();
        Ok(all)
    }

    fn pick(&mut self, source: &ImagePath, relative: String, entry: Entry) {
        self.picked.push(Picked {
            source: source.clone(),
            relative,
            entry,
        });
    }
}
