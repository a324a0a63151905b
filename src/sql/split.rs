//! Statements out of a script, piece by piece.

use super::Dialect;
use super::block::Blocks;
use super::lexer::{Kind, Lexeme, Lexer, Open};
use super::lines::Lines;
use super::statement::{Problem, ProblemKind, Statement};

/// How much of a statement is kept for whoever looks at it: the longest statement a person wrote is far below, a dump's `INSERT` or the
/// data of a `COPY` may be the whole file.
pub const KEPT_BYTES: usize = 1024 * 1024;

/// How much is looked at between two looks at what need not be kept any more: what a processor's cache holds.
const STEP_BYTES: usize = 64 * 1024;

/// A longer line after `DELIMITER` sets none.
const LONGEST_DELIMITER_LINE: usize = 256;

/// A place that is looked up as long as its bytes are at hand, and only then: most places are never asked for.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// Where in the buffer.
    At(usize),
    /// Where in the file.
    Place(Lines),
}

impl Mark {
    /// Its place, given the place of what the lines are counted of yet, and where in the buffer that begins.
    fn place(self, mut lines: Lines, uncounted: &[u8], counted: usize) -> Lines {
        match self {
            Self::At(at) => {
                lines.advance(&uncounted[..at - counted]);
                lines
            }
            Self::Place(lines) => lines,
        }
    }
}

/// Splits a script that comes in pieces, in constant memory.
///
/// A statement ends at a semicolon, or what `DELIMITER` set, outside of texts, comments, parentheses and the blocks of stored programs.
#[derive(Debug)]
pub struct Splitter {
    dialect: Dialect,
    lexer: Lexer,
    /// The beginning of the statement, and what has not been looked at.
    buffer: Vec<u8>,
    /// Where in the buffer the statement begins.
    from: usize,
    /// Where in the buffer the lexer goes on.
    next: usize,
    /// Up to where in the buffer lines are counted.
    counted: usize,
    /// The place of `counted`.
    lines: Lines,
    /// Where in the file the statement begins, in bytes.
    start: u64,
    /// The place of `start`.
    start_lines: Lines,
    /// How many bytes of the statement have been dropped from the buffer.
    dropped: u64,
    is_blank: bool,
    has_comment: bool,
    /// Its first word or sign.
    first: Option<Mark>,
    /// The lexeme that has begun and not ended.
    open: Option<Mark>,
    /// The comment around all this whose content MySQL runs.
    directive: Option<Mark>,
    parentheses: u64,
    /// The outermost parenthesis.
    parenthesis: Option<Mark>,
    blocks: Blocks<Mark>,
    /// Where the delimiter was set that is not the semicolon.
    delimiter: Option<Lines>,
    line: Line,
}

/// Whether a whole line is one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    No,
    /// What follows `DELIMITER`.
    Delimiter,
    /// A command of a client.
    Command,
}

impl Splitter {
    /// Starts a script.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            lexer: Lexer::new(dialect),
            buffer: Vec::new(),
            from: 0,
            next: 0,
            counted: 0,
            lines: Lines::FIRST,
            start: 0,
            start_lines: Lines::FIRST,
            dropped: 0,
            is_blank: true,
            has_comment: false,
            first: None,
            open: None,
            directive: None,
            parentheses: 0,
            parenthesis: None,
            blocks: Blocks::new(dialect),
            delimiter: None,
            line: Line::No,
        }
    }

    /// Adds text, and hands over every statement that ends in it. Pieces may end anywhere, also within a character.
    pub fn update(&mut self, piece: &[u8], mut statement: impl FnMut(Statement<'_>)) {
        for step in piece.chunks(STEP_BYTES) {
            self.buffer.extend_from_slice(step);
            self.advance(false, &mut statement);
            self.forget();
        }
    }

    /// Ends the script: hands over the last statement, and returns what is wrong.
    pub fn finish(mut self, mut statement: impl FnMut(Statement<'_>)) -> Vec<Problem> {
        self.advance(true, &mut statement);
        debug_assert_eq!(self.next, self.buffer.len(), "the lexer has left nothing");
        self.blocks.finish();
        let unfinished = self.lexer.open().and_then(|open| match open {
            Open::Quote => Some((ProblemKind::OpenQuote, self.open?)),
            Open::Comment => Some((ProblemKind::OpenComment, self.open?)),
            Open::Directive => Some((ProblemKind::OpenComment, self.directive?)),
            Open::Data => Some((ProblemKind::OpenCopy, self.open?)),
        });
        let parenthesis = self.parenthesis.map(|mark| (ProblemKind::OpenParenthesis, mark));
        let block = self.blocks.innermost().map(|mark| (ProblemKind::OpenBlock, mark));
        // What is open last hides the rest: it may have swallowed what closes them.
        let open = unfinished.or(parenthesis).or(block);
        let open = open.map(|(kind, mark)| self.place(mark).problem(kind));
        let restored = self
            .delimiter
            .map(|lines| lines.problem(ProblemKind::DelimiterNotRestored));
        let problems = open.into_iter().chain(restored).collect();
        if self.next > self.from || self.dropped > 0 {
            self.end(self.next, &mut statement);
        }
        problems
    }

    fn advance(&mut self, is_last: bool, statement: &mut impl FnMut(Statement<'_>)) {
        loop {
            if self.line != Line::No {
                if !self.line(is_last, statement) {
                    return;
                }
                continue;
            }
            if !self.is_blank && !self.blocks.cares() {
                self.next += self.lexer.skip(&self.buffer[self.next..]);
            }
            let Some(lexeme) = self.lexer.next(&self.buffer[self.next..], is_last) else {
                return;
            };
            let at = self.next;
            self.next += lexeme.length;
            match lexeme.kind {
                Kind::Blank => {}
                Kind::Comment => {
                    self.has_comment = true;
                    self.note_open(at, lexeme);
                }
                Kind::Directive => {
                    self.begin(at);
                    self.directive = (self.buffer[at] == b'/').then_some(Mark::At(at));
                }
                Kind::Delimiter => self.end(at, statement),
                Kind::Data if lexeme.ends => self.end(self.next, statement),
                Kind::Data => {}
                Kind::Name | Kind::Text => {
                    self.begin(at);
                    self.blocks.other();
                    self.note_open(at, lexeme);
                }
                Kind::Number => {
                    self.begin(at);
                    self.blocks.other();
                }
                Kind::Word => self.word(at, lexeme),
                Kind::Sign => self.sign(at, statement),
            }
        }
    }

    /// The first thing of a statement that counts.
    #[inline]
    fn begin(&mut self, at: usize) {
        if self.is_blank {
            self.is_blank = false;
            self.first = Some(Mark::At(at));
        }
    }

    #[inline]
    fn note_open(&mut self, at: usize, lexeme: Lexeme) {
        if lexeme.begins && !lexeme.ends {
            self.open = Some(Mark::At(at));
        }
    }

    #[inline]
    fn word(&mut self, at: usize, lexeme: Lexeme) {
        let is_first = self.is_blank;
        self.begin(at);
        if !lexeme.begins {
            return;
        }
        let word = &self.buffer[at..self.next];
        if is_first
            && word.eq_ignore_ascii_case(b"delimiter")
            && matches!(self.dialect, Dialect::MySql | Dialect::Unknown)
        {
            self.line = Line::Delimiter;
            return;
        }
        if self.blocks.cares() {
            self.blocks.word(word, Mark::At(at));
        }
    }

    #[inline]
    fn sign(&mut self, at: usize, statement: &mut impl FnMut(Statement<'_>)) {
        let sign = self.buffer[at];
        if sign == b';' {
            self.blocks.semicolon();
            if self.lexer.has_delimiter() {
                self.begin(at);
            } else if self.parentheses == 0 && self.blocks.is_empty() {
                if self.lexer.expects_data() {
                    self.open = self.first;
                } else {
                    self.end(self.next, statement);
                }
            }
            return;
        }
        if self.is_blank {
            let is_command = match self.dialect {
                Dialect::Postgres => sign == b'\\',
                Dialect::Sqlite => sign == b'.',
                Dialect::Unknown => matches!(sign, b'\\' | b'.'),
                Dialect::MySql => false,
            };
            self.begin(at);
            if is_command {
                self.line = Line::Command;
                return;
            }
        }
        match sign {
            b'(' => {
                if self.parentheses == 0 {
                    self.parenthesis = Some(Mark::At(at));
                }
                self.parentheses += 1;
            }
            b')' => {
                self.parentheses = self.parentheses.saturating_sub(1);
                if self.parentheses == 0 {
                    self.parenthesis = None;
                }
            }
            _ => {}
        }
        self.blocks.sign(sign);
    }

    /// Goes on in a line that is one thing; tells whether its end was found.
    fn line(&mut self, is_last: bool, statement: &mut impl FnMut(Statement<'_>)) -> bool {
        let rest = &self.buffer[self.next..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        if self.line == Line::Delimiter {
            let is_long = end.unwrap_or(rest.len()) > LONGEST_DELIMITER_LINE;
            if end.is_none() && !is_last && !is_long {
                return false;
            }
            let line = &rest[..end.unwrap_or(rest.len())];
            let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
            let word: Option<Box<[u8]>> = word.filter(|_| !is_long).map(Into::into);
            if let Some(word) = word {
                self.is_blank = true;
                let is_semicolon = *word == *b";";
                self.delimiter = (!is_semicolon).then(|| self.first.map_or(self.lines, |mark| self.place(mark)));
                self.lexer.set_delimiter((!is_semicolon).then_some(word));
            }
            self.line = Line::Command;
        }
        match end {
            Some(length) => self.next += length + 1,
            None => self.next = self.buffer.len(),
        }
        if end.is_some() {
            self.line = Line::No;
            self.end(self.next, statement);
        }
        end.is_some()
    }

    /// Hands over the statement, whose text ends at `text_end`; the next begins where the lexer goes on.
    fn end(&mut self, text_end: usize, statement: &mut impl FnMut(Statement<'_>)) {
        // A comment that MySQL runs may go on behind the end of the statement.
        self.directive = self.directive.map(|mark| Mark::Place(self.place(mark)));
        self.open = None;
        self.lines.advance(&self.buffer[self.counted..self.next]);
        self.counted = self.next;
        let end = self.start + self.dropped + (self.next - self.from) as u64;
        let kept = text_end.min(self.from + KEPT_BYTES);
        let is_cut = self.dropped > 0 || kept < text_end;
        let lossy;
        let bytes = &self.buffer[self.from..kept];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                // The cut may have hit a character.
                let is_whole = error.error_len().is_some() || !is_cut;
                let bytes = if is_whole { bytes } else { &bytes[..error.valid_up_to()] };
                lossy = String::from_utf8_lossy(bytes);
                &lossy
            }
        };
        statement(Statement {
            text,
            start: self.start,
            end,
            line: self.start_lines.line,
            column: self.start_lines.column,
            is_blank: self.is_blank,
            has_comment: self.has_comment,
        });
        self.from = self.next;
        self.start = end;
        self.start_lines = self.lines;
        self.dropped = 0;
        self.is_blank = true;
        self.has_comment = false;
        self.first = None;
        self.parentheses = 0;
        self.parenthesis = None;
        self.blocks.restart();
        self.lexer.restart();
    }

    /// The place of a mark.
    fn place(&self, mark: Mark) -> Lines {
        mark.place(self.lines, &self.buffer[self.counted..], self.counted)
    }

    /// Drops what need not be kept.
    fn forget(&mut self) {
        let Self {
            lines, counted, buffer, ..
        } = self;
        let marks = [
            &mut self.first,
            &mut self.open,
            &mut self.directive,
            &mut self.parenthesis,
        ];
        for mark in marks.into_iter().flatten().chain(self.blocks.marks()) {
            *mark = Mark::Place(mark.place(*lines, &buffer[*counted..], *counted));
        }
        self.lines.advance(&self.buffer[self.counted..self.next]);
        self.counted = self.next;
        // From here on, all that refers to the buffer is `from`, `next` and `counted`.
        let kept_to = self.from + KEPT_BYTES;
        if self.next > kept_to {
            self.dropped += (self.next - kept_to) as u64;
            self.buffer.drain(kept_to..self.next);
            self.next = kept_to;
        }
        self.buffer.drain(..self.from);
        self.next -= self.from;
        self.counted = self.next;
        self.from = 0;
    }
}

#[cfg(test)]
mod tests;
