//! Why a value was scrubbed, and how many were: the numbers that travel in the delivery account.

/// What gave a value away. The words are stored and queried (`scrubbedBy.<word>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A listed word in the name of its key.
    Key,
    /// A listed word before it in running text: `password=…`, `"apiKey": "…"`.
    Assignment,
    /// It stood behind `Bearer`.
    Bearer,
    /// It stood behind `Basic` and decodes to a name and a password.
    Basic,
    /// A JSON Web Token, signed or encrypted.
    Jwt,
    /// An AWS access key id, long-lived (`AKIA`) or of a session (`ASIA`).
    AwsKey,
    /// A PEM or PGP private key.
    PrivateKey,
    /// A key or token whose issuer marks it by a prefix (`ghp_`, `xoxb-`, `sk_live_`, …).
    Token,
    /// The password in a URL's authority.
    UrlPassword,
    /// A payment card's number that passes the Luhn check.
    Card,
    /// An e-mail address.
    Email,
}

impl Reason {
    /// All of them; a reason's place here is its place in [`Counts`].
    pub const ALL: [Self; 11] = [
        Self::Key,
        Self::Assignment,
        Self::Bearer,
        Self::Basic,
        Self::Jwt,
        Self::AwsKey,
        Self::PrivateKey,
        Self::Token,
        Self::UrlPassword,
        Self::Card,
        Self::Email,
    ];

    /// The stored word, which is also the one that settings use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Assignment => "assignment",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Jwt => "jwt",
            Self::AwsKey => "aws_key",
            Self::PrivateKey => "private_key",
            Self::Token => "token",
            Self::UrlPassword => "url_password",
            Self::Card => "card",
            Self::Email => "email",
        }
    }

    pub(crate) fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// How many values were scrubbed, by reason. A value counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; Reason::ALL.len()]);

impl Counts {
    /// All reasons together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that occurred, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// How many for one reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum += count;
        }
    }

    pub(crate) fn count(&mut self, reason: Reason) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_word() {
        let mut counts = Counts::default();
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(place, reason as usize);
            counts.count(reason);
        }
        assert!(Reason::ALL.into_iter().all(|reason| counts.of(reason) == 1));
        assert_eq!(counts.total(), 11);
        let words: std::collections::BTreeSet<&str> = Reason::ALL.into_iter().map(Reason::as_str).collect();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
