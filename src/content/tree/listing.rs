//! What a layer says about paths, in few bytes.

use super::headers::{Entry, EntryKind};
use crate::oci::Attributes;

/// First bytes of a listing; the number changes with the form, so that an old cache is not misread.
const MAGIC: &[u8] = b"shipway listing 2\n";
/// Largest listing that is kept. A Debian base has 100 KiB, 100,000 files of Node modules have 3 MiB; a longer one is
/// read again when it is needed again.
pub(super) const LISTING_LIMIT: usize = 4 * 1024 * 1024;
/// What begins the name of an entry that takes something of the lower layers away (image specification, "Layer").
const WHITEOUT: &str = ".wh.";
/// The name that takes all of the lower layers' content of its directory away.
const OPAQUE: &str = ".wh..wh..opq";
/// What begins names that only aufs ever gave a meaning to.
const AUFS: &str = ".wh..wh.";

/// What a layer says about one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// It is a directory.
    Directory(Attributes),
    /// It is a file.
    File,
    /// It is a symbolic link to this.
    Link(String),
    /// Lower layers' content there is gone.
    Whiteout,
    /// It is a directory, and lower layers' content of it is gone.
    Opaque,
}

impl Fact {
    /// What an entry says, and about which path; `None` when it says nothing.
    pub(super) fn of(entry: Entry) -> Option<(String, Self)> {
        let (parent, name) = match entry.path.rsplit_once('/') {
            Some((parent, name)) => (Some(parent), name),
            None => (None, entry.path.as_str()),
        };
        if name == OPAQUE {
            return Some((parent.unwrap_or_default().to_owned(), Self::Opaque));
        }
        if name.starts_with(AUFS) {
            return None;
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            let path = parent.map_or_else(|| hidden.to_owned(), |parent| format!("{parent}/{hidden}"));
            return Some((path, Self::Whiteout));
        }
        let fact = match entry.kind {
            EntryKind::Directory => Self::Directory(entry.attributes),
            EntryKind::Symlink => Self::Link(entry.link),
            EntryKind::File | EntryKind::HardLink => Self::File,
        };
        Some((entry.path, fact))
    }

    fn code(&self) -> u8 {
        match self {
            Self::Directory(_) => b'd',
            Self::File => b'f',
            Self::Link(_) => b'l',
            Self::Whiteout => b'w',
            Self::Opaque => b'o',
        }
    }
}

/// The facts of a layer in the order of its entries, or of as many as were read.
///
/// Each path is written as the number of bytes it shares with the one before, and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// Where an incomplete listing was read; empty for a complete one, whose layer was verified.
    ///
    /// The bytes of a layer that was not read to its end are not verified. Only the place that sent them may be
    /// answered for by them: it could tell the same again, so a lie gains nothing by being remembered. At any other
    /// place the layer is read anew.
    pub(super) place: String,
    facts: Vec<u8>,
}

impl Listing {
    /// Whether it holds all of the layer's facts.
    pub(super) fn is_complete(&self) -> bool {
        self.place.is_empty()
    }

    /// The listing as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        write_text(&mut bytes, &self.place);
        bytes.extend_from_slice(&self.facts);
        bytes
    }

    /// Reads a listing; `None` when the bytes are not one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let place = read_text(&mut rest)?;
        let listing = Self {
            place,
            facts: rest.to_vec(),
        };
        listing.visit(|_, _| {}).then_some(listing)
    }

    /// Calls `visit` with each fact; tells whether all could be read.
    pub(super) fn visit(&self, mut visit: impl FnMut(&str, &Fact)) -> bool {
        let mut rest = self.facts.as_slice();
        let mut path = String::new();
        while !rest.is_empty() {
            let Some(fact) = read_fact(&mut rest, &mut path) else {
                return false;
            };
            visit(&path, &fact);
        }
        true
    }
}

/// Writes a listing down while a layer is read.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    facts: Vec<u8>,
    last: String,
    overflown: bool,
}

impl Recorder {
    /// Adds a fact.
    pub(super) fn add(&mut self, path: &str, fact: &Fact) {
        if self.overflown {
            return;
        }
        let shared = self
            .last
            .chars()
            .zip(path.chars())
            .take_while(|(left, right)| left == right);
        let shared: usize = shared.map(|(character, _)| character.len_utf8()).sum();
        self.facts.push(fact.code());
        write_number(&mut self.facts, shared);
        write_text(&mut self.facts, &path[shared..]);
        match fact {
            Fact::Link(target) => write_text(&mut self.facts, target),
            Fact::Directory(attributes) => {
                for number in [u64::from(attributes.mode), attributes.uid, attributes.gid] {
                    write_number(&mut self.facts, usize::try_from(number).unwrap_or_default());
                }
            }
            Fact::File | Fact::Whiteout | Fact::Opaque => {}
        }
        path.clone_into(&mut self.last);
        if self.facts.len() > LISTING_LIMIT {
            self.overflown = true;
            self.facts = Vec::new();
        }
    }

    /// The listing, unless it became too long; `place` as in [`Listing`].
    pub(super) fn finish(self, place: String) -> Option<Listing> {
        (!self.overflown).then_some(Listing {
            place,
            facts: self.facts,
        })
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_number(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

fn read_number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    // Five times seven bits are more than the limit of a listing, and as many as Linux numbers users with.
    for shift in [0, 7, 14, 21, 28] {
        let (first, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn read_text(rest: &mut &[u8]) -> Option<String> {
    let length = read_number(rest)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn read_fact(rest: &mut &[u8], path: &mut String) -> Option<Fact> {
    let (code, after) = rest.split_first()?;
    *rest = after;
    let shared = read_number(rest)?;
    if !path.is_char_boundary(shared) {
        return None;
    }
    path.truncate(shared);
    path.push_str(&read_text(rest)?);
    Some(match code {
        b'd' => Fact::Directory(Attributes {
            mode: u32::try_from(read_number(rest)?).ok()?,
            uid: u64::try_from(read_number(rest)?).ok()?,
            gid: u64::try_from(read_number(rest)?).ok()?,
        }),
        b'f' => Fact::File,
        b'l' => Fact::Link(read_text(rest)?),
        b'w' => Fact::Whiteout,
        b'o' => Fact::Opaque,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(path: &str, kind: EntryKind) -> Option<(String, Fact)> {
        Fact::of(Entry {
            path: path.to_owned(),
            kind,
            link: "to".to_owned(),
            offset: 0,
            size: 0,
            attributes: Attributes::PLAIN,
            name: Vec::new(),
            kind_byte: b'0',
            device: (0, 0),
            is_sparse: false,
            extended: std::collections::BTreeMap::new(),
        })
    }

    #[test]
    fn whiteouts_speak_of_other_paths() {
        let file = |path| fact(path, EntryKind::File);
        assert_eq!(file("a/.wh.b"), Some(("a/b".to_owned(), Fact::Whiteout)));
        assert_eq!(file(".wh.b"), Some(("b".to_owned(), Fact::Whiteout)));
        assert_eq!(file("a/.wh..wh..opq"), Some(("a".to_owned(), Fact::Opaque)));
        assert_eq!(file(".wh..wh..opq"), Some((String::new(), Fact::Opaque)));
        assert_eq!(file(".wh..wh.plnk"), None);
        assert_eq!(fact("a/b", EntryKind::HardLink), Some(("a/b".to_owned(), Fact::File)));
    }

    #[test]
    fn reads_back_what_it_writes() {
        let facts = [
            (
                "usr",
                Fact::Directory(Attributes {
                    mode: 0o1777,
                    uid: 4_000_000_000,
                    gid: 7,
                }),
            ),
            ("usr/lib/ä", Fact::File),
            ("usr/lib/ö", Fact::Link("../x".to_owned())),
            ("var", Fact::Opaque),
            ("", Fact::Whiteout),
        ];
        let mut recorder = Recorder::default();
        for (path, fact) in &facts {
            recorder.add(path, fact);
        }
        let listing = recorder.finish("here".to_owned()).expect("listing");
        let bytes = listing.to_bytes();
        let parsed = Listing::parse(&bytes).expect("parsed");
        assert_eq!(parsed, listing);
        let mut seen = Vec::new();
        assert!(parsed.visit(|path, fact| seen.push((path.to_owned(), fact.clone()))));
        assert_eq!(seen, facts.map(|(path, fact)| (path.to_owned(), fact)));
        assert!(Listing::parse(&bytes[..bytes.len() - 1]).is_none());
        assert!(Listing::parse(b"something else").is_none());
    }

    #[test]
    fn a_listing_that_is_too_long_is_not_kept() {
        let mut recorder = Recorder::default();
        for number in 0..=LISTING_LIMIT / 1000 {
            recorder.add(&format!("{number}{:1000}", ""), &Fact::File);
        }
        assert!(recorder.finish(String::new()).is_none());
    }
}
