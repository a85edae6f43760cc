//! Gives the linker the memory map that `FIRMWARE_MEMORY` names, or else the target's.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=memory");
    println!("cargo:rerun-if-env-changed=FIRMWARE_MEMORY");
    let memory = env::var("FIRMWARE_MEMORY").or(env::var("TARGET")).unwrap();
    let directory = env::var("OUT_DIR").unwrap();
    let map = format!("memory/{memory}.x");
    fs::copy(&map, Path::new(&directory).join("memory.x")).unwrap_or_else(|error| panic!("{map}: {error}"));
    println!("cargo:rustc-link-search={directory}");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    // By relocations one sees what a step reaches.
    println!("cargo:rustc-link-arg-bin=measure=--emit-relocs");
}
