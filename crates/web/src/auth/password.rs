//! Passwords as argon2id hashes (RFC 9106, PHC strings), and the check at sign-in.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use gazer_domain::Invalid;
use gazer_store::User;
use tokio::sync::Semaphore;

use super::Address;
use crate::{Problem, Web};

const SHORTEST: usize = 10;
/// Longer ones only cost time: argon2 reads every byte.
const LONGEST: usize = 256;

/// A hash of no password that anybody chose: what an unknown e-mail is measured against, so that it takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Where hashes are worked out: 19 MiB and some 20 ms each, so at most two at once.
#[derive(Debug)]
pub(crate) struct Mill(Semaphore);

impl Default for Mill {
    fn default() -> Self {
        Self(Semaphore::new(2))
    }
}

impl Mill {
    async fn grind<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _permit = self.0.acquire().await.expect("the mill is never closed");
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic, and is not aborted")
    }
}

/// Why somebody did not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Unknown e-mail or wrong password: which one is not told.
    Wrong,
    /// Too many failures; seconds to wait.
    Later(u64),
}

pub fn validate(password: &str) -> Result<(), Invalid> {
    if password.chars().count() < SHORTEST {
        return Err(Invalid::new("password", "must be at least 10 characters long"));
    }
    if password.len() > LONGEST {
        return Err(Invalid::new("password", "must be at most 256 bytes long"));
    }
    Ok(())
}

/// The PHC string that the store keeps. Blocks for some 20 ms: for the command line; handlers use [`hash`].
pub fn hash_blocking(password: &str, salt: [u8; 16]) -> String {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.expect("a password of at most 256 bytes and a salt of 16 are within argon2's bounds").to_string()
}

pub async fn hash(web: &Web, password: String) -> Result<String, Invalid> {
    validate(&password)?;
    let salt = web.bytes();
    Ok(web.doors.mill.grind(move || hash_blocking(&password, salt)).await)
}

/// Takes about as long for an unknown e-mail as for a wrong password.
pub async fn sign_in(
    web: &Web,
    from: Address,
    email: &str,
    password: String,
) -> Result<Result<User, Refused>, Problem> {
    let now = web.now();
    let (name, address) = (email.trim().to_lowercase(), from.key());
    let doors = &web.doors;
    let wait = doors.by_email.refused(&name, now).max(doors.by_address.refused(&address, now));
    if let Some(wait) = wait {
        return Ok(Err(Refused::Later(wait.as_secs() + 1)));
    }
    doors.by_email.count(&name, now);
    doors.by_address.count(&address, now);
    let user = web.store.user_by_email(&name).await?;
    let stored = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let right = password.len() <= LONGEST && doors.mill.grind(move || matches(&password, &stored)).await;
    let Some(user) = user.filter(|_| right) else { return Ok(Err(Refused::Wrong)) };
    doors.by_email.forget(&name);
    doors.by_address.forgive(&address);
    Ok(Ok(user))
}

fn matches(password: &str, stored: &str) -> bool {
    PasswordVerifier::<str>::verify_password(&Argon2::default(), password.as_bytes(), stored).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = hash_blocking("correct horse", [7; 16]);
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches("correct horse", &hash));
        assert!(!matches("correct house", &hash));
    }

    #[test]
    fn nobody_is_a_hash_that_is_really_worked_out() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), 32);
        assert!(!matches("", NOBODY));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert_eq!(validate("123456789").unwrap_err().field, "password");
        assert!(validate(&"x".repeat(257)).is_err());
        assert_eq!(validate("a good one"), Ok(()));
    }
}
