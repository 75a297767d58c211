//! API tokens.

use gazer_domain::Invalid;
use gazer_domain::access::Role;
use gazer_domain::monitor::validate_name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    #[schema(max_length = 120)]
    name: String,
    /// `viewer`, `admin` or `owner`; `admin` unless told.
    #[serde(default)]
    role: Option<String>,
}

impl TokenRequest {
    pub(crate) fn resolve(self) -> Result<(String, Role), Invalid> {
        let name = self.name.trim().to_owned();
        validate_name(&name)?;
        let role = self.role.map_or(Ok(Role::Admin), |text| text.parse());
        Ok((name, role.map_err(|why| Invalid::new("role", why))?))
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    #[schema(example = "tok_01jd00000000000000000000000")]
    id: String,
    name: String,
    role: &'static str,
    created_at: String,
    #[schema(required)]
    last_used_at: Option<String>,
    /// Shown once, in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

impl From<&gazer_store::Token> for Token {
    fn from(token: &gazer_store::Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            role: token.role.as_str(),
            created_at: token.created.rfc3339(),
            last_used_at: token.last_used.map(|at| at.rfc3339()),
            token: None,
        }
    }
}
