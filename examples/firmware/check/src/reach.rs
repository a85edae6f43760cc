//! What a function of an image reaches: the closure of the symbols that relocations name. The image has been linked with
//! `--emit-relocs`.

use object::elf::R_ARM_ABS32;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionKind, SymbolKind};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ops::Range;
use std::path::Path;

/// Bytes that a function takes in an image.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Functions: the one itself, and those that it calls.
    pub code: u64,
    /// Constants.
    pub constants: u64,
    /// Statics in RAM.
    pub ram: u64,
    /// Of the functions among them, arithmetic that the processor lacks instructions for, in floating point.
    pub soft_float: Vec<String>,
}

#[derive(Clone, Copy)]
enum Memory {
    Code,
    Constants,
    Ram,
}

pub struct Symbols {
    /// By address: the end, where it lies, and its name.
    symbols: BTreeMap<u64, (u64, Memory, String)>,
    /// From the place that refers to an address to that address.
    references: BTreeMap<u64, u64>,
    pub compiler: String,
}

impl Symbols {
    pub fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = object::File::parse(&*bytes)?;
        let mut symbols = BTreeMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.size() > 0) {
            let Some(section) = symbol.section_index() else { continue };
            let memory = match (symbol.kind(), file.section_by_index(section)?.kind()) {
                (SymbolKind::Text, _) => Memory::Code,
                (_, SectionKind::Data | SectionKind::UninitializedData) => Memory::Ram,
                _ => Memory::Constants,
            };
            let start = address(&symbol);
            symbols.insert(start, (start + symbol.size(), memory, symbol.name()?.into()));
        }
        let mut references = BTreeMap::new();
        for section in file.sections() {
            for (place, relocation) in section.relocations() {
                let RelocationTarget::Symbol(index) = relocation.target() else { continue };
                let symbol = file.symbol_by_index(index)?;
                let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
                let target = if file.architecture() == object::Architecture::Arm && r_type == R_ARM_ABS32 {
                    // The sum is nowhere but in the place itself.
                    let word = section.data_range(place, 4)?.ok_or("a relocation outside of its section")?;
                    u64::from(u32::from_le_bytes(word.try_into()?)) & !u64::from(symbol.kind() == SymbolKind::Text)
                } else {
                    address(&symbol).wrapping_add_signed(relocation.addend())
                };
                references.insert(place, target);
            }
        }
        let comment = file.section_by_name(".comment").ok_or("no compiler's name in the image")?;
        let comment = String::from_utf8_lossy(comment.data()?).into_owned();
        let compiler = comment.split('\0').find(|text| text.starts_with("rustc")).ok_or("not compiled by rustc")?;
        Ok(Symbols { symbols, references, compiler: compiler.into() })
    }

    /// What the function at an address reaches, and where its code lies.
    pub fn reach(&self, function: u64) -> Result<(Reach, Vec<Range<u64>>), String> {
        let (mut reach, mut code) = (Reach::default(), Vec::new());
        let (mut seen, mut left) = (BTreeSet::new(), vec![function & !1]);
        while let Some(target) = left.pop() {
            let found = self.symbols.range(..=target).next_back();
            let (&start, &(end, memory, ref name)) =
                found.filter(|(_, (end, ..))| target < *end).ok_or_else(|| format!("no symbol at {target:#x}"))?;
            if !seen.insert(start) {
                continue;
            }
            if is_soft_float(name) {
                reach.soft_float.push(name.clone());
            }
            *match memory {
                Memory::Code => &mut reach.code,
                Memory::Constants => &mut reach.constants,
                Memory::Ram => &mut reach.ram,
            } += end - start;
            if matches!(memory, Memory::Code) {
                code.push(start..end);
            }
            left.extend(self.references.range(start..end).map(|(_, &target)| target));
        }
        Ok((reach, code))
    }
}

/// Without the bit that says Thumb.
fn address<'a>(symbol: &impl ObjectSymbol<'a>) -> u64 {
    symbol.address() & !u64::from(symbol.kind() == SymbolKind::Text)
}

/// Whether it is one of the compiler's functions for floating point: by the names of its crate for them, of ARM's and of GCC's.
fn is_soft_float(name: &str) -> bool {
    let operations = [
        "add", "sub", "mul", "div", "fix", "float", "extend", "trunc", "neg", "cmp", "eq", "ne", "lt", "le", "gt", "ge",
    ];
    let of_gcc = |name: &str| {
        let name = name.trim_start_matches("__");
        operations.iter().any(|operation| name.starts_with(operation)) && (name.contains("sf") || name.contains("df"))
    };
    name.contains("compiler_builtins5float")
        || name.contains("4libm")
        || name.starts_with("__aeabi_f")
        || name.starts_with("__aeabi_d")
        || name.starts_with("__") && of_gcc(name)
}
