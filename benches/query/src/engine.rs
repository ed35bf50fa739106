//! Who is asked: a child process behind a pipe, ours or another engine's. They differ in what a question looks like.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::rows::{self, Rows};
use crate::shape::{Shape, Sql};

/// An engine that waits for questions. Ends when it is dropped.
pub(crate) struct Engine {
    pub(crate) name: String,
    speaks: Speaks,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Debug, Clone, Copy)]
enum Speaks {
    Orl,
    Sql(&'static Sql),
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) seconds: f64,
    pub(crate) peak_mb: f64,
    pub(crate) rows: Rows,
}

impl Engine {
    /// Ours, over a folder's store.
    pub(crate) fn ours(data: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("answer").arg(data);
        Self::start(command, Speaks::Orl)
    }

    /// Another one, over the same files.
    pub(crate) fn peer(
        python: &str,
        engine: &str,
        sql: &'static Sql,
        tables: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peer.py")).arg(engine);
        command.args(tables.iter().map(|(name, folder)| format!("{name}={folder}")));
        Self::start(command, Speaks::Sql(sql))
    }

    fn start(mut command: Command, speaks: Speaks) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no pipe")?);
        let mut engine = Self { name: String::new(), speaks, child, questions, answers };
        let ready = engine.read()?;
        ready["ready"].as_str().context("it did not start")?.clone_into(&mut engine.name);
        Ok(engine)
    }

    /// Asks what a shape asks.
    pub(crate) fn ask(&mut self, shape: &Shape) -> anyhow::Result<Answered> {
        let question = match self.speaks {
            Speaks::Orl => json!({"orl": shape.orl}),
            Speaks::Sql(sql) => json!({"sql": shape.statements(sql)}),
        };
        let answer = self.raw(&question).with_context(|| format!("{}: {}", self.name, shape.name))?;
        let rows = match self.speaks {
            Speaks::Orl => shape.part.of(&answer["answer"]),
            Speaks::Sql(_) => rows::read(&answer["rows"]),
        };
        Ok(Answered {
            seconds: answer["seconds"].as_f64().context("no time")?,
            peak_mb: answer["peak_kb"].as_f64().context("no peak")? / 1_024.0,
            rows: rows.with_context(|| format!("{}: {}", self.name, shape.name))?,
        })
    }

    /// Asks a question in the engine's own words.
    pub(crate) fn raw(&mut self, question: &Value) -> anyhow::Result<Value> {
        let questions = self.questions.as_mut().context("the pipe is closed")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        self.read()
    }

    fn read(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        let bytes = self.answers.read_line(&mut line)?;
        anyhow::ensure!(bytes > 0, "it ended without an answer; standard error says why");
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its questions end, and so does it.
        self.questions = None;
        let _ = self.child.wait();
    }
}
