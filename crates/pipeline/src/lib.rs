//! Platform events and log lines become spans, logs and metrics, then batches. Time is an argument.
