//! `shipway doctor`.

use std::sync::Arc;

use shipway::content::{Blob, Cache, Origin, Target as _};
use shipway::credentials::Credentials;
use shipway::error::Error;
use shipway::oci::{Descriptor, Family, Tag};
use shipway::progress::Progress;

use crate::args::{DoctorArguments, GlobalArguments};
use crate::environment::Environment;
#[cfg(feature = "aws")]
use crate::failure::CommandError;
use crate::failure::Doubt;
use crate::places::{Identity, Intent, Places};
use crate::printer::Printer;
use crate::progress::Display;
use crate::settings::{self, Logins};

#[cfg(feature = "aws")]
mod aws;
mod patient;
mod report;
#[cfg(feature = "aws")]
mod runs;
mod watch;

use patient::{Base, Patient};
use report::{Report, Status};
use watch::Watch;

/// Looks at everything a push needs, and a run, where it is said where runs are.
pub(crate) async fn run(
    arguments: &DoctorArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    #[cfg(feature = "aws")]
    let mut reach = runs::reach(arguments, environment, &project)?;
    #[cfg(feature = "aws")]
    let is_about_runs_alone = reach.is_some() && !arguments.policy;
    #[cfg(not(feature = "aws"))]
    let is_about_runs_alone = false;
    let patient = match is_about_runs_alone && !Patient::is_named(arguments, environment, &project) {
        true => None,
        false => Some(Patient::of(arguments, environment, &project)?),
    };
    #[cfg(feature = "aws")]
    if let Some(patient) = &patient
        && arguments.policy
    {
        let Some(policy) = aws::policy(arguments, patient) else {
            return Err(CommandError::usage(format!(
                "--policy: {} is no registry of Amazon ECR, and knows no IAM",
                patient.repository.registry()
            ))
            .into());
        };
        printer.data(&format!("{}\n", serde_json::to_string_pretty(&policy)?))?;
        return Ok(());
    }
    let mut report = Report::default();
    if let Some(patient) = &patient {
        look_at_push(arguments, global, environment, printer, patient, &mut report).await?;
    }
    #[cfg(feature = "aws")]
    if let Some(reach) = &mut reach {
        runs::look_at_runs(reach, global, environment, &project, patient.as_ref(), &mut report).await;
    }
    #[cfg(feature = "aws")]
    let policy = patient.as_ref().and_then(|patient| aws::policy(arguments, patient));
    #[cfg(not(feature = "aws"))]
    let policy = None;
    report.print(printer, policy)?;
    match report.is_good() {
        true => Ok(()),
        false => Err(Doubt.into()),
    }
}

/// Looks at everything a push needs.
async fn look_at_push(
    arguments: &DoctorArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
    patient: &Patient<'_>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let hosts = vec![patient.repository.registry().to_owned()];
    let store = Logins::gather(global, environment)?.store(&hosts);
    let watch = Arc::new(Watch::new(Display::new(printer.clone())));
    let progress: Arc<dyn Progress> = Arc::clone(&watch) as Arc<dyn Progress>;
    let mut places = Places::new(global, environment, patient.project, store, progress)?;
    // What is looked at is how things are now, and looking leaves no trace.
    places.cache = Cache::none();

    let login = look_at_login(patient, &places, report).await;
    if login != Login::Nobody {
        let present = look_at_registry(patient, &places, report).await;
        if login == Login::Stored && present.is_some() {
            look_for_replacement(patient.repository.registry(), &watch, report);
        }
        #[cfg(feature = "aws")]
        aws::look_at_repository(arguments, patient, &places, present.as_deref(), report).await;
        #[cfg(not(feature = "aws"))]
        let _ = present;
    }
    look_at_tags(patient, report);
    #[cfg(feature = "aws")]
    aws::look_at_creation(arguments, patient, report);
    #[cfg(not(feature = "aws"))]
    let _ = arguments;
    look_at_base(patient, &places, report).await;
    Ok(())
}

/// Who we are at a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// Nobody, and it makes no sense to ask it.
    Nobody,
    /// Who files, helpers or flags say.
    Stored,
    /// Anybody, or who AWS says.
    Other,
}

/// Who we are there.
async fn look_at_login(patient: &Patient<'_>, places: &Places, report: &mut Report) -> Login {
    let (host, path) = (patient.repository.registry(), patient.repository.path());
    match places.identity(host, path, Intent::Write).await {
        Err(error) => {
            report.add_error("login", Status::Failed, error);
            Login::Nobody
        }
        Ok(Identity::Stored(found)) if found.credentials == Credentials::Anonymous => {
            report
                .add(
                    "login",
                    Status::Warning,
                    format!("none for {host} ({})", places.looked_in()),
                )
                .hint(format!(
                    "few registries let nobody push: `docker login {host}`, or --username USER --password-stdin"
                ));
            Login::Other
        }
        Ok(Identity::Stored(found)) => {
            report.add(
                "login",
                Status::Ok,
                format!("{}, from {}", found.credentials, found.origin),
            );
            Login::Stored
        }
        #[cfg(feature = "aws")]
        Ok(Identity::Aws) => match aws::look_at_identity(host, places, report).await {
            true => Login::Other,
            false => Login::Nobody,
        },
    }
}

/// Whether the registry answers, and lets us look. Returns which of the tags are there.
async fn look_at_registry(patient: &Patient<'_>, places: &Places, report: &mut Report) -> Option<Vec<Tag>> {
    let latest = Tag::latest();
    let tags = if patient.tags.is_empty() {
        std::slice::from_ref(&latest)
    } else {
        &patient.tags
    };
    let looked = async {
        let target = places.target(&patient.repository).await?;
        let mut present = Vec::new();
        for tag in tags {
            if target.tagged(tag).await?.is_some() {
                present.push(tag.clone());
            }
        }
        // Asks for a right a push needs, about content nobody has.
        let nothing = Blob {
            descriptor: Descriptor::of(Family::Oci.layer_gzip(), patient.repository.to_string().as_bytes()),
            origin: Origin::Source(places.repository(&patient.repository).await?),
        };
        target.contains(&nothing).await?;
        Ok::<_, Error>(present)
    };
    let host = patient.repository.registry();
    match looked.await {
        Ok(present) => {
            let names = |tags: &[Tag]| tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let text = match present.is_empty() {
                false => format!("{host} answers; it has {}", names(&present)),
                true => format!("{host} answers; it has no {} yet", names(tags)),
            };
            report.add("registry", Status::Ok, text);
            let is_taken = |tag: &&Tag| patient.tags.contains(*tag) && patient.rule.is_fixed(tag);
            for tag in present.iter().filter(is_taken) {
                report
                    .add(
                        "tag",
                        Status::Warning,
                        format!("{tag} is there and must not move: another image under it is refused"),
                    )
                    .hint("push under a new tag; or, if it is meant, with --move-tags");
            }
            Some(present)
        }
        Err(error) => {
            report.add_error("registry", Status::Failed, error);
            None
        }
    }
}

/// Whether the login that was stored is the one that was used.
fn look_for_replacement(host: &str, watch: &Watch, report: &mut Report) {
    if let Some(origin) = watch.replacement(host) {
        report
            .add(
                "stored login",
                Status::Warning,
                format!("it was refused, and another one was used instead: {origin}"),
            )
            .hint(format!("the stored one has expired: `docker logout {host}` removes it"));
    }
}

/// Whether the tags are tags, and of this repository.
fn look_at_tags(patient: &Patient<'_>, report: &mut Report) {
    for error in &patient.bad_tags {
        report.add_failure("tag", Status::Failed, error);
    }
    for repository in &patient.elsewhere {
        report
            .add(
                "tag",
                Status::Warning,
                format!("the image goes to {repository} as well, which was not looked at"),
            )
            .hint(format!("run shipway doctor {repository}"));
    }
}

/// Whether the base can be read.
async fn look_at_base(patient: &Patient<'_>, places: &Places, report: &mut Report) {
    let location = match &patient.base {
        Base::At(location) => location,
        Base::None => {
            report.add("base", Status::Skipped, "none is named, or it is scratch");
            return;
        }
        Base::Wrong(error) => return report.add_failure("base", Status::Failed, error),
    };
    let looked = async {
        let (source, selector) = places.source(location).await?;
        Ok::<_, Error>((source.resolve(&selector).await?, source.place()))
    };
    match looked.await {
        Ok((manifest, place)) => {
            report.add("base", Status::Ok, format!("{} in {place}", manifest.digest()));
        }
        Err(error) => report.add_error("base", Status::Failed, error),
    }
}
