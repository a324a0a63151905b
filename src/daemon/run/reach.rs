//! Waiting until a server can be reached.

use std::time::{Duration, Instant};

use bollard::query_parameters::{InspectContainerOptions, InspectNetworkOptions};
use tokio::net::TcpStream;

use super::{Halt, Run};
use crate::execute::{Address, Failure};

/// How long one attempt to connect may take: a packet that is dropped is sent again after a second.
const ATTEMPT: Duration = Duration::from_secs(3);

/// How long it waits between two of them.
const PAUSE: Duration = Duration::from_millis(250);

impl Run<'_> {
    /// Waits until somebody accepts a connection at an address. The connection is made from this machine; where the host is
    /// the name of a container in the run's network, to the address it has there.
    pub(super) async fn reach(&self, address: &Address, network: Option<&str>) -> Result<(), Halt> {
        self.step(&format!("waiting for {address}"));
        let limit = self.request.wait_timeout;
        let begun = Instant::now();
        loop {
            let real = self.address_in(network, address).await;
            let left = limit.saturating_sub(begun.elapsed());
            let connecting = TcpStream::connect((real.host.as_str(), real.port));
            let why = match tokio::time::timeout(ATTEMPT.min(left), connecting).await {
                Ok(Ok(_)) => {
                    let seconds = begun.elapsed().as_secs_f64();
                    self.step(&format!("{address} answers after {seconds:.1} s"));
                    return Ok(());
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if begun.elapsed() + PAUSE >= limit {
                let seconds = limit.as_secs_f64();
                let failure = Failure::new(format!(
                    "{address} cannot be reached from this machine within {seconds} s"
                ))
                .because(why)
                .hint("start it first, correct --wait-for, or give it more time: --wait-timeout SECONDS");
                return Err(Halt::not_started(failure));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The address of the container that has this name in the network; the same address where there is none.
    async fn address_in(&self, network: Option<&str>, address: &Address) -> Address {
        let found = match network {
            None | Some("host" | "bridge" | "default") => None,
            Some(network) => self.container_in(network, &address.host).await,
        };
        match found {
            Some(host) => Address {
                host,
                port: address.port,
            },
            None => address.clone(),
        }
    }

    async fn container_in(&self, network: &str, name: &str) -> Option<String> {
        let docker = self.daemon.docker();
        let members = docker
            .inspect_network(network, None::<InspectNetworkOptions>)
            .await
            .ok()?;
        for id in members.containers.unwrap_or_default().into_keys() {
            let Ok(container) = docker.inspect_container(&id, None::<InspectContainerOptions>).await else {
                continue;
            };
            let own_name = container.name.unwrap_or_default();
            let networks = container.network_settings.and_then(|settings| settings.networks);
            let Some(endpoint) = networks.and_then(|mut networks| networks.remove(network)) else {
                continue;
            };
            let aliases = endpoint.aliases.into_iter().chain(endpoint.dns_names).flatten();
            if own_name.trim_start_matches('/') == name || aliases.into_iter().any(|alias| alias == name) {
                return endpoint.ip_address.filter(|address| !address.is_empty());
            }
        }
        None
    }
}
