//! A line as a structured logger prints it: twenty keys that all functions have, twenty of its function's family.

use std::fmt::Write as _;

use model::{Level, Timestamp};

use super::function::Function;
use super::invocation::{Invocation, uuid};
use chance::Chance;

/// When in its invocation a line was printed, and how grave it is.
pub(super) struct Moment {
    pub(super) at_us: i64,
    pub(super) number: u64,
    pub(super) level: Level,
}

const ROUTES: [&str; 6] = ["/orders", "/orders/{id}", "/carts/{id}", "/items/{id}", "/search", "/health"];
const METHODS: [&str; 4] = ["GET", "GET", "POST", "PUT"];
const TIERS: [&str; 4] = ["free", "free", "team", "business"];
const COUNTRIES: [&str; 8] = ["DE", "FR", "GB", "US", "US", "SE", "IT", "JP"];
const STATES: [&str; 5] = ["queued", "running", "done", "retried", "skipped"];

/// One JSON object. Writing to a text cannot fail.
pub(super) fn write(
    invocation: &Invocation,
    function: &Function,
    chance: &mut Chance,
    moment: &Moment,
) -> String {
    let mut line = String::with_capacity(1_200);
    let _ = common(&mut line, invocation, function, chance, moment);
    let _ = own(&mut line, function, chance);
    line.push('}');
    line
}

fn common(
    line: &mut String,
    invocation: &Invocation,
    function: &Function,
    chance: &mut Chance,
    moment: &Moment,
) -> std::fmt::Result {
    let Invocation { request_id, user, order, cold, .. } = invocation;
    let level = moment.level.as_str().to_uppercase();
    let time = Timestamp::from_micros(moment.at_us);
    write!(line, r#"{{"level":"{level}","timestamp":"{time}","service":"{}""#, function.service)?;
    write!(line, r#","function_name":"{}","function_memory_size":{}"#, function.name, function.memory_mb)?;
    write!(line, r#","function_request_id":"{request_id}","cold_start":{cold},"message":""#)?;
    message(line, invocation, function, chance, moment)?;
    let (route, method) = (chance.one_of(&ROUTES), chance.one_of(&METHODS));
    let failed = moment.level == Level::Error;
    let status = if failed { 502 } else { [200, 200, 200, 201, 204, 304, 404][index(chance, 7)] };
    write!(line, r#"","http":{{"method":"{method}","route":"{route}","status":{status}}}"#)?;
    let (tier, country) = (TIERS[index_of(*user, 4)], COUNTRIES[index_of(user / 7, 8)]);
    write!(line, r#","user":{{"id":"u-{user:06}","tier":"{tier}","country":"{country}"}}"#)?;
    let (amount, items) = (chance.below(50_000), chance.below(9));
    write!(line, r#","order":{{"id":"o-{order:012}","amount":{amount},"currency":"EUR","items":{items}}}"#)?;
    let took = if failed { 3_000.0 } else { chance.part().powi(3) * 800.0 };
    write!(line, r#","duration":{took:.3},"attempt":{},"tags":["v2","eu"]"#, chance.below(3) + 1)?;
    // The same key, a number from some and a text from others.
    match function.number % 2 {
        0 => write!(line, r#","code":{status}"#),
        _ => write!(line, r#","code":"E{status}""#),
    }
}

fn message(
    line: &mut String,
    invocation: &Invocation,
    function: &Function,
    chance: &mut Chance,
    moment: &Moment,
) -> std::fmt::Result {
    let (order, family) = (invocation.order, function.family);
    if moment.level == Level::Error {
        return write!(line, "{family} provider timed out after 3000 ms for order o-{order:012}");
    }
    let took = chance.below(900);
    match (moment.number + chance.below(3)) % 6 {
        0 => write!(line, "received request for order o-{order:012} from u-{:06}", invocation.user),
        1 => write!(line, "{family} step {} finished in {took} ms", moment.number),
        2 => write!(line, "cache miss for key {family}:{:08x}", chance.draw() & 0xffff_ffff),
        3 => write!(line, "GET /{family}/{order} returned 200 in {took} ms"),
        4 => write!(line, "order o-{order:012} was charged after {} attempts", took % 3 + 1),
        _ => write!(line, "published event {family}.updated to the bus"),
    }
}

/// Twenty keys below the family's name: words, numbers, flags, an id.
fn own(line: &mut String, function: &Function, chance: &mut Chance) -> std::fmt::Result {
    let family = function.family;
    write!(line, r#","{family}":{{"id":"{}""#, uuid(chance.draw(), chance.draw()))?;
    for number in 1..6 {
        write!(line, r#","count{number}":{}"#, chance.below(10_u64.pow(number)))?;
    }
    for number in 1..5 {
        write!(line, r#","ms{number}":{:.2}"#, chance.part() * 100.0 * f64::from(number))?;
    }
    for number in 1..5 {
        write!(line, r#","state{number}":"{}""#, chance.one_of(&STATES))?;
    }
    let flags = chance.draw();
    for number in 1..4 {
        write!(line, r#","is{number}":{}"#, (flags >> number) & 7 == 0)?;
    }
    let (shard, host) = (chance.below(64), chance.below(512));
    write!(line, r#","shard":"{family}-{shard:02}","host":"ip-10-0-{}-{}""#, host / 16, host % 16)?;
    write!(line, r#","region":"eu-west-1{}"}}"#, chance.one_of(&["a", "b", "c"]))
}

fn index(chance: &mut Chance, length: u64) -> usize {
    index_of(chance.draw(), length)
}

fn index_of(number: u64, length: u64) -> usize {
    usize::try_from(number % length).unwrap_or(0)
}
