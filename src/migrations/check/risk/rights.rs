//! R020: rights for everybody, and rights to everything.

use super::words::Words;
use super::{Risks, Scene};

impl Risks {
    /// `GRANT`, also that of `ALTER DEFAULT PRIVILEGES`.
    pub(super) fn grant(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        let mut causes = Vec::new();
        let mut place = None;
        let mut cause = |words: &Words<'_>, count: usize, text: String| {
            place.get_or_insert_with(|| words.next_span(count));
            causes.push(text);
        };
        let mut object = words;
        if words.is("all") {
            let count = if words.are(&["all", "privileges"]) { 2 } else { 1 };
            let on = if object.find(&["on"]) {
                target(object)
            } else {
                String::new()
            };
            cause(&words, count, format!("all rights{on} are granted"));
        }
        // What follows the last TO are roles; a schema may be called public as well.
        if words.find(&["to"]) {
            words.take();
            while let Some(token) = words.peek() {
                if token.is("with") {
                    break;
                }
                if token.is("public") {
                    cause(&words, 1, "everybody gets the right".to_owned());
                }
                words.step();
            }
        }
        for option in [["with", "grant", "option"], ["with", "admin", "option"]] {
            let mut ahead = words;
            if ahead.find(&option) {
                cause(&ahead, 3, "who gets the right may pass it on".to_owned());
            }
        }
        if let Some(span) = place {
            let finding = self.found(scene, "R020", span, causes.join("; "));
            let help = "name the rights the program needs, and the role that needs them";
            self.findings.push(finding.help(help));
        }
    }
}

/// ` on table orders`.
fn target(mut words: Words<'_>) -> String {
    let start = words.mark();
    let mut end = words;
    if end.find(&["to"]) {
        while words.mark() < end.mark() {
            words.take();
        }
    }
    let target = super::words::line(&words.all()[start..words.mark()]);
    if target.is_empty() {
        target
    } else {
        format!(" {target}")
    }
}
