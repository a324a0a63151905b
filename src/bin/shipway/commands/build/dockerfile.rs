//! What a Dockerfile is built from.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shipway::content::{ContentError, Kind, Location};
use shipway::dockerfile::{
    Context, Dockerfile, DockerfileBlueprint, Download, Downloaded, NamedContext, OpenImage, Problem,
};
use shipway::download::{self, Conditions};
use shipway::error::Error;
use shipway::oci::Platform;
use shipway::recipe::ImagePath;

use crate::failure::CommandError;
use crate::places::Places;
use crate::settings::{BuildSettings, ContextLocation, DockerfileSettings};

/// Largest Dockerfile that is read. Long ones have some ten kilobytes.
const DOCKERFILE_LIMIT: u64 = 4 * 1024 * 1024;
/// The name of a Dockerfile nobody names.
const USUAL_NAME: &str = "Dockerfile";

impl DockerfileSettings {
    /// The folder its files come from; empty where that is none of this machine.
    pub(super) fn root(&self) -> PathBuf {
        match &self.context {
            ContextLocation::Folder(folder) => folder.canonicalize().unwrap_or_else(|_| folder.clone()),
            ContextLocation::Archive(_) | ContextLocation::Stdin => PathBuf::new(),
        }
    }
}

/// Reads the Dockerfile and prepares its context; what can be checked without asking anybody is checked.
pub(super) async fn blueprint(
    dockerfile: &DockerfileSettings,
    settings: &BuildSettings,
    places: &Arc<Places>,
) -> anyhow::Result<DockerfileBlueprint> {
    let (wanted, temporary) = (dockerfile.clone(), places.temp_folder.clone());
    let reading = tokio::task::spawn_blocking(move || read(&wanted, &temporary));
    let Read {
        dockerfile: text,
        context,
        ..
    } = reading.await??;
    let target = text.target(dockerfile.target.as_deref()).map_err(Error::from)?;
    let mut contexts = BTreeMap::new();
    for (name, value) in &dockerfile.contexts {
        contexts.insert(name.clone(), named_context(name, value, dockerfile, places).await?);
    }
    let opened = Arc::clone(places);
    let open: OpenImage = Arc::new(move |reference| {
        let places = Arc::clone(&opened);
        Box::pin(async move {
            let location = Location::Registry(reference.clone());
            places.source(&location).await.map_err(|error| match error {
                Error::Content(error) => error,
                other => ContentError::new(Kind::Other, format!("cannot open {reference}")).because(other),
            })
        })
    });
    let blueprint = DockerfileBlueprint {
        dockerfile: text,
        target,
        arguments: dockerfile.arguments.clone(),
        build_platform: own_platform(),
        context: Arc::new(context),
        contexts,
        open,
        download: downloads(places),
        known_bases: vec![shipway::runner::known_flyway_base().map_err(Error::from)?],
        labels: settings.labels.clone().into_iter().collect(),
        preserve_modes: dockerfile.preserve_modes,
        context_folder: dockerfile.root(),
        allowed_secrets: settings.allowed_secrets.clone(),
        temp_folder: places.temp_folder.clone(),
        cache: places.cache.clone(),
    };
    blueprint.check(places.progress.as_ref()).map_err(Error::from)?;
    Ok(blueprint)
}

/// The platform of this machine.
pub(super) fn own_platform() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    Platform {
        os: std::env::consts::OS.to_owned(),
        architecture: architecture.to_owned(),
        variant: String::new(),
    }
}

fn downloads(places: &Places) -> Download {
    let conditions = Conditions {
        retries: places.patience.retries,
        first_wait: places.patience.first_wait,
        stall: places.patience.stall,
        temporary: places.temp_folder.clone(),
    };
    Arc::new(move |address| {
        let conditions = conditions.clone();
        Box::pin(async move {
            let file = download::download(&address, &conditions).await?;
            Ok(Downloaded {
                name: file.name,
                content: file.content,
                digest: file.digest,
            })
        })
    })
}

/// What a name stands for: a folder, or an image.
async fn named_context(
    name: &str,
    value: &str,
    settings: &DockerfileSettings,
    places: &Places,
) -> anyhow::Result<NamedContext> {
    let image = match value.split_once("://") {
        Some(("docker-image", reference)) => Some(reference.to_owned()),
        Some(("oci-layout", path)) => Some(format!("oci:{path}")),
        Some((scheme, _)) => {
            return Err(CommandError::usage(format!(
                "--build-context {name}={value}: shipway knows no {scheme}:// contexts"
            ))
            .hint("name a folder, docker-image://REF or oci-layout://DIR")
            .into());
        }
        None => None,
    };
    let Some(image) = image else {
        let (folder, preserve_modes) = (Path::new(value).to_owned(), settings.preserve_modes);
        let opening = tokio::task::spawn_blocking(move || Context::folder(&folder, preserve_modes)?.ignoring(None));
        let context = opening.await?.map_err(|problem| {
            let error = CommandError::usage(format!("the context {name} cannot be used"));
            problem
                .hints()
                .into_iter()
                .fold(error, CommandError::hint)
                .because(problem)
        })?;
        return Ok(NamedContext::Files(Arc::new(context)));
    };
    let location: Location = image.parse().map_err(Error::from)?;
    let (source, selector) = places.source(&location).await?;
    let name = match &location {
        Location::Registry(reference) => reference.name(),
        _ => image,
    };
    Ok(NamedContext::Image(name, source, selector))
}

/// A Dockerfile, and what it copies from.
#[cfg_attr(
    not(feature = "daemon"),
    expect(dead_code, reason = "only a daemon is sent the text")
)]
pub(super) struct Read {
    pub(super) dockerfile: Dockerfile,
    /// Its text.
    pub(super) bytes: Vec<u8>,
    /// Where it lies in the context, if it does.
    pub(super) inside: Option<ImagePath>,
    /// The context, without what its ignore file leaves out.
    pub(super) context: Context,
}

/// Reads the Dockerfile, and opens the context. Blocks.
pub(super) fn read(settings: &DockerfileSettings, temporary: &Path) -> anyhow::Result<Read> {
    let opened = match &settings.context {
        ContextLocation::Folder(path) => Context::folder(path, settings.preserve_modes),
        ContextLocation::Archive(path) => Context::tar_file(path, settings.preserve_modes, temporary),
        ContextLocation::Stdin => {
            Context::tar_stream("standard input", io::stdin().lock(), settings.preserve_modes, temporary)
        }
    };
    let context = opened.map_err(cannot_use)?;
    let path = settings.dockerfile.as_deref();
    let named = path.unwrap_or(Path::new(USUAL_NAME));
    let name = named.display().to_string();
    if named == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().take(DOCKERFILE_LIMIT).read_to_end(&mut bytes)?;
        return done("standard input", bytes, None, context.ignoring(None));
    }
    // As written it is a path of this machine; kaniko looks for it in the context as well.
    if path.is_some() && named.is_file() {
        let bytes = fs::read(named).map_err(|error| missing(named, settings, Some(error)))?;
        let inside = match &settings.context {
            ContextLocation::Folder(folder) => within(folder, named),
            ContextLocation::Archive(_) | ContextLocation::Stdin => None,
        };
        let context = match (&inside, own_rules(named)?) {
            (None, Some(rules)) => Ok(context.with_rules(rules)),
            (inside, _) => context.ignoring(inside.as_ref()),
        };
        return done(&name, bytes, inside, context);
    }
    let inside: ImagePath = format!("/{name}").parse().map_err(Error::from)?;
    match context.read(&inside, DOCKERFILE_LIMIT).map_err(cannot_use)? {
        Some(bytes) => {
            let context = context.ignoring(Some(&inside));
            done(&name, bytes, Some(inside), context)
        }
        None => Err(missing(named, settings, None)),
    }
}

fn done(
    name: &str,
    bytes: Vec<u8>,
    inside: Option<ImagePath>,
    context: Result<Context, Problem>,
) -> anyhow::Result<Read> {
    Ok(Read {
        dockerfile: Dockerfile::parse(name, &bytes).map_err(Error::from)?,
        bytes,
        inside,
        context: context.map_err(cannot_use)?,
    })
}

/// The ignore file of a Dockerfile that lies outside the context.
fn own_rules(path: &Path) -> anyhow::Result<Option<shipway::dockerfile::Rules>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".dockerignore");
    match fs::read(&name) {
        Ok(bytes) => {
            let rules = shipway::dockerfile::Rules::of_file(&name.to_string_lossy(), &bytes);
            Ok(Some(rules.map_err(|error| cannot_use(error.into()))?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CommandError::usage(format!("cannot read {}", name.to_string_lossy()))
            .because(error)
            .into()),
    }
}

/// The path of a file below a folder.
fn within(folder: &Path, path: &Path) -> Option<ImagePath> {
    let (folder, path) = (folder.canonicalize().ok()?, path.canonicalize().ok()?);
    let inside = path.strip_prefix(folder).ok()?;
    format!("/{}", inside.to_str()?).parse().ok()
}

fn cannot_use(problem: Problem) -> anyhow::Error {
    let error = CommandError::usage("the build context cannot be used");
    problem
        .hints()
        .into_iter()
        .fold(error, CommandError::hint)
        .because(problem)
        .into()
}

fn missing(path: &Path, settings: &DockerfileSettings, error: Option<io::Error>) -> anyhow::Error {
    let what = format!(
        "there is no Dockerfile {}, and none in {}",
        path.display(),
        settings.context
    );
    let missing = CommandError::usage(what)
        .hint("name it with --dockerfile FILE, and the folder it copies from with --context DIR");
    match error {
        Some(error) => missing.because(error).into(),
        None => missing.into(),
    }
}
