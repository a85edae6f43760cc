//! Promise: a model's dimensions are checked at compile time when it is embedded, with a message that names the layer; and
//! 100 000 weights embed without an `allow`.
//!
//! Builds small crates with cargo. Messages are looked for in what the compiler says, so that its own words may change.
#![cfg(feature = "std")]

use gatelet::network::{Model, Network};
use gatelet::simd::BackendKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate that depends on this one, with a model file in it.
struct Crate {
    folder: PathBuf,
    network: Network<f32>,
}

impl Crate {
    fn new(name: &str, inputs: usize, description: &str, labels: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(folder.join("src"));
        std::fs::create_dir_all(folder.join("src/bin")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n\
             gatelet = {{ path = {:?} }}\n[workspace]\n",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let mut network = Network::describe(inputs, description).unwrap().initialized(1);
        // States to begin with, and slopes.
        network.parameters_mut().iter_mut().filter(|parameter| **parameter == 0.0).for_each(|zero| *zero = 0.1);
        let mut model = Model::new(network.clone());
        model.labels = labels.iter().map(|&label| label.into()).collect();
        model.write(&folder.join("src/bin/net.gatelet")).unwrap();
        Crate { folder, network }
    }

    /// Runs a program; what it or the compiler says, and whether all went well.
    fn run(&self, name: &str, program: &str) -> (bool, String) {
        std::fs::write(self.folder.join(format!("src/bin/{name}.rs")), program).unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--bin", name])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed-target"))
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

fn program(network: &str, labels: usize) -> String {
    // Built without `std`, it would not look into the environment.
    let backend = BackendKind::current();
    format!(
        "#![no_main]\n#![deny(warnings)]\n\
         use gatelet::{{Dense, Gru, Layer, Lstm, Softmax, chain}};\n\
         type Net = {network};\n\
         static NET: Net = gatelet::embed!(\"net.gatelet\");\n\
         static LABELS: [&str; {labels}] = gatelet::embed_labels!(\"net.gatelet\");\n\
         fn unused() -> Option<(Gru<1, 1>, Lstm<1, 1>, Dense<1, 1, Softmax>)> {{ None }}\n\
         #[unsafe(no_mangle)] pub extern \"C\" fn main() -> i32 {{\n\
             let _ = unused();\n\
             gatelet::simd::force(gatelet::simd::BackendKind::from_name(\"{backend}\")).unwrap();\n\
             let y = NET.run_last(&mut Net::ZERO_STATE.clone(), &[[0.5, -0.5]; 3]).unwrap();\n\
             println!(\"{{:?}} {{}}\", y.map(f32::to_bits), LABELS.join(\" \"));\n\
             0\n\
         }}\n"
    )
}

#[test]
fn a_model_is_checked_at_compile_time() {
    let krate = Crate::new("embedding", 2, "gru(5), dense(3, softmax)", &["a", "b", "c"]);
    let (built, said) = krate.run("fits", &program("chain!(Gru<2, 5>, Dense<5, 3, Softmax>)", 3));
    assert!(built, "{said}");
    let inference = krate.network.inference();
    let y = inference.run_last(&mut inference.zero_state(), &[0.5, -0.5].repeat(3)).unwrap();
    let bits: Vec<_> = y.iter().map(|y| y.to_bits()).collect();
    assert_eq!(said.trim(), format!("{bits:?} a b c"));

    let wrong = [
        (
            "units",
            "chain!(Gru<2, 6>, Dense<6, 3, Softmax>)",
            3,
            "layer 1: number of units is 5 in the file and 6 in the type",
        ),
        (
            "inputs",
            "chain!(Gru<3, 5>, Dense<5, 3, Softmax>)",
            3,
            "layer 1: input size is 2 in the file and 3 in the type",
        ),
        ("kind", "chain!(Lstm<2, 5>, Dense<5, 3, Softmax>)", 3, "layer 1: it is gru in the file and lstm in the type"),
        (
            "activation",
            "chain!(Gru<2, 5>, Dense<5, 3>)",
            3,
            "layer 2: activation is softmax in the file and linear in the type",
        ),
        (
            "form",
            "chain!(Gru<2, 5, false>, Dense<5, 3, Softmax>)",
            3,
            "layer 1: reset_after is true in the file and false in the type",
        ),
        (
            "fewer",
            "chain!(Gru<2, 5>, Dense<5, 3, Softmax>, Dense<3, 3>)",
            3,
            "the file ends before layer 3 of the type",
        ),
        ("more", "Gru<2, 5>", 3, "the file has a layer 2, the type ends before it"),
        ("labels", "chain!(Gru<2, 5>, Dense<5, 3, Softmax>)", 4, "model file has 3 class labels, not 4"),
    ];
    for (name, network, labels, message) in wrong {
        let (built, said) = krate.run(name, &program(network, labels));
        assert!(!built && said.contains(message), "{name}: {said}");
    }
    // Sizes that do not fit each other are no type at all.
    let (built, said) = krate.run("chain", &program("chain!(Gru<2, 5>, Dense<6, 3, Softmax>)", 3));
    assert!(!built && said.contains("Dense<6, 3, gatelet::Softmax> as Layer>::Input = [f32; 5]"), "{said}");

    let path = krate.folder.join("src/bin/net.gatelet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (built, said) = krate.run("damaged", &program("chain!(Gru<2, 5>, Dense<5, 3, Softmax>)", 3));
    assert!(!built && said.contains("model file is damaged: its checksum does not match"), "{said}");
}

/// Every kind of layer is packed by the compiler as it is at run time.
#[test]
fn layers_of_every_kind_embed() {
    let description = "masking(-1), residual(initial_state(gru(2, sequences, zero_output_for_mask))), \
         conv1d(4, 3, dilation=2, groups=2), average_pooling(2), prelu(4), \
         initial_state(bidirectional(lstm(3, sequences), merge=sum)), lstm(2, go_backwards), dense(5), activation(tanh)";
    let krate = Crate::new("embedding-layers", 2, description, &["a", "b", "c", "d", "e"]);
    let program = program(
        "chain!(
            Masking<2>, Residual<InitialState<ZeroOutput<Gru<2, 2>>>>, Conv1d<2, 4, 3, Linear, 2, 1>, AveragePooling<4, 2>,
            Prelu<4>, InitialState<Bidirectional<Lstm<4, 3>, 3, Sum>>, Backwards<Lstm<3, 2>>, Dense<2, 5>, Activate<5, Tanh>)",
        5,
    );
    let program = program
        .replace(
            "Layer, Lstm",
            "Lstm, SequenceLayer, Masking, Residual, InitialState, ZeroOutput, Conv1d, Linear, \
            AveragePooling, Prelu, Bidirectional, Sum, Backwards, Activate, Tanh",
        )
        .replace("run_last(&mut Net::ZERO_STATE.clone(), ", "last::<3>(&mut NET.initial_state(), ");
    let (built, said) = krate.run("layers", &program);
    assert!(built, "{said}");
    let inference = krate.network.inference();
    let y = inference.run_last(&mut inference.initial_state(), &[0.5, -0.5].repeat(3)).unwrap();
    let bits: Vec<_> = y.iter().map(|y| y.to_bits()).collect();
    assert_eq!(said.trim(), format!("{bits:?} a b c d e"));
}

#[test]
fn a_hundred_thousand_weights_embed_without_an_allow() {
    let krate = Crate::new("embedding-much", 2, "lstm(157), dense(3, softmax)", &["a", "b", "c"]);
    let network = Network::<f32>::describe(2, "lstm(157), dense(3, softmax)").unwrap();
    assert!(network.parameters().len() > 100_000);
    let (built, said) = krate.run("much", &program("chain!(Lstm<2, 157>, Dense<157, 3, Softmax>)", 3));
    assert!(built, "{said}");
}
