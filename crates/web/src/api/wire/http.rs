//! The http part of a monitor.

use std::collections::BTreeMap;
use std::fmt;

use gazer_domain::Invalid;
use gazer_domain::http::{self as domain, HttpSpec, MOST_REDIRECTS, Method, Trust, parse_url};
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Span;
use super::assertion::Assertion;
use crate::api::body::Patch;

/// Stands where a secret value is not shown.
pub(crate) const MASK: &str = "••••••••";

/// The request, its bounds, and what counts as a good answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    /// Begins with `http://` or `https://`; `example.com` means `https://example.com/`.
    #[schema(example = "https://example.com/")]
    url: String,
    #[serde(default)]
    #[schema(example = "GET")]
    method: Option<String>,
    /// Values of headers that hold secrets, such as `Cookie`, are masked in answers. In a patch, null removes one.
    #[serde(default)]
    headers: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    auth: Option<Auth>,
    #[serde(default)]
    follow_redirects: Option<Redirects>,
    /// False takes any certificate.
    #[serde(default)]
    verify_tls: Option<bool>,
    /// For each attempt, from the name to the last byte: between `1s` and `60s`, `10s` unless told.
    #[serde(default)]
    timeout: Option<Span>,
    /// Without one on the status, any status below 400 is good.
    #[serde(default)]
    assertions: Option<Vec<Assertion>>,
}

/// What is to change of the http part. Null takes the body, the credentials or a header away; no other field is null.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes: a patch is read by merging it into the settings")]
pub(super) struct HttpPatch {
    #[schema(required = false)]
    url: String,
    #[schema(required = false)]
    method: String,
    #[schema(required = false)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    auth: Option<Auth>,
    #[schema(required = false)]
    follow_redirects: Redirects,
    #[schema(required = false)]
    verify_tls: bool,
    #[schema(required = false)]
    timeout: Span,
    #[schema(required = false)]
    assertions: Vec<Assertion>,
}

/// Credentials. `password` and `token` are taken and never shown.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Auth {
    kind: AuthKind,
    /// For `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// For `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    password: Option<String>,
    /// For `bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    token: Option<String>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(…)", self.kind)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum AuthKind {
    Basic,
    Bearer,
}

/// True follows up to 10, false none; a number is the most that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Redirects(u8);

impl Http {
    pub(super) fn resolve(self) -> Result<HttpSpec, Invalid> {
        let defaults = HttpSpec::get(parse_url(&self.url)?);
        let assertions = self.assertions.unwrap_or_default().into_iter().enumerate();
        Ok(HttpSpec {
            method: self.method.map_or(Ok(defaults.method), |text| Method::parse(&text))?,
            headers: headers(self.headers.unwrap_or_default())?,
            body: self.body,
            auth: self.auth.map(Auth::resolve).transpose()?,
            redirects: self.follow_redirects.map_or(defaults.redirects, |most| most.0),
            trust: if self.verify_tls.unwrap_or(true) { Trust::Verified } else { Trust::Any },
            timeout: self.timeout.map_or(defaults.timeout, |span| span.0),
            assertions: assertions
                .map(|(i, assertion)| assertion.resolve(&format!("http.assertions[{i}]")))
                .collect::<Result<_, _>>()?,
            url: defaults.url,
        })
    }

    pub(super) fn align(&self, patch: &mut Patch) {
        let Some(sent) = patch.object_mut(&["http", "headers"]) else { return };
        for own in self.headers.iter().flatten().map(|(name, _)| name) {
            let other = sent.keys().find(|name| name.eq_ignore_ascii_case(own) && *name != own).cloned();
            if let Some(value) = other.and_then(|other| sent.remove(&other)) {
                sent.insert(own.clone(), value);
            }
        }
    }

    pub(super) fn auth_differs(&self, patch: &mut Patch) -> bool {
        let sent = patch.object_mut(&["http", "auth"]).and_then(|auth| auth.get("kind")).cloned();
        let own = self.auth.as_ref().map(|auth| serde_json::json!(auth.kind));
        sent.is_some() && own != sent
    }

    /// As it is shown: without what is secret.
    pub(super) fn mask(&mut self) {
        if let Some(auth) = &mut self.auth {
            (auth.password, auth.token) = (None, None);
        }
        for (name, value) in self.headers.iter_mut().flatten() {
            if is_secret_header(name) {
                *value = Some(MASK.to_owned());
            }
        }
    }
}

/// Whether the values of a header are kept from view: those that are known to carry credentials, and those whose name
/// says that they do.
pub(crate) fn is_secret_header(name: &str) -> bool {
    const TELLING: [&str; 8] = ["auth", "cookie", "token", "secret", "key", "password", "session", "signature"];
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

fn headers(given: BTreeMap<String, Option<String>>) -> Result<Vec<(String, String)>, Invalid> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in given {
        let Some(value) = value else { continue };
        let refuse = |why: &str| Err(Invalid::new(format!("http.headers.{name}"), why));
        if value == MASK {
            return refuse("is the mask that hides a value: send the value, or leave the header out of the patch");
        }
        if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            return refuse("is given twice: the names of headers do not differ by case");
        }
        if let Err(refused) = domain::validate_header(&name, &value) {
            return refuse(&refused.message);
        }
        headers.push((name, value));
    }
    Ok(headers)
}

impl Auth {
    fn resolve(self) -> Result<domain::Auth, Invalid> {
        let refuse = |member: &str, why: &str| Err(Invalid::new(format!("http.auth.{member}"), why));
        match (self.kind, self.user, self.password, self.token) {
            (AuthKind::Basic, Some(user), Some(password), None) => Ok(domain::Auth::Basic { user, password }),
            (AuthKind::Bearer, None, None, Some(token)) => Ok(domain::Auth::Bearer { token }),
            (AuthKind::Basic, None, ..) => refuse("user", "is missing"),
            (AuthKind::Basic, _, None, _) => refuse("password", "is missing"),
            (AuthKind::Basic, ..) => refuse("token", "belongs to bearer, not to basic"),
            (AuthKind::Bearer, _, _, None) => refuse("token", "is missing"),
            (AuthKind::Bearer, Some(_), ..) => refuse("user", "belongs to basic, not to bearer"),
            (AuthKind::Bearer, ..) => refuse("password", "belongs to basic, not to bearer"),
        }
    }
}

impl From<&domain::Auth> for Auth {
    fn from(auth: &domain::Auth) -> Self {
        match auth.clone() {
            domain::Auth::Basic { user, password } => {
                Self { kind: AuthKind::Basic, user: Some(user), password: Some(password), token: None }
            }
            domain::Auth::Bearer { token } => {
                Self { kind: AuthKind::Bearer, user: None, password: None, token: Some(token) }
            }
        }
    }
}

impl From<&HttpSpec> for Http {
    fn from(spec: &HttpSpec) -> Self {
        let headers = spec.headers.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        Self {
            url: spec.url.to_string(),
            method: Some(spec.method.to_string()),
            headers: Some(headers.collect()),
            body: spec.body.clone(),
            auth: spec.auth.as_ref().map(Auth::from),
            follow_redirects: Some(Redirects(spec.redirects)),
            verify_tls: Some(spec.trust == Trust::Verified),
            timeout: Some(Span(spec.timeout)),
            assertions: Some(spec.assertions.iter().map(Assertion::from).collect()),
        }
    }
}

impl Serialize for Redirects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_bool(false),
            MOST_REDIRECTS => serializer.serialize_bool(true),
            most => serializer.serialize_u8(most),
        }
    }
}

impl<'de> Deserialize<'de> for Redirects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoolOrNumber)
    }
}

struct BoolOrNumber;

impl Visitor<'_> for BoolOrNumber {
    type Value = Redirects;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a number up to 10")
    }

    fn visit_bool<E: Error>(self, follow: bool) -> Result<Redirects, E> {
        Ok(Redirects(if follow { MOST_REDIRECTS } else { 0 }))
    }

    fn visit_u64<E: Error>(self, most: u64) -> Result<Redirects, E> {
        // Too many of them is for the domain to refuse; here they only must not wrap.
        Ok(Redirects(u8::try_from(most).unwrap_or(u8::MAX)))
    }
}

impl utoipa::PartialSchema for Redirects {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Type};
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(MOST_REDIRECTS));
        OneOfBuilder::new()
            .item(Object::with_type(Type::Boolean))
            .item(number)
            .description(Some("True follows up to 10, false none; a number is the most that are followed."))
            .into()
    }
}

impl ToSchema for Redirects {}
