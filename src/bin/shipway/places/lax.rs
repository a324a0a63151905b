//! Registries that are reached with less care, as kaniko's flags say.

use shipway::registry::{RegistrySettings, is_loopback, speaks_tls};

use super::Places;
use crate::settings::Laxity;

impl Places {
    /// The same places, with what kaniko's flags say of registries; `pushed_to` are the hosts that are pushed to.
    #[must_use]
    pub(crate) fn lax(mut self, laxity: &Laxity, pushed_to: Vec<String>) -> Self {
        for (host, mirror) in &laxity.mirrors {
            let settings = self.settings.entry(host.clone()).or_default();
            settings.mirrors.push(mirror.clone());
        }
        Self {
            laxity: laxity.clone(),
            pushed_to,
            ..self
        }
    }

    /// How a host is reached. Where it may have no TLS, it is asked.
    pub(super) async fn settings_of(&self, host: &str) -> RegistrySettings {
        let mut settings = self.settings.get(host).cloned().unwrap_or_default();
        let is_pushed_to = self.pushed_to.iter().any(|other| other == host);
        settings.is_unverified = self.laxity.is_unverified(host, is_pushed_to);
        let may_be_plain = self.laxity.may_be_plain(host, is_pushed_to) || settings.is_unverified && is_loopback(host);
        if may_be_plain && settings.plain_http.is_none() && settings.endpoint.is_none() {
            settings.plain_http = Some(!speaks_tls(host, &settings).await);
        }
        settings
    }
}
