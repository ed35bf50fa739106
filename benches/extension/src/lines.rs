//! What the function prints: a seeded mix of the lines that real loggers write, about 400 bytes each. Every line
//! carries a name of its own (`evt-…`), by which it is found again in what was shipped. Pure.

use chance::Chance;
use serde_json::{Value, json};

/// Lines of one invocation.
pub(crate) const LINES_PER_INVOCATION: usize = 20;

/// How a line's name begins; nine digits follow.
const NAME_PREFIX: &str = "evt-";
const NAME_DIGITS: usize = 9;

const CITIES: [&str; 8] = ["Lisbon", "Oslo", "Graz", "Nantes", "Porto", "Gdańsk", "Leeds", "Turin"];
const ROUTES: [&str; 6] =
    ["/orders/{id}", "/orders", "/cart/{id}/items", "/payments/{id}/capture", "/users/{id}", "/search"];
const SKUS: [&str; 7] = ["lamp-oak", "chair-07", "desk-xl", "rug-wool", "shelf-3", "vase-blue", "clock"];
const STEPS: [&str; 6] = [
    "reserved stock for the order",
    "charged the customer's card",
    "published the order's confirmation",
    "looked up the customer's address",
    "computed the shipping price",
    "wrote the order to the table",
];

/// A source of lines: the same seed gives the same lines.
#[derive(Debug)]
pub(crate) struct Lines {
    chance: Chance,
    next: u64,
}

impl Lines {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), next: 0 }
    }

    /// The lines of one invocation that begins at `now`; they are a few milliseconds apart.
    pub(crate) fn invocation(&mut self, now: jiff::Timestamp) -> Vec<String> {
        let apart = jiff::SignedDuration::from_micros(310);
        (0..LINES_PER_INVOCATION)
            .map(|number| {
                let number = i32::try_from(number).unwrap_or_default();
                self.line(now.saturating_add(apart * number).unwrap_or(now))
            })
            .collect()
    }

    /// So many lines without names: each has `{name}` in its place.
    pub(crate) fn patterns(&mut self, count: usize, now: jiff::Timestamp) -> Vec<String> {
        let line = |lines: &mut Self| lines.line(now);
        let named = std::iter::repeat_with(|| line(self)).take(count);
        named
            .map(|line| name_in(&line).map(|name| line.replace(name, "{name}")).unwrap_or_default())
            .collect()
    }

    fn line(&mut self, time: jiff::Timestamp) -> String {
        let name = format!("{NAME_PREFIX}{:0NAME_DIGITS$}", self.next);
        self.next += 1;
        let stamp = format!("{time:.3}");
        match self.chance.below(20) {
            0..8 => self.structured(&name, &stamp),
            8..12 => self.web(&name, time.as_millisecond()),
            12..16 => self.python(&name, &stamp),
            16 => self.failure(&name, &stamp),
            _ => self.printed(&name),
        }
    }

    /// As a structured logger made for Lambda writes.
    fn structured(&mut self, name: &str, stamp: &str) -> String {
        json!({
            "level": "INFO", "location": "handler:42", "message": self.chance.one_of(&STEPS), "timestamp": stamp,
            "service": "checkout", "cold_start": false, "function_request_id": "{request}",
            "order": {
                "event": name, "id": self.hexadecimal(12), "amount": self.chance.below(100_000), "currency": "EUR",
                "items": [{"sku": self.chance.one_of(&SKUS), "count": 1 + self.chance.below(5)}],
            },
            "customer": {"id": format!("c-{}", self.chance.below(200_000)), "city": self.chance.one_of(&CITIES)},
            "duration_ms": self.milliseconds(),
        })
        .to_string()
    }

    /// As a web server's logger in Node writes.
    fn web(&mut self, name: &str, millis: i64) -> String {
        json!({
            "level": 30, "time": millis, "pid": 8, "hostname": "169.254.10.1", "reqId": self.hexadecimal(16),
            "req": {
                "method": "POST", "url": self.chance.one_of(&ROUTES), "remotePort": 1024 + self.chance.below(60_000),
                "headers": {"host": "api.example.com", "user-agent": "shop/4.2 (ios)", "x-event": name},
            },
            "res": {"statusCode": 200 + self.chance.below(4), "headers": {"content-length": self.chance.below(9_000)}},
            "responseTime": self.milliseconds(), "msg": "request completed",
        })
        .to_string()
    }

    /// As Lambda's Python client formats `logging`.
    fn python(&mut self, name: &str, stamp: &str) -> String {
        format!(
            "[INFO]\t{stamp}\t{{request}}\t{name} {} for customer c-{} in {}: basket of {} items, {} EUR in all, \
             warehouse {} answered after {} ms and promised delivery within {} days; the cache had {} of {} keys and \
             the remaining ones were fetched from the table in {} round trips",
            self.chance.one_of(&STEPS),
            self.chance.below(200_000),
            self.chance.one_of(&CITIES),
            1 + self.chance.below(9),
            self.chance.below(100_000),
            self.hexadecimal(8),
            self.milliseconds(),
            1 + self.chance.below(7),
            self.chance.below(40),
            40 + self.chance.below(20),
            1 + self.chance.below(3),
        )
    }

    fn failure(&mut self, name: &str, stamp: &str) -> String {
        json!({
            "level": "ERROR", "location": "capture:87", "message": "payment was refused", "timestamp": stamp,
            "service": "checkout", "function_request_id": "{request}", "event": name,
            "exception_name": "CardRefused",
            "exception": format!(
                "Traceback (most recent call last):\n  File \"/var/task/app.py\", line 87, in capture\n    \
                 gateway.capture(order)\n  File \"/var/task/gateway.py\", line 31, in capture\n    raise \
                 CardRefused(code)\nCardRefused: code {}",
                self.chance.below(99)
            ),
        })
        .to_string()
    }

    /// A print, with an object in the text.
    fn printed(&mut self, name: &str) -> String {
        let data = json!({
            "id": self.hexadecimal(12), "sku": self.chance.one_of(&SKUS), "left": self.chance.below(500), "reserved": self.chance.below(50),
            "city": self.chance.one_of(&CITIES), "price": self.milliseconds(),
        });
        format!(
            "{name} stock after the reservation: {data} - the next delivery from {} is expected within {} days, \
             {} reservations are waiting for it and the oldest of them was made by customer c-{} through the shop's \
             own application for a basket that holds {} other things",
            self.chance.one_of(&CITIES),
            1 + self.chance.below(9),
            self.chance.below(30),
            self.chance.below(200_000),
            self.chance.below(12),
        )
    }

    fn milliseconds(&mut self) -> Value {
        let hundredths = u32::try_from(self.chance.below(100_000)).unwrap_or_default();
        json!(f64::from(hundredths) / 100.0)
    }

    fn hexadecimal(&mut self, digits: usize) -> String {
        let all = format!("{:016x}", self.chance.draw());
        all[..digits].to_owned()
    }
}

/// The name in a text, if there is one.
pub(crate) fn name_in(text: &str) -> Option<&str> {
    let from = text.find(NAME_PREFIX)?;
    text.get(from..from + NAME_PREFIX.len() + NAME_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_lines_and_each_has_its_name() {
        let (mut first, mut second) = (Lines::new(7), Lines::new(7));
        let now = jiff::Timestamp::UNIX_EPOCH;
        let lines = first.invocation(now);
        assert_eq!(lines, second.invocation(now));
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(name_in(line), Some(format!("evt-{number:09}").as_str()));
        }
        assert_ne!(lines, first.invocation(now));
    }

    #[test]
    fn patterns_have_a_place_for_a_name() {
        let patterns = Lines::new(7).patterns(20, jiff::Timestamp::UNIX_EPOCH);
        assert!(patterns.iter().all(|pattern| pattern.contains("{name}") && name_in(pattern).is_none()));
    }

    #[test]
    fn lines_have_about_400_bytes() {
        let mut lines = Lines::new(1);
        let all: Vec<String> = (0..500).flat_map(|_| lines.invocation(jiff::Timestamp::UNIX_EPOCH)).collect();
        let id = "8ba1bd45-7bd1-4a1c-9e2a-0c5f2b1d9e11";
        let bytes: usize = all.iter().map(|line| line.replace("{request}", id).len()).sum();
        let mean = bytes / all.len();
        assert!((380..=420).contains(&mean), "{mean}");
    }
}
