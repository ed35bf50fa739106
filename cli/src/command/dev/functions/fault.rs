//! The key `faults` → what goes wrong on purpose.

use sandbox::FaultPlan;

use super::key::{self, Key};
use super::object::Object;
use super::settings::set;

/// Where nobody names a seed.
const SEED: u64 = 1;

const CHANCES: [&Key; 7] = [
    &key::FAULT_FREEZE,
    &key::FREEZE_MESSAGE,
    &key::REDELIVER,
    &key::CUT,
    &key::KILL_FUNCTION,
    &key::KILL_EXTENSION,
    &key::CLOCK_JUMP,
];

/// What goes wrong with a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Faults {
    pub(super) plan: FaultPlan,
    /// Whether clock jumps are of a wall clock of its own.
    pub(super) faked_clock: bool,
}

/// Reads them; none without the key. What could never happen is told: somebody waits for it.
pub(super) fn read(object: &mut Object) -> Option<Faults> {
    object.object(&key::FAULTS, |faults| {
        let jumps = faults.has(&key::CLOCK_JUMP);
        if !CHANCES.iter().any(|chance| faults.has(chance)) {
            faults.fault("faults has no chance, so that nothing ever happens; give one, as \"freeze\": 0.1");
        }
        let mut plan = FaultPlan::new(SEED);
        set(&mut plan.seed, faults.whole(&key::SEED));
        set(&mut plan.odds.freeze, faults.chance(&key::FAULT_FREEZE));
        set(&mut plan.odds.freeze_message, faults.chance(&key::FREEZE_MESSAGE));
        set(&mut plan.odds.redeliver, faults.chance(&key::REDELIVER));
        set(&mut plan.odds.cut, faults.chance(&key::CUT));
        set(&mut plan.odds.kill_function, faults.chance(&key::KILL_FUNCTION));
        set(&mut plan.odds.kill_extension, faults.chance(&key::KILL_EXTENSION));
        set(&mut plan.odds.clock_jump, faults.chance(&key::CLOCK_JUMP));
        let faked_clock = faults.flag(&key::FAKED_CLOCK).unwrap_or(false);
        if faked_clock && !jumps {
            faults.fault("faults.fakedClock is for clock jumps, and there are none; set faults.clockJump");
        }
        Faults { plan, faked_clock }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox::Odds;
    use serde_json::{Value, json};

    fn read_of(value: &Value) -> (Option<Faults>, Vec<String>) {
        let mut object = Object::new(json!({ "faults": value }), key::FUNCTION);
        (read(&mut object), object.finish())
    }

    #[test]
    fn every_chance_arrives() {
        let (faults, wrong) = read_of(&json!({
            "seed": u64::MAX, "freeze": 0.1, "redeliver": 0.2, "cut": 0.3, "killFunction": 0.4, "killExtension": 0.5,
            "clockJump": 1, "fakedClock": true, "freezeMessage": 0.6,
        }));
        let odds = Odds {
            freeze: 0.1,
            freeze_message: 0.6,
            redeliver: 0.2,
            cut: 0.3,
            kill_function: 0.4,
            kill_extension: 0.5,
            clock_jump: 1.0,
        };
        let plan = FaultPlan { seed: u64::MAX, odds };
        assert_eq!((faults, wrong), (Some(Faults { plan, faked_clock: true }), Vec::new()));
    }

    #[test]
    fn what_could_never_happen_is_a_slip() {
        assert!(read_of(&json!({"seed": 3})).1[0].contains("no chance"));
        assert!(read_of(&json!({"cut": 0.1, "fakedClock": true})).1[0].contains("set faults.clockJump"));
        assert_eq!(read_of(&json!({"cut": 7})).1.len(), 1, "a wrong chance is one fault");
        assert_eq!(read_of(&Value::Null), (None, Vec::new()));
    }

    #[test]
    fn the_seed_that_is_documented_holds_where_none_is_named() {
        let (faults, _) = read_of(&json!({"freeze": 0.5}));
        assert_eq!(faults.map(|faults| faults.plan.seed.to_string()).as_deref(), Some(key::SEED.default));
    }
}
