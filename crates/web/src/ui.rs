//! The pieces that pages are made of: functions from values to markup.
//!
//! They know nothing of requests or the store, so each can be rendered in a test. Everything that comes from outside
//! (names, headers, bodies, causes) goes through maud's escaping; `PreEscaped` is used nowhere but for the doctype.

pub(crate) mod attempt;
pub(crate) mod form;
pub(crate) mod last_check;
pub(crate) mod layout;
pub(crate) mod status;
pub(crate) mod watched;
pub(crate) mod words;
