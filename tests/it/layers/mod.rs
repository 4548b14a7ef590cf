//! The layers of the source tree.

mod rules;
