//! Takes what may be secret out of a message, before it leaves the process that it arose in.
//!
//! What goes is what looks like a secret, whether it is one or not: what authenticates in a URL, or after a word such as
//! `Bearer` or `password`; tokens and secrets of ours by their prefix; addresses of people; and long runs of letters and
//! digits, which is what keys look like. Ids of ours stay, for they are names and say where to look.

use crate::id::{Channels, Incidents, Issues, Kind, Monitors, Rules, Teams, Tokens, Users};

/// Stands for what was taken out.
const HIDDEN: &str = "…";
/// What is kept of a message.
const MOST_CHARS: usize = 600;
/// What is read of a message at all: one that is longer quotes something.
const MOST_READ: usize = 4_000;
/// As long as 15 bytes in base64: a secret that is shorter is not one of ours.
const LONG: usize = 20;
const PREFIXES: [&str; 2] = ["whsec_", "gzr_"];
/// What stands after one of these is hidden.
const NAMES: [&str; 8] = ["password", "passwd", "secret", "token", "authorization", "cookie", "api-key", "api_key"];
const SCHEMES: [&str; 2] = ["bearer", "basic"];
const ID_PREFIXES: [&str; 10] = [
    Monitors::PREFIX,
    Incidents::PREFIX,
    Channels::PREFIX,
    Rules::PREFIX,
    Teams::PREFIX,
    Users::PREFIX,
    Tokens::PREFIX,
    Issues::PREFIX,
    "dlv",
    "isn",
];
/// Letters of an id after its prefix.
const ID_BODY: usize = 26;

/// One line without secrets, and not too long.
pub fn redact(message: &str) -> String {
    let message = read(message);
    let mut text = String::new();
    // Whether what was read last says that a secret follows, and is hidden in any case.
    let mut follows = false;
    for word in message.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        let names = announces(word);
        if follows && !names {
            text.push_str(HIDDEN);
        } else {
            text.push_str(&without_secrets(word));
        }
        follows = names;
    }
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}{HIDDEN}", &text[..end]),
        None => text,
    }
}

/// No more than is read, up to the end of a word: half a secret does not look like one.
fn read(message: &str) -> &str {
    let Some((end, _)) = message.char_indices().nth(MOST_READ) else { return message };
    let read = &message[..end];
    read.rfind(char::is_whitespace).map_or("", |end| &read[..end])
}

/// `Bearer`, `password:` and the like: the next word is what it is about.
fn announces(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let word = word.trim_end_matches(['"', '\'', '`']);
    let named = word.strip_suffix([':', '=']).map(|word| word.trim_end_matches(['"', '\'']));
    named.is_some_and(|word| NAMES.iter().any(|name| word.ends_with(name)))
        || SCHEMES.iter().any(|scheme| word.ends_with(scheme))
}

fn without_secrets(word: &str) -> String {
    let word = urls(word);
    let word = named(&word);
    let word = prefixed(&word);
    let word = mailboxes(&word);
    long_runs(&word)
}

/// The user and the password of a URL, the values of its query, and its fragment.
fn urls(word: &str) -> String {
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        text.push_str(before);
        let end = after.find(['"', '\'', '`', '<', '>', ')', '|']).unwrap_or(after.len());
        let end = after.find("://").map_or(end, |next| end.min(scheme_before(after, next)));
        text.push_str(&url(&after[..end]));
        rest = &after[end..];
    }
    text.push_str(rest);
    text
}

/// Where the scheme begins that ends at `end`.
fn scheme_before(text: &str, end: usize) -> usize {
    let scheme = text[..end].bytes().rev().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'+').count();
    end - scheme
}

/// What follows a scheme.
fn url(after: &str) -> String {
    // A password may hold what ends an authority, if nobody encoded it: the last sign before the query decides.
    let query = after.find(['?', '#']).unwrap_or(after.len());
    let (place, query) = after.split_at(query);
    let mut text = match place.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => place.to_owned(),
    };
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    if let Some(query) = query.strip_prefix('?') {
        let values = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None => HIDDEN.to_owned(),
        });
        text.push('?');
        text.push_str(&values.collect::<Vec<_>>().join("&"));
    }
    if fragment.is_some() {
        text.push('#');
        text.push_str(HIDDEN);
    }
    text
}

/// `password=…`, `"token":"…"`: to the end of the word.
fn named(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let ends = NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(at, name)| at + name.len()));
    let hidden = ends.filter_map(|end| {
        let quoted = lower[end..].trim_start_matches(['"', '\'']);
        let value = quoted.strip_prefix([':', '='])?;
        (!value.is_empty()).then(|| word.len() - value.len())
    });
    match hidden.min() {
        Some(from) => format!("{}{HIDDEN}", &word[..from]),
        None => word.to_owned(),
    }
}

/// Secrets of ours, whatever their length.
fn prefixed(word: &str) -> String {
    PREFIXES.iter().fold(word.to_owned(), |word, prefix| {
        let mut parts = word.split(prefix);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(prefix);
            text.push_str(HIDDEN);
            text.push_str(part.trim_start_matches(is_of_a_key));
        }
        text
    })
}

fn mailboxes(word: &str) -> String {
    let is_user = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let is_host = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let mut parts = word.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let user = text.trim_end_matches(is_user).len();
        let host = part.trim_start_matches(is_host);
        let is_mailbox = user < text.len() && host.len() < part.len() && !text.ends_with(HIDDEN);
        if is_mailbox {
            text.truncate(user);
            text.push_str(HIDDEN);
            text.push_str(host);
        } else {
            text.push('@');
            text.push_str(part);
        }
    }
    text
}

/// The alphabets of base64, and with them hexadecimal digits.
fn is_of_a_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '=')
}

fn long_runs(word: &str) -> String {
    let mut text = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let run = rest.len() - rest.trim_start_matches(is_of_a_key).len();
        text.push_str(if looks_secret(&rest[..run]) { HIDDEN } else { &rest[..run] });
        rest = &rest[run..];
        let others = rest.find(is_of_a_key).unwrap_or(rest.len());
        text.push_str(&rest[..others]);
        rest = &rest[others..];
    }
    text
}

/// Words that are joined, as in the name of a file or a column, are lower-case and have no digits.
fn looks_secret(run: &str) -> bool {
    let is_words = run.bytes().all(|byte| !byte.is_ascii_digit() && !byte.is_ascii_uppercase())
        && run.split(['/', '_', '-', '+', '=']).all(|word| word.len() < LONG);
    run.len() >= LONG && !is_words && !is_id(run)
}

/// `mon_…`, and `dlv_…_1_…`.
fn is_id(run: &str) -> bool {
    let mut parts = run.split('_');
    let is_part = |part: &str| {
        let is_number = part.len() <= 13 && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_body = part.len() == ID_BODY && part.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        is_number || is_body || matches!(part, "test" | "webhook" | "email")
    };
    parts.next().is_some_and(|prefix| ID_PREFIXES.contains(&prefix)) && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ChannelId, DeliveryId, IncidentId, MonitorId};

    #[test]
    fn what_authenticates_goes_and_what_explains_stays() {
        for (message, redacted) in [
            ("the database failed at: select m.id from monitors m where m.key = $1", ""),
            ("crates/functions/src/canary/ledger.rs:211 gazer_functions::canary", ""),
            ("connect postgres://ann:s3cret@db.example:5432/gazer", "connect postgres://…@db.example:5432/gazer"),
            ("get https://a.example/x?key=1&b#f, then", "get https://a.example/x?key=…&…#… then"),
            ("nats://u:p/w@one:4222,nats://u:p@two:4222", "nats://…@one:4222,nats://…@two:4222"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
            ("Authorization: Basic YTpi", "Authorization: Basic …"),
            (r#"{"token":"abc","x":1}"#, r#"{"token":…"#),
            ("password=hunter2 for ann", "password=… for ann"),
            ("password: hunter2 for ann", "password: … for ann"),
            ("to Ann <ann@example.com>: refused", "to Ann <…>: refused"),
            ("signed with whsec_abc, not gzr_1.", "signed with whsec_…, not gzr_…."),
            ("key 0123456789abcdef0123456789abcdef!", "key …!"),
            ("two\n lines\u{0}of  text", "two lines of text"),
        ] {
            let redacted = if redacted.is_empty() { message } else { redacted };
            assert_eq!(redact(message), redacted, "{message}");
        }
    }

    #[test]
    fn ids_of_ours_are_names() {
        let (monitor, incident) = (MonitorId::from_bits(u128::MAX / 3), IncidentId::from_bits(7));
        let delivery = DeliveryId::of(incident, 12, ChannelId::from_bits(9));
        let message = format!("{monitor} of {incident} by {delivery}");
        assert_eq!(redact(&message), message);
    }

    #[test]
    fn a_long_message_ends_and_half_a_secret_is_none() {
        let long = "word ".repeat(10_000);
        assert_eq!(redact(&long).chars().count(), MOST_CHARS + 1);
        for pad in MOST_READ - 60..MOST_READ + 10 {
            let message = format!("{} whsec_abcdefgh", "\u{1}".repeat(pad));
            assert!(!redact(&message).contains("abc"), "{pad}");
        }
    }

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
        let letter = |bits: &[u8]| char::from(LETTERS[bits.iter().fold(0, |all, bit| all << 1 | usize::from(*bit))]);
        bits.chunks_exact(6).map(letter).collect()
    }

    proptest! {
        #[test]
        fn no_secret_survives(
            before in "[a-z ,:(\"']{0,30}", bytes in proptest::collection::vec(any::<u8>(), 24..64), short in "[A-Z0-9]{8}",
            after in "[ ,.;:)\"'][a-z ]{0,20}",
        ) {
            let key = base64(&bytes);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for (secret, said) in [
                (&key, key.clone()),
                (&hex, hex.clone()),
                (&short, format!("whsec_{short}")),
                (&short, format!("gzr_{short}")),
                (&short, format!("https://ann:{short}@shop.example/")),
                (&short, format!("https://shop.example/path?a=1&key={short}")),
                (&short, format!("Bearer {short}")),
                (&short, format!("\"Authorization\": \"Basic {short}\"")),
                (&short, format!("password={short}")),
                (&short, format!("secret: {short}")),
                (&short, format!("{short}@shop.example")),
            ] {
                let redacted = redact(&format!("{before}{said}{after}"));
                prop_assert!(!redacted.contains(secret.as_str()), "{}", redacted);
                prop_assert!(!redacted.contains(&secret[..8]), "{}", redacted);
            }
        }

        #[test]
        fn nothing_makes_it_panic_and_twice_is_once(message in any::<String>()) {
            let once = redact(&message);
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn plain_words_stay(message in "[a-z]{1,12}( [a-z]{1,12}){0,8}") {
            prop_assume!(!SCHEMES.iter().chain(&NAMES).any(|name| message.contains(name)));
            prop_assert_eq!(redact(&message), message);
        }
    }
}
