//! Traces of seven languages line by line, and lines that only look like them.

use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Pushes the lines of a text one by one, as a pipe delivers them, and gives back the records.
fn joined(printed: &str) -> Vec<String> {
    let mut joiner = Joiner::default();
    let mut blocks = Vec::new();
    for line in printed.lines() {
        if line.trim().is_empty() {
            joiner.blank();
        } else {
            blocks.extend(joiner.push(line.to_owned(), at(0), at(0)));
        }
    }
    blocks.extend(joiner.finish());
    blocks.into_iter().flatten().map(|block| block.text).collect()
}

#[test]
fn every_languages_trace_is_one_record_and_its_neighbours_are_their_own() {
    for trace in include_str!("tests/traces.txt").split("\n=====").skip(1) {
        let (source, trace) = trace.split_once('\n').unwrap();
        let trace = trace.trim_matches('\n');
        assert_eq!(joined(trace), [trace], "{source}");
        let printed = format!("before\n{trace}\nafter");
        assert_eq!(joined(&printed), ["before", trace, "after"], "{source}");
    }
}

#[test]
fn two_traces_are_two_records() {
    let java = "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)";
    assert_eq!(joined(&format!("{java}\n{java}")), [java, java]);
    let python = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nKeyError: 'a'";
    assert_eq!(joined(&format!("{python}\nKeyError: 'b'\n{python}")), [python, "KeyError: 'b'", python]);
}

#[test]
fn what_only_looks_like_a_trace_stays_lines() {
    for lines in [
        "one\ntwo",
        "menu:\n  at noon soup\n  at night bread",
        "ValueError: a\nKeyError: b",
        "ERROR no card\nValueError: tell somebody",
        "/var/task/index.js:12\nis the place\nto look at",
        "{\n  \"pretty\": 1\n}",
        "... and 3 more",
        "Caused by: fraud",
        "total\n  12 items",
    ] {
        assert_eq!(joined(lines), lines.lines().collect::<Vec<_>>(), "{lines}");
    }
}

#[test]
fn a_line_is_held_no_longer_than_stated() {
    let mut joiner = Joiner::default();
    assert_eq!(joiner.due(), None);
    assert_eq!(joiner.push("TypeError: x".to_owned(), at(1), at(10)), [None, None]);
    assert_eq!(joiner.due(), Some(at(110)));
    assert_eq!(joiner.release(at(109)), [None, None]);
    assert_eq!(joiner.push("    at f (a.js:1:2)".to_owned(), at(2), at(50)), [None, None]);
    assert_eq!(joiner.due(), Some(at(150)));
    let text = "TypeError: x\n    at f (a.js:1:2)".to_owned();
    assert_eq!(joiner.release(at(150)), [Some(Block { text, seen_at: at(1), records: 2 }), None]);
    assert_eq!((joiner.finish(), joiner.due()), ([None, None], None));
    joiner.push("a".to_owned(), at(0), at(1_000));
    assert!(joiner.release(at(999))[0].is_some(), "the clock was set back");
}

#[test]
fn a_block_is_bounded() {
    let frame = format!("\tat a.B.{}(B.java:1)", "c".repeat(1_000));
    let mut joiner = Joiner::default();
    let mut blocks = Vec::from(joiner.push("java.lang.StackOverflowError".to_owned(), at(0), at(0)));
    for _ in 0..1_024 {
        blocks.extend(joiner.push(frame.clone(), at(0), at(0)));
    }
    blocks.extend(joiner.finish());
    let blocks: Vec<Block> = blocks.into_iter().flatten().collect();
    assert!(blocks.len() >= 8);
    assert!(blocks.iter().all(|block| block.text.len() <= BLOCK_BYTES_MAX));
    assert_eq!(blocks.iter().map(|block| block.records).sum::<u64>(), 1_025);
}

fn any_line() -> impl Strategy<Value = String> {
    let traces = include_str!("tests/traces.txt").lines().map(str::to_owned).collect::<Vec<_>>();
    prop_oneof![prop::sample::select(traces), "\\PC{0,20}"]
}

proptest! {
    #[test]
    fn no_line_is_lost_added_or_moved(lines in prop::collection::vec(any_line(), 0..30)) {
        let mut joiner = Joiner::default();
        let mut blocks = Vec::new();
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
        for line in &lines {
            blocks.extend(joiner.push(line.clone(), at(0), at(0)));
        }
        blocks.extend(joiner.finish());
        let blocks: Vec<Block> = blocks.into_iter().flatten().collect();
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        prop_assert_eq!(texts.join("\n"), lines.join("\n"));
        prop_assert_eq!(blocks.iter().map(|block| block.records).sum::<u64>(), lines.len() as u64);
    }
}
