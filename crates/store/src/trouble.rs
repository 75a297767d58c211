//! What is wrong with the database, where it is the database: it is full, away, or its disk fails.
//!
//! Whoever asked is not at fault and may ask again later; the operator is told what to do.

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Full,
    Failing,
    /// No room for one more connection, or for the work that was asked.
    Busy,
    Away,
}

impl Error {
    /// The database cannot do it now, and may later.
    pub fn is_trouble(&self) -> bool {
        self.trouble().is_some()
    }

    /// What the operator can do about it; empty where there is nothing special to say.
    pub fn advice(&self) -> &'static str {
        match self.trouble() {
            Some(Trouble::Full) => "the disk of the database is full: make room on it",
            Some(Trouble::Failing) => "the file of the database cannot be read or written: look at its disk",
            Some(Trouble::Busy) => "the database takes no more work: look what else uses it, and at its limits",
            Some(Trouble::Away) => "the database does not answer in time: see that it runs and can be reached",
            None => "",
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let (Self::Open { source, .. } | Self::Transaction(source) | Self::Statement { source, .. }) = self else {
            return None;
        };
        match source {
            sqlx::Error::Database(said) => said.code().and_then(|code| of_code(&code)),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Some(Trouble::Away),
            _ => None,
        }
    }
}

/// SQLSTATE has five characters (PostgreSQL, appendix A); what is shorter is a result code of SQLite, whose lowest byte is
/// the primary one (sqlite.org/rescode.html).
fn of_code(code: &str) -> Option<Trouble> {
    if code.len() < 5 {
        return match code.parse::<u32>().ok()? & 0xff {
            13 => Some(Trouble::Full),
            // I/O error; cannot open.
            10 | 14 => Some(Trouble::Failing),
            // Busy, locked, out of memory.
            5..=7 => Some(Trouble::Busy),
            _ => None,
        };
    }
    match code {
        "53100" => Some(Trouble::Full),
        "58030" => Some(Trouble::Failing),
        _ if code.starts_with("53") => Some(Trouble::Busy),
        // Connection exceptions; shutting down, crashed, starting up.
        "57P01" | "57P02" | "57P03" => Some(Trouble::Away),
        _ if code.starts_with("08") => Some(Trouble::Away),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_say_in_their_words_what_is_wrong() {
        for (code, trouble) in [
            ("13", Some(Trouble::Full)),
            ("778", Some(Trouble::Failing)),
            ("14", Some(Trouble::Failing)),
            ("517", Some(Trouble::Busy)),
            ("2067", None),
            ("53100", Some(Trouble::Full)),
            ("53300", Some(Trouble::Busy)),
            ("57P03", Some(Trouble::Away)),
            ("08006", Some(Trouble::Away)),
            ("23505", None),
        ] {
            assert_eq!(of_code(code), trouble, "{code}");
        }
        let away = Error::Transaction(sqlx::Error::PoolTimedOut);
        assert!(away.is_trouble() && away.advice().contains("does not answer"));
    }
}
