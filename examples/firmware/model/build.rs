//! Puts the model file where `embed!` finds it: `speaker.gatelet`, or the file that `GATELET_MODEL` names.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-env-changed=GATELET_MODEL");
    let file = env::var("GATELET_MODEL").unwrap_or_else(|_| "../speaker.gatelet".into());
    println!("cargo:rerun-if-changed={file}");
    let copy = Path::new(&env::var("OUT_DIR").unwrap()).join("speaker.gatelet");
    fs::copy(&file, copy).unwrap_or_else(|error| panic!("model file {file}: {error}"));
}
