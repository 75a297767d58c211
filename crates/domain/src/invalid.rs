//! Bad input, said so that the person can mend it: which field, and what would be right.

/// One field that cannot be taken as it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// Path of the field as the API writes it: `http.url`, `http.assertions[2].value`.
    pub field: String,
    /// A sentence that says what would be right.
    pub message: String,
}

impl Invalid {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}
