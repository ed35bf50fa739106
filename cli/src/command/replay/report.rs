//! What was in the files and what became of it: as a table, as JSON, as a verdict for the exit code.

use serde_json::{Value, json};

use super::letters::{Batch, LetterFile, State};
use crate::render::number::{bytes, counted, figure, time};
use crate::render::table::{Align, Table};
use crate::render::text::Paint;

/// Everything that was looked at.
#[derive(Debug)]
pub(super) struct Report {
    files: Vec<LetterFile>,
    dry_run: bool,
}

impl Report {
    /// Of nothing yet. A dry run has no outcome.
    pub(super) fn new(dry_run: bool) -> Self {
        Self { files: Vec::new(), dry_run }
    }

    pub(super) fn add(&mut self, file: LetterFile) {
        self.files.push(file);
    }

    /// One row for each file, the figures of its batches together.
    pub(super) fn table(&self, columns_max: usize, paint: Paint) -> String {
        let mut table = Table::new()
            .column("file", Align::Left)
            .column("of", Align::Left)
            .column("for", Align::Left)
            .column("batches", Align::Right)
            .column("events", Align::Right)
            .column("size", Align::Right)
            .column("from", Align::Left)
            .column("to", Align::Left)
            .column("state", Align::Left);
        for file in &self.files {
            table.row(row(file));
        }
        table.draw(columns_max, paint)
    }

    /// One line for people.
    pub(super) fn summary(&self) -> String {
        let total = self.batches(|_| true);
        let files = counted(self.files.len() as u64, "file");
        let mut parts: Vec<String> = Vec::new();
        let mut part = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{} {what}", figure_of(count as u64)));
            }
        };
        part(self.batches(|batch| batch.state == State::Sent), "sent");
        part(self.batches(|batch| batch.state == State::Stored), "in the store already");
        part(self.waiting(), if self.dry_run { "to send" } else { "not sent" });
        part(self.batches(|batch| matches!(batch.state, State::Failed(_))), "refused");
        part(self.batches(|batch| matches!(batch.state, State::Unreadable(_))), "unreadable");
        part(self.in_use(), "left to sandboxes that still run");
        part(self.damaged(), "damaged");
        let torn: usize =
            self.files.iter().filter(|file| !file.is_in_use()).map(|file| file.torn_bytes).sum();
        if torn > 0 {
            parts.push(format!("{} at an end that was never written whole", bytes(torn as u64)));
        }
        let what = if parts.is_empty() { "nothing to send".to_owned() } else { parts.join(", ") };
        format!(
            "{} in {files}: {what}",
            if total == 1 { "1 batch".to_owned() } else { format!("{} batches", figure_of(total as u64)) }
        )
    }

    /// Each file with each of its batches.
    pub(super) fn json(&self) -> Value {
        json!({
            "dryRun": self.dry_run,
            "batches": self.batches(|_| true),
            "sent": self.batches(|batch| batch.state == State::Sent),
            "stored": self.batches(|batch| batch.state == State::Stored),
            "waiting": self.waiting(),
            "failed": self.batches(|batch| matches!(batch.state, State::Failed(_))),
            "unreadable": self.batches(|batch| matches!(batch.state, State::Unreadable(_))),
            "inUse": self.in_use(),
            "damaged": self.damaged(),
            "files": self.files.iter().map(file_json).collect::<Vec<_>>(),
        })
    }

    /// Whether all is well.
    ///
    /// # Errors
    /// When something could not be sent or read, with the first reason.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        let mut reasons =
            self.files.iter().flat_map(|file| &file.batches).filter_map(|batch| batch.state.reason());
        match (reasons.next(), self.damaged()) {
            (Some(why), _) if self.dry_run => anyhow::bail!("not every batch can be read: {why}"),
            (Some(why), _) => anyhow::bail!("not every batch was sent; they stay in their files: {why}"),
            (None, 0) => Ok(()),
            (None, damaged) => anyhow::bail!(
                "{} damaged on the disk and cannot be read; the rest is not touched by it",
                if damaged == 1 { "one batch was".to_owned() } else { format!("{damaged} batches were") }
            ),
        }
    }

    fn batches(&self, which: impl Fn(&Batch) -> bool) -> usize {
        self.files.iter().flat_map(|file| &file.batches).filter(|batch| which(batch)).count()
    }

    fn waiting(&self) -> usize {
        self.files.iter().filter(|file| !file.is_in_use()).map(|file| file.waiting().count()).sum()
    }

    fn in_use(&self) -> usize {
        self.files.iter().filter(|file| file.is_in_use()).map(|file| file.batches.len()).sum()
    }

    fn damaged(&self) -> usize {
        self.files.iter().map(|file| file.damaged).sum()
    }
}

fn row(file: &LetterFile) -> Vec<String> {
    let distinct = |texts: Vec<String>| {
        let mut texts = texts;
        texts.sort();
        texts.dedup();
        texts.join(", ")
    };
    let letters = || file.batches.iter().map(|batch| &batch.letter);
    let ends = [letters().map(|letter| letter.at).min(), letters().map(|letter| letter.at).max()];
    let [from, to] = ends.map(|at| at.map_or_else(|| "–".to_owned(), time));
    vec![
        file.path.display().to_string(),
        distinct(file.batches.iter().flat_map(|batch| batch.namespaces.clone()).collect()),
        distinct(letters().map(|letter| letter.stream.clone()).collect()),
        figure_of(file.batches.len() as u64),
        figure_of(letters().map(|letter| letter.events).sum()),
        bytes(letters().map(|letter| letter.data.len() as u64).sum()),
        from,
        to,
        state_of(file),
    ]
}

/// What became of a file, in a word.
fn state_of(file: &LetterFile) -> String {
    let has = |which: fn(&State) -> bool| file.batches.iter().any(|batch| which(&batch.state));
    let word = match file {
        _ if file.removed => "removed",
        _ if file.is_in_use() => "in use",
        _ if file.damaged > 0 => "damaged",
        _ if has(|state| matches!(state, State::Unreadable(_))) => "unreadable",
        _ if has(|state| matches!(state, State::Failed(_))) => "failed",
        _ if has(|state| *state == State::Waiting) => "waiting",
        _ if has(|state| *state == State::Sent) => "sent",
        _ if has(|state| *state == State::Stored) => "stored",
        _ => "empty",
    };
    word.to_owned()
}

fn file_json(file: &LetterFile) -> Value {
    json!({
        "path": file.path.display().to_string(),
        "state": state_of(file),
        "damaged": file.damaged,
        "tornBytes": file.torn_bytes,
        "batches": file.batches.iter().map(batch_json).collect::<Vec<_>>(),
    })
}

fn batch_json(batch: &Batch) -> Value {
    let letter = &batch.letter;
    json!({
        "sandbox": letter.id.sandbox,
        "sequence": letter.id.sequence,
        "at": letter.at.to_string(),
        "events": letter.events,
        "bytes": letter.data.len(),
        "stream": letter.stream,
        "namespaces": batch.namespaces,
        "given": letter.reason,
        "state": batch.state.as_str(),
        "reason": batch.state.reason(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown in groups of three digits; exact up to 2^53")]
fn figure_of(count: u64) -> String {
    figure(count as f64)
}

#[cfg(test)]
mod tests {
    use super::super::letters::tests::{letter, written};
    use super::*;

    fn report(states: &[State], dry_run: bool) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let letters: Vec<_> = (0..)
            .zip(states)
            .map(|(sequence, _)| letter(sequence, br#"{"namespace": "orders", "message": "a"}"#))
            .collect();
        let mut file = LetterFile::open(&written(folder.path(), &letters)).unwrap();
        file.path = "a.letters".into();
        for (batch, state) in file.batches.iter_mut().zip(states) {
            batch.state = state.clone();
        }
        let mut report = Report::new(dry_run);
        report.add(file);
        report
    }

    #[test]
    fn a_file_is_one_row() {
        let drawn = report(&[State::Waiting, State::Waiting], true).table(160, Paint::none());
        let expected = [
            "file       of      for        batches  events  size  from                     to                       state",
            "a.letters  orders  telemetry        2       2  78 B  2025-11-20 12:00:00.000  2025-11-20 12:00:00.000  waiting",
            "",
        ];
        assert_eq!(drawn, expected.join("\n"));
    }

    #[test]
    fn the_summary_says_what_became_of_each_batch() {
        let states = [State::Sent, State::Sent, State::Stored, State::Failed("no".to_owned())];
        let done = report(&states, false);
        assert_eq!(done.summary(), "4 batches in 1 file: 2 sent, 1 in the store already, 1 refused");
        assert_eq!(report(&[State::Waiting], true).summary(), "1 batch in 1 file: 1 to send");
        assert_eq!(done.json()["sent"], 2);
        assert_eq!(done.json()["files"][0]["batches"][3]["reason"], "no");
    }

    #[test]
    fn what_could_not_be_sent_or_read_is_a_failure() {
        assert!(report(&[State::Sent, State::Stored], false).verdict().is_ok());
        let failed = report(&[State::Failed("throttled".to_owned())], false).verdict().unwrap_err();
        assert!(failed.to_string().contains("throttled"));
        let mut damaged = report(&[State::Sent], false);
        damaged.files[0].damaged = 1;
        assert!(damaged.verdict().unwrap_err().to_string().contains("one batch was damaged"));
    }
}
