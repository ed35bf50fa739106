//! A function that prints what its event says, works for so long, and answers. Small and without an interpreter, so
//! that it leaves the processors to what is measured. The event: `{"lines": ["…"], "work_ms": 5}`; `{request}` in a
//! line becomes the invocation's id. With `"paced": {"first": 100, "count": 100000, "per_second": 10000}` it prints
//! so many at this pace, the lines over and over again, `{name}` in them being a number from the first one on; with
//! `"stamp": true` it says when it had its event.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

/// Between two looks at the clock while lines are paced.
const TICK: Duration = Duration::from_millis(2);

fn main() -> Result<()> {
    let authority = std::env::var(lambda_api::RUNTIME_API_VARIABLE).map_err(Error::other)?;
    let mut platform = Platform { stream: BufReader::new(TcpStream::connect(&authority)?), authority };
    platform.stream.get_ref().set_nodelay(true)?;
    loop {
        let (request_id, event) = platform.call("GET", lambda_api::runtime::NEXT_PATH)?;
        let had_event = SystemTime::now();
        let event: Value = serde_json::from_slice(&event)?;
        if event["stamp"] == true {
            let since = had_event.duration_since(SystemTime::UNIX_EPOCH).map_err(Error::other)?;
            std::io::stdout().write_all(format!("began {}\n", since.as_nanos()).as_bytes())?;
        }
        work(&request_id, &event)?;
        pace(&request_id, &event)?;
        let answer = format!("{}{request_id}/response", lambda_api::runtime::INVOCATION_PREFIX);
        platform.call("POST", &answer)?;
    }
}

fn work(request_id: &str, event: &Value) -> Result<()> {
    if event["paced"].is_object() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    for line in event["lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        // One write for each line, as a logger does.
        stdout.write_all(format!("{}\n", line.replace("{request}", request_id)).as_bytes())?;
    }
    stdout.flush()?;
    std::thread::sleep(Duration::from_millis(event["work_ms"].as_u64().unwrap_or_default()));
    Ok(())
}

fn pace(request_id: &str, event: &Value) -> Result<()> {
    let lines: Vec<&str> =
        event["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let (Some(count), Some(per_second)) =
        (event["paced"]["count"].as_u64(), event["paced"]["per_second"].as_f64())
    else {
        return Ok(());
    };
    let (began, mut stdout) = (Instant::now(), std::io::stdout().lock());
    let mut patterns = lines.iter().cycle();
    let first = event["paced"]["first"].as_u64().unwrap_or_default();
    for number in 0..count {
        while number as f64 > began.elapsed().as_secs_f64() * per_second {
            std::thread::sleep(TICK);
        }
        let Some(pattern) = patterns.next() else { return Ok(()) };
        let line =
            pattern.replace("{request}", request_id).replace("{name}", &format!("evt-{:09}", first + number));
        stdout.write_all(format!("{line}\n").as_bytes())?;
    }
    stdout.flush()
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
