//! The arguments of `limelight dev`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// `limelight dev`.
#[derive(Debug, Clone, Args)]
#[command(
    long_about = "Runs functions on this machine as AWS would, with the extension beside them, and the whole way of \
their telemetry: stream, store, API. State stays in .limelight-data/ until you delete it. Ctrl-C ends it in order: \
requests are answered, sandboxes shut down, what they still send is stored. A second Ctrl-C ends it at once; what was \
acknowledged is on disk and is stored at the next start.",
    after_help = "EXAMPLES
  limelight dev                                       the functions of limelight.dev.json
  limelight dev --function hello=./hello              a folder with app.py, index.mjs, lambda_function.py or bootstrap
  limelight dev --function a=./a:main.handler --function b=./b:index.handler
  limelight dev -c functions.json --port-base 0       random ports; --format json tells which

THE FILE (limelight.dev.json)
  {
    \"service\": \"checkout\",              the team's unit, for functions that do not say (LIMELIGHT_SERVICE)
    \"region\": \"eu-west-1\",              default us-east-1
    \"functions\": [
      {
        \"name\": \"orders\",               required, 1 to 64 of a-z A-Z 0-9 - _
        \"dir\": \"orders\",                its folder, from where the file is (default: the file's)
        \"runtime\": \"python\",            python, node or custom; guessed from the folder
        \"handler\": \"app.handler\",       guessed from the folder
        \"command\": [\"python3\", \"-m\", \"awslambdaric\", \"app.handler\"],   instead of runtime
        \"env\": {\"TABLE\": \"orders\"},
        \"memoryMb\": 512,                default 128; from 128 to 10240
        \"timeoutSeconds\": 10,           default 3; from 1 to 900
        \"logFormat\": \"json\",            text (default) or json
        \"concurrency\": 4,               sandboxes at once, default 10
        \"freeze\": false,                whether sandboxes are stopped between invocations, default true
        \"extension\": false,             whether Limelight's extension runs beside it, default true
        \"routes\": [\"GET /orders/{id}\", \"POST /orders\"]   default ANY /NAME and below
      }
    ]
  }"
)]
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
