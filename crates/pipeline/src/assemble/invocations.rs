//! The bounded memory of the invocations that are running or have run.

use std::collections::VecDeque;

use model::Timestamp;

use super::invocation::Invocation;

/// Invocations that run at a time: far more than Managed Instances allow (64 per vCPU), so that only lost ends fill it.
const OPEN_MAX: usize = 1024;

/// Where only one runs at a time: that one, and the one before it, whose end may be late.
const ALONE_MAX: usize = 2;

/// A report comes during the next invocation; late lines and reports of overlapping ones a little later.
const PAST_MAX: usize = 256;

/// The running and the remembered.
#[derive(Debug, Default)]
pub(super) struct Invocations {
    open: VecDeque<Invocation>,
    past: VecDeque<Invocation>,
    /// The request that started last.
    latest: Option<String>,
    /// The end that was told last.
    ended_at: Option<Timestamp>,
}

impl Invocations {
    /// True before the first start.
    pub(super) fn none_yet(&self) -> bool {
        self.latest.is_none()
    }

    /// Adds a running one; gives back the oldest if there are too many: its end was lost.
    pub(super) fn open(&mut self, invocation: Invocation, overlaps: bool) -> Option<Invocation> {
        self.latest = Some(invocation.request_id.clone());
        self.open.push_back(invocation);
        let open_max = if overlaps { OPEN_MAX } else { ALONE_MAX };
        if self.open.len() > open_max { self.open.pop_front() } else { None }
    }

    /// Takes a running one out, to be given back by [`Self::remember`]. A retried event has the request id of its
    /// first attempt: the later one is meant.
    pub(super) fn take(&mut self, request_id: &str) -> Option<Invocation> {
        let index = self.open.iter().rposition(|invocation| invocation.request_id == request_id)?;
        self.open.remove(index)
    }

    /// Takes all running ones out, oldest first.
    pub(super) fn take_all(&mut self) -> Vec<Invocation> {
        self.open.drain(..).collect()
    }

    /// Keeps one that ended then for its late records.
    pub(super) fn remember(&mut self, mut invocation: Invocation, ended_at: Timestamp) {
        self.ended_at = self.ended_at.max(Some(ended_at));
        invocation.trigger = None;
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(invocation);
    }

    /// True while nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// True while several run at a time: lines that do not say whose they are may be anybody's.
    pub(super) fn are_mixed(&self) -> bool {
        self.open.len() > 1
    }

    /// One that runs or has run.
    pub(super) fn find(&mut self, request_id: &str) -> Option<&mut Invocation> {
        find(&mut self.open, &mut self.past, request_id)
    }

    /// The one that a record without a request id belongs to. Where invocations overlap that can be told only while
    /// one runs alone, and of what was printed since it began and since the others ended; elsewhere it is the one that
    /// started last, also when it has ended: its last lines come late.
    pub(super) fn current(&mut self, overlaps: bool, at: Timestamp) -> Option<&mut Invocation> {
        if overlaps {
            let others_ran = self.ended_at.is_some_and(|ended_at| at <= ended_at);
            let alone = self.open.len() == 1 && !others_ran;
            return self.open.front_mut().filter(|only| alone && only.started_at <= at);
        }
        find(&mut self.open, &mut self.past, self.latest.as_deref()?)
    }
}

/// The last one with this id: running before ended.
fn find<'a>(
    open: &'a mut VecDeque<Invocation>,
    past: &'a mut VecDeque<Invocation>,
    request_id: &str,
) -> Option<&'a mut Invocation> {
    let newest_first = open.iter_mut().rev().chain(past.iter_mut().rev());
    newest_first.into_iter().find(|invocation| invocation.request_id == request_id)
}
