//! Remembers the last POSTs by the platform's names for them, so that a redelivery is dropped and not shipped twice.

use std::collections::VecDeque;

/// The platform has one POST in flight and repeats the last it had no answer for; a few more cover a freeze between
/// our 200 and its arrival. 16 names of 44 characters.
const REMEMBERED: usize = 16;

/// The last deliveries' names. A delivery without a name is always new.
#[derive(Debug, Default)]
pub struct Redelivery {
    names: VecDeque<String>,
}

impl Redelivery {
    /// Whether this was seen before; if not, it is now.
    pub fn repeats(&mut self, sequence: Option<&str>) -> bool {
        let Some(name) = sequence else { return false };
        if self.names.iter().any(|known| known == name) {
            return true;
        }
        if self.names.len() == REMEMBERED {
            self.names.pop_front();
        }
        self.names.push_back(name.to_owned());
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_two_equal_names_is_a_repetition() {
        let mut redelivery = Redelivery::default();
        assert!(!redelivery.repeats(Some("a")));
        assert!(!redelivery.repeats(Some("b")));
        assert!(redelivery.repeats(Some("a")));
    }

    #[test]
    fn without_a_name_everything_is_new() {
        let mut redelivery = Redelivery::default();
        assert!(!redelivery.repeats(None));
        assert!(!redelivery.repeats(None));
    }

    #[test]
    fn the_memory_is_short() {
        let mut redelivery = Redelivery::default();
        for number in 0..=REMEMBERED {
            assert!(!redelivery.repeats(Some(&number.to_string())));
        }
        assert!(!redelivery.repeats(Some("0")));
    }
}
