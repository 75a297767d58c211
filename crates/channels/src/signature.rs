//! How a receiver knows that a webhook is ours: Standard Webhooks 1.0, symmetric signatures.
//!
//! HMAC-SHA256 over `id.timestamp.body`, so neither of the three can be exchanged, and a receiver that refuses old
//! timestamps is safe from replay. Every attempt has its own timestamp and so its own signature; the body and the id
//! stay. Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What tells people and secret scanners that a text is a signing secret.
const SECRET_PREFIX: &str = "whsec_";

/// The value of `webhook-signature`: the version, a comma, the MAC.
pub fn sign(secret: &[u8], id: &str, timestamp_secs: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{id}.{timestamp_secs}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

/// The key as its receiver is given it.
pub fn secret_text(secret: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(secret))
}

/// The key that such a text stands for. Standard Webhooks asks for 24 to 64 bytes.
pub fn secret_of(text: &str) -> Option<Vec<u8>> {
    let secret = STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok()?;
    (24..=64).contains(&secret.len()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the specification's own libraries are tested with.
    #[test]
    fn the_published_example_signs_as_published() {
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret = STANDARD.decode(text.strip_prefix(SECRET_PREFIX).unwrap()).unwrap();
        let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret_text(&secret), text);
        assert_eq!(secret_of(text), Some(secret));
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%", &text["whsec_".len()..]] {
            assert_eq!(secret_of(wrong), None, "{wrong}");
        }
    }
}
