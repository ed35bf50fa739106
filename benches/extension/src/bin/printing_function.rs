//! A function that prints what its event says, works for so long, and answers. Small and without an interpreter, so
//! that it leaves the processors to what is measured. The event: `{"lines": ["…"], "work_ms": 5}`; `{request}` in a
//! line becomes the invocation's id.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

fn main() -> Result<()> {
    let authority = std::env::var(lambda_api::RUNTIME_API_VARIABLE).map_err(Error::other)?;
    let mut platform = Platform { stream: BufReader::new(TcpStream::connect(&authority)?), authority };
    platform.stream.get_ref().set_nodelay(true)?;
    loop {
        let (request_id, event) = platform.call("GET", lambda_api::runtime::NEXT_PATH)?;
        work(&request_id, &serde_json::from_slice(&event)?)?;
        let answer = format!("{}{request_id}/response", lambda_api::runtime::INVOCATION_PREFIX);
        platform.call("POST", &answer)?;
    }
}

fn work(request_id: &str, event: &Value) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    for line in event["lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        // One write for each line, as a logger does.
        stdout.write_all(format!("{}\n", line.replace("{request}", request_id)).as_bytes())?;
    }
    stdout.flush()?;
    std::thread::sleep(Duration::from_millis(event["work_ms"].as_u64().unwrap_or_default()));
    Ok(())
}

/// The Runtime API on one kept connection.
struct Platform {
    authority: String,
    stream: BufReader<TcpStream>,
}

impl Platform {
    /// The request id of the answer, if it has one, and its body.
    fn call(&mut self, method: &str, path: &str) -> Result<(String, Vec<u8>)> {
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\r\n", self.authority);
        self.stream.get_mut().write_all(head.as_bytes())?;
        let (mut request_id, mut bytes) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.split_once(':') else {
                if line.trim().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                lambda_api::runtime::REQUEST_ID_HEADER => request_id = value.trim().to_owned(),
                "content-length" => bytes = value.trim().parse().map_err(Error::other)?,
                _ => {}
            }
        }
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body)?;
        Ok((request_id, body))
    }
}
