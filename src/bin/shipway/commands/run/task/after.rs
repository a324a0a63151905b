//! What is done after a run that failed: looking into it, and repairing the history where that was asked for.

use serde_json::{Value, json};
use shipway::execute::report::repair::{QUESTION, repairable};
use shipway::execute::{Followed, Lines, Order, Piece, RunId, Status, Waiting};
use tokio::sync::mpsc;

use super::Run;
use crate::args::{Diagnose, Repair};

/// How many lines of a second task may wait to be taken.
const WAITING: usize = 64;

/// What was found out, and done.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// For people.
    pub(super) lines: Vec<String>,
    diagnosis: Option<Value>,
    repair: Option<Value>,
}

impl Notes {
    /// Adds it to the JSON form.
    pub(super) fn add_to(self, json: &mut Value) {
        if let Some(diagnosis) = self.diagnosis {
            json["diagnosis"] = diagnosis;
        }
        if let Some(repair) = self.repair {
            json["repair"] = repair;
        }
    }
}

impl Run<'_> {
    /// Looks into a migration that failed, as far as that was asked for. `followed` is what came of it in the end.
    pub(super) async fn look_into(&self, followed: &mut Followed) -> Notes {
        let mut notes = Notes::default();
        let options = &self.arguments.task;
        let command = match options.diagnose {
            Diagnose::Info => Some("info"),
            Diagnose::Validate => Some("validate"),
            Diagnose::None => None,
        };
        if let Some(command) = command {
            self.printer.line(&format!("looking into it with {command}"));
            notes.lines.push(format!("what {command} says:"));
            match self.aside(followed, &[command], command).await {
                Ok((status, lines)) => {
                    let masked = self.lines();
                    let lines: Vec<String> = lines.iter().map(|line| masked.show(line)).collect();
                    notes.diagnosis = Some(json!({ "command": command, "status": status, "lines": lines }));
                    notes.lines.extend(lines.iter().map(|line| format!("  {line}")));
                }
                Err(error) => notes.lines.push(format!("  it could not be run: {error:#}")),
            }
        }
        if options.repair == Repair::FailedOnly {
            self.repair(followed, &mut notes).await;
        }
        notes
    }

    /// Repairs, where that changes one failed row and nothing else, and migrates again.
    async fn repair(&self, followed: &mut Followed, notes: &mut Notes) {
        let refuse = |notes: &mut Notes, why: String| {
            notes.lines.push(format!("not repaired: {why}"));
            notes.repair = Some(json!({ "repaired": false, "reason": why }));
        };
        self.printer.line("finding out what repair would change");
        let (status, lines) = match self.aside(followed, &QUESTION, "examine").await {
            Ok(examined) => examined,
            Err(error) => return refuse(notes, format!("info and validate could not be run: {error:#}")),
        };
        // Validation fails where a migration has: what both say decides.
        if !matches!(status, Status::Succeeded | Status::Failed) {
            return refuse(
                notes,
                format!("info and validate did not run to their end ({})", status.as_str()),
            );
        }
        let row = match repairable(&lines.join("\n")) {
            Ok(row) => row.script.clone().unwrap_or_else(|| row.description.clone()),
            Err(error) => return refuse(notes, error.to_string()),
        };
        // A run of its own: it changes something, so it takes the lock and is kept.
        let order = Order {
            run_id: followed
                .view
                .run_id
                .as_ref()
                .map(|id| RunId::of(&format!("{id}-repair-{}", followed.view.attempt))),
            command: Some(vec!["repair".to_owned()]),
            ..self.again(followed)
        };
        self.printer
            .line(&format!("repairing: the failed row of {row} is removed"));
        let repaired = match self.follow(&order, self.shows_lines()).await {
            Ok(repaired) if repaired.view.status == Status::Succeeded => repaired,
            Ok(repaired) => {
                return refuse(
                    notes,
                    format!("repair did not succeed ({})", repaired.view.status.as_str()),
                );
            }
            Err(error) => return refuse(notes, format!("repair could not be run: {error:#}")),
        };
        notes.repair = Some(json!({ "repaired": true, "row": row, "runId": repaired.view.run_id }));
        self.printer.line("migrating again");
        match self.follow(&self.again(followed), self.shows_lines()).await {
            Ok(again) => *followed = again,
            Err(error) => notes
                .lines
                .push(format!("repaired, and it could not be run again: {error:#}")),
        }
    }

    /// The same order once more, with the image that ran.
    fn again(&self, followed: &Followed) -> Order {
        Order {
            run_id: followed
                .view
                .run_id
                .clone()
                .or_else(|| self.settings.order.run_id.clone()),
            image: followed
                .view
                .image
                .clone()
                .or_else(|| self.settings.order.image.clone()),
            ..self.settings.order.clone()
        }
    }

    /// Runs another command of the same image, which changes nothing; returns what it wrote, word for word: a value that is masked may be part of
    /// what is to be understood.
    async fn aside(
        &self,
        followed: &Followed,
        command: &[&str],
        purpose: &str,
    ) -> anyhow::Result<(Status, Vec<String>)> {
        let order = Order {
            command: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            purpose: Some(format!("{purpose}-{}", followed.view.attempt)),
            attempt: None,
            rerun: true,
            ..self.again(followed)
        };
        let (output, mut pieces) = mpsc::channel::<Piece>(WAITING);
        let collect = async {
            let mut lines = Vec::new();
            while let Some(piece) = pieces.recv().await {
                lines.push(String::from_utf8_lossy(&piece.bytes).trim_end_matches('\n').to_owned());
            }
            lines
        };
        // What it says is wanted, even where nobody wants to read what the run itself writes.
        let waiting = Waiting {
            wants_logs: true,
            ..self.settings.waiting.clone()
        };
        let (seen, lines) = tokio::join!(self.watch(&order, &waiting, Some(output), Lines::default()), collect);
        Ok((seen.map_err(shipway::error::Error::from)?.view.status, lines))
    }
}
