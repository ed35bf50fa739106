//! `limelight replay`: batches that an extension has left on a disk → the stream, with the same bytes and identity.
//!
//! One file at a time: find → open → leave out what the store has → send → show. Nothing is written but to the stream;
//! a file goes only if it shall, and only when every batch in it is safe.

mod find;
mod letters;
mod known;
mod destination;
mod outbox;
mod send;
mod report;

use std::time::{Duration, SystemTime};

use model::Timestamp;

use self::destination::Destination;
use self::known::Known;
use self::letters::{LetterFile, State};
use self::report::Report;
use self::send::Sender;
use super::print_json;
use crate::args::{Format, ReplayArgs};
use crate::exit::Refused;
use crate::terminal::{Terminal, print, progress, say};

/// A store drops a batch that it has for 15 minutes after its commit, without anybody's asking. Batches that are
/// younger than this are within that time when they arrive.
const KNOWN_FOR: Duration = Duration::from_mins(10);

/// Runs it.
///
/// # Errors
/// When there is nothing at a path, nobody to send to, or something could not be sent.
pub async fn run(arguments: ReplayArgs) -> anyhow::Result<()> {
    let places = find::places(&arguments.paths, &arguments.place.data, |name| std::env::var(name).ok());
    let paths = find::files(&places)?;
    let mut report = Report::new(arguments.dry_run);
    let sent = if arguments.dry_run {
        paths.iter().try_for_each(|path| {
            report.add(LetterFile::open(path)?);
            Ok(())
        })
    } else if paths.is_empty() {
        Ok(())
    } else {
        replay(&arguments, &paths, &mut report).await
    };
    match arguments.format {
        Format::Json => print_json(&report.json())?,
        Format::Table if paths.is_empty() => say(&format!("nothing waits in {}", find::shown(&places))),
        Format::Table => {
            let terminal = Terminal::stdout();
            print(&report.table(terminal.width, terminal.paint))?;
            say(&report.summary());
        }
    }
    sent.and_then(|()| report.verdict())
}

async fn replay(
    arguments: &ReplayArgs,
    paths: &[std::path::PathBuf],
    report: &mut Report,
) -> anyhow::Result<()> {
    let destination = Destination::of(arguments, |name| std::env::var(name).ok())?;
    let known = Known::open(&arguments.place, destination.is_dev()).await?;
    let now = Timestamp::from(SystemTime::now());
    if known.is_none() && !arguments.unchecked {
        young_enough(paths, now)?;
    }
    let sender = Sender::new(destination).await;
    for path in paths {
        let mut file = LetterFile::open(path)?;
        let sent = match file.is_in_use() {
            true => Ok(()),
            false => deliver(&mut file, known.as_ref(), &sender, now).await,
        };
        progress("");
        if arguments.remove && file.is_done() {
            file.remove()?;
        }
        report.add(file);
        sent?;
    }
    Ok(())
}

async fn deliver(
    file: &mut LetterFile,
    known: Option<&Known>,
    sender: &Sender,
    now: Timestamp,
) -> anyhow::Result<()> {
    if let Some(known) = known {
        let stored = known.among(file.waiting(), now).await?;
        file.batches
            .iter_mut()
            .filter(|batch| batch.state == State::Waiting && stored.contains(&batch.letter.id))
            .for_each(|batch| batch.state = State::Stored);
    }
    let shown = file.path.display().to_string();
    sender
        .send(&mut file.batches, |sent, of| {
            progress(&format!("{shown}: {sent} of {of} batches are on the stream"))
        })
        .await
}

/// Refuses what the store might take a second time, before anything is sent.
fn young_enough(paths: &[std::path::PathBuf], now: Timestamp) -> anyhow::Result<()> {
    let since = now.minus(KNOWN_FOR);
    let mut old = 0;
    for path in paths {
        let file = LetterFile::open(path)?;
        old += if file.is_in_use() { 0 } else { file.waiting().filter(|letter| letter.at < since).count() };
    }
    if old == 0 {
        return Ok(());
    }
    Err(Refused::usage(format!(
        "{old} of the batches are older than {} minutes, and nobody can be asked whether the store has them, which would \
         then have them twice; name the API with --endpoint or the store with --store, or say --unchecked if none of \
         them was stored",
        KNOWN_FOR.as_secs() / 60
    ))
    .into())
}
