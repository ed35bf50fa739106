//! The generated day through the companion's own ingest into a store, and the same events as gzip'd JSON lines: what a
//! team has without us. Two threads: one ingests, the other makes the lines.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;
use bytes::Bytes;
use companion::{Companion, StreamRecord};
use flate2::Compression;
use flate2::write::GzEncoder;
use model::Timestamp;
use wire::Limits;

use crate::store_at;
use crate::telemetry::{DAY, Telemetry};

const SEED: u64 = 7;
/// Steps of the hours that are compacted: large calls, so that loading does not take all day.
const STEP_S: i64 = 60;
/// The last hour is written as it comes in AWS: a commit in five seconds.
const LAST_STEP_S: i64 = 5;
const HOURS: i64 = 24;
/// Records that one call gets from the stream.
const CALL_RECORDS: usize = 120;
/// Records on their way to the thread that makes lines.
const WAITING_RECORDS: usize = 64;

/// Generates, writes, compacts all but the last hour.
pub(crate) async fn load(data: &Path, events: u64) -> anyhow::Result<()> {
    let companion = store_at::open(data).await?;
    let mut telemetry = Telemetry::new(SEED, events)?;
    let (to_lines, records) = sync_channel(WAITING_RECORDS);
    let lines = lines(data.join("lines"), records)?;
    let mut loading = Loading { companion, to_lines, sequence: 0, events: 0 };
    for hour in 0..HOURS {
        let is_last = hour + 1 == HOURS;
        let mut waiting = Vec::new();
        for batches in telemetry.hour(hour, if is_last { LAST_STEP_S } else { STEP_S }) {
            for batch in batches {
                let data = Bytes::from(wire::encode(&batch));
                waiting.push(loading.record(hour, data)?);
            }
            if is_last || waiting.len() >= CALL_RECORDS {
                loading.take(std::mem::take(&mut waiting)).await?;
            }
        }
        loading.take(waiting).await?;
        if hour + 2 == HOURS {
            store_at::compact(loading.companion.store()).await?;
        }
        crate::tell(&format!("hour {hour}: {} events", loading.events));
    }
    drop(loading);
    let written = lines.join().map_err(|_| anyhow::anyhow!("the thread of the lines panicked"))??;
    std::fs::write(data.join("lines.json"), written.to_string())?;
    Ok(())
}

struct Loading {
    companion: Companion,
    to_lines: SyncSender<(i64, Bytes)>,
    sequence: u64,
    events: u64,
}

impl Loading {
    fn record(&mut self, hour: i64, data: Bytes) -> anyhow::Result<StreamRecord> {
        self.sequence += 1;
        self.to_lines.send((hour, data.clone())).context("the thread of the lines is gone")?;
        Ok(StreamRecord { sequence: self.sequence.to_string(), arrived_at: store_at::now(), data })
    }

    async fn take(&mut self, records: Vec<StreamRecord>) -> anyhow::Result<()> {
        let report = self.companion.ingest("bench", "shardId-000000000000", records).await;
        self.events += report.events;
        match report.first_failure {
            Some((sequence, why)) => anyhow::bail!("record {sequence} was not taken: {why}"),
            None => Ok(()),
        }
    }
}

/// What was written of lines, as JSON: events, plain bytes, gzip'd bytes.
type Written = anyhow::Result<serde_json::Value>;

/// Makes a file of lines for each hour, of the events of `lambda-logs` and of `otel`.
fn lines(folder: PathBuf, records: Receiver<(i64, Bytes)>) -> anyhow::Result<JoinHandle<Written>> {
    std::fs::create_dir_all(&folder)?;
    Ok(std::thread::spawn(move || {
        let mut open: Option<(i64, Lines)> = None;
        let (mut events, mut plain_bytes) = (0_u64, 0_u64);
        for (hour, data) in records {
            if open.as_ref().is_none_or(|(of, _)| *of != hour) {
                let next = Lines::create(&folder.join(format!("{DAY}T{hour:02}.json.gz")))?;
                if let Some((_, done)) = open.replace((hour, next)) {
                    done.finish()?;
                }
            }
            let Some((_, lines)) = &mut open else { continue };
            let (more, bytes) = lines.write(&data)?;
            events += more;
            plain_bytes += bytes;
        }
        if let Some((_, done)) = open {
            done.finish()?;
        }
        let gzip_bytes = store_at::bytes_in(&folder)?;
        Ok(serde_json::json!({"events": events, "plain_bytes": plain_bytes, "gzip_bytes": gzip_bytes}))
    }))
}

/// One gzip'd file.
struct Lines(GzEncoder<BufWriter<File>>);

impl Lines {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(GzEncoder::new(BufWriter::new(file), Compression::new(6))))
    }

    /// How many events, and their bytes before compression.
    fn write(&mut self, data: &[u8]) -> anyhow::Result<(u64, u64)> {
        let context =
            wire::Context { record: "0", arrived_at: Timestamp::EPOCH, read_line: pipeline::parse::printed };
        let (mut events, mut bytes) = (0, 0);
        for event in wire::decode(data, &context, &Limits::default())?.events {
            if event.dataset == store_at::SELF {
                continue;
            }
            let mut line = serde_json::Value::Object(store::event_to_json(&event)).to_string();
            line.push('\n');
            self.0.write_all(line.as_bytes())?;
            events += 1;
            bytes += line.len() as u64;
        }
        Ok((events, bytes))
    }

    fn finish(self) -> anyhow::Result<()> {
        self.0.finish()?.flush()?;
        Ok(())
    }
}
