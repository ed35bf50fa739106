//! The shapes in one run, in alternation: every round asks every shape of every engine, so that what else the machine
//! does falls on all of them. An answer that differs ends the run: a wrong answer has no speed.

use std::collections::BTreeMap;

use crate::engine::{Answered, Engine};
use crate::rows::{self, Rows};
use crate::shape::Shape;
use figure::Figure;

/// What a shape's time may be of the better of the others'.
const WORST_RATIO: f64 = 1.3;
/// Of DuckDB's and of ClickHouse's time, over all shapes.
const GEOMETRIC: [f64; 2] = [0.60, 0.80];
const RESIDENT_MB: f64 = 1_024.0;
const BY_ID_MS: f64 = 100.0;

/// What the engines took for one shape: ours first, each a median over the rounds.
pub(crate) struct Taken {
    shape: String,
    pub(crate) seconds: Vec<f64>,
    peak_mb: Vec<f64>,
}

/// Asks all shapes of all engines, ours first among them, for so many rounds after one that warms up.
///
/// # Errors
/// When an engine fails, or gives another answer than ours.
pub(crate) fn ask(engines: &mut [Engine], shapes: &[Shape], rounds: usize) -> anyhow::Result<Vec<Taken>> {
    let mut answers: BTreeMap<(usize, usize), Vec<Answered>> = BTreeMap::new();
    for round in 0..=rounds {
        for (number, shape) in shapes.iter().enumerate() {
            // Who is first changes from round to round.
            for turn in 0..engines.len() {
                let engine = (round + turn) % engines.len();
                let answered = engines[engine].ask(shape)?;
                answers.entry((number, engine)).or_default().push(answered);
            }
            if round == 0 {
                agree(shape, engines, |engine| Some(&answers.get(&(number, engine))?.first()?.rows))?;
            }
        }
        crate::tell(&format!("round {round} of {rounds}"));
    }
    let taken = |(number, shape): (usize, &Shape)| {
        let of: Vec<&Vec<Answered>> =
            (0..engines.len()).filter_map(|engine| answers.get(&(number, engine))).collect();
        let median = |value: fn(&Answered) -> f64| -> Vec<f64> {
            of.iter().map(|answers| median(answers.iter().skip(1).map(value))).collect()
        };
        Taken {
            shape: shape.name.to_owned(),
            seconds: median(|answered| answered.seconds),
            peak_mb: median(|answered| answered.peak_mb),
        }
    };
    Ok(shapes.iter().enumerate().map(taken).collect())
}

/// As the results name them.
pub(crate) fn names(engines: &[Engine]) -> Vec<String> {
    engines.iter().map(|engine| engine.name.clone()).collect()
}

/// Whether all engines gave the answer that ours gave.
fn agree<'a>(
    shape: &Shape,
    engines: &[Engine],
    rows_of: impl Fn(usize) -> Option<&'a Rows>,
) -> anyhow::Result<()> {
    let Some(ours) = rows_of(0) else { return Ok(()) };
    for (number, engine) in engines.iter().enumerate() {
        let difference = rows_of(number).and_then(|theirs| rows::difference(ours, theirs));
        if let Some(difference) = difference {
            anyhow::bail!("{}: {} answers otherwise: {difference}", shape.name, engine.name);
        }
    }
    Ok(())
}

/// Each shape's times and the sums over them; `names` are the engines' in their order.
pub(crate) fn figures(taken: &[Taken], names: &[String]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for Taken { shape, seconds, .. } in taken {
        let ms = seconds[0] * 1_000.0;
        let name = format!("{shape}: time");
        let by_id = shape.starts_with("request id") || shape.starts_with("trace");
        figures.push(match by_id {
            true => Figure::at_most(name, ms, "ms", BY_ID_MS),
            false => Figure::told(name, ms, "ms"),
        });
        for (other, seconds) in names.iter().zip(seconds).skip(1) {
            figures.push(Figure::told(format!("{shape}: {other}"), seconds * 1_000.0, "ms"));
        }
        let better = seconds.iter().skip(1).copied().fold(f64::INFINITY, f64::min);
        let name = format!("{shape}: of the better of the others' time");
        figures.push(Figure::at_most(name, seconds[0] / better, "×", WORST_RATIO));
    }
    for ((number, other), target) in names.iter().enumerate().skip(1).zip(GEOMETRIC) {
        let logarithms = taken.iter().map(|taken| (taken.seconds[0] / taken.seconds[number]).ln());
        let mean = (logarithms.sum::<f64>() / taken.len() as f64).exp();
        figures.push(Figure::at_most(format!("geometric mean of {other}'s time"), mean, "×", target));
    }
    for (number, name) in names.iter().enumerate() {
        let most = taken.iter().max_by(|a, b| a.peak_mb[number].total_cmp(&b.peak_mb[number]));
        let Some(most) = most else { continue };
        let told = format!("most resident memory, {name} ({})", most.shape);
        figures.push(match number {
            0 => Figure::at_most(told, most.peak_mb[0], "MB", RESIDENT_MB),
            _ => Figure::told(told, most.peak_mb[number], "MB"),
        });
    }
    figures
}

/// The middle of them; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
