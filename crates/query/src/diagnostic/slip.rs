//! Which known word a slip was probably meant to be.

/// The candidate that `word` is most probably a slip of, if any is near enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Half of a short word may be wrong and it is still a guess; of a long one, a third.
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be changed, added, removed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    // Far longer than any key that a person mistypes; keeps the cost of a hostile one bounded.
    const LENGTH_MAX: usize = 200;
    let left: Vec<char> = left.chars().take(LENGTH_MAX).collect();
    let right: Vec<char> = right.chars().take(LENGTH_MAX).collect();
    let mut rows = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let mut best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let words = ["COUNT", "COUNT_DISTINCT", "SUM"];
        assert_eq!(closest("cuont", words), Some("COUNT"));
        assert_eq!(closest("COUNTDISTINCT", words), Some("COUNT_DISTINCT"));
        assert_eq!(closest("elephant", words), None);
    }
}
