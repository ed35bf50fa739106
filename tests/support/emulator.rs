//! AWS's own runtime interface emulator around a Python function and our extension, in a mount namespace of its own,
//! because it wants `/opt` and `/var/task`. It comes inside the SAM command's package.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::namespace;
use super::parts::free_port;
use super::programs::{extension, part, root};

/// The emulator runs the function as another user, who may not pass a home folder that is closed (`/root` is 0700 on
/// many machines) to the runtime's client below it. In this namespace an open folder stands in its place, in which
/// everything is where it was, with the permissions that it had.
const OPEN_HOME: &str = r#"
if [ -n "${HOME:-}" ] && [ -d "$HOME" ]; then
    open=$(mktemp -d)
    mount -t tmpfs -o mode=0755 tmpfs "$open"
    for entry in "$HOME"/* "$HOME"/.[!.]*; do
        if [ -d "$entry" ] && [ ! -h "$entry" ]; then
            mkdir "$open/${entry##*/}"
            mount --rbind "$entry" "$open/${entry##*/}"
        fi
    done
    mount --rbind "$open" "$HOME"
fi
"#;

/// A running emulator; killed with its function when dropped.
pub struct Emulator {
    process: Child,
    port: u16,
    log: PathBuf,
}

impl Emulator {
    /// Starts it on a folder with further environment; `AWS_LAMBDA_MAX_CONCURRENCY=1` makes it a managed instance.
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let (port, runtime_port) = (free_port(), free_port());
        for name in ["opt/extensions", "task"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        std::fs::copy(extension(), folder.join("opt/extensions/limelight-extension")).unwrap();
        std::fs::copy(root().join("tests/fixtures/functions/app.py"), folder.join("task/app.py")).unwrap();
        let python = part("RUNTIME_PYTHON").join("bin/python");
        let bootstrap =
            format!("#!/bin/sh\ncd /var/task\nexec {} -m awslambdaric app.handler\n", python.display());
        executable(&folder.join("opt/bootstrap"), &bootstrap);
        let script = format!(
            "set -e\n{OPEN_HOME}mkdir -p /var/task\nmount --bind '{0}/opt' /opt\nmount --bind '{0}/task' /var/task\n\
             exec '{1}' --runtime-interface-emulator-address 127.0.0.1:{port} \
             --runtime-api-address 127.0.0.1:{runtime_port}\n",
            folder.display(),
            program().display(),
        );
        executable(&folder.join("start"), &script);
        let log = folder.join("emulator.log");
        let out = std::fs::File::create(&log).unwrap();
        let process = namespace::with_own_mounts()
            // Its own pids too: all that it started ends with it.
            .args(["--pid", "--fork", "--kill-child"])
            .arg(folder.join("start"))
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "emulated"),
                ("_HANDLER", "app.handler"),
                ("LAMBDA_TASK_ROOT", "/var/task"),
            ])
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let emulator = Self { process, port, log };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the emulator does not listen: {}",
                emulator.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        emulator
    }

    /// Invokes the function; the answer's text. A managed instance refuses while its one runtime has not asked for
    /// the next event yet (`Runtime.Unavailable`); the caller then tries again, as AWS's front does.
    pub async fn invoke(&self, payload: &serde_json::Value) -> String {
        let began = Instant::now();
        loop {
            let answer = self.invoke_once(payload).await;
            if !answer.contains("Runtime.Unavailable") || began.elapsed() > Duration::from_secs(10) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn invoke_once(&self, payload: &serde_json::Value) -> String {
        let url = format!("http://127.0.0.1:{}/2015-03-31/functions/function/invocations", self.port);
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        client.post(url).body(payload.to_string()).send().await.unwrap().text().await.unwrap()
    }

    /// What the emulator, the function and the extension printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The emulator inside the SAM command's package.
fn program() -> PathBuf {
    let library = part("PARTS_PYTHON").join("lib");
    let python = std::fs::read_dir(&library).unwrap().next().expect("a Python's folder").unwrap().path();
    python.join("site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
