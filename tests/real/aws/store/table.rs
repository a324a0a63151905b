//! A table at each emulator.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use futures_util::future::join_all;
use shipway::aws::{Clock, Services};
use shipway::content::ContentError;
use shipway::execute::RunId;
use shipway::execute::store::{Claim, Store};

use tokio::runtime::Runtime;

use crate::aws::account::{REGION, ministack, moto};

/// Now, as far as these tests go.
pub(super) const NOW: i64 = 1_795_409_220;

/// The services at an address.
pub(super) fn services(address: &str) -> Services {
    let nobody = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "tests");
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(address)
        .retry_config(retries)
        .credentials_provider(SharedCredentialsProvider::new(nobody));
    Services::of(config.build(), Arc::new(Clock::new(NOW)))
}

/// Runs a test at each emulator, with a table of its own.
pub(super) fn at_each<Tested: Future<Output = ()>>(test: impl Fn(Place) -> Tested + Sync) {
    each_place(|place, runtime| runtime.block_on(async { test(place).await }));
}

/// As [`at_each`], for tests that start servers.
pub(super) fn each_place(test: impl Fn(Place, &Runtime) + Sync) {
    // moto asks for the condition and writes in two steps, and other requests get in between.
    for (name, address, is_atomic) in [("moto", moto(), false), ("ministack", ministack(), true)] {
        let run = || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("threads can be started");
            let place = runtime.block_on(Place::make(address, is_atomic));
            test(place, &runtime);
        };
        // What panics is called by its thread's name.
        let ended = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(format!("test at {name}"));
            let thread = thread.spawn_scoped(scope, run);
            thread.expect("a thread can be started").join()
        });
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    }
}

/// An emulator and a table in it.
pub(super) struct Place {
    /// Where the emulator answers.
    pub(super) address: String,
    /// The table's name.
    pub(super) table: String,
    /// Whether it knows of requests at the same time, as DynamoDB does.
    is_atomic: bool,
}

impl Place {
    /// Makes a table as `deploy/cloudformation.yaml` does.
    async fn make(address: String, is_atomic: bool) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let table = format!("runs-{}-{number}", std::process::id());
        let mut request = Client::new(services(&address).config())
            .create_table()
            .table_name(&table)
            .billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S);
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            request = request
                .attribute_definitions(attribute.build().expect("all is said"))
                .key_schema(key.build().expect("all is said"));
        }
        request.send().await.expect("a table can be made");
        let expiry = TimeToLiveSpecification::builder()
            .attribute_name("expires_at")
            .enabled(true);
        Client::new(services(&address).config())
            .update_time_to_live()
            .table_name(&table)
            .time_to_live_specification(expiry.build().expect("all is said"))
            .send()
            .await
            .expect("items can go away");
        Self {
            address,
            table,
            is_atomic,
        }
    }

    /// Does all this at the same time; one after the other where the emulator is not up to that.
    pub(super) async fn race<Done, Told>(&self, requests: impl Iterator<Item = Done>) -> Vec<Told>
    where
        Done: Future<Output = Result<Told, ContentError>>,
    {
        let mut told = Vec::new();
        if self.is_atomic {
            told = join_all(requests).await;
        } else {
            for request in requests {
                told.push(request.await);
            }
        }
        told.into_iter().map(|told| told.expect("the table answers")).collect()
    }

    /// The table, asked directly.
    pub(super) fn store(&self) -> Store {
        self.store_at(&self.address)
    }

    /// The table, asked by way of another address.
    pub(super) fn store_at(&self, address: &str) -> Store {
        Store::new(&services(address), &self.table)
    }

    /// How many items the table holds.
    pub(super) async fn items(&self) -> usize {
        let client = Client::new(services(&self.address).config());
        let answer = client.scan().table_name(&self.table).send().await;
        answer.expect("a table can be read").items().len()
    }
}

/// What a run asks for the lock with.
pub(super) fn claim(run: &str, attempt: u32) -> Claim {
    Claim {
        family: "flyway".to_owned(),
        environment: "migrations".to_owned(),
        run_id: RunId::of(run),
        attempt,
        now_seconds: NOW,
        requested_by: Some(format!("gitlab:group/project#{run}")),
    }
}
