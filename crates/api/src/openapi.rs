//! The HTTP API as an OpenAPI 3.1 document: its routes stand here, the bodies come from the types themselves.

mod schema;

use serde_json::{Map, Value, json};

use self::schema::Schemas;
use crate::{
    Datasets, Health, Keys, Problem, QueryResponse, QueryRuns, SqlRequest, SqlResponse, TailPage,
    TraceResponse, Values,
};

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `get`, `post` or `delete`.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    /// Statuses of problems, beside 500 which everything may answer.
    problems: &'static [u16],
}

/// What stands in a path, or behind the `?`.
#[derive(Debug, Clone, Copy)]
struct Parameter {
    name: &'static str,
    /// JSON's name of what it is.
    kind: &'static str,
    /// Those that stand in the path are.
    needed: bool,
    says: &'static str,
}

const fn needed(name: &'static str, says: &'static str) -> Parameter {
    Parameter { name, kind: "string", needed: true, says }
}

const fn optional(name: &'static str, kind: &'static str, says: &'static str) -> Parameter {
    Parameter { name, kind, needed: false, says }
}

const RUN_ID: Parameter = needed("id", "The run's id: 1 to 64 letters, digits and -.");
const DATASETS: Parameter =
    optional("datasets", "string", "Names with commas between them; all if none is named.");

const LIMIT: Parameter =
    optional("limit", "integer", "How many on a page, 1000 if it is left out, 10000 at most.");
const CURSOR: Parameter = optional("cursor", "string", "Which page: the `next` of the one before.");

/// Every route, in the order of a person's interest.
pub const ROUTES: [Route; 13] = [
    Route {
        method: "post",
        path: "/v1/query",
        summary: "Answers a query in ORL: its JSON form, {\"text\": …}, or a saved query as YAML. With \
                  `Accept: application/x-ndjson` as lines: the run, every row, and the rest.",
        parameters: &[
            optional(
                "run",
                "string",
                "The run's id, chosen to stop it before its answer is there; else one is made.",
            ),
            optional("save", "boolean", "Whether the answer is kept for 30 days under /v1/query-runs/{id}."),
            optional("id", "string", "Which query of a YAML document with several."),
            optional(
                "engine",
                "string",
                "Who answers: embedded, athena, or auto (athena where there is much to read); else the setting says.",
            ),
        ],
        problems: &[400, 404, 409, 413, 415, 422, 429, 504],
    },
    Route {
        method: "get",
        path: "/v1/query-runs",
        summary: "The answers that were kept, the newest first.",
        parameters: &[LIMIT, CURSOR],
        problems: &[400],
    },
    Route {
        method: "get",
        path: "/v1/query-runs/{id}",
        summary: "The answer that was kept of a query run, or that the run has not ended yet.",
        parameters: &[RUN_ID],
        problems: &[400, 404],
    },
    Route {
        method: "delete",
        path: "/v1/query-runs/{id}",
        summary: "Stops a query that runs, here or (202) in another process; of one that has ended, lets go of what was kept.",
        parameters: &[RUN_ID],
        problems: &[400],
    },
    Route {
        method: "get",
        path: "/v1/tail",
        summary: "The events that come. With `Accept: text/event-stream` as server-sent events, each with an id to go on \
                  from (`Last-Event-ID`); else one page and its cursor. No gaps, nothing twice.",
        parameters: &[
            optional("text", "string", "Conditions in ORL: FROM, WHERE, SEARCH, DERIVE."),
            optional(
                "cursor",
                "string",
                "Where to go on: the cursor of a page or the id of an event; from now on if it is left out.",
            ),
        ],
        problems: &[400, 404, 410, 429],
    },
    Route {
        method: "get",
        path: "/v1/traces/{id}",
        summary: "One trace: its spans as a tree, logs, reports, critical path.",
        parameters: &[needed("id", "32 hexadecimal digits, or X-Ray's 1-…-… form.")],
        problems: &[400, 404, 429, 504],
    },
    Route {
        method: "post",
        path: "/v1/sql",
        summary: "Answers one SELECT over datasets, in the embedded engine's SQL.",
        parameters: &[],
        problems: &[400, 404, 413, 415, 422, 429, 504],
    },
    Route {
        method: "get",
        path: "/v1/keys",
        summary: "The keys that there are, from the schemas alone.",
        parameters: &[DATASETS, optional("prefix", "string", "What the keys begin with."), LIMIT, CURSOR],
        problems: &[400, 404],
    },
    Route {
        method: "get",
        path: "/v1/values",
        summary: "The values of one key, the most frequent first.",
        parameters: &[
            needed("key", "Whose values."),
            DATASETS,
            optional("prefix", "string", "What the values begin with."),
            optional("last", "string", "How far back, as 3h; an hour if it is left out."),
            optional("limit", "integer", "How many, 20 if it is left out, 1000 at most."),
        ],
        problems: &[400, 404, 429, 504],
    },
    Route {
        method: "get",
        path: "/v1/datasets",
        summary: "What there is to ask, by name.",
        parameters: &[LIMIT, CURSOR],
        problems: &[400],
    },
    Route {
        method: "get",
        path: "/v1/openapi.json",
        summary: "This document.",
        parameters: &[],
        problems: &[],
    },
    Route {
        method: "get",
        path: "/health",
        summary: "Whether the companion can do its work: 503 if not.",
        parameters: &[],
        problems: &[],
    },
    Route {
        method: "head",
        path: "/health",
        summary: "The same without a body.",
        parameters: &[],
        problems: &[],
    },
];

/// The document.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let paths = paths(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Limelight",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Questions about logs, spans and metrics. The query language is told in docs/orl.md. Every \
                            error is application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": { "schemas": schemas.known },
    })
}

fn paths(schemas: &mut Schemas) -> Map<String, Value> {
    let problem = schemas.of::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(&route, &problem, schemas);
    }
    paths
}

fn operation(route: &Route, problem: &Value, schemas: &mut Schemas) -> Value {
    let parameter = |Parameter { name, kind, needed, says }: &Parameter| {
        let place = if route.path.contains(&format!("{{{name}}}")) { "path" } else { "query" };
        let schema = json!({ "type": kind });
        json!({ "name": name, "in": place, "required": needed, "description": says, "schema": schema })
    };
    let parameters: Vec<Value> = route.parameters.iter().map(parameter).collect();
    let mut responses = Map::from_iter([("200".to_owned(), answer(route, schemas))]);
    if (route.method, route.path) == ("delete", "/v1/query-runs/{id}") {
        responses.insert("202".to_owned(), answer(route, schemas));
    }
    if route.path == "/health" {
        responses.insert("503".to_owned(), answer(route, schemas));
    }
    for status in route.problems.iter().chain(&[500]) {
        let content = json!({ crate::CONTENT_TYPE: { "schema": problem } });
        responses.insert(status.to_string(), json!({ "description": "a problem", "content": content }));
    }
    let mut operation = json!({ "summary": route.summary, "parameters": parameters, "responses": responses });
    if let Some(body) = request(route, schemas) {
        operation["requestBody"] = json!({ "required": true, "content": body });
    }
    operation
}

fn request(route: &Route, schemas: &mut Schemas) -> Option<Value> {
    match route.path {
        "/v1/query" => {
            let any = json!({
                "type": "object",
                "description": "A query; its forms are told in docs/orl.md.",
                "examples": [
                    { "text": "COUNT GROUP BY $limelight.level LAST 3h" },
                    { "parameters": { "calculations": ["COUNT"], "filters": ["@type = REPORT"] }, "timeframe": "3h" },
                ],
            });
            Some(
                json!({ "application/json": { "schema": any }, "application/yaml": { "schema": { "type": "string" } } }),
            )
        }
        "/v1/sql" => Some(json!({ "application/json": { "schema": schemas.of::<SqlRequest>() } })),
        _ => None,
    }
}

fn answer(route: &Route, schemas: &mut Schemas) -> Value {
    if route.method == "head" {
        return json!({ "description": "what GET says, by its status alone" });
    }
    let body = match route.path {
        "/v1/query" | "/v1/query-runs/{id}" => schemas.of::<QueryResponse>(),
        "/v1/query-runs" => schemas.of::<QueryRuns>(),
        "/v1/tail" => schemas.of::<TailPage>(),
        "/v1/traces/{id}" => schemas.of::<TraceResponse>(),
        "/v1/sql" => schemas.of::<SqlResponse>(),
        "/v1/keys" => schemas.of::<Keys>(),
        "/v1/values" => schemas.of::<Values>(),
        "/v1/datasets" => schemas.of::<Datasets>(),
        "/health" => schemas.of::<Health>(),
        _ => json!({ "type": "object" }),
    };
    let mut content = json!({ "application/json": { "schema": body } });
    for (path, media_type) in [("/v1/query", "application/x-ndjson"), ("/v1/tail", "text/event-stream")] {
        if route.path == path {
            content[media_type] = json!({ "schema": { "type": "string" } });
        }
    }
    json!({ "description": "the answer", "content": content })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing this file changes the API.
    #[test]
    fn the_document_is_the_one_that_was_agreed_on() {
        insta::assert_json_snapshot!(document());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let references = text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut count = 0;
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            count += 1;
        }
        assert!(count > 10);
        let mut schemas = Schemas::default();
        paths(&mut schemas);
        assert!(schemas.ambiguous.is_empty(), "{:?}", schemas.ambiguous);
    }
}
