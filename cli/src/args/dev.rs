//! The arguments of `limelight dev`, and the help on its file.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// `limelight dev`.
#[derive(Debug, Clone, Args)]
#[command(after_help = after_help())]
pub struct DevArgs {
    /// A function: its name and folder, if need be with its handler; repeatable
    #[arg(long = "function", value_name = "NAME=DIR[:HANDLER]")]
    pub functions: Vec<String>,
    /// The file with functions (default: limelight.dev.json, if it is here and no --function is given)
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where state is kept
    #[arg(long, value_name = "DIR", default_value = crate::command::DATA_DIRECTORY)]
    pub data: PathBuf,
    /// Where datasets are kept: a directory or s3://bucket/prefix (default: `store` in the state's directory)
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// The S3 API that the store is on, if it is not AWS's
    #[arg(long, value_name = "URL", requires = "store")]
    pub store_endpoint: Option<String>,
    /// The first of four ports in a row: API, Invoke, HTTP, stream; 0 takes free ones
    #[arg(long, value_name = "PORT", default_value_t = crate::command::dev::PORT_BASE)]
    pub port_base: u16,
    /// The stream's name
    #[arg(long, value_name = "NAME", default_value = "limelight")]
    pub stream: String,
    /// Use the stream of another Kinesis API instead of the built-in one
    #[arg(long, value_name = "URL")]
    pub stream_endpoint: Option<String>,
    /// Limelight's extension (default: beside this command)
    #[arg(long, env = "LIMELIGHT_EXTENSION", value_name = "FILE")]
    pub extension: Option<PathBuf>,
    /// The Python that has awslambdaric (default: .venv beside the function, else python3)
    #[arg(long, env = "LIMELIGHT_PYTHON", value_name = "FILE")]
    pub python: Option<PathBuf>,
    /// The folder whose node_modules has aws-lambda-ric (default: the function's or one above it)
    #[arg(long, env = "LIMELIGHT_NODE", value_name = "DIR")]
    pub node: Option<PathBuf>,
    /// Do not show what functions print
    #[arg(short, long)]
    pub quiet: bool,
    /// How to tell the addresses: for people, or one JSON object on standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Examples, then the file: how it begins, and all of its keys from the tables that it is read by.
fn after_help() -> String {
    format!("{EXAMPLES}\n\n{FILE}\n\nKEYS OF THE FILE\n{}", crate::command::dev::functions_help())
}

const EXAMPLES: &str = "EXAMPLES
  limelight dev                                       the functions of limelight.dev.json
  limelight dev --function hello=./hello              a folder with app.py, index.mjs, lambda_function.py or bootstrap
  limelight dev --function a=./a:main.handler --function b=./b:index.handler
  limelight dev -c functions.json --port-base 0       random ports; --format json tells which";

const FILE: &str = r#"THE FILE (limelight.dev.json)
  {
    "service": "checkout",
    "functions": [
      { "name": "orders", "dir": "orders", "memoryMb": 512, "timeoutSeconds": 10,
        "env": {"TABLE": "orders"}, "routes": ["GET /orders/{id}", "POST /orders"] },
      { "name": "prices", "dir": "prices", "handler": "index.handler", "snapStart": true },
      { "name": "stock", "dir": "stock", "managedInstances": {"environments": 1, "concurrency": 8} },
      { "name": "shaky", "dir": "stock", "faults": {"seed": 7, "freeze": 0.1, "killFunction": 0.02} }
    ]
  }"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_the_help_shows_is_json() {
        let file = FILE.split_once('\n').map(|(_, file)| file).unwrap_or_default();
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        assert_eq!(file["functions"].as_array().map(Vec::len), Some(4));
    }
}
