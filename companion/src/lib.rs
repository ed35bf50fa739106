//! The companion: ingests the stream into datasets and answers queries.
