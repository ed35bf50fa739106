//! `limelight dlq`: what was put aside, and the way back.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use companion::Companion;
use companion::letters::{Kept, Letters, Replayed};
use model::BatchId;
use serde_json::json;
use store::LetterFile;

use super::{place, print_json};
use crate::args::{DlqAction, DlqArgs, Format};
use crate::exit::Refused;
use crate::render::number::{bytes, time};
use crate::render::table::{Align, Table};
use crate::render::text::visible;
use crate::terminal::{Terminal, note, print, say};

/// Bytes of a letter that are shown of its beginning.
const BEGINNING_BYTES: usize = 256;

/// Runs it.
///
/// # Errors
/// When there is no such store or letter, when the store fails, or when a letter could not be replayed.
pub async fn run(arguments: DlqArgs) -> anyhow::Result<()> {
    match arguments.action {
        DlqAction::List { limit, format, place } => list(&place::open(&place).await?, limit, format).await,
        DlqAction::Show { id, raw, place } => show(&place::open(&place).await?, &id, raw).await,
        DlqAction::Replay { ids, all, place } => {
            let companion = place::open(&place).await?;
            let letters = if all { everything(&companion).await? } else { named(&companion, &ids).await? };
            replay(&companion, letters).await
        }
    }
}

async fn list(companion: &Companion, limit: usize, format: Format) -> anyhow::Result<()> {
    let found = companion.letters(limit).await?;
    tell_damage(&found);
    if format == Format::Json {
        let letters: Vec<_> = found.letters.iter().map(shown).collect();
        return print_json(
            &json!({ "letters": letters, "damaged": found.damaged, "filesLeft": found.files_left }),
        );
    }
    if found.letters.is_empty() {
        say("there are no dead letters: everything could be read");
        return Ok(());
    }
    let mut table = Table::new()
        .column("arrived", Align::Left)
        .column("id", Align::Left)
        .column("size", Align::Right)
        .column("reason", Align::Left);
    for Kept { letter, .. } in &found.letters {
        let size = bytes(letter.data.len() as u64);
        table.row(vec![time(letter.at), letter.id.to_string(), size, letter.reason.clone()]);
    }
    let terminal = Terminal::stdout();
    print(&table.draw(terminal.width, terminal.paint))?;
    if found.files_left > 0 {
        note(&format!("there are more in {} files: --limit shows them", found.files_left));
    }
    Ok(())
}

async fn show(companion: &Companion, id: &str, raw: bool) -> anyhow::Result<()> {
    let letters = named(companion, &[id.to_owned()]).await?;
    let Some(Kept { letter, file }) = letters.first() else { return Ok(()) };
    if raw {
        return Ok(io::stdout().lock().write_all(&letter.data)?);
    }
    let beginning = &letter.data[..letter.data.len().min(BEGINNING_BYTES)];
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => visible(text).into_owned(),
        Err(_) => beginning.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    };
    let lines = [
        ("id", letter.id.to_string()),
        ("stream", letter.stream.clone()),
        ("arrived", time(letter.at)),
        ("reason", letter.reason.clone()),
        ("size", bytes(letter.data.len() as u64)),
        ("file", format!("{}/{}", file.day, file.name)),
    ];
    let lines = lines.iter().map(|(name, value)| format!("{name:8}{}\n", visible(value))).collect::<String>();
    Ok(print(&format!("{lines}begins  {text}\n"))?)
}

async fn replay(companion: &Companion, letters: Vec<Kept>) -> anyhow::Result<()> {
    let (mut taken, mut events, mut refused) = (0, 0, 0);
    let mut gone: BTreeMap<LetterFile, HashSet<BatchId>> = BTreeMap::new();
    for Kept { letter, file } in &letters {
        match companion.replay(letter).await? {
            Replayed::Refused { reason } => {
                refused += 1;
                note(&format!("{} stays: {reason}", letter.id));
                continue;
            }
            Replayed::Taken { events: more } => events += more,
            Replayed::Standing => {}
        }
        taken += 1;
        gone.entry(file.clone()).or_default().insert(letter.id.clone());
    }
    for (file, ids) in &gone {
        companion.forget(file, ids).await?;
    }
    say(&format!("{taken} letters replayed, {events} events committed, {refused} letters stay"));
    anyhow::ensure!(refused == 0, "{refused} letters can still not be read");
    Ok(())
}

async fn everything(companion: &Companion) -> anyhow::Result<Vec<Kept>> {
    let mut found = companion.letters(usize::MAX).await?;
    tell_damage(&found);
    // In the order in which they arrived.
    found.letters.reverse();
    Ok(found.letters)
}

async fn named(companion: &Companion, ids: &[String]) -> anyhow::Result<Vec<Kept>> {
    let all = everything(companion).await?;
    ids.iter()
        .map(|id| {
            let found = all.iter().find(|kept| kept.letter.id.to_string() == *id);
            found.cloned().ok_or_else(|| Refused::not_found(format!("there is no letter {id}")).into())
        })
        .collect()
}

fn tell_damage(found: &Letters) {
    if found.damaged > 0 {
        note(&format!("{} letters are damaged and cannot be shown", found.damaged));
    }
}

fn shown(kept: &Kept) -> serde_json::Value {
    let Kept { letter, file } = kept;
    json!({
        "id": letter.id.to_string(), "at": letter.at.to_string(), "stream": letter.stream,
        "reason": letter.reason, "bytes": letter.data.len(), "events": letter.events,
        "file": format!("{}/{}", file.day, file.name),
    })
}
