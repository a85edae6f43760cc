//! Cycles of a Cortex-M4, estimated: QEMU tells which instructions it executes, and ARM's manual how long each takes, with memory that
//! makes nobody wait.

use crate::elf::Image;
use crate::qemu::Board;
use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;

/// A function to be weighed, and the code that it reaches.
pub struct Function {
    pub address: u64,
    pub code: Vec<Range<u64>>,
}

/// Instructions that are executed in a row.
#[derive(Clone, Copy)]
struct Block {
    cycles: u64,
    end: u64,
}

/// The mean cycles of a call of each function, in the order given.
pub fn weigh(board: &Board, image: &Image, functions: &[Function]) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut sums = vec![(0, 0); functions.len()];
    let mut blocks: HashMap<u64, Block> = HashMap::new();
    // The block that is being listed, the function that runs, and where the last block ended.
    let (mut listed, mut running, mut end) = (None, None::<usize>, 0);
    board.trace(image, |log| {
        let mut line = String::new();
        while log.read_line(&mut line)? > 0 {
            if line.starts_with("0x") {
                let (address, length, cycles) = instruction(&line).ok_or(format!("what is `{line}`?"))?;
                let (_, block) = listed.get_or_insert((address, Block { cycles: 0, end: 0 }));
                *block = Block { cycles: block.cycles + cycles, end: address + length };
            } else if line.starts_with("Trace") {
                blocks.extend(listed.take());
                let pc = line.split('/').nth(1).and_then(|pc| u64::from_str_radix(pc, 16).ok()).ok_or("no address")?;
                running = match running {
                    Some(function) if functions[function].code.iter().any(|code| code.contains(&pc)) => Some(function),
                    _ => functions
                        .iter()
                        .position(|function| function.address == pc)
                        .inspect(|&function| sums[function].1 += 1),
                };
                let block = blocks.get(&pc).ok_or("a block that was not listed")?;
                if let Some(function) = running {
                    // A branch that is taken fills the pipeline again; so did the call.
                    sums[function].0 += block.cycles + if pc == end { 0 } else { 2 };
                }
                end = block.end;
            }
            line.clear();
        }
        Ok(())
    })?;
    Ok(sums.into_iter().map(|(cycles, calls)| cycles as f64 / f64::from(calls)).collect())
}

/// Address, length and cycles: `0x00000400:  f01b fecc  bl       #0x1c19c`.
fn instruction(line: &str) -> Option<(u64, u64, u64)> {
    let address = u64::from_str_radix(line.get(2..10)?, 16).ok()?;
    let length = if line.get(18..22)?.trim().is_empty() { 2 } else { 4 };
    let (name, operands) = line.get(24..)?.trim().split_once(' ').unwrap_or((line.get(24..)?.trim(), ""));
    let listed = operands.split_once('{').map_or(0, |(_, registers)| registers.split(',').count() as u64);
    let is = |names: &[&str]| names.iter().any(|prefix| name.starts_with(prefix));
    let cycles = if is(&["ldm", "pop", "push", "stm", "vldm", "vstm", "vpop", "vpush"]) {
        1 + listed
    } else if is(&["ldrd", "vldr.64", "strd"]) {
        3
    } else if is(&["ldr", "vldr"]) {
        2
    } else if is(&["udiv", "sdiv"]) {
        12
    } else if is(&["vdiv", "vsqrt"]) {
        14
    } else if is(&["vmla", "vmls", "vfma", "vfms", "vnml"]) {
        3
    } else {
        1
    };
    Some((address, length, cycles))
}
