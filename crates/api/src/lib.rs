//! The HTTP API's requests, responses and errors.
