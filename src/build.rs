//! Tells the crate whether the target has the DSP instructions of Cortex-M (`smlad`, `sxtb16`), which stable Rust does not:
//! every Cortex-M4 and M7 has them, a Cortex-M33, M35P, M55 or M85 where the compiler's flags name it. `GATELET_DSP=1` and `0`
//! decide otherwise.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(gatelet_dsp)");
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=GATELET_DSP");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let dsp = match env::var("GATELET_DSP").as_deref() {
        Ok("1") => target.starts_with("thumb"),
        Ok("0") => false,
        Ok("") | Err(_) => target.starts_with("thumbv7em") || target.starts_with("thumbv8m.main") && named(&flags),
        Ok(other) => panic!("GATELET_DSP is `{other}`; expected 1 if the target has Cortex-M's DSP instructions, or 0"),
    };
    if dsp {
        println!("cargo::rustc-cfg=gatelet_dsp");
    }
}

/// Whether the flags, separated by 0x1f, name a processor or a feature that means DSP instructions.
fn named(flags: &str) -> bool {
    let cpus = ["cortex-m33", "cortex-m35p", "cortex-m52", "cortex-m55", "cortex-m85"];
    flags.contains("+dsp") || cpus.iter().any(|cpu| flags.contains(&format!("target-cpu={cpu}")))
}
