//! A server before the server: it forwards requests, and lets a test do something at one of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The answer to a request: `None` forwards it.
pub type Rule = dyn FnMut(&str) -> Option<String> + Send;

/// Starts a forwarder to a port of this machine, and returns its own port. The rule sees the first
/// line of each request. It ends with the test process.
pub fn forward(to: u16, rule: Box<Rule>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let rule = Arc::new(Mutex::new(rule));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let rule = rule.clone();
            thread::spawn(move || {
                let _ = serve(stream, to, &rule);
            });
        }
    });
    port
}

fn serve(mut client: TcpStream, to: u16, rule: &Mutex<Box<Rule>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let first = text.lines().next().unwrap_or("").to_owned();
    let answer = rule.lock().unwrap()(&first);
    if let Some(answer) = answer {
        client.write_all(answer.as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    // One request for each connection, so that every one is seen.
    let keep = |line: &&str| !line.to_ascii_lowercase().starts_with("connection:");
    let lines: Vec<&str> = text.trim_end().lines().filter(keep).collect();
    let head = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    server.write_all(head.as_bytes())?;
    let (mut from, mut into) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut into);
        let _ = into.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// Returns an answer of this status, with a body.
pub fn status(code: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
