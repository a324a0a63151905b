//! `FakeStore`: the images of a Docker engine and nothing else of it, over a socket, with what goes wrong written down.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What happens when an image is loaded.
#[derive(Debug, Clone)]
pub(crate) enum OnLoad {
    /// It is taken.
    Take,
    /// It is taken only with all its layers, as Podman does.
    TakeWhole,
    /// The engine refuses before it begins to answer.
    Refuse(u16, &'static str),
    /// It begins to answer and then says what is wrong.
    Fail(&'static str),
    /// The connection breaks after so many bytes.
    Cut(usize),
    /// It is taken, and not there afterwards.
    Lose,
}

#[derive(Debug, Default)]
struct State {
    /// Names and identities, and the layers of the images.
    images: BTreeMap<String, (String, Vec<String>)>,
    /// The names of the files of each archive that came.
    archives: Vec<Vec<String>>,
    requests: Vec<String>,
}

/// An engine's store.
pub(crate) struct FakeStore {
    state: Arc<Mutex<State>>,
    folder: TempDir,
}

impl FakeStore {
    pub(crate) fn start(version: Value, on_load: OnLoad) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, version, on_load) = (Arc::clone(&serving), version.clone(), on_load.clone());
                // A connection that breaks is what some tests are about.
                std::thread::spawn(move || serve(stream, &state, &version, &on_load).ok());
            }
        });
        Self { state, folder }
    }

    /// An engine like Docker 20.10.
    pub(crate) fn docker(on_load: OnLoad) -> Self {
        let version = json!({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"});
        Self::start(version, on_load)
    }

    /// With an image of these layers.
    pub(crate) fn with_image(self, name: &str, layers: Vec<String>) -> Self {
        self.state()
            .images
            .insert(name.to_owned(), (format!("sha256:{}", "0".repeat(64)), layers));
        self
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("docker.sock")
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The files of the archives that came.
    pub(crate) fn archives(&self) -> Vec<Vec<String>> {
        self.state().archives.clone()
    }

    /// The requests, such as `GET /v1.41/images/json`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(stream: UnixStream, state: &Mutex<State>, version: &Value, on_load: &OnLoad) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            is_chunked |= header == "transfer-encoding: chunked";
        }
        let most = match on_load {
            OnLoad::Cut(most) if target.contains("/load") => *most,
            _ => usize::MAX,
        };
        let body = match is_chunked {
            true => chunks(&mut reader, most)?,
            false => {
                let mut body = vec![0; length];
                reader.read_exact(&mut body)?;
                body
            }
        };
        if body.len() > most {
            return writer.shutdown(std::net::Shutdown::Both);
        }
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(format!("{method} {path}"));
        let (status, answer) = answer(&mut state, &method, &target, &body, version, on_load);
        drop(state);
        write!(
            writer,
            "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
}

/// A body in chunks, as far as it is wanted.
fn chunks(reader: &mut impl io::BufRead, most: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size + 2, 0);
        reader.read_exact(&mut body[start..])?;
        body.truncate(start + size);
        if size == 0 || body.len() > most {
            return Ok(body);
        }
    }
}

fn answer(
    state: &mut State,
    method: &str,
    target: &str,
    body: &[u8],
    version: &Value,
    on_load: &OnLoad,
) -> (u16, String) {
    if target == "/version" {
        return (200, version.to_string());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix("/v1.41/images/").unwrap_or(path);
    let missing = |name: &str| (404, json!({"message": format!("No such image: {name}")}).to_string());
    match (method, path) {
        ("GET", "json") => {
            let images = state.images.keys().map(|name| {
                json!({"Id": name, "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": 0, "Size": 0, "SharedSize": 0, "Labels": {}, "Containers": 0})
            });
            (200, Value::from_iter(images).to_string())
        }
        ("POST", "load") => load(state, body, on_load),
        ("GET", path) => match path
            .strip_suffix("/json")
            .and_then(|name| Some((name, state.images.get(name)?)))
        {
            Some((_, (id, layers))) => (
                200,
                json!({"Id": id, "RootFS": {"Type": "layers", "Layers": layers}}).to_string(),
            ),
            None => missing(path),
        },
        ("POST", path) => {
            let name = path.trim_end_matches("/tag");
            let Some(image) = state.images.get(name).cloned() else {
                return missing(name);
            };
            let value = |wanted: &str| {
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                pairs
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| value.replace("%2F", "/"))
            };
            let name = format!(
                "{}:{}",
                value("repo").unwrap_or_default(),
                value("tag").unwrap_or_default()
            );
            state.images.insert(name, image);
            (201, String::new())
        }
        _ => (404, json!({"message": "page not found"}).to_string()),
    }
}

fn load(state: &mut State, body: &[u8], on_load: &OnLoad) -> (u16, String) {
    let mut files = BTreeMap::new();
    let mut names = Vec::new();
    for entry in tar::Archive::new(body).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        names.push(name.clone());
        files.insert(name, content);
    }
    state.archives.push(names);
    let saved: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let file = saved[0]["Config"].as_str().unwrap();
    let config: Value = serde_json::from_slice(&files[file]).unwrap();
    let id = format!("sha256:{}", file.trim_end_matches(".json"));
    let layers = config["rootfs"]["diff_ids"].as_array().unwrap().iter();
    let layers: Vec<String> = layers.map(|layer| layer.as_str().unwrap().to_owned()).collect();
    let is_whole = files.len() == layers.len() + 2;
    match on_load {
        OnLoad::Refuse(status, message) => (*status, json!({"message": message}).to_string()),
        OnLoad::Fail(message) => {
            let told = json!({"errorDetail": {"message": message}, "error": message});
            (200, format!("{}\r\n{told}\r\n", json!({"status": "Loading layer"})))
        }
        OnLoad::TakeWhole if !is_whole => (500, json!({"message": "some layers are missing"}).to_string()),
        OnLoad::Lose => (
            200,
            format!("{}\r\n", json!({"stream": format!("Loaded image ID: {id}\n")})),
        ),
        OnLoad::Take | OnLoad::TakeWhole | OnLoad::Cut(_) => {
            state.images.insert(id.clone(), (id.clone(), layers));
            (
                200,
                format!("{}\r\n", json!({"stream": format!("Loaded image ID: {id}\n")})),
            )
        }
    }
}
