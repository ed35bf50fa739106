//! Datasets: Delta tables on an object store, written effectively once and queried in place.
