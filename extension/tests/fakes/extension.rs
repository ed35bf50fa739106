//! The real extension: the built binary as a process with the environment that Lambda gives it.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::platform::Platform;

/// The process, and its `/tmp`; gone with the test.
pub(crate) struct Extension {
    child: Child,
    _tmp: tempfile::TempDir,
}

impl Extension {
    pub(crate) fn start(platform: &Platform, kinesis_url: &str, settings: &[(&str, &str)]) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_limelight-extension"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &platform.authority)
            .env("AWS_LAMBDA_FUNCTION_NAME", "checkout")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL_KINESIS", kinesis_url)
            .env("LIMELIGHT_STREAM", "telemetry")
            .env("TMPDIR", tmp.path())
            // Tests run beside each other on busy machines; those that are about time set their own.
            .env("LIMELIGHT_FLUSH_BUDGET_MS", "5000")
            // They share this machine's loopback, too.
            .env("LIMELIGHT_OTLP_HTTP_PORT", "0")
            .env("LIMELIGHT_OTLP_GRPC_PORT", "0")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, _tmp: tmp }
    }

    /// Stops the process as Lambda freezes a sandbox.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Kills it as the kernel does when memory is short.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it run again.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// The most memory that it has had so far, KiB.
    pub(crate) fn resident_max_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end, which must be a good one within SHUTDOWN's budget; returns what it said.
    pub(crate) async fn ended_well(&mut self) -> String {
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(asked.elapsed() < Duration::from_millis(2_500), "it did not end with the sandbox");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(status.success(), "{status}: {said}");
        assert!(said.lines().all(|line| line.starts_with(pipeline::OWN_LINE_MARKER)), "{said}");
        said
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
