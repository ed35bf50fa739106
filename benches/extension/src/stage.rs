//! One function with one extension in the sandbox, invoked without a pause, and what the sandbox's own log tells of
//! it: when each invocation began, when its function was done, and what was printed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use sandbox::{FunctionConfig, Invocation, Lambda, Output, OutputLine, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lines::{Lines, name_in};
use crate::process::Child;
use crate::sample::Sample;
use crate::subject::Subject;

/// How long the function works in each invocation, beside printing.
const WORK_MS: u64 = 5;
/// Of the function; its extension may take a tenth.
const MEMORY_MB: u32 = 256;
/// Never reached unless something hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How the function's line begins by which it tells when it had its event; nanoseconds since the epoch follow.
const BEGAN: &str = "began ";

/// A function of its own, with all that came of it so far.
#[derive(Debug)]
pub(crate) struct Stage {
    lambda: Lambda,
    name: String,
    subject: Subject,
    lines: Lines,
    notes: Arc<Mutex<Notes>>,
    /// As in Lambda each environment has a disk of its own: one that inherited another's journal would send its lines.
    _disk: TempDir,
}

/// What the log said.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// From the end of a function's work to the beginning of the next invocation, which was waiting for it,
    /// milliseconds.
    pub(crate) between: Sample,
    /// From the beginning of the first invocation to that of the second, milliseconds.
    pub(crate) first: Option<f64>,
    /// From the beginning of an invocation to its function's end, milliseconds; of functions that tell when they had
    /// their event also the two parts of it.
    pub(crate) took: Sample,
    pub(crate) until_handler: Sample,
    pub(crate) since_handler: Sample,
    /// Each printed line by its name.
    pub(crate) printed: HashMap<String, String>,
    started: Option<Instant>,
    ended: Option<Instant>,
    current: Option<Current>,
}

/// The invocation that runs.
#[derive(Debug)]
struct Current {
    began: Instant,
    /// The function's clock is this one.
    began_at: SystemTime,
    until_handler: Option<f64>,
}

impl Stage {
    /// Nothing runs before the first invocation.
    pub(crate) async fn set(subject: &Subject, function: &Path, seed: u64) -> anyhow::Result<Self> {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let sink = notes.clone();
        let name = format!("bench-{}", subject.name());
        let program = function.to_str().context("a path that is no text")?.to_owned();
        let wrapper = subject.wrapper.as_ref().and_then(|wrapper| wrapper.to_str()).map(str::to_owned);
        let mut config = FunctionConfig::new(&name, wrapper.into_iter().chain([program]).collect())
            .extension(&subject.program)
            .memory_mb(MEMORY_MB)
            .timeout(TIMEOUT)
            .concurrency_max(1)
            .output(Output::to(move |line| {
                sink.lock().unwrap_or_else(PoisonError::into_inner).hear(line, Instant::now());
            }));
        config.env.extend(subject.variables.clone());
        let disk = tempfile::tempdir()?;
        let journal = disk.path().to_str().context("a path that is no text")?.to_owned();
        config.env.insert("LIMELIGHT_JOURNAL_DIR".to_owned(), journal);
        let lambda = Lambda::start(vec![config]).await?;
        Ok(Self { lambda, name, subject: subject.clone(), lines: Lines::new(seed), notes, _disk: disk })
    }

    /// Runs so many invocations of some lines, each waiting already when the one before it ends.
    pub(crate) async fn invoke(&mut self, invocations: usize) -> anyhow::Result<()> {
        let events = |stage: &mut Self| stage.event();
        self.invoke_with(invocations, events).await
    }

    /// The same with other events.
    pub(crate) async fn invoke_with(
        &mut self,
        invocations: usize,
        mut event: impl FnMut(&mut Self) -> Value,
    ) -> anyhow::Result<()> {
        // The time between two calls of this is nobody's.
        self.listen(|notes| notes.ended = None);
        let mut waiting = None;
        for _ in 0..invocations {
            let lambda = self.lambda.clone();
            let event = Invocation::new(self.name.clone(), event(self).to_string());
            let next = tokio::spawn(async move { lambda.invoke(event).await });
            if let Some(before) = waiting.replace(next) {
                settle(before).await?;
            }
            // The spawned call must have taken its place in the queue before the next one does.
            tokio::task::yield_now().await;
        }
        match waiting {
            Some(last) => settle(last).await,
            None => Ok(()),
        }
    }

    fn event(&mut self) -> Value {
        json!({"lines": self.lines.invocation(jiff::Timestamp::now()), "work_ms": WORK_MS})
    }

    /// The extension's process, after the first invocation.
    pub(crate) fn child(&self) -> anyhow::Result<Child> {
        Child::running(&self.subject.program)
    }

    /// Ends the environment; returns how long that took.
    pub(crate) async fn end(self) -> (Duration, Notes) {
        let told = Instant::now();
        self.lambda.shutdown().await;
        let took = told.elapsed();
        let notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        (took, notes)
    }

    /// Reads or changes the notes.
    pub(crate) fn listen<T>(&self, with: impl FnOnce(&mut Notes) -> T) -> T {
        with(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type Call = tokio::task::JoinHandle<Result<sandbox::Outcome, sandbox::InvokeError>>;

async fn settle(call: Call) -> anyhow::Result<()> {
    let outcome = call.await??;
    let said = String::from_utf8_lossy(&outcome.payload);
    anyhow::ensure!(outcome.error.is_none(), "an invocation failed: {said}");
    Ok(())
}

impl Notes {
    fn hear(&mut self, line: &OutputLine, now: Instant) {
        match line.source {
            Source::Platform if line.text.starts_with("START ") => self.begin(now),
            Source::Platform if line.text.starts_with("END ") => self.end(now),
            Source::Function if line.text.starts_with(BEGAN) => self.had_event(&line.text[BEGAN.len()..]),
            Source::Function => {
                if let Some(name) = name_in(&line.text) {
                    self.printed.insert(name.to_owned(), line.text.clone());
                }
            }
            Source::Platform | Source::Extension(_) => {}
        }
    }

    fn begin(&mut self, now: Instant) {
        if let Some(ended) = self.ended.take() {
            self.between.add(millis(now.duration_since(ended)));
        }
        match self.started {
            Some(started) if self.first.is_none() => self.first = Some(millis(now.duration_since(started))),
            Some(_) => {}
            None => self.started = Some(now),
        }
        self.current = Some(Current { began: now, began_at: SystemTime::now(), until_handler: None });
    }

    fn had_event(&mut self, nanos: &str) {
        if let Some(current) = &mut self.current
            && let Ok(nanos) = nanos.parse()
        {
            let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
            current.until_handler = Some(millis(at.duration_since(current.began_at).unwrap_or_default()));
        }
    }

    fn end(&mut self, now: Instant) {
        self.ended = Some(now);
        let Some(current) = self.current.take() else { return };
        let took = millis(now.duration_since(current.began));
        self.took.add(took);
        if let Some(until) = current.until_handler {
            self.until_handler.add(until);
            self.since_handler.add((took - until).max(0.0));
        }
    }
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
