//! Sessions of people: a random token in a cookie, its hash in the store.

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use gazer_domain::{TeamId, UserId};

use super::token::Minted;
use crate::{Problem, Web};

const COOKIE_NAME: &str = "gazer_session";
/// After a month people sign in again.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// A value for `Set-Cookie`.
#[derive(Debug, Clone)]
pub struct Pass(pub HeaderValue);

/// Starts a session and gives the cookie that carries it.
pub async fn begin(web: &Web, user: UserId, team: TeamId) -> Result<Pass, Problem> {
    let minted = Minted::session(web.bytes());
    let now = web.now();
    web.store.session_create(minted.hash, user, team, now, now + LIFETIME).await?;
    Ok(cookie(web, &minted.secret, LIFETIME))
}

/// Ends the session of this request, if it has one, and gives the cookie that clears it.
pub async fn end(web: &Web, headers: &HeaderMap) -> Result<Pass, Problem> {
    if let Some(hash) = read(headers) {
        web.store.session_end(hash).await?;
    }
    Ok(cookie(web, "", Duration::ZERO))
}

/// `SameSite=Lax` lets a link from a message open its page signed in; requests that change something are guarded apart.
fn cookie(web: &Web, secret: &str, lifetime: Duration) -> Pass {
    let secure = if web.config.is_https() { "; Secure" } else { "" };
    let age = lifetime.as_secs();
    let text = format!("{COOKIE_NAME}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    Pass(HeaderValue::try_from(text).expect("base 64 and our own words are plain ASCII"))
}

/// The hash to look for, if there is a session cookie.
pub(crate) fn read(headers: &HeaderMap) -> Option<[u8; 32]> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, secret)| super::hash(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("theme=dark; gazer_session=abc"));
        assert_eq!(read(&headers), Some(crate::auth::hash("abc")));
        assert_eq!(read(&HeaderMap::new()), None);
    }
}
