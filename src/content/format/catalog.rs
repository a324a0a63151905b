//! The images a layout or an archive offers, and choosing one of them.

use crate::content::{ContentError, Kind, Result, Selector};
use crate::oci::{Reference, Tag};

/// An image that can be chosen.
#[derive(Debug)]
pub(crate) struct Listed {
    /// What tells it from the others: its digest, or the name of its config.
    pub(crate) identity: String,
    /// Its names: tags, or full names that end in one.
    pub(crate) names: Vec<String>,
    /// Whether it speaks of another image: a signature is not meant by whoever names no image.
    pub(crate) is_referrer: bool,
}

/// The images at a place, in its order.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// The place for people, such as `layout out`.
    pub(crate) place: String,
    /// How the place is written in a command, such as `oci:out`.
    pub(crate) address: String,
    /// What it offers.
    pub(crate) images: Vec<Listed>,
}

impl Catalog {
    /// The number of the only image. One that is listed under several names is still one.
    pub(crate) fn only(&self) -> Result<usize> {
        let mut all: Vec<usize> = (0..self.images.len()).collect();
        if self.images.iter().any(|image| !image.is_referrer) {
            all.retain(|number| !self.images[*number].is_referrer);
        }
        self.one_of(&all, || {
            ContentError::new(Kind::NotFound, format!("cannot read an image of {}", self.place))
                .because("it holds no image")
        })
    }

    /// The number of the image with a full name, however much of it is written there.
    pub(crate) fn named(&self, wanted: &Reference) -> Result<usize> {
        let found = self.images.iter().position(|image| {
            let mut names = image.names.iter();
            names.any(|name| is_name(name, wanted))
        });
        found.ok_or_else(|| self.missing(&wanted.name()))
    }

    /// The number of the image a tag names: one whose name is the tag, else one whose full name ends in it.
    pub(crate) fn tagged(&self, tag: &Tag) -> Result<usize> {
        let suffix = format!(":{tag}");
        let named = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let found = self.images.iter().enumerate();
            let found = found.filter(|(_, image)| image.names.iter().any(|name| matches(name)));
            found.map(|(number, _)| number).collect()
        };
        let mut found = named(&|name| name == tag.as_str());
        if found.is_empty() {
            found = named(&|name| name.ends_with(&suffix) && !name.contains('@'));
        }
        self.one_of(&found, || self.missing(&format!("tag {tag}")))
    }

    fn missing(&self, what: &str) -> ContentError {
        let error = ContentError::new(Kind::NotFound, format!("cannot read {what} in {}", self.place));
        let all = self.names(&(0..self.images.len()).collect::<Vec<_>>());
        if all.is_empty() {
            error.because("it holds no image")
        } else {
            error.because(format!("it holds only {}", all.join(", ")))
        }
    }

    /// The full names of what is meant.
    pub(crate) fn full_names(&self, selector: &Selector) -> Vec<String> {
        let number = match selector {
            Selector::Only => self.only(),
            Selector::Tag(tag) => self.tagged(tag),
            Selector::Name(name) => return vec![name.name()],
            Selector::Digest(_) => return Vec::new(),
        };
        let Ok(number) = number else { return Vec::new() };
        let identity = &self.images[number].identity;
        let same = self.images.iter().filter(|image| image.identity == *identity);
        let names = same.flat_map(|image| &image.names);
        let wanted = names.filter(|name| match selector {
            Selector::Tag(tag) => name.ends_with(&format!(":{tag}")),
            _ => true,
        });
        wanted.cloned().collect()
    }

    /// The tags of what is meant: of the only image all, its names that are tags and what its full names end in.
    pub(crate) fn tags(&self, selector: &Selector) -> Vec<Tag> {
        if let Selector::Tag(tag) = selector {
            return vec![tag.clone()];
        }
        if let Selector::Name(name) = selector {
            return name.tag.iter().cloned().collect();
        }
        let (Selector::Only, Ok(only)) = (selector, self.only()) else {
            return Vec::new();
        };
        let same = self
            .images
            .iter()
            .filter(|image| image.identity == self.images[only].identity);
        let mut tags: Vec<Tag> = Vec::new();
        for name in same.flat_map(|image| &image.names) {
            let tag = name.rsplit(':').next().unwrap_or_default().parse::<Tag>();
            if let Some(tag) = tag.ok().filter(|tag| !tags.contains(tag) && !name.contains('@')) {
                tags.push(tag);
            }
        }
        tags
    }

    fn one_of(&self, found: &[usize], none: impl Fn() -> ContentError) -> Result<usize> {
        let [first, rest @ ..] = found else {
            return Err(none());
        };
        if rest
            .iter()
            .all(|number| self.images[*number].identity == self.images[*first].identity)
        {
            return Ok(*first);
        }
        let names = self.names(found);
        let error = ContentError::new(
            Kind::Usage,
            format!("cannot tell which image of {} is meant", self.place),
        )
        .because(format!("it holds {}", names.join(", ")));
        let tag = found
            .iter()
            .flat_map(|number| &self.images[*number].names)
            .find_map(|name| name.rsplit(':').next()?.parse::<Tag>().ok());
        Err(match tag {
            Some(tag) => error.hint(format!("name one by its tag, as in {}:{tag}", self.address)),
            None => error.hint(format!(
                "name one by the digest of its manifest: {}@sha256:…",
                self.address
            )),
        })
    }

    fn names(&self, numbers: &[usize]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for number in numbers {
            let image = &self.images[*number];
            let own = if image.names.is_empty() {
                std::slice::from_ref(&image.identity)
            } else {
                &image.names
            };
            names.extend(
                own.iter()
                    .filter(|name| !names.contains(name))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        names
    }
}

/// Whether a name that may be short, as `docker save` writes it, is this one.
fn is_name(name: &str, wanted: &Reference) -> bool {
    let wanted = wanted.name();
    name == wanted || name.parse::<Reference>().is_ok_and(|name| name.name() == wanted)
}
