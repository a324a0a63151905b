//! HTTP/1.1 over a socket, by hand: what is tested needs connections that break in the middle of an answer.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use super::{Request, Shared};

/// Serves one connection, until it is closed or broken.
pub(super) fn serve(shared: &Shared, stream: UnixStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read(&mut reader)? {
        if !super::routes::answer(shared, request, &mut writer)? {
            // Every copy of the socket, the reader's too.
            return writer.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<UnixStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Some(Request {
        method,
        path: without_version(path).to_owned(),
        query: pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect(),
        headers,
        body,
    }))
}

/// `/v1.41/containers` is `/containers`.
fn without_version(path: &str) -> &str {
    match path
        .strip_prefix("/v1.")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
    {
        Some(rest) => rest,
        None => path,
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let number = std::str::from_utf8(&digits)
                    .ok()
                    .and_then(|text| u8::from_str_radix(text, 16).ok());
                bytes.push(number.unwrap_or(b'?'));
                rest = after;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer with a body of known length.
pub(super) fn respond(writer: &mut UnixStream, status: u16, body: &Value) -> io::Result<()> {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    write!(
        writer,
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The beginning of an answer whose end comes with the end of the connection.
pub(super) fn begin(writer: &mut UnixStream) -> io::Result<()> {
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    )
}

/// The answer after which the connection is no longer HTTP.
pub(super) fn upgrade(writer: &mut UnixStream) -> io::Result<()> {
    write!(
        writer,
        "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
}

/// Bytes of one of a program's streams, as the engine sends them.
pub(super) fn frame(writer: &mut UnixStream, stream: u8, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    writer.write_all(&[stream, 0, 0, 0])?;
    writer.write_all(&length.to_be_bytes())?;
    writer.write_all(bytes)
}
