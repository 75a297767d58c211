//! Whom to tell of our own faults: what was written, and what becomes of it at the start.

use anyhow::Context;
use gazer_channels::{Operator, signature};
use gazer_domain::channel::Target;
use gazer_domain::http::parse_url;
use gazer_probes::net::Door;
use gazer_store::Store;
use url::Url;

use crate::cli::{Failure, OperatorFlags, say};
use crate::{chance, config};

const SECRET: &str = "GAZER_OPERATOR_SECRET";
const SETTING: &str = "operator_secret";

/// The operator's ways, but for a secret that nobody wrote down.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    webhook: Option<Url>,
    secret: Option<Vec<u8>>,
    email: Option<String>,
    ping: Option<Url>,
}

impl Ways {
    pub(crate) fn resolve(flags: OperatorFlags, has_mail: bool) -> Result<Self, Failure> {
        let OperatorFlags { operator_webhook, operator_email, ping_url } = flags;
        let webhook = operator_webhook.filter(|url| !url.is_empty());
        let webhook = webhook.map(|url| parsed("--operator-webhook <URL>", &url)).transpose()?;
        let ping = ping_url.filter(|url| !url.is_empty());
        let ping = ping.map(|url| parsed("--ping-url <URL>", &url)).transpose()?;
        let email = operator_email.filter(|address| !address.is_empty());
        if let Some(address) = &email {
            let target = Target::Email { to: vec![address.clone()] };
            target.validate().map_err(|_| {
                Failure::usage("--operator-email <ADDRESS>", "must be an e-mail address such as ann@example.com")
            })?;
            if !has_mail {
                return Err(Failure::Usage("--operator-email needs --smtp-url: the server that takes our mail".into()));
            }
        }
        let secret = config::environment(SECRET);
        if secret.is_some() && webhook.is_none() {
            return Err(Failure::Usage(format!("{SECRET} needs --operator-webhook: the receiver that knows it")));
        }
        let wrong = || Failure::usage(SECRET, "must be whsec_ and 24 to 64 bytes in base64");
        let secret = secret.map(|text| signature::secret_of(&text).ok_or_else(wrong)).transpose()?;
        Ok(Self { webhook, secret, email, ping })
    }

    /// Makes the secret of the webhook if there is none, and says it this once.
    pub(crate) async fn open(&self, store: &Store) -> anyhow::Result<Operator> {
        let webhook = match (self.webhook.clone(), self.secret.clone()) {
            (None, _) => None,
            (Some(url), Some(secret)) => Some((url, secret)),
            (Some(url), None) => Some((url, kept(store).await.context("the operator's secret could not be kept")?)),
        };
        Ok(Operator { webhook, email: self.email.clone(), ping: self.ping.clone() })
    }
}

/// The operator hears of a closed address now, and not first when there is something to tell.
pub(crate) fn judge(operator: &Operator, door: &Door) -> anyhow::Result<()> {
    let webhook = operator.webhook.as_ref().map(|(url, _)| ("--operator-webhook", url));
    let ping = operator.ping.as_ref().map(|url| ("--ping-url", url));
    for (flag, url) in webhook.into_iter().chain(ping) {
        door.judge(url).map_err(|cause| anyhow::anyhow!("{flag} leads nowhere: {cause}; --allow opens an address"))?;
    }
    Ok(())
}

async fn kept(store: &Store) -> Result<Vec<u8>, gazer_store::Error> {
    if let Some(secret) = store.setting_get(SETTING).await?.as_deref().and_then(signature::secret_of) {
        return Ok(secret);
    }
    let secret = chance::bytes::<24>().to_vec();
    let text = signature::secret_text(&secret);
    store.setting_set(SETTING, &text).await?;
    say(&format!(
        "Messages to the operator's webhook are signed with {text}; this is said once ({SECRET} sets another)"
    ));
    Ok(secret)
}

fn parsed(flag: &str, text: &str) -> Result<Url, Failure> {
    parse_url(text).map_err(|invalid| Failure::usage(flag, invalid.message))
}
