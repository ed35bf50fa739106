//! What a plan needs of its engine, and what that engine makes of it.

use std::collections::BTreeSet;

use super::Plan;
use crate::sql::{Construct, Dialect, Expr, Said, Unsayable, needs};

impl Plan<'_> {
    /// Whether an engine can say all of this, and what whoever reads its answer should know.
    ///
    /// # Errors
    /// All that it cannot say.
    pub fn said_by(&self, dialect: &dyn Dialect) -> Result<Vec<String>, Unsayable> {
        let (mut notes, mut constructs) = (Vec::new(), Vec::new());
        for construct in self.constructs() {
            match dialect.says(construct) {
                Said::Same => {}
                Said::Nearly(note) => notes.push(format!("answered by {}: {note}", dialect.name())),
                Said::Not => constructs.push(construct),
            }
        }
        if constructs.is_empty() { Ok(notes) } else { Err(Unsayable { engine: dialect.name(), constructs }) }
    }

    fn constructs(&self) -> BTreeSet<Construct> {
        let mut found = BTreeSet::new();
        let of_tables = self.tables.iter().flat_map(|table| {
            let one = [Some(&table.filter), table.weight.as_ref()].into_iter().flatten();
            one.chain(&table.groups).chain(&table.inputs)
        });
        let of_wholes = self.wholes.iter().flat_map(|sheet| sheet.expressions());
        of_tables.chain(of_wholes).for_each(|expr: &Expr| needs(expr, &mut found));
        found.extend(self.figures.has_percentile().then_some(Construct::Percentile));
        found
    }
}
