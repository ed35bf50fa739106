//! Which keys and values must not leave, and what stands in their place.
