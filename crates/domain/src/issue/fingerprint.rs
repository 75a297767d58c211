//! What errors of one kind have in common: where they arise, the words of their message, and the kinds of their causes.
//!
//! What differs from one occurrence to the next is left out: numbers, ids, addresses, and whatever stands in quotation
//! marks. So is the line of the source, which moves with every release. A fingerprint is the same in every process, and
//! stays the same from one version to the next as long as the message does.

use std::fmt;
use std::str::FromStr;

/// Printed as sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// `place` is the module that logged it, and `kinds` name the causes, the outermost first.
    pub fn of(function: &str, place: &str, message: &str, kinds: &[String]) -> Self {
        let words = words(message);
        let parts = [function, place].into_iter().chain(kinds.iter().map(String::as_str));
        Self(parts.chain([words.as_str()]).fold(BASIS, |hash, part| {
            // A byte that no text holds keeps the parts apart.
            part.bytes().chain([0xff]).fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
        }))
    }
}

/// FNV-1a with 64 bits, by its published parameters: small, and the same everywhere and for ever.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Of what stands for something that differs.
const OTHER: &str = "#";

/// The words of a message that are always the same.
fn words(message: &str) -> String {
    let unquoted = unquoted(message);
    let mut words = String::new();
    for word in unquoted.split_whitespace() {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '#');
        if word.is_empty() {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        if differs(word) { words.push_str(OTHER) } else { words.push_str(&word.to_lowercase()) }
    }
    words
}

/// A number, an id, an address, a path.
fn differs(word: &str) -> bool {
    word.contains(|c: char| c.is_numeric() || matches!(c, '@' | '/' | ':' | '.' | '='))
}

/// With what is in quotation marks replaced. An apostrophe inside a word opens nothing.
fn unquoted(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut before = ' ';
    let mut rest = message.chars();
    while let Some(next) = rest.next() {
        let opens = matches!(next, '"' | '`') || (next == '\'' && !before.is_alphanumeric());
        before = next;
        if !opens {
            text.push(next);
            continue;
        }
        text.push_str(" # ");
        let mut escaped = false;
        for quoted in rest.by_ref() {
            match quoted {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if quoted == next => break,
                _ => {}
            }
        }
    }
    text
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not sixteen hexadecimal digits")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let is_plain = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let bits = is_plain.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        bits.map(Self).ok_or(NotAFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(message: &str) -> Fingerprint {
        Fingerprint::of("judge", "gazer_store::judge", message, &[])
    }

    #[test]
    fn it_is_the_same_for_ever() {
        let kinds = ["Statement".to_owned(), "PoolTimedOut".to_owned()];
        let fixed = Fingerprint::of("judge", "gazer_bus::registry", "judge observations", &kinds);
        assert_eq!(fixed.to_string(), "24f3ed8845990638");
        assert_eq!(fixed.to_string().parse(), Ok(fixed));
        for text in ["", "xyz", "+000000000000001", "00000000000000000"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }

    #[test]
    fn where_what_and_why_make_it_another() {
        let kinds = |kind: &str| vec![kind.to_owned()];
        let all = [
            Fingerprint::of("judge", "a", "failed", &[]),
            Fingerprint::of("plan", "a", "failed", &[]),
            Fingerprint::of("judge", "b", "failed", &[]),
            Fingerprint::of("judge", "a", "failed again", &[]),
            Fingerprint::of("judge", "a", "failed", &kinds("Corrupt")),
            Fingerprint::of("judge", "a", "failed", &kinds("Statement")),
            Fingerprint::of("judgea", "", "failed", &[]),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{n}");
        }
    }

    #[test]
    fn what_is_in_quotation_marks_is_left_out_but_no_apostrophe_opens_any() {
        assert_eq!(words("it can't read \"a \\\" b\" of 'c d', nor `e`"), "it can't read # of # nor #");
        assert_eq!(words("settle delivery dlv_01jd_1_01jd: it FAILED"), "settle delivery # it failed");
        assert_eq!(words("\"unclosed to the end"), "#");
    }

    proptest! {
        #[test]
        fn numbers_ids_quotes_and_addresses_make_no_difference(
            n in any::<u64>(), id in "[0-9a-z]{25}[0-9]", quoted in "[^\"\\\\]{0,40}", host in "[a-z]{1,9}\\.[a-z]{2,5}",
            port in any::<u16>(), ip in any::<[u8; 4]>(), user in "[a-z]{1,9}",
        ) {
            let [a, b, c, d] = ip;
            let message = |n: &str, id: &str, quoted: &str, address: &str, mail: &str| {
                format!("row {n} of mon_{id} says \"{quoted}\", and {address} refused {mail}.")
            };
            let fixed = message("1", "0000000000000000000000000a", "x", "shop.example:443", "ann@example.com");
            for address in [format!("{host}:{port}"), format!("{a}.{b}.{c}.{d}:{port}"), format!("https://{host}/x"),
                format!("[::{port:x}]:{port}")] {
                let mail = format!("{user}@{host}");
                prop_assert_eq!(of(&message(&n.to_string(), &id, &quoted, &address, &mail)), of(&fixed));
            }
        }
    }
}
