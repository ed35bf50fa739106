//! Processes of a parent by name, to kill them as the kernel or an operator would.

use std::process::Command;

/// Kills (`-9`) the children of a process with this name; how many there were.
pub fn kill_children(parent: u32, name: &str) -> usize {
    let children = children(parent, name);
    for child in &children {
        // It may have ended by itself in between.
        let _ = Command::new("kill").args(["-9", &child.to_string()]).status();
    }
    children.len()
}

/// The kernel keeps 15 letters of a process's name.
const NAME_LETTERS: usize = 15;

fn children(parent: u32, name: &str) -> Vec<u32> {
    let name = &name[..name.len().min(NAME_LETTERS)];
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok())
        .filter(|process| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // `pid (name) state parent …`; the name may hold spaces, so it is cut out by its brackets.
            stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).is_some_and(|(comm, rest)| {
                comm == name && rest.split_whitespace().nth(1) == Some(parent.to_string().as_str())
            })
        })
        .collect()
}
