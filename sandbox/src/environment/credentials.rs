//! Keys for the processes of one environment where they are fetched and expire, instead of standing in variables.
//!
//! Nothing on this machine checks them; what matters is that a client which does not renew them can be told from one
//! that does. Time is an argument.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::message::Issued;

/// Where there are none: SDKs refuse to call even a loopback endpoint without.
const NO_KEYS: (&str, &str) = ("local", "local");

/// Issues keys, and new ones when they have expired.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
    pub(crate) authorization: String,
    lifetime: Duration,
    issued: Option<Issued>,
    generation: u64,
}

impl Credentials {
    pub(crate) fn new(lifetime: Duration) -> Self {
        let authorization = Uuid::new_v4().simple().to_string();
        Self { authorization, lifetime, issued: None, generation: 0 }
    }

    /// The keys of now, if the caller may have them.
    pub(super) fn get(&mut self, authorization: &str, now: SystemTime) -> Option<Issued> {
        if authorization != self.authorization {
            return None;
        }
        if self.issued.as_ref().is_none_or(|issued| issued.expires <= now) {
            self.generation += 1;
            self.issued = Some(issue(self.generation, now + self.lifetime));
        }
        self.issued.clone()
    }
}

/// This process's own keys if it has some. Without a session token of theirs, it tells how often keys were renewed.
fn issue(generation: u64, expires: SystemTime) -> Issued {
    let own = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    Issued {
        access_key: own("AWS_ACCESS_KEY_ID", NO_KEYS.0),
        secret_key: own("AWS_SECRET_ACCESS_KEY", NO_KEYS.1),
        session_token: own("AWS_SESSION_TOKEN", &format!("local-{generation}")),
        expires,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_until_they_expire() {
        let now = SystemTime::UNIX_EPOCH;
        let mut credentials = Credentials::new(Duration::from_secs(60));
        let authorization = credentials.authorization.clone();
        let first = credentials.get(&authorization, now).unwrap();
        assert_eq!(first.expires, now + Duration::from_secs(60));
        assert_eq!(credentials.get(&authorization, now + Duration::from_secs(59)).unwrap(), first);
        let second = credentials.get(&authorization, now + Duration::from_secs(60)).unwrap();
        assert_eq!(second.expires, now + Duration::from_secs(120));
    }

    #[test]
    fn nobody_gets_them_without_the_token() {
        assert!(Credentials::new(Duration::from_secs(60)).get("", SystemTime::UNIX_EPOCH).is_none());
    }
}
