//! Which of a scan's files a query reads: those that its conditions do not rule out, small ones as one where they are held,
//! and apart those of which no single time has to be looked at.

use std::sync::{Arc, PoisonError};

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::bound::{self, Bound, Fulfil};
use super::held::{Held, Place, Run};
use super::part::{Part, Source};
use super::statistics::LogStatistics;
use super::{Scan, gather};
use crate::files::DataFile;

impl Scan {
    /// What the filters do not rule out: first that of which all events are in the time asked for, then the rest.
    pub(super) fn parts(&self, state: &dyn Session, filters: &[Expr]) -> Result<[Vec<Part>; 2]> {
        let files: Vec<Arc<DataFile>> = self.files.iter().cloned().collect();
        let bounds: Vec<Bound> = filters.iter().filter_map(Bound::of).collect();
        let keep = self.kept(state, filters, &files)?;
        let fulfil = |(number, file)| match keep.as_ref().is_none_or(|keep| keep[number]) {
            true => bound::all_hold_for(&bounds, file),
            false => Fulfil::None,
        };
        let fulfils: Vec<Fulfil> = files.iter().enumerate().map(fulfil).collect();
        let mut parts = [Vec::new(), Vec::new()];
        let mut add = |part: Part, inside: bool| parts[usize::from(!inside)].push(part);
        let mut is_held = vec![false; files.len()];
        for (run, part) in self.held_runs(&files, &fulfils) {
            let inside =
                run.iter().all(|number| bound::all_hold_for(&bounds, &files[*number]) == Fulfil::All);
            run.iter().for_each(|number| is_held[*number] = true);
            add(part, inside);
        }
        for (number, file) in files.into_iter().enumerate().filter(|(number, _)| !is_held[*number]) {
            if fulfils[number] != Fulfil::None {
                add(Part { number, source: Source::Stored(file) }, fulfils[number] == Fulfil::All);
            }
        }
        Ok(parts)
    }

    /// The runs of small files that are held as one.
    fn held_runs(&self, files: &[Arc<DataFile>], fulfils: &[Fulfil]) -> Vec<(Vec<usize>, Part)> {
        let Some(held) = &self.held else { return Vec::new() };
        let kept = |run: &Vec<usize>| run.iter().filter(|number| fulfils[**number] != Fulfil::None).count();
        let mut runs = gather::runs(files);
        runs.retain(|run| kept(run) > 0);
        // Few of them are not worth a merge, but what is merged already is taken.
        let of = |run: &Vec<usize>| Run {
            files: run.iter().map(|number| files[*number].clone()).collect(),
            wanted: kept(run) * 2 >= run.len(),
        };
        let wanted: Vec<Run> = runs.iter().map(of).collect();
        let place = Place { objects: self.root.objects.clone(), below: self.below.clone() };
        let found = held.of(&place, &wanted);
        let part = |(run, held): (Vec<usize>, Option<Arc<Held>>)| {
            let held = held?;
            Some((run, Part { number: self.number(files.len(), &held), source: Source::Held(held) }))
        };
        runs.into_iter().zip(found).filter_map(part).collect()
    }

    /// The number of a held file: the same whenever this scan meets it.
    fn number(&self, files: usize, held: &Arc<Held>) -> usize {
        // Whole whatever a thread that panicked was doing: things are only added.
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let known = reading.iter().position(|known| Arc::ptr_eq(known, held));
        files
            + known.unwrap_or_else(|| {
                reading.push(held.clone());
                reading.len() - 1
            })
    }

    /// The part of a number.
    pub(super) fn part(&self, number: usize) -> Option<Part> {
        let source = match number.checked_sub(self.files.len()) {
            None => Source::Stored(self.files.iter().nth(number)?.clone()),
            Some(at) => {
                let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
                Source::Held(reading.get(at)?.clone())
            }
        };
        Some(Part { number, source })
    }

    /// Which of the files the filters do not rule out; none if the filters rule out nothing.
    fn kept(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        files: &[Arc<DataFile>],
    ) -> Result<Option<Vec<bool>>> {
        let Some(predicate) = self.predicate(state, filters.iter().cloned())? else { return Ok(None) };
        let schema = self.columns.table_schema();
        let pruning = PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(predicate);
        let Ok(pruning) = pruning else { return Ok(None) };
        pruning.prune(&LogStatistics { files, schema: schema.clone() }).map(Some)
    }
}
