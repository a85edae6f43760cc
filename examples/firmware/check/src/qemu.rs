//! The emulated boards.

use crate::elf::Image;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{error::Error, thread};

/// No image takes more than a few seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

pub struct Board {
    machine: &'static str,
}

impl Board {
    /// One of QEMU's machines.
    pub fn new(machine: &'static str) -> Self {
        Board { machine }
    }

    /// Runs an image to its end and gives what it prints.
    pub fn run(&self, image: &Image) -> Result<String, Box<dyn Error>> {
        let mut child = self
            .command(image)
            // One instruction takes one nanosecond of the board's time, so that its clocks count instructions.
            .args(["-icount", "shift=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.machine))?;
        let mut stdout = child.stdout.take().ok_or("no output")?;
        let reader = thread::spawn(move || {
            let mut output = String::new();
            stdout.read_to_string(&mut output).map(|_| output)
        });
        let start = Instant::now();
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if start.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(10)),
                None => {
                    child.kill()?;
                    child.wait()?;
                    return Err(format!("`{}` did not end within {TIMEOUT:?}", image.name()).into());
                }
            }
        };
        let output = reader.join().map_err(|_| "the output could not be read")??;
        if status.success() {
            Ok(output)
        } else {
            Err(format!("`{}` failed, {status}:\n{output}", image.name()).into())
        }
    }

    /// Runs an image and hands the log of what it executes to `read`, which has to read all of it.
    pub fn trace(
        &self,
        image: &Image,
        read: impl FnOnce(&mut dyn BufRead) -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let mut child = self
            .command(image)
            .args(["-d", "in_asm,exec,nochain"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.machine))?;
        let result = read(&mut BufReader::with_capacity(1 << 20, child.stderr.take().ok_or("no log")?));
        if result.is_err() {
            child.kill()?;
        }
        let status = child.wait()?;
        result?;
        if status.success() { Ok(()) } else { Err(format!("`{}` failed, {status}", image.name()).into()) }
    }

    fn command(&self, image: &Image) -> Command {
        let (program, options): (_, &[&str]) = match self.machine {
            "virt" => ("qemu-system-riscv32", &["-bios", "none"]),
            _ => ("qemu-system-arm", &[]),
        };
        let mut command = Command::new(program);
        command
            .args(["-machine", self.machine])
            .args(options)
            .args(["-nographic", "-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(&image.path);
        command
    }
}
