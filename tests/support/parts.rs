//! Servers that we did not write, each on a free loopback port, ended when dropped.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::programs::part;

/// The longest that a server may take to listen; the slowest (moto) takes about two seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    process: Child,
    pub port: u16,
}

impl Server {
    /// Its address, as `http://127.0.0.1:4567`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start(command: &mut Command, port: u16) -> Self {
        let process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, port };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < READY_WITHIN, "{command:?} does not listen on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// moto: the Kinesis and S3 APIs in Python.
pub fn moto() -> Server {
    let port = free_port();
    let program = part("PARTS_PYTHON").join("bin/moto_server");
    Server::start(Command::new(program).args(["-H", "127.0.0.1", "-p", &port.to_string()]), port)
}

/// kinesalite: the Kinesis API in Node, stricter than moto in what it refuses.
pub fn kinesalite(folder: &Path) -> Server {
    let port = free_port();
    // It has no option for the host: this keeps it on loopback.
    let preload = folder.join("loopback.cjs");
    std::fs::write(
        &preload,
        "const net = require('net'); const listen = net.Server.prototype.listen;\n\
         net.Server.prototype.listen = function (port, ...rest) {\n\
           return typeof port === 'object' ? listen.call(this, port, ...rest)\n\
             : listen.call(this, { port, host: '127.0.0.1' }, ...rest.filter(r => typeof r === 'function')); };\n",
    )
    .unwrap();
    let cli = part("PARTS_NODE").join("node_modules/kinesalite/cli.js");
    let mut command = Command::new("node");
    command.arg("-r").arg(preload).arg(cli).args(["--port", &port.to_string(), "--shardLimit", "100"]);
    Server::start(command.args(["--createStreamMs", "10"]), port)
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs one of the fixtures that prepare a server through boto3.
pub fn prepare(script: &str, arguments: &[&str]) {
    let output = Command::new(part("PARTS_PYTHON").join("bin/python"))
        .arg(super::programs::root().join("tests/fixtures").join(script))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}
