//! onnxruntime and PyTorch, by one Python process that answers a line of JSON with a line of JSON.

use super::{Peer, SEQUENCE};
use crate::network::Network;
use anyhow::{Context, Result, ensure};
use prost::Message;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

/// The interpreter, or why there is none.
pub enum Python {
    /// It runs.
    Running(Rc<RefCell<Process>>),
    /// It could not be started.
    Missing(String),
}

/// The running interpreter.
pub struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn ask<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<T> {
        let mut line = serde_json::to_string(request)?;
        line.push('\n');
        self.requests.write_all(line.as_bytes())?;
        line.clear();
        ensure!(self.answers.read_line(&mut line)? > 0, "python.py ended");
        serde_json::from_str(&line).with_context(|| format!("python.py said {line}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Deserialize)]
struct Opened {
    peers: Vec<Opening>,
    left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Opening {
    name: String,
    version: String,
    steps_per_call: usize,
}

#[derive(Deserialize)]
struct Ran {
    nanoseconds: u64,
    ys: Vec<f32>,
}

impl Python {
    /// Starts `$GATELET_PYTHON`, or `python3`.
    pub fn start() -> Self {
        let interpreter = std::env::var("GATELET_PYTHON").unwrap_or_else(|_| "python3".into());
        let mut command = Command::new(&interpreter);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let pipes = |mut child: Child| Some((child.stdin.take()?, child.stdout.take()?, child));
        match command.spawn().map(pipes) {
            Ok(Some((requests, answers, child))) => {
                Python::Running(Rc::new(RefCell::new(Process { child, requests, answers: BufReader::new(answers) })))
            }
            Ok(None) => Python::Missing(format!("{interpreter} has no pipes")),
            Err(error) => Python::Missing(format!("{interpreter} does not start: {error}")),
        }
    }

    /// The libraries that this interpreter has; says of the others why not.
    pub fn open(&self, network: &Network, left_out: &mut Vec<String>) -> Result<Vec<Box<dyn Peer>>> {
        let process = match self {
            Python::Running(process) => process,
            Python::Missing(why) => {
                left_out.extend(["onnxruntime", "torch"].map(|library| format!("{library}: {why}")));
                return Ok(Vec::new());
            }
        };
        let models = [1, SEQUENCE].map(|steps| crate::onnx::model(network, steps).encode_to_vec());
        let request = json!({ "open": network, "steps": [1, SEQUENCE], "onnx": models });
        let opened: Opened = process.borrow_mut().ask(&request)?;
        left_out.extend(opened.left_out);
        let peer = |(index, opening)| -> Box<dyn Peer> {
            Box::new(PythonPeer { index, opening, process: Rc::clone(process) })
        };
        Ok(opened.peers.into_iter().enumerate().map(peer).collect())
    }
}

/// One of the networks in the interpreter. The clock runs there, around the steps alone.
struct PythonPeer {
    index: usize,
    opening: Opening,
    process: Rc<RefCell<Process>>,
}

impl Peer for PythonPeer {
    fn name(&self) -> &str {
        &self.opening.name
    }

    fn version(&self) -> &str {
        &self.opening.version
    }

    fn steps_per_call(&self) -> usize {
        self.opening.steps_per_call
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        self.time(xs, ys).map(drop)
    }

    fn time(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<Duration> {
        let ran: Ran = self.process.borrow_mut().ask(&json!({ "run": self.index, "xs": xs }))?;
        ensure!(ran.ys.len() == ys.len(), "{}: {} outputs for {} steps", self.name(), ran.ys.len(), ys.len());
        ys.copy_from_slice(&ran.ys);
        Ok(Duration::from_nanos(ran.nanoseconds))
    }
}
