//! A client of a headless dlv, as an editor is one.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::until;

/// A connection, over which one JSON value follows another.
pub struct Client {
    reader: BufReader<Box<dyn std::io::Read>>,
    writer: Box<dyn Write>,
    next: u64,
}

impl Client {
    /// Connects as soon as dlv listens: on a port of loopback, or on a socket (`unix:PATH`).
    pub fn connect(listen: &str) -> Self {
        let mut client = None;
        until(&format!("dlv to listen on {listen}"), || {
            client = Self::attempt(listen).ok();
            client.is_some()
        });
        client.expect("connected")
    }

    fn attempt(listen: &str) -> std::io::Result<Self> {
        let (reader, writer): (Box<dyn std::io::Read>, Box<dyn Write>) =
            match listen.strip_prefix("unix:") {
                Some(path) => {
                    let stream = UnixStream::connect(path)?;
                    (Box::new(stream.try_clone()?), Box::new(stream))
                }
                None => {
                    let stream = TcpStream::connect(listen)?;
                    (Box::new(stream.try_clone()?), Box::new(stream))
                }
            };
        Ok(Self {
            reader: BufReader::new(reader),
            writer,
            next: 1,
        })
    }

    /// Calls a method, and returns its result.
    pub fn call(&mut self, method: &str, parameter: Value) -> Value {
        let request = json!({ "method": format!("RPCServer.{method}"), "params": [parameter], "id": self.next });
        self.next += 1;
        writeln!(self.writer, "{request}").expect("sent");
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer: {line:?}"));
        assert_eq!(answer["error"], Value::Null, "{method}: {answer}");
        answer["result"].clone()
    }

    /// Sets a breakpoint on a function, and runs to it. Returns the function that it stops in.
    pub fn run_to(&mut self, function: &str) -> String {
        self.call("SetApiVersion", json!({ "APIVersion": 2 }));
        self.call(
            "CreateBreakpoint",
            json!({ "Breakpoint": { "functionName": function } }),
        );
        let stop = self.call("Command", json!({ "name": "continue" }));
        let name = &stop["State"]["currentThread"]["function"]["name"];
        name.as_str()
            .unwrap_or_else(|| panic!("no stop: {stop}"))
            .to_owned()
    }

    /// Runs to the end. Returns the exit code that dlv tells.
    pub fn run_to_the_end(&mut self) -> i64 {
        self.call("SetApiVersion", json!({ "APIVersion": 2 }));
        let end = self.call("Command", json!({ "name": "continue" }));
        assert_eq!(end["State"]["exited"], true, "{end}");
        end["State"]["exitStatus"].as_i64().expect("a number")
    }

    /// Leaves, and lets the program run on.
    pub fn detach(mut self) {
        self.call("Detach", json!({ "Kill": false }));
    }

    /// Speaks the protocol of VS Code: the first request, and the head of its answer.
    pub fn initialize(mut self) -> String {
        let body = json!({ "seq": 1, "type": "request", "command": "initialize", "arguments": { "adapterID": "go" } }).to_string();
        write!(self.writer, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("sent");
        let mut answer = String::new();
        for _ in 0..2 {
            self.reader.read_line(&mut answer).expect("an answer");
        }
        let length: usize = answer
            .trim()
            .trim_start_matches("Content-Length: ")
            .parse()
            .expect("a length");
        let mut body = vec![0; length];
        std::io::Read::read_exact(&mut self.reader, &mut body).expect("the answer");
        String::from_utf8(body).expect("text")
    }
}
