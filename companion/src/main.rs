//! The companion as a Lambda function.
fn main() {}
