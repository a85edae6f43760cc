//! A folder with data in which the program is run.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    /// Gives the folder a file of tests/data.
    pub fn with_shipped(self, file: &str) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
        std::fs::copy(&shipped, self.path(shipped.file_name().unwrap().to_str().unwrap())).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The names of the files in it, in order.
    pub fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `gatelet` with these arguments, to be run in the folder.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatelet"));
        command.args(words(arguments)).current_dir(self.0.path()).stdin(Stdio::null());
        // What `verify` builds.
        command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command
    }

    /// Exit status, standard output and standard error.
    pub fn run(&self, arguments: &str) -> (i32, String, String) {
        ended(self.command(arguments).output().unwrap())
    }

    /// The results of a command that succeeds.
    pub fn results(&self, arguments: &str) -> String {
        let (status, stdout, stderr) = self.run(arguments);
        assert_eq!(status, 0, "gatelet {arguments}\n{stderr}");
        stdout
    }

    /// The same, parsed: a value for each line.
    pub fn json(&self, arguments: &str) -> Vec<serde_json::Value> {
        self.results(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Why a command fails, with that exit status and without results.
    pub fn error(&self, status: i32, arguments: &str) -> String {
        let (found, stdout, stderr) = self.run(arguments);
        assert_eq!((found, &*stdout), (status, ""), "gatelet {arguments}\n{stderr}");
        let (_, error) = stderr.split_once("error: ").expect("an error message");
        error.trim_end().into()
    }
}

/// Nothing that runs here has a terminal, so nothing may be coloured or drawn.
pub fn ended(output: Output) -> (i32, String, String) {
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    for text in [&stdout, &stderr] {
        assert!(!text.contains(['\x1b', '\r', '█']), "{text:?}");
    }
    (output.status.code().expect("no signal"), stdout, stderr)
}

/// The words of a shell command; quotes are single ones around whole words.
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in command.split('\'').enumerate() {
        match i % 2 {
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    words
}

/// Numbers from -1 to 1 that are always the same.
pub fn noise() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    }
}

/// Series of three classes and two channels, 4 to 9 steps long: the first channel rises, falls or does neither.
pub fn motion(series: usize) -> String {
    let mut noise = noise();
    let mut text = "@dimensions 2\n@classLabel true rise fall rest\n@data\n".to_owned();
    for at in 0..series {
        let (label, slope) = [("rise", 1.0), ("fall", -1.0), ("rest", 0.0)][at % 3];
        let steps = 4 + at % 6;
        let mut channel = |slope: f64| {
            let values = (0..steps).map(|step| format!("{:.3}", slope * step as f64 + 0.2 * noise()));
            values.collect::<Vec<_>>().join(",")
        };
        writeln!(text, "{}:{}:{label}", channel(slope), channel(0.0)).unwrap();
    }
    text
}

/// The same series with their second channel twice.
pub fn with_third_channel(motion: &str) -> String {
    let line = |line: &str| match line.split(':').collect::<Vec<_>>()[..] {
        [first, second, label] => format!("{first}:{second}:{second}:{label}\n"),
        _ => format!("{line}\n"),
    };
    motion.replace("@dimensions 2", "@dimensions 3").lines().map(line).collect()
}

/// Two months of tides with the wind, 60 rows each.
pub fn tide() -> String {
    let mut noise = noise();
    let mut text = "month,hour,height,wind\n".to_owned();
    for row in 0..120 {
        let height = 12.0 + 3.0 * f64::from(row).sin() + 0.1 * noise();
        writeln!(text, "{},{},{height:.3},{:.3}", 1 + row / 60, row % 24, 5.0 + noise()).unwrap();
    }
    text
}
