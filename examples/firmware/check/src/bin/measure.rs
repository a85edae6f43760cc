//! Runs the images `measure` in QEMU, compares their networks' outputs with the host's, and prints what a step takes.
//!
//! ```sh
//! measure [--json|--check RECORD] TARGET=IMAGE …
//! measure --host
//! ```
//!
//! The second one, which runs wherever this program does, compares this machine's checksums with those of the record beside it.

use check::elf::Image;
use check::qemu::Board;
use check::reach::Symbols;
use check::trace::{Function, weigh};
use gatelet::{Layer, Vector, simd::Scalar};
use model::networks::{self, LAYERS, Network, STEPS, Work};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::{error::Error, fs, path::Path, process::ExitCode};

/// Names of targets, and QEMU's of a machine with such a processor.
const MACHINES: [(&str, &str); 7] = [
    ("M0", "mps2-an385"),
    ("M3", "mps2-an385"),
    ("M4F", "mps2-an386"),
    ("M7", "mps2-an500"),
    ("M33", "mps2-an505"),
    ("M55", "mps3-an547"),
    ("RV32IMC", "virt"),
];

/// What tells a row from the others.
const KEY: [&str; 5] = ["target", "cell", "scheme", "inputs", "hidden"];

/// What may not grow by more than `TOLERANCE`.
const FIGURES: [&str; 5] = ["instructions", "code_bytes", "const_bytes", "ram_bytes", "stack_bytes"];
const TOLERANCE: f64 = 0.02;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("measure: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<bool, Box<dyn Error>> {
    let (mut json, mut record, mut images) = (false, None, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), argument.split_once('=')) {
            ("--host", _) => return checksums(include_str!("../../../measured.json")),
            ("--json", _) => json = true,
            ("--check", _) => record = Some(arguments.next().ok_or("--check needs a record")?),
            (_, Some(image)) => images.push(image),
            _ => return Err("usage: measure [--json|--check RECORD] TARGET=IMAGE …, or measure --host".into()),
        }
    }
    let mut host = Host::default();
    networks::for_each(&mut host);
    let mut rows = Vec::new();
    for (target, image) in images {
        rows.extend(measure(target, Path::new(image), &host, record.is_none())?);
    }
    if let Some(record) = record {
        return compare(&rows, &serde_json::from_str(&fs::read_to_string(record)?)?);
    }
    if json {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        println!("[\n{}\n]", rows.join(",\n"));
    } else {
        print_table(&rows);
    }
    Ok(true)
}

/// Networks' checksums on this machine.
#[derive(Default)]
struct Host(BTreeMap<String, u32>);

impl Work for Host {
    fn network<N: Network>(&mut self) {
        let step: networks::Step<N> = if N::SCHEME == "f32" {
            // Other backends round differently.
            |state, x, y| N::layer().step_on(Scalar::new(), state, x, y)
        } else {
            |state, x, y| N::layer().step(state, x, y)
        };
        let (inputs, hidden) = (<N::Layer as Layer>::Input::LEN, <N::Layer as Layer>::Output::LEN);
        self.0.insert(format!("{} {} {inputs} {hidden}", N::CELL, N::SCHEME), networks::run::<N>(step, || ()));
    }
}

/// Compares this machine's checksums with those that a microcontroller has given for the record; prints them.
fn checksums(record: &str) -> Result<bool, Box<dyn Error>> {
    let record: Vec<Value> = serde_json::from_str(record)?;
    let mut host = Host::default();
    networks::for_each(&mut host);
    let (mut same, mut compared) = (true, 0);
    for (name, checksum) in &host.0 {
        let checksum = format!("{checksum:08x}");
        let expected: BTreeSet<_> = record
            .iter()
            .filter(|row| KEY[1..].iter().map(|field| text(row, field)).collect::<Vec<_>>().join(" ") == *name)
            .map(|row| text(row, "checksum"))
            .collect();
        println!("{name}: {checksum}");
        if let Some(other) = expected.iter().find(|expected| **expected != checksum) {
            eprintln!("{name}: {checksum}, and {other} in the record");
            same = false;
        }
        compared += usize::from(!expected.is_empty());
    }
    println!("{compared} checksums of the record compared with those of {}", std::env::consts::ARCH);
    Ok(same && compared + 1 == host.0.len())
}

/// The rows of a target; with cycles if they are wanted, and known.
fn measure(target: &str, path: &Path, host: &Host, cycles: bool) -> Result<Vec<Value>, Box<dyn Error>> {
    let (_, machine) = MACHINES.into_iter().find(|(name, _)| *name == target).ok_or(format!("no target {target}"))?;
    let symbols = Symbols::open(path)?;
    let (board, image) = (Board::new(machine), Image::open(path)?);
    let output = board.run(&image)?;
    let (mut rows, mut functions) = (Vec::new(), Vec::new());
    for line in output.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [cell, scheme, numbers @ ..] = &words[..] else { return Err(format!("what is `{line}`?").into()) };
        let numbers: Vec<u64> = numbers.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
        let [inputs, hidden, checksum, instructions, without, stack, state, address] = numbers[..] else {
            return Err(format!("what is `{line}`?").into());
        };
        let name = format!("{cell} {scheme} {inputs} {hidden}");
        let expected = host.0.get(&name).ok_or(format!("the host has no {name}"))?;
        if u64::from(*expected) != checksum {
            return Err(format!("{target}, {name}: checksum {checksum:08x}, {expected:08x} on the host").into());
        }
        // What stands for a step is one instruction, which returns.
        let instructions = (instructions - without) as f64 / STEPS as f64 + 1.0;
        let gates = match *cell {
            "lstm" => 4,
            "gru" => 3,
            _ => 1,
        };
        let macs = (gates * hidden * (inputs + hidden)) as f64;
        let (reach, code) = symbols.reach(address).map_err(|error| format!("{target}, {name}: {error}"))?;
        if *scheme == "int8" && !reach.soft_float.is_empty() {
            return Err(format!("{target}, {name}: integers reach {}", reach.soft_float.join(", ")).into());
        }
        if *scheme == "f32" && ["M0", "M3", "RV32IMC"].contains(&target) && reach.soft_float.is_empty() {
            return Err(format!("{target}, {name}: arithmetic in floating point has other names than it had").into());
        }
        if *cell == LAYERS {
            // Nobody else has such a network: its bits are what counts.
            continue;
        }
        functions.push(Function { address: address & !1, code });
        rows.push(json!({
            "target": target,
            "cell": cell,
            "scheme": scheme,
            "inputs": inputs,
            "hidden": hidden,
            "instructions": instructions.round() as u64,
            "per_mac": (instructions / macs * 100.0).round() / 100.0,
            "code_bytes": reach.code,
            "const_bytes": reach.constants,
            "ram_bytes": state + reach.ram,
            "stack_bytes": stack,
            "checksum": format!("{checksum:08x}"),
            "compiler": symbols.compiler,
        }));
    }
    if rows.len() + 1 != host.0.len() {
        return Err(format!("{target}: {} networks of {}", rows.len() + 1, host.0.len()).into());
    }
    if cycles && target == "M4F" {
        for (row, cycles) in rows.iter_mut().zip(weigh(&board, &image, &functions)?) {
            row["weighted"] = json!(cycles.round() as u64);
        }
    }
    Ok(rows)
}

/// A field as it is printed.
fn text(row: &Value, field: &str) -> String {
    row[field].as_str().map_or_else(|| row[field].to_string(), str::to_string)
}

fn name(row: &Value) -> String {
    let [target, cell, scheme, inputs, hidden] = KEY.map(|field| text(row, field));
    format!("{target:<8}{cell:<11}{scheme:<5}{inputs:>3} →{hidden:>4}")
}

fn print_table(rows: &[Value]) {
    let [instructions, code, constants, ram, stack] = ["instructions", "code", "constants", "RAM", "stack"];
    println!(
        "{:32}{instructions:>12}{:>9}{:>9}{code:>7}{constants:>10}{ram:>6}{stack:>6}  checksum",
        "", "per MAC", "weighted"
    );
    for row in rows {
        let [instructions, code, constants, ram, stack] = FIGURES.map(|figure| text(row, figure));
        let per_mac = row["per_mac"].as_f64().unwrap_or_default();
        let weighted = row.get("weighted").map(Value::to_string).unwrap_or_default();
        let checksum = text(row, "checksum");
        println!(
            "{:32}{instructions:>12}{per_mac:>9.2}{weighted:>9}{code:>7}{constants:>10}{ram:>6}{stack:>6}  {checksum}",
            name(row)
        );
    }
}

/// Whether nothing has grown since the record, and every checksum is as it was.
fn compare(rows: &[Value], record: &Value) -> Result<bool, Box<dyn Error>> {
    let record = record.as_array().ok_or("the record is no array")?;
    let mut good = true;
    let mut fail = |what: String| {
        println!("FAILED {what}");
        good = false;
    };
    let (mut compared, mut left_out) = (0, 0);
    for row in rows {
        let Some(old) = record.iter().find(|old| KEY.iter().all(|key| row[key] == old[key])) else {
            fail(format!("{}: not in the record", name(row)));
            continue;
        };
        if old["checksum"] != row["checksum"] {
            fail(format!("{}: checksum {}, {} in the record", name(row), row["checksum"], old["checksum"]));
        }
        if old["compiler"] != row["compiler"] {
            if left_out == 0 {
                println!(
                    "left out: the figures of {}, since those in the record are of {}",
                    row["compiler"], old["compiler"]
                );
            }
            left_out += 1;
            continue;
        }
        compared += 1;
        for figure in FIGURES {
            let before = old[figure].as_f64().ok_or_else(|| format!("{}: no {figure} in the record", name(row)))?;
            let now = row[figure].as_f64().unwrap_or_default();
            if now > before * (1.0 + TOLERANCE) {
                fail(format!("{}: {figure} {now}, {before} in the record", name(row)));
            }
        }
    }
    println!(
        "{} checksums, and the figures of {compared} networks: {}",
        rows.len(),
        if good { "ok" } else { "FAILED" }
    );
    Ok(good)
}
