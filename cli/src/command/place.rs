//! The store that a command works on itself, without a server: also while a `limelight dev` runs on it.

use std::path::Path;

use companion::{Companion, EngineSettings, Settings};
use store::Location;

use crate::args::StorePlaceArgs;
use crate::exit::Refused;

/// Opens the store that was named, or the one that `limelight dev` keeps here.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub async fn open(place: &StorePlaceArgs) -> anyhow::Result<Companion> {
    match &place.store {
        Some(store) => at(store).await,
        None => at(&place.data.join("store").to_string_lossy()).await,
    }
}

/// Opens the store at a place that somebody typed.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub async fn at(store: &str) -> anyhow::Result<Companion> {
    let location = Location::parse(store).map_err(|error| Refused::usage(error.to_string()))?;
    // A store is made where there is none, which is not what a question should do.
    if !store.contains(':') && !Path::new(store).is_dir() {
        return Err(Refused::not_found(format!("there is no store at {store}: no such directory")).into());
    }
    Ok(Companion::open(settings(location)?).await?)
}

/// How a companion in this process works: by its defaults, and with the engines that the environment sets up.
///
/// # Errors
/// What is wrong with the environment.
pub fn settings(location: Location) -> Result<Settings, Refused> {
    let engines = EngineSettings::from_env(|name| std::env::var(name).ok());
    let engines = engines.map_err(|faults| Refused::usage(faults.join("; ")))?;
    Ok(Settings { engines, ..Settings::new(location) })
}
