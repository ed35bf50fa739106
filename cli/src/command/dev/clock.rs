//! A wall clock of its own for each function whose faults want one: its library, made into the state's directory.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use sandbox::FakedClock;

use super::functions::Plan;
use crate::exit::Refused;

/// Gives each function that asks for it its clock.
///
/// # Errors
/// When there is no C compiler, or the directory cannot be written.
pub(super) fn give(plan: &mut Plan, directory: &Path) -> anyhow::Result<()> {
    for function in plan.functions.iter_mut().filter(|function| function.with_faked_clock) {
        let name = &function.config.name;
        let folder = directory.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        // Processes that load it run elsewhere.
        let folder = folder.canonicalize().with_context(|| format!("{} is gone", folder.display()))?;
        function.config.clock = match FakedClock::compile(&folder) {
            Ok(clock) => Some(clock),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Refused::usage(format!(
                    "function {name:?} wants a clock of its own (faults.fakedClock), which needs a C compiler called \
                     cc: install one (apt-get install gcc), or leave fakedClock out"
                ))
                .into());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("the clock of function {name:?} cannot be made"));
            }
        };
    }
    Ok(())
}
