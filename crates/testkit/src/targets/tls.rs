//! The certificates that targets show, made once per process.

use std::sync::OnceLock;

use crate::ca::{Ca, Leaf, Validity};

/// Which certificate a target shows. All but `WrongHost` are made out to the address in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    Good,
    Expired,
    NotYetValid,
    WrongHost,
    /// Of an authority that nobody knows.
    Untrusted,
    SelfSigned,
    ExpiredIntermediate,
    /// The server does not send the intermediate.
    MissingIntermediate,
}

const HERE: &[&str] = &["127.0.0.1", "localhost"];

/// The authority that signs the targets' certificates; a probe under test trusts it.
pub fn authority() -> &'static Ca {
    static AUTHORITY: OnceLock<Ca> = OnceLock::new();
    AUTHORITY.get_or_init(|| Ca::new("Gazer Test Root"))
}

impl Certificate {
    pub fn leaf(self) -> Leaf {
        let root = authority();
        match self {
            Self::Good => root.leaf(HERE),
            Self::Expired => root.leaf_valid(HERE, Validity::Expired),
            Self::NotYetValid => root.leaf_valid(HERE, Validity::NotYet),
            Self::WrongHost => root.leaf(&["elsewhere.example", "192.0.2.7"]),
            Self::Untrusted => Ca::new("Nobody Knows This Root").leaf(HERE),
            Self::SelfSigned => Leaf::self_signed(HERE),
            Self::ExpiredIntermediate => root.intermediate("Gazer Old Intermediate", Validity::Expired).leaf(HERE),
            Self::MissingIntermediate => {
                root.intermediate("Gazer Absent Intermediate", Validity::Good).leaf_without_chain(HERE)
            }
        }
    }
}
