//! What the environment says of the Docker daemon.

use shipway::daemon::Surroundings;

use crate::args::GlobalArguments;
use crate::environment::Environment;

/// Where the daemon may be, and what is needed to reach it.
pub(crate) fn surroundings(arguments: &GlobalArguments, environment: &Environment) -> Surroundings {
    let home = environment.path("HOME");
    let text = |name: &str| environment.get(name).map(str::to_owned);
    Surroundings {
        host: text("DOCKER_HOST"),
        context: text("DOCKER_CONTEXT"),
        verifies_tls: environment.get("DOCKER_TLS_VERIFY").is_some(),
        certificates: environment.path("DOCKER_CERT_PATH"),
        api_version: text("DOCKER_API_VERSION"),
        config_folder: environment
            .path("DOCKER_CONFIG")
            .or_else(|| Some(home.as_ref()?.join(".docker"))),
        runtime_folder: environment.path("XDG_RUNTIME_DIR"),
        colima_folder: environment.path("COLIMA_HOME"),
        home,
        timeout: Some(arguments.stall()),
    }
}
