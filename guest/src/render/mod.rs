//! Rendering: records to markdown within a byte budget, HTML to text, quoted mail folded.

pub mod html;
pub mod listing;
pub mod mail;
pub mod record;
