//! `limelight dlq`: what was put aside, and the way back.

use std::collections::{BTreeMap, HashSet};

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
use crate::terminal::{Terminal, note, print, print_bytes, say};

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
    let Kept { letter, file } = one(companion, id).await?;
    if raw {
        return Ok(print_bytes(&letter.data)?);
    }
    let text = beginning(&letter.data);
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
    let mut found = Vec::new();
    for id in ids {
        found.push(one(companion, id).await?);
    }
    Ok(found)
}

async fn one(companion: &Companion, id: &str) -> anyhow::Result<Kept> {
    let found = companion.letter(id).await?;
    found.ok_or_else(|| Refused::not_found(format!("there is no letter {id}")).into())
}

/// The beginning of a letter: text as it reads, anything else in hexadecimal digits.
fn beginning(data: &[u8]) -> String {
    let start = &data[..data.len().min(BEGINNING_BYTES)];
    let whole = match std::str::from_utf8(start) {
        Ok(text) => Some(text),
        // The cut may go through a character; then the text before it is whole.
        Err(cut) if cut.error_len().is_none() => std::str::from_utf8(&start[..cut.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match whole {
        Some(text) => visible(text).into_owned(),
        None => start.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_as_one_wherever_it_is_cut() {
        for letters in 250..260 {
            let text = "x".repeat(letters) + "漢字";
            let shown = beginning(text.as_bytes());
            assert!(shown.starts_with("xxx") && text.starts_with(&shown), "{shown}");
        }
        assert_eq!(beginning(&[0x1f, 0x8b, 8]), "1f 8b 08");
    }
}
