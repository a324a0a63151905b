//! What a run needs where runs are.

use shipway::ecr::EcrHost;
use shipway::execute::{Finding, Order};
use shipway::project::Project;

use super::Patient;
use super::report::{Report, Status};
use crate::args::{DoctorArguments, GlobalArguments};
use crate::commands::runs::{Opened, open};
use crate::environment::Environment;
use crate::settings::Reach;

/// Where runs are; `None` where nobody said so.
pub(super) fn reach(
    arguments: &DoctorArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<Option<Reach>> {
    let mut reach = Reach::resolve(&arguments.reach, environment, project)?;
    if let Some(reach) = &mut reach {
        reach.place(&arguments.place)?;
    }
    Ok(reach)
}

/// Looks at what a run needs. `patient`: what is pushed, which is what runs.
pub(super) async fn look_at_runs(
    reach: &mut Reach,
    global: &GlobalArguments,
    environment: &Environment,
    project: &Project,
    patient: Option<&Patient<'_>>,
    report: &mut Report,
) {
    if reach.region.is_none() {
        reach.region = patient
            .and_then(|patient| EcrHost::parse(patient.repository.registry()))
            .and_then(|host| host.private().map(|private| private.region.clone()));
    }
    let order = Order {
        image: patient.map(|patient| patient.repository.to_string()),
        family: reach.family.clone(),
        container: reach.container.clone(),
        ..Order::default()
    };
    let findings = match open(reach, global, environment, project).await {
        Ok(Opened::Direct(direct)) => direct.examine(&order).await,
        Ok(Opened::Function(function)) => function.examine(&order).await,
        Err(error) => return report.add_failure("runs", Status::Failed, &error),
    };
    for Finding {
        name,
        health,
        text,
        hints,
    } in findings
    {
        report.add(name, health.into(), text);
        for hint in hints {
            report.hint(hint);
        }
    }
}
