//! Batches on the stream: what the extension writes, and everything the companion can read.
