//! One query, written in every form it may have.

use query::{Calculation, Literal, Operator, Order, Query, Test, View, Whole};
use serde_json::json as value;

use crate::{json, now, text};

#[test]
fn nothing_said_is_the_last_hour_of_the_lambda_logs() {
    let query = text("");
    assert_eq!(query.datasets, ["lambda-logs"]);
    assert_eq!(query.view, View::Events);
    assert_eq!(query.timeframe.to, now());
    assert_eq!(query.timeframe.width_ms(), 3_600_000);
    assert_eq!((query.limit, query.granularity_ms), (Query::LIMIT_DEFAULT, None));
    assert_eq!(query, json(&value!({})));
    assert_eq!(query, json(&value!({ "text": "" })));
}

#[test]
fn clauses_come_in_any_order_and_any_case() {
    let one = text("COUNT as n FROM otel WHERE a = 1 GROUP BY b ORDER BY n ASC LIMIT 3 LAST 1h EVERY 5m");
    let other = text("every 5m last 1h limit 3 order by n asc group by b where a = 1 from otel count AS n");
    assert_eq!(one, other);
}

#[test]
fn text_and_json_say_the_same() {
    let text = text(
        "COUNT as n, P99(@duration) FROM lambda-logs, otel WHERE @type = REPORT AND @duration > 10.5 \
         SEARCH \"Timed out\" MATCH CASE GROUP BY $limelight.namespace ORDER BY P99(@duration) LIMIT 10 \
         BETWEEN 2026-11-20T13:00:00Z AND 2026-11-20T14:00:00Z EVERY 5m",
    );
    let strings = json(&value!({
        "parameters": {
            "datasets": ["lambda-logs", "otel"],
            "calculations": ["COUNT as n", "P99(@duration)"],
            "filters": ["@type = REPORT", "@duration > 10.5"],
            "groupBys": [{ "type": "string", "value": "$limelight.namespace" }],
            "orderBy": { "value": "P99(@duration)", "order": "DESC" },
            "limit": 10,
            "needle": { "value": "Timed out", "matchCase": true },
        },
        "timeframe": { "from": "1h", "to": "now" },
        "granularity": "5m",
    }));
    let objects = json(&value!({
        "workspaceId": "w", "environmentId": "e", "queryId": "q",
        "parameters": {
            "datasets": ["lambda-logs", "otel"],
            "calculations": [
                { "operator": "COUNT", "key": "", "alias": "n" },
                { "operator": "P99", "key": "@duration" },
            ],
            "filters": [
                { "key": "@type", "operation": "=", "value": "REPORT", "type": "string" },
                { "key": "@duration", "operation": ">", "value": "10.5", "type": "number" },
            ],
            "filterCombination": "AND",
            "groupBys": ["$limelight.namespace"],
            "orderBy": "P99(@duration)",
            "needle": { "item": "Timed out", "isRegex": false, "matchCase": true },
        },
        "timeframe": { "from": 1_795_179_600_000_i64, "to": 1_795_183_200_000_i64 },
        "granularity": 300_000, "limit": 10, "view": "calculations",
    }));
    assert_eq!(text, strings);
    assert_eq!(text, objects);
}

#[test]
fn an_alias_may_be_called_like_a_calculation() {
    let ordered = |written: &str| text(written).order_by.unwrap().value;
    assert_eq!(ordered("MAX(a) as max, MIN(a) ORDER BY max"), "max");
    assert_eq!(ordered("COUNT, MAX(a) as max ORDER BY max(a)"), "MAX(a)");
    assert_eq!(ordered("COUNT order by count"), "COUNT");
    assert_eq!(ordered("SUM(a) as count, COUNT ORDER BY count"), "count");
}

#[test]
fn legacy_spellings_are_read() {
    let query = json(&value!({
        "dataset": "logs",
        "calculations": ["COUNT"],
        "namespaces": ["a", "b"],
        "namespaceCombination": "EXCLUDE",
        "groupBy": { "type": "string", "value": "level", "limit": 5, "orderBy": "COUNT", "order": "ASC" },
        "service": "shop",
    }));
    let expected = text(
        "COUNT FROM logs WHERE $limelight.namespace NOT_IN (a, b) AND $limelight.service = shop \
         GROUP BY level ORDER BY COUNT ASC LIMIT 5",
    );
    assert_eq!(query, expected);
}

#[test]
fn a_filter_string_keeps_blanks_parentheses_and_quotes() {
    let filter = |filter: &str| json(&value!({ "filters": [filter] })).filter;
    assert_eq!(filter("message = hello  world"), text("WHERE message = \"hello  world\"").filter);
    assert_eq!(filter("call(x) = 'it is'"), text("WHERE `call(x)` = \"it is\"").filter);
    assert_eq!(filter("  a   INCLUDES   b c "), text("WHERE a INCLUDES \"b c\"").filter);
    assert_eq!(filter("a IN [x, 'y z', 3]"), text("WHERE a IN (x, \"y z\", 3)").filter);
    assert_eq!(filter("a not in (x)"), text("WHERE a NOT_IN (x)").filter);
    assert_eq!(filter("a MATCH_REGEX ^(x|y) \\d+$"), text("WHERE a MATCH_REGEX /^(x|y) \\d+$/").filter);
    assert_eq!(filter("`odd key` DOES_NOT_EXIST"), text("WHERE `odd key` DOES_NOT_EXIST").filter);
}

#[test]
fn filters_nest_in_both_forms() {
    let nested = json(&value!({
        "filters": [{ "or": ["a = 1", { "and": ["b = 2", { "not": "c EXISTS" }] }] }, "d = 4"],
    }));
    assert_eq!(nested, text("WHERE (a = 1 OR (b = 2 AND NOT c EXISTS)) AND d = 4"));
    let any = json(&value!({ "filters": ["a = 1", "b = 2"], "filterCombination": "OR" }));
    assert_eq!(any, text("WHERE a = 1 OR b = 2"));
    assert_eq!(text("WHERE a = 1 OR b = 2 AND c = 3"), text("WHERE a = 1 OR (b = 2 AND c = 3)"));
}

#[test]
fn a_value_is_what_its_look_says() {
    let value = |written: &str| match text(&format!("WHERE a = {written}")).filter {
        query::Filter::Is(query::Condition { test: Test::Equals(literal), .. }) => literal,
        other => panic!("{other:?}"),
    };
    let string = |text: &str| Literal::Text(text.to_owned());
    assert_eq!(value("200"), Literal::Int(200));
    assert_eq!(value("-1.5"), Literal::Float(-1.5));
    assert_eq!(value("true"), Literal::Bool(true));
    // Single quotes are taken off before typing, as the reference does; double quotes always mean text.
    assert_eq!(value("'200'"), Literal::Int(200));
    assert_eq!(value("\"200\""), string("200"));
    for text in ["1.0", "007", "+5", "1e3", "NaN", "0x10", "True"] {
        assert_eq!(value(text), string(text));
    }
}

#[test]
fn a_comparison_wants_a_number_and_takes_any_text_of_one() {
    assert_eq!(text("WHERE a > 1.0"), text("WHERE a > 1"));
    assert_eq!(text("WHERE a<=1e3"), text("WHERE a <= 1000"));
}

#[test]
fn every_calculation_has_its_name() {
    for (name, operator) in Operator::ALL {
        let key = if operator == Operator::Count { "" } else { "(@duration)" };
        let query = text(&format!("{name}{key} as x"));
        assert_eq!(
            query.calculations,
            [Calculation {
                operator,
                key: (operator != Operator::Count).then(|| query::Key::new("@duration")),
                condition: None,
                alias: Some("x".to_owned()),
            }]
        );
    }
}

#[test]
fn a_needle_is_a_text_or_a_regular_expression() {
    let needle = |written: &str| text(&format!("SEARCH {written}")).needle.unwrap();
    assert_eq!(needle("timeout").value, "timeout");
    assert!(!needle("'Time out'").match_case);
    let regex = needle(r"/a\/b\d+/ MATCH CASE");
    assert_eq!((regex.value.as_str(), regex.is_regex, regex.match_case), (r"a/b\d+", true, true));
    // Clients send an empty one when nothing is searched for.
    assert_eq!(json(&value!({ "needle": { "value": "" } })).needle, None);
}

#[test]
fn a_series_can_be_left_out_or_asked_for() {
    assert_eq!(text("COUNT").granularity_ms, Some(60_000));
    assert_eq!(text("COUNT EVERY NONE").granularity_ms, None);
    assert_eq!(json(&value!({ "calculations": ["COUNT"], "granularity": 0 })).granularity_ms, None);
    assert_eq!(text("EVERY 5 mins").granularity_ms, Some(300_000));
}

#[test]
fn times_are_absolute_or_relative() {
    let from = |written: &str| text(written).timeframe.from.to_string();
    assert_eq!(from("LAST 2 days"), "2026-11-18T14:00:00.000Z");
    assert_eq!(from("SINCE 2026-11-20"), "2026-11-20T00:00:00.000Z");
    assert_eq!(from("SINCE 3h UNTIL 2 hours ago"), "2026-11-20T11:00:00.000Z");
    assert_eq!(from("UNTIL 2026-11-20T10:00:00Z"), "2026-11-20T09:00:00.000Z");
    assert_eq!(text("LAST 30 mins"), json(&value!({ "timeframe": "30mins" })));
}

#[test]
fn a_trace_is_asked_of_every_dataset_oldest_first() {
    let id = "5b8aa5a2d2c872e8321cf37308d69df2".parse().unwrap();
    let query = Query::trace(id, text("").timeframe);
    assert_eq!(query.check(), Ok(()));
    assert_eq!(query.order_by.as_ref().unwrap().order, Order::Ascending);
    assert_eq!(query, text(&query.to_string()));
}

#[test]
fn formulas_conditions_and_derived_keys_in_both_forms() {
    let text = text(
        "COUNT as total, COUNT IF (level = error) as errors, errors / total * 100 as rate FROM otel \
         DERIVE seconds = @duration / 1000 WHERE seconds > 2 GROUP BY service \
         HAVING rate > 5 AND (P99(seconds) > 1 OR NOT (total + errors) < 10) ORDER BY rate LIMIT 5",
    );
    let json = json(&value!({
        "datasets": ["otel"],
        "derived": { "seconds": "@duration / 1000" },
        "calculations": [
            "COUNT as total",
            { "operator": "COUNT", "alias": "errors", "filters": ["level = error"] },
        ],
        "formulas": ["errors / total * 100 as rate"],
        "filters": ["seconds > 2"],
        "groupBys": ["service"],
        "having": ["rate > 5", "P99(seconds) > 1 OR NOT (total + errors) < 10"],
        "orderBy": { "value": "rate" },
        "limit": 5,
    }));
    assert_eq!(text, json);
    assert_eq!(text.formulas[0].arithmetic.to_string(), "errors / total * 100");
}

#[test]
fn signs_bind_as_on_paper() {
    let written = |formula: &str| {
        text(&format!("COUNT as a, COUNT_DISTINCT(x) as b, {formula} as c")).formulas[0]
            .arithmetic
            .to_string()
    };
    assert_eq!(written("a + b * 2 ^ 2"), "a + (b * (2 ^ 2))");
    assert_eq!(written("a - b - 1"), "a - b - 1");
    assert_eq!(written("a - (b - 1)"), "a - (b - 1)");
    assert_eq!(written("- a ^ 2"), "- (a ^ 2)");
    assert_eq!(written("2 ^ a ^ b"), "2 ^ (a ^ b)");
    assert_eq!(written("SQRT(a) / count"), "sqrt(a) / COUNT");
}

#[test]
fn times_are_read_in_the_zone_wherever_it_stands() {
    let from = |written: &str| text(written).timeframe.from.to_string();
    assert_eq!(from("SINCE 2026-11-20 TIMEZONE Europe/Berlin"), "2026-11-19T23:00:00.000Z");
    assert_eq!(from("TIMEZONE Europe/Berlin SINCE 2026-11-20T08:30"), "2026-11-20T07:30:00.000Z");
    assert_eq!(from("SINCE 2026-11-20T08:30:00Z TIMEZONE Europe/Berlin"), "2026-11-20T08:30:00.000Z");
    let json = json(&value!({
        "calculations": ["COUNT"], "timezone": "Europe/Berlin", "timeframe": { "from": "2026-11-20" },
        "compare": "1d", "others": true, "groupBys": ["a"], "explain": true,
    }));
    assert_eq!(
        json,
        text("EXPLAIN COUNT GROUP BY a LIMIT 100 OTHERS SINCE 2026-11-20 COMPARE 1d TIMEZONE Europe/Berlin")
    );
}

#[test]
fn views_of_wholes_in_both_forms() {
    let written = text(
        "VIEW requests WHERE level = error HAVING duration > 1000 AND levels.error >= 2 ORDER BY duration LIMIT 5 LAST 3h",
    );
    let json = json(&value!({
        "parameters": { "filters": ["level = error"], "having": "duration > 1000 AND levels.error >= 2", "limit": 5, "orderBy": "duration" },
        "timeframe": { "from": "3h", "to": "now" }, "view": "requests",
    }));
    assert_eq!(written, json);
    assert_eq!(written.view, View::Wholes(Whole::Request));
    assert_eq!(written.datasets, ["*"], "wholes have parts in all datasets");
    assert_eq!(written.granularity_ms, None);
    assert_eq!(text("FROM otel view TRACES").datasets, ["otel"]);
    assert_eq!(text("COUNT VIEW events"), text(&text("COUNT VIEW events").to_string()));
}

#[test]
fn the_view_of_patterns_is_figures_by_pattern() {
    assert_eq!(text("VIEW patterns FROM otel"), text("COUNT FROM otel GROUP BY $limelight.pattern"));
    assert_eq!(
        text("P99(@duration) VIEW patterns GROUP BY service"),
        text("P99(@duration) GROUP BY $limelight.pattern, service")
    );
    let of = |kind: &str| json(&value!({ "view": "patterns", "patternType": kind }));
    assert_eq!(of("message"), text("VIEW patterns"));
    assert_eq!(of("error"), text("COUNT GROUP BY $limelight.errorPattern"));
}

#[test]
fn a_heatmap_in_both_forms() {
    let written = text("HEATMAP @duration LOG FROM otel WHERE level = info EVERY 5m LAST 2h");
    let of = |heatmap: serde_json::Value| {
        json(&value!({
            "datasets": ["otel"], "filters": ["level = info"], "heatmap": heatmap, "granularity": "5m",
            "timeframe": "2h",
        }))
    };
    assert_eq!(written, of(value!({ "value": "@duration", "scale": "log" })));
    assert_eq!(
        text("heatmap @duration FROM otel WHERE level = info EVERY 5m LAST 2h"),
        of(value!("@duration"))
    );
    assert_eq!(written.view, View::Calculations);
    assert_eq!(text("HEATMAP @duration").granularity_ms, Some(60_000), "a sixtieth, as of any series");
}

#[test]
fn a_run_says_service_and_zone_beside_its_parameters_or_among_them() {
    let counted = text("COUNT WHERE $limelight.service = shop");
    assert_eq!(json(&value!({ "service": "shop", "parameters": { "calculations": ["COUNT"] } })), counted);
    assert_eq!(json(&value!({ "parameters": { "service": "shop", "calculations": ["COUNT"] } })), counted);
    let both = value!({ "service": "shop", "parameters": { "filters": ["a = 1", "b = 2"] } });
    let read = json(&both).filter;
    assert_eq!(read.conditions().len(), 3, "{read}");

    let berlin = text("SINCE 2026-11-20 TIMEZONE Europe/Berlin");
    for (around, inside) in [
        (value!({ "timezone": "Europe/Berlin" }), value!({ "timeframe": { "from": "2026-11-20" } })),
        (value!({ "timeframe": { "from": "2026-11-20" } }), value!({ "timezone": "Europe/Berlin" })),
    ] {
        let mut run = around.clone();
        run["parameters"] = inside;
        assert_eq!(json(&run), berlin, "{run}");
    }
    let beside_wins = value!({ "limit": 3, "parameters": { "limit": 5 } });
    assert_eq!(json(&beside_wins).limit, 3);
    let patterns = value!({ "patternType": "error", "parameters": { "view": "patterns" } });
    assert_eq!(json(&patterns).group_by[0].key.as_str(), "$limelight.errorPattern");
}

#[test]
fn a_group_of_2023_shows_ten_and_may_turn_the_order_of_the_first_figure() {
    let of = |group: serde_json::Value| json(&value!({ "calculations": ["COUNT as n"], "groupBy": group }));
    assert_eq!(of(value!({ "value": "a" })), text("COUNT as n GROUP BY a LIMIT 10"));
    assert_eq!(
        of(value!({ "type": "string", "value": "a", "order": "ASC", "limit": 3 })),
        text("COUNT as n GROUP BY a ORDER BY n ASC LIMIT 3")
    );
}

#[test]
fn no_condition_at_all_reads_back() {
    let nothing = json(&value!({ "filters": [{ "not": { "and": [] } }] }));
    assert_eq!(nothing.to_string().matches("NOT ()").count(), 1, "{nothing}");
    assert_eq!(text(&nothing.to_string()), nothing);
}

#[test]
fn a_dataset_may_be_called_whatever_the_store_lets_it() {
    let longest = "d".repeat(128);
    assert_eq!(text(&format!("FROM {longest}")).datasets, [longest]);
}

#[test]
fn two_paths_are_no_regular_expression() {
    for swallowing in [
        "SEARCH /checkout WHERE path = /",
        "SEARCH /checkout WHERE path = /orders",
        "WHERE path MATCH_REGEX /a LIMIT 5 SEARCH /b",
    ] {
        let faults = crate::refused(swallowing).to_string();
        assert!(faults.contains("from one slash to the next") && faults.contains("quotes"), "{faults}");
    }
    let needle = |written: &str| text(written).needle.unwrap().value;
    assert_eq!(needle("SEARCH /timed out/ LIMIT 5"), "timed out");
    assert_eq!(needle("SEARCH /from here to /"), "from here to ");
    assert_eq!(needle("SEARCH \"/checkout\" WHERE path = /"), "/checkout");
    assert_eq!(text("WHERE (path MATCH_REGEX /a b/) LIMIT 5").limit, 5);

    // Such an expression from elsewhere is written with another end.
    let odd = json(&value!({ "needle": { "value": "x LIMIT ", "isRegex": true } }));
    assert!(odd.to_string().contains("SEARCH /x LIMIT[ ]/"), "{odd}");
    assert_eq!(needle(&odd.to_string()), "x LIMIT[ ]");
}
