//! What the engine answers.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::wire::{begin, frame, respond, upgrade};
use super::{Container, Request, Shared, Trouble, Written};

/// The id of every image.
const ID: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

/// Answers a request; tells whether the connection can take another one.
pub(super) fn answer(shared: &Shared, request: Request, writer: &mut UnixStream) -> io::Result<bool> {
    let trouble = {
        let mut state = shared.state();
        if state.is_gone {
            return Ok(false);
        }
        let word = match request.method.as_str() {
            "DELETE" => "delete",
            _ => request.path.rsplit('/').next().unwrap_or_default(),
        };
        let found = state.troubles.iter().position(|(at, _)| at == word);
        state.requests.push(request.clone());
        found.map(|index| state.troubles.remove(index).1)
    };
    shared.changed.notify_all();
    match trouble {
        Some(Trouble::Refuse(status, message)) => {
            respond(writer, status, &json!({ "message": message }))?;
            return Ok(true);
        }
        Some(Trouble::Cut) => return Ok(false),
        Some(Trouble::Mute) => {
            // Where the answer goes, nobody reads it.
            let (mut nowhere, _unread) = UnixStream::pair()?;
            act(shared, &request, &mut nowhere)?;
            return Ok(false);
        }
        Some(Trouble::Vanish) => {
            shared.state().is_gone = true;
            shared.changed.notify_all();
            return Ok(false);
        }
        None => {}
    }
    act(shared, &request, writer)
}

/// Does what is asked for.
fn act(shared: &Shared, request: &Request, writer: &mut UnixStream) -> io::Result<bool> {
    let words: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    match (request.method.as_str(), words.as_slice()) {
        ("GET", ["version"]) => {
            let version = json!({
                "Version": "20.10.0", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64",
            });
            respond(writer, 200, &version)?;
        }
        ("POST", ["images", "create"]) => return pull(shared, request, writer),
        ("GET", ["images", name @ .., "json"]) => image(shared, &name.join("/"), writer)?,
        ("POST", ["networks", "create"]) => {
            let name = request.json()["Name"].as_str().unwrap_or_default().to_owned();
            shared.state().networks.push(name);
            respond(writer, 201, &json!({ "Id": "n", "Warning": "" }))?;
        }
        ("DELETE", ["networks", name]) => {
            shared.state().networks.retain(|known| known != name);
            respond(writer, 204, &Value::Null)?;
        }
        ("POST", ["containers", "create"]) => create(shared, request, writer)?,
        ("POST", ["exec", id, "start"]) => return execute(shared, id, writer),
        ("GET", ["exec", id, "json"]) => {
            let code = shared.state().commands[id.parse::<usize>().unwrap()].0;
            respond(writer, 200, &json!({ "ExitCode": code, "Running": false }))?;
        }
        (method, ["containers", name, rest @ ..]) => return of_container(shared, request, method, name, rest, writer),
        _ => respond(
            writer,
            501,
            &json!({ "message": format!("not scripted: {}", request.path) }),
        )?,
    }
    Ok(true)
}

fn pull(shared: &Shared, request: &Request, writer: &mut UnixStream) -> io::Result<bool> {
    let (name, tag) = (&request.query["fromImage"], &request.query["tag"]);
    let separator = if tag.contains(':') { '@' } else { ':' };
    let image = format!("{name}{separator}{tag}");
    let mut state = shared.state();
    begin(writer)?;
    let line = if state.pullable.contains(&image) {
        state.images.push(image);
        json!({ "status": "Download complete" })
    } else {
        let message = format!("pull access denied for {name}");
        json!({ "errorDetail": { "message": message }, "error": message })
    };
    io::Write::write_all(writer, format!("{line}\r\n").as_bytes())?;
    Ok(false)
}

fn image(shared: &Shared, name: &str, writer: &mut UnixStream) -> io::Result<()> {
    let state = shared.state();
    let Some(known) = state.images.iter().find(|known| *known == name || name == ID) else {
        return respond(writer, 404, &json!({ "message": format!("No such image: {name}") }));
    };
    let repository = known
        .rsplit_once(':')
        .map_or(known.as_str(), |(repository, _)| repository);
    let digest = format!("{repository}@{ID}");
    respond(writer, 200, &json!({ "Id": ID, "RepoDigests": [digest] }))
}

fn create(shared: &Shared, request: &Request, writer: &mut UnixStream) -> io::Result<()> {
    let mut state = shared.state();
    let image = request.json()["Image"].as_str().unwrap_or_default().to_owned();
    if !state.images.contains(&image) {
        return respond(writer, 404, &json!({ "message": format!("No such image: {image}") }));
    }
    let name = request.query["name"].clone();
    let lives = state.lives || name.ends_with("-database");
    let container = Container {
        lives,
        ..Container::default()
    };
    state.containers.insert(name, container);
    respond(writer, 201, &json!({ "Id": "c", "Warnings": [] }))
}

fn of_container(
    shared: &Shared,
    request: &Request,
    method: &str,
    name: &str,
    rest: &[&str],
    writer: &mut UnixStream,
) -> io::Result<bool> {
    let Some(container) = shared.state().containers.get(name).cloned() else {
        respond(writer, 404, &json!({ "message": format!("No such container: {name}") }))?;
        return Ok(true);
    };
    match (method, rest) {
        ("DELETE", []) => {
            assert_eq!(request.query["v"], "true", "anonymous volumes would be left behind");
            shared.state().containers.remove(name);
            respond(writer, 204, &Value::Null)?;
        }
        ("GET", ["json"]) => {
            let state = shared.state();
            let started = if container.is_started {
                "2026-01-02T03:04:05Z"
            } else {
                "0001-01-01T00:00:00Z"
            };
            let found = json!({ "Name": format!("/{name}"), "Image": ID, "State": {
                "Running": container.is_started && container.exit_code.is_none(),
                "ExitCode": container.exit_code.unwrap_or(0),
                "OOMKilled": state.is_out_of_memory,
                "StartedAt": started,
            }});
            respond(writer, 200, &found)?;
        }
        ("POST", ["start"]) => {
            start(shared, name);
            respond(writer, 204, &Value::Null)?;
        }
        ("POST", ["stop"]) => {
            if shared.state().ignores_stop {
                // The engine answers only when it has ended.
                drop(shared.until(|state| has_ended(state.containers.get(name))));
            }
            end(shared, name, 143);
            respond(writer, 204, &Value::Null)?;
        }
        ("POST", ["kill"]) => {
            end(shared, name, 137);
            respond(writer, 204, &Value::Null)?;
        }
        ("POST", ["wait"]) => {
            begin(writer)?;
            let state = shared.until(|state| has_ended(state.containers.get(name)));
            if state.is_gone {
                return Ok(false);
            }
            let code = state.containers.get(name).and_then(|container| container.exit_code);
            io::Write::write_all(writer, format!("{{\"StatusCode\":{}}}\n", code.unwrap_or(0)).as_bytes())?;
            return Ok(false);
        }
        ("POST", ["attach"]) => {
            upgrade(writer)?;
            write_output(shared, name, writer, true)?;
            return Ok(false);
        }
        ("GET", ["logs"]) => {
            begin(writer)?;
            write_output(shared, name, writer, false)?;
            return Ok(false);
        }
        ("POST", ["exec"]) => {
            let command = request.json()["Cmd"].to_string();
            let mut state = shared.state();
            let found = state
                .answers
                .iter()
                .position(|(part, ..)| command.contains(part.as_str()));
            let answer = match found {
                None => (1, format!("nothing is scripted for {command}")),
                Some(index) => {
                    let (part, code, output) = state.answers[index].clone();
                    let is_last = !state.answers[index + 1..].iter().any(|(other, ..)| *other == part);
                    if !is_last {
                        state.answers.remove(index);
                    }
                    (code, output)
                }
            };
            state.commands.push(answer);
            let id = (state.commands.len() - 1).to_string();
            respond(writer, 201, &json!({ "Id": id }))?;
        }
        _ => respond(
            writer,
            501,
            &json!({ "message": format!("not scripted: {}", request.path) }),
        )?,
    }
    Ok(true)
}

fn execute(shared: &Shared, id: &str, writer: &mut UnixStream) -> io::Result<bool> {
    let (code, output) = shared.state().commands[id.parse::<usize>().unwrap()].clone();
    upgrade(writer)?;
    frame(writer, if code == 0 { 1 } else { 2 }, output.as_bytes())?;
    Ok(false)
}

fn has_ended(container: Option<&Container>) -> bool {
    container.is_none_or(|container| container.exit_code.is_some())
}

fn start(shared: &Shared, name: &str) {
    let mut state = shared.state();
    let code = state.exit_code;
    if let Some(container) = state.containers.get_mut(name) {
        container.is_started = true;
        if !container.lives {
            container.exit_code = Some(code);
        }
    }
    drop(state);
    shared.changed.notify_all();
}

fn end(shared: &Shared, name: &str, code: i64) {
    if let Some(container) = shared.state().containers.get_mut(name) {
        container.exit_code.get_or_insert(code);
    }
    shared.changed.notify_all();
}

/// Writes what the program writes once it is started, and stays open until it has ended.
fn write_output(shared: &Shared, name: &str, writer: &mut UnixStream, is_attached: bool) -> io::Result<()> {
    let is_started = |container: Option<&Container>| container.is_none_or(|container| container.is_started);
    let (output, cut): (Vec<Written>, Option<usize>) = {
        let mut state = shared.until(|state| is_started(state.containers.get(name)));
        let cut = if is_attached {
            state.cut_output_after.take()
        } else {
            None
        };
        (state.output.clone(), cut)
    };
    for (index, piece) in output.iter().enumerate() {
        if Some(index) == cut {
            return Ok(());
        }
        if piece.after > Duration::ZERO {
            std::thread::sleep(piece.after);
        }
        frame(writer, piece.stream, &piece.bytes)?;
    }
    drop(shared.until(|state| has_ended(state.containers.get(name))));
    Ok(())
}
