//! Athena's API as we use it, against a double of ours: a small server that speaks the same JSON, and knows no SQL.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_athena::config::retry::RetryConfig;
use aws_smithy_http_client::Builder;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;

/// What the double does with the statements that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Two looks later it has succeeded, with a result of two pages.
    Answers,
    /// It fails.
    Fails,
    /// It never ends.
    Hangs,
}

/// A double of Athena's API, named as such: not Athena.
#[derive(Debug, Clone)]
struct Double {
    does: Does,
    /// Every call, and what it said.
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Double {
    async fn start(does: Does) -> (Self, Athena) {
        let double = Self { does, calls: Arc::default() };
        let router = axum::Router::new().route("/", post(called)).with_state(double.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = aws_sdk_athena::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(Builder::new().build_http())
            .endpoint_url(url)
            .build();
        let place = AthenaPlace {
            database: "limelight".to_owned(),
            workgroup: "primary".to_owned(),
            output: Some("s3://results/".to_owned()),
        };
        (double, Athena { client: Client::from_conf(settings), place })
    }

    fn count(&self, call: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|(name, _)| name == call).count()
    }

    fn said(&self, call: &str) -> Value {
        self.calls.lock().unwrap().iter().rev().find(|(name, _)| name == call).unwrap().1.clone()
    }
}

async fn called(State(double): State<Double>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    // AWS calls its JSON by another name.
    let body: Value = serde_json::from_slice(&body).unwrap();
    let target = headers["x-amz-target"].to_str().unwrap();
    let call = target.rsplit('.').next().unwrap().to_owned();
    double.calls.lock().unwrap().push((call.clone(), body.clone()));
    Json(match call.as_str() {
        "StartQueryExecution" => json!({ "QueryExecutionId": "statement-1" }),
        "GetQueryExecution" => {
            let status = match (double.does, double.count(&call)) {
                (Does::Hangs, _) | (Does::Answers, 0..=1) => json!({ "State": "RUNNING" }),
                (Does::Answers, _) => json!({ "State": "SUCCEEDED" }),
                (Does::Fails, _) => {
                    json!({ "State": "FAILED", "StateChangeReason": "COLUMN_NOT_FOUND: k_a" })
                }
            };
            json!({ "QueryExecution": { "QueryExecutionId": "statement-1", "Status": status,
                                        "Statistics": { "DataScannedInBytes": 4_242 } } })
        }
        "GetQueryResults" => page(body["NextToken"].is_string()),
        "StopQueryExecution" => json!({}),
        other => panic!("{other}"),
    })
}

fn page(second: bool) -> Value {
    let row = |values: [Value; 3]| {
        let cell = |value: Value| if value.is_null() { json!({}) } else { json!({ "VarCharValue": value }) };
        json!({ "Data": values.map(cell) })
    };
    let column = |name: &str, kind: &str| json!({ "Name": name, "Type": kind });
    let columns =
        [column("id", "varchar"), column("timestamp", "timestamp with time zone"), column("n", "double")];
    let rows = match second {
        false => vec![
            row([json!("id"), json!("timestamp"), json!("n")]),
            row([json!("a UTC"), json!("2026-11-20 13:59:58.123 UTC"), json!("1.5E1")]),
        ],
        true => vec![row([json!("b"), Value::Null, Value::Null])],
    };
    let mut page = json!({ "ResultSet": { "ResultSetMetadata": { "ColumnInfo": columns }, "Rows": rows } });
    if !second {
        page["NextToken"] = json!("page-2");
    }
    page
}

#[tokio::test]
async fn a_statement_is_started_watched_and_read_page_by_page() {
    let (double, athena) = Double::start(Does::Answers).await;
    let rows = athena.run("SELECT 1", 2).await.unwrap();
    assert_eq!(
        (rows.columns, rows.bytes_read),
        (["id", "timestamp", "n"].map(str::to_owned).to_vec(), 4_242)
    );
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows.rows,
        [vec![text("a UTC"), text("2026-11-20 13:59:58.123"), text("1.5E1")], vec![text("b"), None, None]]
    );
    let started = double.said("StartQueryExecution");
    assert_eq!(
        (&started["QueryString"], &started["QueryExecutionContext"]["Database"], &started["WorkGroup"]),
        (&json!("SELECT 1"), &json!("limelight"), &json!("primary"))
    );
    assert_eq!(started["ResultConfiguration"]["OutputLocation"], "s3://results/");
    assert_eq!((double.count("GetQueryResults"), double.count("StopQueryExecution")), (2, 0));
    assert!(matches!(athena.run("SELECT 1", 1).await, Err(RunError::TooManyRows { limit: 1 })));
}

#[tokio::test]
async fn why_a_statement_failed_is_in_the_error() {
    let (double, athena) = Double::start(Does::Fails).await;
    let RunError::Failed(why) = athena.run("SELECT k_a", 2).await.unwrap_err() else { panic!() };
    assert_eq!(why.to_string(), "Athena's statement statement-1 failed: COLUMN_NOT_FOUND: k_a");
    assert_eq!(double.count("StopQueryExecution"), 0, "it has ended");
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_stopped() {
    let (double, athena) = Double::start(Does::Hangs).await;
    let waited = tokio::time::timeout(Duration::from_secs(1), athena.run("SELECT 1", 2)).await;
    assert!(waited.is_err());
    let stopped = async {
        while double.count("StopQueryExecution") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stopped).await.unwrap();
    assert_eq!(double.said("StopQueryExecution")["QueryExecutionId"], "statement-1");
}

#[tokio::test]
async fn what_athena_would_not_take_is_refused_before_it_is_asked() {
    let (double, athena) = Double::start(Does::Answers).await;
    let refused = athena.run(&"x".repeat(STATEMENT_BYTES_MAX + 1), 2).await;
    assert!(matches!(refused, Err(RunError::NotByThatEngine { .. })), "{refused:?}");
    assert_eq!(double.count("StartQueryExecution"), 0);
}
