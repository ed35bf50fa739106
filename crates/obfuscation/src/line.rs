//! A printed line with a JSON object in it: `INFO sent {"to":"x"}`. What stands before and behind the object is running
//! text. Used by `rule`.

use std::ops::Range;

use crate::pattern::Scan;
use crate::rewrite::Rewrite;
use crate::walk::Walk;

impl Walk<'_> {
    /// The line without its secrets; none if it has none.
    pub(crate) fn line(&mut self, text: &str, json: Option<Range<usize>>) -> Option<String> {
        let Some((json, object)) = json.and_then(|range| Some((range.clone(), object(text, range)?))) else {
            return self.text(text);
        };
        let mut rewrite = Rewrite::new(text);
        let mut behind = json.end;
        let mut is_taken = false;
        // What begins before the object may reach into it: then the object belongs to it.
        if let Some(scan) = Scan::before(text, json.start, self.rule.patterns) {
            self.secrets(scan, |found, mark| {
                is_taken = found.end > json.start;
                behind = behind.max(found.end);
                rewrite.replace(found.start..if is_taken { behind } else { found.end }, mark);
            });
        }
        if !is_taken && let Some(scrubbed) = self.json(object) {
            rewrite.replace(json, &scrubbed);
        }
        if let Some(scrubbed) = text.get(behind..).and_then(|rest| self.text(rest)) {
            rewrite.replace(behind..text.len(), &scrubbed);
        }
        rewrite.finish()
    }
}

/// The object at a range; none if none can stand there.
fn object(text: &str, range: Range<usize>) -> Option<&str> {
    text.get(range).filter(|object| object.starts_with(['{', '[']))
}
