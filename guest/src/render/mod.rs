//! Rendering: results of tools to markdown within a byte budget and to JSON; HTML to text, quoted mail folded.

mod budget;
pub mod html;
pub mod mail;
pub mod markdown;
pub mod structured;
