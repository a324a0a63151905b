//! `shipway doctor`.

use std::sync::Arc;

use shipway::content::{Blob, Location, Origin, Target as _};
use shipway::credentials::Credentials;
use shipway::error::Error;
use shipway::oci::{Descriptor, Family, Reference, Repository, Tag};
use shipway::progress::Progress;
use shipway::project::Project;

use crate::args::{DoctorArguments, GlobalArguments};
use crate::environment::Environment;
use crate::failure::{Doubt, UsageError};
use crate::places::{Identity, Intent, Places};
use crate::printer::Printer;
use crate::progress::Display;
use crate::settings::{self, Logins};

#[cfg(feature = "aws")]
mod aws;
mod report;
mod watch;

use report::{Report, Status};
use watch::Watch;

/// What is looked at.
struct Patient<'a> {
    repository: Repository,
    /// Tags that are going to be pushed, as far as they are known.
    tags: Vec<Tag>,
    base: Option<Location>,
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only AWS has settings for repositories")
    )]
    project: &'a Project,
}

/// Looks at everything a push needs.
pub(crate) async fn run(
    arguments: &DoctorArguments,
    global: &GlobalArguments,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<()> {
    let project = settings::project(global)?;
    let patient = patient(arguments, environment, &project)?;
    #[cfg(feature = "aws")]
    if arguments.policy {
        let Some(policy) = aws::policy(arguments, &patient) else {
            return Err(UsageError::new(format!(
                "--policy: {} is no registry of Amazon ECR, and knows no IAM",
                patient.repository.registry()
            ))
            .into());
        };
        printer.data(&format!("{}\n", serde_json::to_string_pretty(&policy)?))?;
        return Ok(());
    }
    let hosts = vec![patient.repository.registry().to_owned()];
    let store = Logins::gather(global, environment)?.store(&hosts);
    let watch = Arc::new(Watch::new(Display::new(printer.clone())));
    let progress: Arc<dyn Progress> = Arc::clone(&watch) as Arc<dyn Progress>;
    let places = Places::new(global, environment, &project, store, progress)?;

    let mut report = Report::default();
    let is_known = look_at_login(&patient, &places, &mut report).await;
    if is_known {
        let present = look_at_registry(&patient, &places, &watch, &mut report).await;
        #[cfg(feature = "aws")]
        aws::look_at_repository(arguments, &patient, &places, present.as_deref(), &mut report).await;
        #[cfg(not(feature = "aws"))]
        let _ = present;
    }
    look_at_base(&patient, &places, &mut report).await;
    #[cfg(feature = "aws")]
    let policy = aws::policy(arguments, &patient);
    #[cfg(not(feature = "aws"))]
    let policy = None;
    report.print(printer, policy)?;
    match report.is_good() {
        true => Ok(()),
        false => Err(Doubt.into()),
    }
}

fn patient<'a>(
    arguments: &DoctorArguments,
    environment: &Environment,
    project: &'a Project,
) -> anyhow::Result<Patient<'a>> {
    let text = arguments
        .image
        .as_deref()
        .or_else(|| environment.get("SHIPWAY_REPOSITORY"))
        .or(project.image.repository.as_deref());
    let Some(text) = text else {
        return Err(UsageError::new("there is no repository to look at")
            .hint(
                "name it: shipway doctor registry.example.com/orders, or set repository under [image] in shipway.toml",
            )
            .into());
    };
    let reference: Reference = text.parse().map_err(Error::from)?;
    let base = environment.get("SHIPWAY_BASE").or(project.runner.base.as_deref());
    let base = match base {
        None | Some("scratch") => None,
        Some(text) => Some(text.parse::<Location>().map_err(Error::from)?),
    };
    let mut tags: Vec<Tag> = reference.tag.into_iter().collect();
    if tags.is_empty() {
        // Tags with templates are another one each time.
        let fixed = project.image.tags.iter().flatten().filter(|tag| !tag.contains('{'));
        tags.extend(fixed.filter_map(|tag| tag.parse().ok()));
    }
    Ok(Patient {
        repository: reference.repository,
        tags,
        base,
        project,
    })
}

/// Who we are there. Returns whether it makes sense to ask the registry.
async fn look_at_login(patient: &Patient<'_>, places: &Places, report: &mut Report) -> bool {
    let (host, path) = (patient.repository.registry(), patient.repository.path());
    match places.identity(host, path, Intent::Write).await {
        Err(error) => {
            report.add_error("login", Status::Failed, error);
            false
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
            true
        }
        Ok(Identity::Stored(found)) => {
            report.add(
                "login",
                Status::Ok,
                format!("{}, from {}", found.credentials, found.origin),
            );
            true
        }
        #[cfg(feature = "aws")]
        Ok(Identity::Aws) => aws::look_at_identity(host, places, report).await,
    }
}

/// Whether the registry answers, and lets us look. Returns which of the tags are there.
async fn look_at_registry(
    patient: &Patient<'_>,
    places: &Places,
    watch: &Watch,
    report: &mut Report,
) -> Option<Vec<Tag>> {
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
            if let Some(origin) = watch.replacement(host) {
                report
                    .add(
                        "stored login",
                        Status::Warning,
                        format!("it was refused, and another one was used instead: {origin}"),
                    )
                    .hint(format!("the stored one has expired: `docker logout {host}` removes it"));
            }
            Some(present)
        }
        Err(error) => {
            report.add_error("registry", Status::Failed, error);
            None
        }
    }
}

/// Whether the base can be read.
async fn look_at_base(patient: &Patient<'_>, places: &Places, report: &mut Report) {
    let Some(location) = &patient.base else {
        report.add("base", Status::Skipped, "none is named, or it is scratch");
        return;
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
