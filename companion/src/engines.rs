//! Who answers a query: the engine in this process, or Athena, which reads the same tables with as many machines as it
//! takes. By setting, by the question, or by how much there is to read.

mod athena;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use query::sql;
use query::{Answer, Explanation, Query, RunError, Runner as _, Statement};
use serde::Deserialize;
use store::{Elsewhere, Store};

use athena::Athena;
pub use athena::AthenaPlace;

/// Which engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The one in this process.
    #[default]
    Embedded,
    /// Athena.
    Athena,
    /// Athena where there is more to read than [`EngineSettings::bytes_max`], else the one in this process.
    Auto,
}

/// What may be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Which engine answers if the question does not say.
    pub usual: Choice,
    /// So many bytes of files are the embedded engine's; for more of them another one is advised, or taken.
    pub bytes_max: u64,
    /// Where Athena finds the tables; none if it is not set up.
    pub athena: Option<AthenaPlace>,
}

impl EngineSettings {
    /// What one Lambda reads from S3 and decodes within API Gateway's half minute, with room to spare.
    pub const BYTES_MAX_DEFAULT: u64 = 10_000_000_000;
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { usual: Choice::default(), bytes_max: Self::BYTES_MAX_DEFAULT, athena: None }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "athena" => Ok(Self::Athena),
            "auto" => Ok(Self::Auto),
            other => Err(format!("{other:?} is no engine; there are embedded, athena and auto")),
        }
    }
}

/// The engines of a companion. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Engines {
    usual: Choice,
    bytes_max: u64,
    athena: Option<Arc<dyn Elsewhere>>,
    time_max: Duration,
}

impl Engines {
    /// `time_max` is how long an answer from elsewhere is waited for.
    pub(crate) async fn new(settings: &EngineSettings, time_max: Duration) -> Self {
        let athena = match &settings.athena {
            Some(place) => Some(Arc::new(Athena::at(place.clone()).await) as Arc<dyn Elsewhere>),
            None => None,
        };
        Self { usual: settings.usual, bytes_max: settings.bytes_max, athena, time_max }
    }

    /// Answers by the engine that was asked for, else by the usual one.
    pub(crate) async fn answer(
        &self,
        store: &Store,
        query: &Query,
        asked: Option<Choice>,
    ) -> Result<Answer, RunError> {
        match (asked.unwrap_or(self.usual), &self.athena) {
            (Choice::Athena, Some(athena)) => self.elsewhere(store, query, athena).await,
            (Choice::Athena, None) => unset(store, query).await,
            (Choice::Auto, Some(athena)) => match store.estimated_bytes(query).await? {
                little if little <= self.bytes_max => self.here(store, query).await,
                much => self.where_said(store, query, athena, much).await,
            },
            (Choice::Embedded, _) | (Choice::Auto, None) => self.here(store, query).await,
        }
    }

    async fn here(&self, store: &Store, query: &Query) -> Result<Answer, RunError> {
        let mut answer = store.run(query).await?;
        answer.notes.extend(self.advice(query, answer.statistics.bytes_of_time));
        Ok(answer)
    }

    /// So much is Athena's, if it can say it.
    async fn where_said(
        &self,
        store: &Store,
        query: &Query,
        athena: &Arc<dyn Elsewhere>,
        bytes: u64,
    ) -> Result<Answer, RunError> {
        let (mut answer, note) = match self.elsewhere(store, query, athena).await {
            Err(RunError::Unsayable(unsayable)) => (store.run(query).await?, format!(", but {unsayable}")),
            answered => (answered?, ": Athena answered".to_owned()),
        };
        answer.notes.push(format!("{}{note}", self.much(bytes)));
        Ok(answer)
    }

    async fn elsewhere(
        &self,
        store: &Store,
        query: &Query,
        engine: &Arc<dyn Elsewhere>,
    ) -> Result<Answer, RunError> {
        let work = store.run_elsewhere(query, engine.clone());
        let late = || RunError::TookTooLong { limit: self.time_max };
        tokio::time::timeout(self.time_max, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// What whoever asked for so much should know; in an explained answer also that it is little.
    fn advice(&self, query: &Query, bytes: u64) -> Option<String> {
        let set_up = match self.athena {
            Some(_) => "?engine=athena (--engine athena) reads them with more machines",
            None => "Athena reads them with more machines once LIMELIGHT_ATHENA_DATABASE is set",
        };
        if bytes > self.bytes_max {
            return Some(format!("{}: {set_up}", self.much(bytes)));
        }
        query.explain.then(|| format!("the files of this time have {}", shown(bytes)))
    }

    fn much(&self, bytes: u64) -> String {
        let (bytes, most) = (shown(bytes), shown(self.bytes_max));
        format!("the files of this time have {bytes}, more than {most} (LIMELIGHT_ENGINE_BYTES_MAX)")
    }
}

/// Athena is asked for and not set up: an explained query tells what it would be asked.
async fn unset(store: &Store, query: &Query) -> Result<Answer, RunError> {
    let how = "Athena is not set up: LIMELIGHT_ATHENA_DATABASE names the Glue database of the tables";
    if !query.explain {
        return Err(RunError::NotByThatEngine { reason: how.to_owned() });
    }
    let statement = |sql| Statement { sql, plan: vec!["not run".to_owned()], ..Statement::default() };
    let statements = store.statements(query, &sql::Athena).await?.into_iter().map(statement).collect();
    Ok(Answer {
        explanation: Some(Explanation { query: query.to_string(), statements }),
        notes: vec![format!("nothing was run: {how}")],
        ..Answer::default()
    })
}

/// Bytes as people say them.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn shown(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use model::{Event, EventId, Kind, Timestamp};
    use query::sql::Dialect;
    use store::{Location, Options, Rows, SequencedRecord, ShardSlice};

    use super::*;

    /// An engine that counts seven events, whatever is asked.
    #[derive(Debug)]
    struct Seven;

    #[async_trait]
    impl Elsewhere for Seven {
        fn dialect(&self) -> &dyn Dialect {
            &sql::Athena
        }

        async fn run(&self, _: &str, _: u64) -> Result<Rows, RunError> {
            let columns = ["b", "n", "t_first", "t_last", "c0"].map(str::to_owned).to_vec();
            let row = ["1", "7", "0", "0", "7"].map(|text| Some(text.to_owned())).to_vec();
            Ok(Rows { columns, rows: vec![row], bytes_read: 70 })
        }
    }

    fn now() -> Timestamp {
        "2026-11-20T14:00:00Z".parse().unwrap()
    }

    /// A store with one event an hour ago.
    async fn store() -> Store {
        let store = Store::open(&Location::memory(), Options::default()).await.unwrap();
        let time = Timestamp::from_millis(now().as_millis() - 60_000);
        let events = vec![Event::new("logs", time, EventId::from("1".to_owned()), Kind::Log)];
        let record = SequencedRecord { sequence: 1.into(), batch: None, events };
        let slice = ShardSlice { stream: "s".to_owned(), shard: "0".to_owned(), records: vec![record] };
        store.append(slice).await.unwrap();
        store
    }

    fn engines(athena: bool, bytes_max: u64) -> Engines {
        let athena = athena.then(|| Arc::new(Seven) as Arc<dyn Elsewhere>);
        Engines { usual: Choice::Embedded, bytes_max, athena, time_max: Duration::from_secs(5) }
    }

    async fn counted(engines: &Engines, text: &str, asked: Option<Choice>) -> (i64, String) {
        let query = query::parse_text(text, now()).unwrap();
        let answer = engines.answer(&store().await, &query, asked).await.unwrap();
        (answer.aggregates[0].values["COUNT"].as_i64().unwrap(), answer.notes.join("\n"))
    }

    #[tokio::test]
    async fn the_question_the_setting_or_the_bytes_choose() {
        let (little, much) = (engines(true, 1_000_000), engines(true, 1));
        let text = "COUNT FROM logs";
        assert_eq!(counted(&little, text, None).await, (1, String::new()));
        assert_eq!(counted(&little, text, Some(Choice::Auto)).await, (1, String::new()));
        assert_eq!(counted(&little, text, Some(Choice::Athena)).await.0, 7);
        let (count, notes) = counted(&much, text, Some(Choice::Auto)).await;
        assert_eq!(count, 7);
        assert!(notes.contains("more than 0.0 kB (LIMELIGHT_ENGINE_BYTES_MAX): Athena answered"), "{notes}");
        let usual = Engines { usual: Choice::Athena, ..little };
        assert_eq!(counted(&usual, text, Some(Choice::Embedded)).await.0, 1);
        assert_eq!(counted(&usual, text, None).await.0, 7);
    }

    #[tokio::test]
    async fn who_asks_for_much_is_told_of_another_engine() {
        let (_, notes) = counted(&engines(true, 1), "COUNT FROM logs", None).await;
        assert!(notes.contains("--engine athena) reads them"), "{notes}");
        let (_, notes) = counted(&engines(false, 1), "COUNT FROM logs", Some(Choice::Auto)).await;
        assert!(notes.contains("once LIMELIGHT_ATHENA_DATABASE is set"), "{notes}");
        let (_, notes) = counted(&engines(false, 1_000_000), "EXPLAIN COUNT FROM logs", None).await;
        assert!(notes.starts_with("the files of this time have "), "{notes}");
        let (_, notes) = counted(&engines(false, 1), "COUNT FROM logs LAST 5s", None).await;
        assert_eq!(notes, "", "files of other times are not read");
    }

    #[tokio::test]
    async fn what_athena_cannot_say_is_answered_here_where_the_bytes_chose_it() {
        let text = "COUNT FROM logs GROUP BY $limelight.pattern";
        let (count, notes) = counted(&engines(true, 1), text, Some(Choice::Auto)).await;
        assert_eq!(count, 1);
        assert!(notes.contains("Athena cannot say message patterns"), "{notes}");
        let query = query::parse_text(text, now()).unwrap();
        let refused = engines(true, 1).answer(&store().await, &query, Some(Choice::Athena)).await;
        assert!(matches!(refused, Err(RunError::Unsayable(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn without_athena_an_explained_query_tells_what_it_would_be_asked() {
        let engines = engines(false, 1);
        let explained = query::parse_text("EXPLAIN FROM logs WHERE a = 1", now()).unwrap();
        let answer = engines.answer(&store().await, &explained, Some(Choice::Athena)).await.unwrap();
        assert!(answer.notes[0].starts_with("nothing was run: Athena is not set up"), "{:?}", answer.notes);
        assert!(
            answer.explanation.unwrap().statements[0].sql.contains("TIMESTAMP '2026-11-20 14:00:00.000 UTC'")
        );
        let plain = Query { explain: false, ..explained };
        let refused = engines.answer(&store().await, &plain, Some(Choice::Athena)).await.unwrap_err();
        assert!(refused.to_string().contains("LIMELIGHT_ATHENA_DATABASE"), "{refused}");
    }
}
