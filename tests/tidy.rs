//! Checks the arrows of the house.
