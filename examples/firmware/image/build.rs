//! Gives the linker the target's memory map.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=memory");
    let target = env::var("TARGET").unwrap();
    let directory = env::var("OUT_DIR").unwrap();
    let map = format!("memory/{target}.x");
    fs::copy(&map, Path::new(&directory).join("memory.x")).unwrap_or_else(|error| panic!("{map}: {error}"));
    println!("cargo:rustc-link-search={directory}");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
}
