//! Tools and parts of records that take more than one read: logic that rows of the catalogue refer to.
//!
//! Entities come as arguments, so that nothing here depends on the catalogue.

pub(crate) mod account_tickets;
pub(crate) mod activity_content;
pub(crate) mod articles;
pub(crate) mod attachments;
pub(crate) mod call_transcripts;
pub(crate) mod chat_messages;
pub(crate) mod contact_search;
pub(crate) mod describe;
pub(crate) mod find;
pub(crate) mod related_counts;
pub(crate) mod search;
pub(crate) mod threads;
pub(crate) mod ticket_conversation;
pub(crate) mod ticket_views;
pub(crate) mod wallboard;
pub(crate) mod who_am_i;
pub(crate) mod words;
