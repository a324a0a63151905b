//! `shipway lambda`.

use std::sync::Arc;
use std::time::Duration;

use shipway::aws::{Clock, Patience, Services};
use shipway::content::{ContentError, Kind, Result};
use shipway::error::Error;
use shipway::execute::serve::{Mailer, Service, Surroundings, serve};
use shipway::execute::{Direct, Guard, Store};

use crate::args::GlobalArguments;
use crate::environment::Environment;
use crate::printer::Printer;
use crate::settings::{self, Identities, LambdaSettings};

/// Calls after the first, for each call to a service: whoever waits for the function is told soon, and asks again.
const RETRIES: u32 = 2;
/// Wait before the second call; doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How long one call may take. The services answer within a second; a closed network without a way to them does not answer at all, and that is
/// to be told before the caller gives up.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Serves until Lambda ends the process.
pub(crate) async fn run(global: &GlobalArguments, environment: &Environment, printer: &Printer) -> anyhow::Result<()> {
    LambdaSettings::is_lambda(environment)?;
    let surroundings = Surroundings {
        now_milliseconds: Arc::new(Environment::now_milliseconds),
        line: Arc::new({
            let printer = printer.clone();
            // The log is where it would be told that it cannot be written.
            move |line: &str| drop(printer.data(&format!("{line}\n")))
        }),
    };
    let service = service(global, environment).await;
    serve(service, surroundings).await.map_err(Error::from)?;
    Ok(())
}

/// Makes what answers events; an error of it is the answer to each of them.
async fn service(global: &GlobalArguments, environment: &Environment) -> Result<Service> {
    let settings = LambdaSettings::resolve(environment)?;
    let usage = |error: anyhow::Error| ContentError::new(Kind::Usage, error.to_string());
    let project = settings::project(global).map_err(usage)?;
    let identity = Identities::resolve(global, environment, &project)
        .map_err(usage)?
        .at("")?;
    let patience = Patience {
        retries: RETRIES,
        first_wait: FIRST_WAIT,
        limit: CALL_LIMIT,
    };
    let clock = Arc::new(Clock::new(environment.now_seconds()));
    let services = Services::open(settings.region.as_deref(), &identity, patience, clock).await?;
    let guard = match &settings.table {
        Some(table) => Guard::Table(Box::new(Store::new(&services, table))),
        None => Guard::Family,
    };
    let direct = Direct::new(services.clone(), guard, settings.place, settings.family.as_deref());
    Ok(Service {
        runs: Box::new(direct),
        rules: settings.rules,
        mailer: settings.topic.as_deref().map(|topic| Mailer::new(&services, topic)),
        services,
        name: settings.name,
        container: settings.container,
        is_strict: settings.is_strict,
    })
}
