//! Runs the images of one target in QEMU, compares their answers with the host's, bit for bit, and looks into the files.
//!
//! ```sh
//! check m4f|m0|riscv DIRECTORY
//! ```

mod answers;
mod models;

use answers::Answers;
use check::elf::Image;
use check::qemu::Board;
use gatelet::Layer;
use model::Net;
use std::{error::Error, path::Path, process::ExitCode};

/// What a step of a GRU and a dense layer with softmax may add to a Cortex-M4F image.
const CODE_LIMIT: u64 = 6 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [board, directory] = &arguments[..] else {
        eprintln!("usage: check m4f|m0|riscv DIRECTORY");
        return ExitCode::FAILURE;
    };
    match check(board, Path::new(directory)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("check: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints one line for each promise.
#[derive(Default)]
struct Promises {
    broken: bool,
}

impl Promises {
    fn keep(&mut self, kept: bool, promise: &str) {
        println!("{} {promise}", if kept { "ok    " } else { "FAILED" });
        self.broken |= !kept;
    }

    fn keep_without(&mut self, found: &[&str], promise: &str) {
        self.keep(found.is_empty(), promise);
        found.iter().for_each(|symbol| println!("       {symbol}"));
    }
}

fn check(board: &str, directory: &Path) -> Result<bool, Box<dyn Error>> {
    // Whether it has a floating-point unit, and RAM for the speaker network's weights.
    let (machine, has_fpu, has_room_for_weights) = match board {
        "m4f" => ("mps2-an386", true, true),
        "m0" => ("microbit", false, false),
        "riscv" => ("virt", false, true),
        _ => return Err("the board is m4f, m0 or riscv".into()),
    };
    let board = Board::new(machine);
    let image = |name: &str| Image::open(&directory.join(name));
    let (empty, size, speaker) = (image("empty")?, image("size")?, image("speaker")?);
    board.run(&empty)?;
    board.run(&size)?;
    let output = board.run(&speaker)?;
    print!("{output}");
    let device = Answers::parse(&output)?;
    let host = Answers::on_host();

    println!("\n{:<16}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}", "bytes", ".text", ".rodata", ".data", ".bss", "flash", "RAM");
    let mut images = vec![&empty, &size, &speaker];
    let in_ram = has_room_for_weights.then(|| image("speaker-in-ram")).transpose()?;
    images.extend(&in_ram);
    for image in &images {
        let [text, rodata, data, bss] = image.sections;
        println!("{:<16}{text:>8}{rodata:>8}{data:>8}{bss:>8}{:>8}{:>8}", image.name(), image.flash(), image.ram());
    }
    let added = size.sections[0] - empty.sections[0];
    println!("\n{:<44}{:>8}", "code added by GRU(6→16), Dense(16→4)", added);
    println!("{:<44}{:>8}", "stack of a step of the speaker network", device.figure("bytes of stack of a step")?);
    println!();

    let mut promises = Promises::default();
    for (number, (device, host)) in (1..).zip(device.recordings.iter().zip(&host.recordings)) {
        promises.keep(device == host, &format!("recording {number}: the host's answer, bit for bit"));
    }
    promises.keep(device.recordings.len() == host.recordings.len(), "as many recordings as on the host");
    promises.keep(device.checksum == host.checksum, "every step of every recording: the host's bits");
    let cells = board.run(&image("cells")?)?;
    promises.keep(
        cells.trim() == format!("checksum {:08x}", model::cells::checksum()),
        "every step of every kind of cell: the host's bits",
    );
    if has_room_for_weights {
        // Nor is there elsewhere for what flows between the layers of one of them.
        models::check(&board.run(&image("models")?)?, &mut promises)?;
    }
    promises.keep(
        device.figure("bytes of weights")? == Net::FLASH_BYTES as u64,
        "constants of the size that the type tells",
    );
    for image in &images {
        let allocator = image.symbols_with(&["__rust_alloc", "__rust_dealloc", "__rust_realloc", "malloc"]);
        promises.keep_without(&allocator, &format!("no allocator in `{}`", image.name()));
    }
    let layers = image("layers")?;
    board.run(&layers)?;
    for image in [&size, &layers] {
        // A panic that can be reached brings these, and the handler's formatting.
        let panics = image.symbols_with(&["panic", "rust_begin_unwind", "3fmt"]);
        promises.keep_without(&panics, &format!("no panic in `{}`", image.name()));
    }
    promises.keep(size.ram() == empty.ram(), "a network takes no RAM but the stack: its weights are in flash");
    if has_fpu {
        promises.keep(added <= CODE_LIMIT, &format!("code added: at most {CODE_LIMIT} bytes"));
    }
    if let Some(in_ram) = in_ram {
        let output = board.run(&in_ram)?;
        let moved = Answers::parse(&output)?;
        promises.keep(moved == device, "weights in RAM: the same answers");
        promises.keep(moved.figures == device.figures, "weights in RAM: the same number of instructions");
        let weights = Net::FLASH_BYTES as u64;
        promises.keep(in_ram.ram() == speaker.ram() + weights, &format!("weights in RAM: {weights} bytes more RAM"));
    }
    Ok(!promises.broken)
}
