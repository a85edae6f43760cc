//! Sections and symbols of an image.

use object::{Object, ObjectSection, ObjectSymbol};
use std::error::Error;
use std::path::{Path, PathBuf};

pub struct Image {
    pub path: PathBuf,
    /// Bytes of `.text`, `.rodata`, `.data` and `.bss`.
    pub sections: [u64; 4],
    /// Bytes of Cortex-M's `.vector_table`.
    vectors: u64,
    symbols: Vec<String>,
}

impl Image {
    pub fn open(path: &Path) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = object::File::parse(&*bytes)?;
        let size = |name| file.section_by_name(name).map_or(0, |section| section.size());
        let symbols = file.symbols().map(|symbol| symbol.name().map(str::to_string)).collect::<Result<_, _>>()?;
        Ok(Image {
            path: path.into(),
            sections: [".text", ".rodata", ".data", ".bss"].map(size),
            vectors: size(".vector_table"),
            symbols,
        })
    }

    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Bytes of flash: code, constants, and what the start-up code copies to RAM.
    pub fn flash(&self) -> u64 {
        let [text, rodata, data, _] = self.sections;
        self.vectors + text + rodata + data
    }

    /// Bytes of RAM without the stack.
    pub fn ram(&self) -> u64 {
        let [_, _, data, bss] = self.sections;
        data + bss
    }

    /// The symbols whose name contains any of `parts`.
    pub fn symbols_with(&self, parts: &[&str]) -> Vec<&str> {
        self.symbols.iter().map(String::as_str).filter(|name| parts.iter().any(|part| name.contains(part))).collect()
    }
}
