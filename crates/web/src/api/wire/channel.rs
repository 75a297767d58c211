//! Channels.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gazer_domain::Invalid;
use gazer_domain::access::Role;
use gazer_domain::channel::Target;
use gazer_domain::monitor::validate_name;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// What a person decides about a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelSettings {
    #[schema(max_length = 120)]
    name: String,
    kind: Kind,
    /// For the kind `webhook`.
    #[serde(default)]
    webhook: Option<Webhook>,
    /// For the kind `email`.
    #[serde(default)]
    email: Option<Email>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ChannelKind)]
enum Kind {
    Webhook,
    Email,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Webhook {
    #[schema(example = "https://example.com/hooks/gazer")]
    url: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Email {
    /// 1 to 20 addresses.
    to: Vec<String>,
}

/// What is to change of a channel. No field is null: what is left out stays as it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes: a patch is read by merging it into the settings")]
pub(crate) struct ChannelPatch {
    #[schema(required = false, max_length = 120)]
    name: String,
    #[schema(required = false)]
    webhook: Webhook,
    #[schema(required = false)]
    email: Email,
}

impl ChannelSettings {
    /// Validated. `secret` signs, where the kind signs.
    pub(crate) fn resolve(self, secret: Vec<u8>) -> Result<(String, Target), Invalid> {
        let name = self.name.trim().to_owned();
        validate_name(&name)?;
        let target = match (self.kind, self.webhook, self.email) {
            (Kind::Webhook, Some(webhook), None) => Target::Webhook { url: url(&webhook.url)?, secret },
            (Kind::Email, None, Some(email)) => {
                Target::Email { to: email.to.into_iter().map(|to| to.trim().to_owned()).collect() }
            }
            (Kind::Webhook, None, _) => return Err(Invalid::new("webhook", "is missing")),
            (Kind::Email, _, None) => return Err(Invalid::new("email", "is missing")),
            (Kind::Webhook, ..) => return Err(Invalid::new("email", "does not belong to a webhook")),
            (Kind::Email, ..) => return Err(Invalid::new("webhook", "does not belong to an e-mail channel")),
        };
        target.validate()?;
        Ok((name, target))
    }

    /// As [`Target::kind`] spells it.
    pub(crate) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Webhook => "webhook",
            Kind::Email => "email",
        }
    }

    /// What a patch applies to.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings always serialise")
    }

    pub(crate) fn of(name: &str, target: &Target) -> Self {
        let name = name.to_owned();
        match target {
            Target::Webhook { url, .. } => {
                let webhook = Some(Webhook { url: url.to_string() });
                Self { name, kind: Kind::Webhook, webhook, email: None }
            }
            Target::Email { to } => {
                Self { name, kind: Kind::Email, webhook: None, email: Some(Email { to: to.clone() }) }
            }
        }
    }
}

fn url(text: &str) -> Result<Url, Invalid> {
    let refuse = |_| Invalid::new("webhook.url", "is not a URL; write one such as https://example.com/hooks/gazer");
    Url::parse(text.trim()).map_err(refuse)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    #[schema(example = "chn_01jd00000000000000000000000")]
    id: String,
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct WebhookShown {
    /// To a viewer no more than its host, as in `https://hooks.example.com/…`: the rest may be a password.
    url: String,
    /// Signs as Standard Webhooks 1.0 says. Shown once, in the answer that makes the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Channel {
    pub(crate) fn shown_to(role: Role, channel: &gazer_store::Channel) -> Self {
        let settings = ChannelSettings::of(&channel.name, &channel.target);
        Self {
            id: channel.id.to_string(),
            name: settings.name,
            kind: channel.target.kind(),
            webhook: settings.webhook.map(|_| WebhookShown { url: channel.target.seen_by(role), secret: None }),
            email: settings.email,
            created_at: channel.created.rfc3339(),
        }
    }

    /// For the one answer that shows it.
    pub(crate) fn with_secret(channel: &gazer_store::Channel) -> Self {
        let mut shown = Self::shown_to(Role::Admin, channel);
        if let (Some(webhook), Target::Webhook { secret, .. }) = (&mut shown.webhook, &channel.target) {
            webhook.secret = Some(spell_secret(secret));
        }
        shown
    }
}

/// `whsec_` and base 64, as Standard Webhooks 1.0 writes keys.
pub(crate) fn spell_secret(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}
