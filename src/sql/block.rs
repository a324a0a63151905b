//! The blocks of stored programs, within which a semicolon ends nothing.

use super::Dialect;

/// More blocks within one another are not counted: no database takes as many, and they must not fill the memory.
const DEEPEST: usize = 1000;

/// What opened a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    Begin,
    Case,
}

/// A block that has not ended.
#[derive(Debug)]
pub(super) struct Block<M> {
    opener: Opener,
    /// Where it begins.
    mark: M,
}

/// What the first words of a statement make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    /// Nothing has been seen.
    Start,
    /// `CREATE`, and what may stand between it and the kind of thing.
    Create { definer: bool },
    /// `BEGIN`, of a transaction or of a block without a name.
    Begin,
    /// `ALTER`, which may be of an event with another body.
    Alter,
    /// It has a body, in which blocks count.
    Program,
    /// It has none.
    Other,
}

/// What the word before was, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    /// What a statement of a block follows: `;`, or the beginning of the block.
    Boundary,
    /// A point: the next word is a name.
    Point,
    /// `BEGIN`, which in PostgreSQL needs `ATOMIC` to be a block.
    Begin,
    /// `END`, which ends a block unless `IF`, `LOOP` or the like follows.
    End,
}

/// The blocks of one statement.
#[derive(Debug)]
pub(super) struct Blocks<M> {
    dialect: Dialect,
    header: Header,
    before: Before,
    /// Where the last `BEGIN` stands.
    begun: Option<M>,
    open: Vec<Block<M>>,
}

impl<M: Copy> Blocks<M> {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            header: Header::Start,
            before: Before::Other,
            begun: None,
            open: Vec::new(),
        }
    }

    /// The next statement begins.
    #[inline]
    pub(super) fn restart(&mut self) {
        self.header = Header::Start;
        self.before = Before::Other;
        self.begun = None;
        self.open.clear();
    }

    /// Whether words can still open a block.
    #[inline]
    pub(super) fn cares(&self) -> bool {
        self.header != Header::Other
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Everything that refers to a place.
    pub(super) fn marks(&mut self) -> impl Iterator<Item = &mut M> {
        self.open.iter_mut().map(|block| &mut block.mark).chain(&mut self.begun)
    }

    /// Where the innermost block begins.
    pub(super) fn innermost(&self) -> Option<M> {
        self.open.last().map(|block| block.mark)
    }

    /// The text ends.
    pub(super) fn finish(&mut self) {
        self.end_block();
    }

    /// A text, a name in quotes or a number.
    #[inline]
    pub(super) fn other(&mut self) {
        match self.header {
            Header::Start => self.header = Header::Other,
            Header::Program => {
                self.end_block();
                self.before = Before::Other;
            }
            _ => {}
        }
    }

    /// A sign that is no semicolon.
    #[inline]
    pub(super) fn sign(&mut self, sign: u8) {
        self.other();
        if sign == b'.' {
            self.before = Before::Point;
        }
    }

    /// A semicolon.
    #[inline]
    pub(super) fn semicolon(&mut self) {
        self.end_block();
        self.before = Before::Boundary;
    }

    /// A word; `mark` is where it begins.
    pub(super) fn word(&mut self, word: &[u8], mark: M) {
        let is = |other: &str| word.eq_ignore_ascii_case(other.as_bytes());
        let is_postgres = self.dialect == Dialect::Postgres;
        self.header = match self.header {
            Header::Start if is("create") => Header::Create { definer: false },
            Header::Start if is("begin") && !is_postgres => Header::Begin,
            Header::Start if is("alter") && self.dialect == Dialect::MySql => Header::Alter,
            Header::Start | Header::Other => Header::Other,
            Header::Create { .. } if self.is_program(word) => Header::Program,
            Header::Create { definer } => match () {
                () if ["table", "view", "index", "user", "role", "database", "schema"]
                    .into_iter()
                    .any(is) =>
                {
                    Header::Other
                }
                () if is("definer") => Header::Create { definer: true },
                () if definer || between(word) => self.header,
                () => Header::Other,
            },
            Header::Alter if is("event") => Header::Program,
            Header::Alter if is("definer") => Header::Create { definer: true },
            Header::Alter => Header::Other,
            // `BEGIN NOT ATOMIC` of MariaDB; any other is a transaction.
            Header::Begin if is("not") => {
                self.push(Opener::Begin, mark);
                Header::Program
            }
            Header::Begin => Header::Other,
            Header::Program => {
                self.in_program(word, mark);
                return;
            }
        };
        self.before = Before::Other;
    }

    fn is_program(&self, word: &[u8]) -> bool {
        let kinds: &[&str] = match self.dialect {
            Dialect::Postgres => &["function", "procedure"],
            Dialect::Sqlite => &["trigger"],
            Dialect::MySql | Dialect::Unknown => &["function", "procedure", "trigger", "event"],
        };
        kinds.iter().any(|kind| word.eq_ignore_ascii_case(kind.as_bytes()))
    }

    fn in_program(&mut self, word: &[u8], mark: M) {
        let is = |other: &str| word.eq_ignore_ascii_case(other.as_bytes());
        let is_postgres = self.dialect == Dialect::Postgres;
        let before = self.before;
        self.before = Before::Other;
        match before {
            Before::Point => return,
            Before::End if ["if", "loop", "repeat", "while", "for"].into_iter().any(is) => return,
            Before::End => {
                self.before = Before::End;
                self.end_block();
                self.before = Before::Other;
                if is("case") {
                    return;
                }
            }
            Before::Begin if is("atomic") => {
                if is_postgres {
                    self.push(Opener::Begin, self.begun.unwrap_or(mark));
                }
                self.before = Before::Boundary;
                return;
            }
            _ => {}
        }
        if is("begin") {
            self.before = Before::Begin;
            self.begun = Some(mark);
            if !is_postgres {
                self.push(Opener::Begin, mark);
            }
        } else if is("case") && !self.open.is_empty() {
            self.push(Opener::Case, mark);
        } else if is("end") {
            // A block ends where a statement could begin; anywhere else it is somebody's column.
            let may_end = match self.open.last().map(|block| block.opener) {
                Some(Opener::Case) => true,
                Some(Opener::Begin) if self.dialect == Dialect::Unknown => true,
                Some(Opener::Begin) => matches!(before, Before::Boundary | Before::Begin),
                None => false,
            };
            if may_end {
                self.before = Before::End;
            }
        } else if is("atomic") {
            self.before = Before::Boundary;
        }
    }

    fn push(&mut self, opener: Opener, mark: M) {
        if self.open.len() < DEEPEST {
            self.open.push(Block { opener, mark });
        }
    }

    /// What `END` has announced happens.
    #[inline]
    fn end_block(&mut self) {
        if self.before == Before::End {
            self.open.pop();
            self.before = Before::Other;
        }
    }
}

/// Whether a word may stand between `CREATE` and the kind of thing.
fn between(word: &[u8]) -> bool {
    [
        "or",
        "replace",
        "aggregate",
        "temp",
        "temporary",
        "constraint",
        "sql",
        "security",
        "if",
        "not",
        "exists",
    ]
    .into_iter()
    .any(|between| word.eq_ignore_ascii_case(between.as_bytes()))
}
