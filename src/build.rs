//! Tells the crate whether the target has instructions that stable Rust has no names for, or registers that its compiler makes little of.
//!
//! - `gatelet_dsp`: Cortex-M's DSP extension (`smlad`, `sxtb16`), which every Cortex-M4 and M7 has, and a Cortex-M33, M35P, M55 or M85
//!   where the compiler's flags name it.
//! - `gatelet_mve`: Helium's vectors, where they name a Cortex-M52, M55 or M85.
//! - `gatelet_thumb1`: no instructions but those of a Cortex-M0 or M23.
//! - `gatelet_thumb2`: those of a Cortex-M3, and no DSP extension.
//! - `gatelet_riscv`: those of a 32-bit RISC-V with products and all 32 registers.
//!
//! `GATELET_DSP` and `GATELET_MVE`, 1 or 0, decide otherwise.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let v8 = target.starts_with("thumbv8m.main");
    let vectors = ["cortex-m52", "cortex-m55", "cortex-m85"];
    let mve = decide("MVE", v8 && names(&flags, "+mve", &vectors)) && v8;
    let dsp = v8 && names(&flags, "+dsp", &["cortex-m33", "cortex-m35p"]);
    // Vectors bring the others.
    let dsp = decide("DSP", mve || dsp || target.starts_with("thumbv7em")) && target.starts_with("thumb");
    let thumb1 = target.starts_with("thumbv6m") || target.starts_with("thumbv8m.base");
    let thumb2 = !dsp && ["thumbv7m", "thumbv7em", "thumbv8m.main"].iter().any(|family| target.starts_with(family));
    let found = [
        ("gatelet_dsp", dsp),
        ("gatelet_mve", mve && dsp),
        ("gatelet_thumb1", thumb1),
        ("gatelet_thumb2", thumb2),
        ("gatelet_riscv", target.starts_with("riscv32im")),
    ];
    for (name, has) in found {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if has {
            println!("cargo::rustc-cfg={name}");
        }
    }
}

/// Whether the flags, separated by 0x1f, name a feature or a processor with it.
fn names(flags: &str, feature: &str, cpus: &[&str]) -> bool {
    flags.contains(feature) || cpus.iter().any(|cpu| flags.contains(&format!("target-cpu={cpu}")))
}

/// What the environment says, or else what has been found.
fn decide(extension: &str, found: bool) -> bool {
    let name = format!("GATELET_{extension}");
    println!("cargo::rerun-if-env-changed={name}");
    match env::var(&name).as_deref() {
        Ok("1") => true,
        Ok("0") => false,
        Ok("") | Err(_) => found,
        Ok(other) => panic!("{name} is `{other}`; expected 1 if the target has these instructions of Cortex-M, or 0"),
    }
}
