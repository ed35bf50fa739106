//! Processes by their name and parent or function, to kill them as the kernel or an operator would.

use std::process::Command;

/// Kills (`-9`) the children of a process with this name; how many there were.
pub fn kill_children(parent: u32, name: &str) -> usize {
    kill(named(name).filter(|process| parent_of(*process) == Some(parent)))
}

/// Kills (`-9`) the processes with this name in the environments of a function; how many there were.
pub fn kill_beside(function: &str, name: &str) -> usize {
    let variable = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
    kill(named(name).filter(|process| {
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    }))
}

fn kill(processes: impl Iterator<Item = u32>) -> usize {
    // It may have ended by itself in between.
    processes
        .filter(|process| Command::new("kill").args(["-9", &process.to_string()]).status().is_ok())
        .count()
}

/// The kernel keeps 15 letters of a process's name.
const NAME_LETTERS: usize = 15;

fn named(name: &str) -> impl Iterator<Item = u32> {
    let name = &name[..name.len().min(NAME_LETTERS)];
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok())
        .filter(move |process| {
            std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm.trim_end() == name)
        })
}

/// `pid (name) state parent …`; the name may hold brackets and spaces.
fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
