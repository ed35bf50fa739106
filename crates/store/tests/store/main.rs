//! The store from outside: the same promises in every place, and a naive model beside it.

mod support;
mod conformance;
mod reference;
mod faults;
