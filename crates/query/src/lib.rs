//! ORL, the query language: text and JSON in, a checked plan and SQL out.
