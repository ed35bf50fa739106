//! The tables of keys as people read them: in the help, and in `docs/functions-file.md`.

use super::key::{FAULT, FILE, FUNCTION, Key, MANAGED};

/// The keys of each object of the file, by how a person finds it.
const OBJECTS: [(&str, &[&Key]); 4] =
    [("The file", FILE), ("A function", FUNCTION), ("managedInstances", MANAGED), ("faults", FAULT)];

/// All keys for a terminal.
pub(super) fn help() -> String {
    let mut text = String::new();
    for (title, keys) in OBJECTS {
        text.push_str(&format!("  {title}\n"));
        for key in keys {
            let (rule, what) = (key.values.to_string(), key.what.replace('`', ""));
            let default = key.default.replace('`', "");
            text.push_str(&format!("    {}: {rule} (default: {default})\n        {what}\n", key.name));
        }
    }
    text.trim_end().to_owned()
}

/// All keys as tables.
#[cfg(test)]
fn markdown() -> String {
    let row = |key: &&Key| {
        format!(
            "| `{}` | {} | {} | {} |\n",
            key.name,
            key.values.to_string().replace('|', "\\|"),
            key.default,
            key.what
        )
    };
    let table = |(title, keys): (&str, &[&Key])| {
        format!("### {title}\n\n| key | may be | default | what it is for |\n|---|---|---|---|\n")
            + &keys.iter().map(row).collect::<String>()
    };
    OBJECTS.map(table).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_shows_the_tables_as_they_are() {
        let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions-file.md"));
        let shown = document.split_once("\n## Keys\n\n").map(|(_, tables)| tables).unwrap_or_default();
        assert!(
            shown == markdown(),
            "what follows \"## Keys\" in docs/functions-file.md must be\n{}",
            markdown()
        );
    }

    #[test]
    fn every_key_is_in_the_help() {
        let text = help();
        for (_, keys) in OBJECTS {
            assert!(keys.iter().all(|key| text.contains(&format!("    {}: ", key.name))), "{text}");
        }
    }
}
