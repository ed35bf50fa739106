//! `--store-endpoint`: the object store reads its endpoint from the environment, which a running process cannot change
//! safely; so the command replaces itself by itself with the environment that it needs, once.

use std::os::unix::process::CommandExt;

use crate::args::DevArgs;

/// Where the object store looks for its endpoint.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_S3";

/// Starts the command again with the right environment, if it is not right yet.
///
/// # Errors
/// When it cannot be started again.
pub fn with_environment(arguments: &DevArgs) -> anyhow::Result<()> {
    let Some(endpoint) = &arguments.store_endpoint else { return Ok(()) };
    if std::env::var(ENDPOINT).is_ok_and(|now| now == *endpoint) {
        return Ok(());
    }
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(ENDPOINT, endpoint);
    // A stand-in for S3 on this machine wants credentials, any; without them the machine's role would be asked for.
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local"), ("AWS_REGION", "us-east-1")]
    {
        if std::env::var_os(name).is_none() && std::env::var_os("AWS_PROFILE").is_none() {
            command.env(name, value);
        }
    }
    Err(anyhow::Error::new(command.exec()).context("the command cannot start itself again"))
}
