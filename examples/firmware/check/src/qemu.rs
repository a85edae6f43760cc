//! The emulated boards.

use crate::elf::Image;
use std::io::Read;
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
        let (program, options): (_, &[&str]) = match self.machine {
            "virt" => ("qemu-system-riscv32", &["-bios", "none"]),
            _ => ("qemu-system-arm", &[]),
        };
        let mut child = Command::new(program)
            .args(["-machine", self.machine])
            .args(options)
            // One instruction takes one nanosecond of the board's time, so that its clocks count instructions.
            .args(["-icount", "shift=0", "-nographic", "-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(&image.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
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
}
