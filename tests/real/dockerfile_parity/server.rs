//! What `ADD` fetches: a web server of a few files.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use super::context::Archive;

/// The text under `/hello.txt`, whose SHA-256 a case names.
pub(crate) const HELLO: &[u8] = b"hello from a server\n";

/// Starts a server that lives as long as the tests; gives its address.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let (status, more, body) = match path.split('?').next()? {
        "/hello.txt" | "/deep/path/hello.txt" => ("200 OK", "", HELLO.to_vec()),
        "/moved" => ("302 Found", "Location: /hello.txt\r\n", Vec::new()),
        "/archive.tar.gz" => {
            let archive = Archive::new().file("inside.txt", 0o600, (5, 6), b"inside\n");
            ("200 OK", "", archive.gzip())
        }
        _ => ("404 Not Found", "", Vec::new()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(&body).ok()?;
    }
    Some(())
}
