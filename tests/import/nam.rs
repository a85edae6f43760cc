//! Neural Amp Modeler's models.

use crate::common::{difference_of_integers, difference_on_every_backend};
use gatelet::data::read_npy;
use gatelet::import::{Options, from_nam};
use gatelet::network::Model;
use std::path::Path;

const LSTM: &str = include_str!("../models/nam/lstm.nam");

fn refused(text: &str) -> String {
    from_nam(text.as_bytes(), &Options::default()).unwrap_err().to_string()
}

#[test]
fn the_example_gives_the_outputs_of_double_precision_from_its_own_state() {
    let imported = from_nam(LSTM.as_bytes(), &Options::default()).unwrap();
    assert_eq!(imported.model.network.to_string(), "initial_state(lstm(3, sequences)), dense(1)");
    assert_eq!(imported.notes, ["it is for 48000 samples per second"]);
    let [xs, ys] = ["lstm.x.npy", "lstm.y.npy"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/nam").join(name);
        read_npy(&path).unwrap().values
    });
    let difference = difference_of_integers(&imported.model.network, core::slice::from_ref(&xs)).unwrap();
    println!("{difference:.1e} of integers");
    assert!(difference <= 0.02, "{difference:.1e}");
    // As a file, too.
    for model in [Model::from_bytes(&imported.model.to_bytes().unwrap()).unwrap(), imported.model] {
        let inference = model.network.inference();
        let run = |mut state| {
            let mut found = vec![0.0; xs.len()];
            inference.run(&mut state, &xs, &mut found);
            found
        };
        let error = difference_on_every_backend(&ys, || run(inference.initial_state()));
        println!("largest difference: {error:.1e}");
        assert!(error <= 1e-5, "{error}");
        // A state of zeros would show.
        assert!(difference_on_every_backend(&ys, || run(inference.zero_state())) > 1e-3);
    }
}

/// Two layers of two units on one input, with weights that count up.
fn deep(weights: usize) -> String {
    let weights: Vec<_> = (0..weights).map(|i| (i as f32 / 100.0).to_string()).collect();
    format!(
        r#"{{"version": "0.7.0", "architecture": "LSTM", "config": {{"num_layers": 2, "input_size": 1, "hidden_size": 2}},
        "weights": [{}], "metadata": null}}"#,
        weights.join(", ")
    )
}

#[test]
fn layers_and_outputs_stand_one_behind_the_other() {
    // 8 × 3 + 8 + 4, 8 × 4 + 8 + 4, 3.
    let imported = from_nam(deep(83).as_bytes(), &Options::default()).unwrap();
    let description = "initial_state(lstm(2, sequences)), initial_state(lstm(2, sequences)), dense(1)";
    assert_eq!(imported.model.network.to_string(), description);
    assert_eq!(imported.notes, ["it does not say its sample rate, for which its program takes 48000 per second"]);
    let network = &imported.model.network;
    let parameters = network.parameters().iter().map(|&weight| (weight * 100.0).round() as usize).collect::<Vec<_>>();
    // U, in whose first column is the second number of each row, W, b, h and c.
    assert_eq!(parameters[..8], [1, 4, 7, 10, 13, 16, 19, 22]);
    assert_eq!(parameters[16..24], [0, 3, 6, 9, 12, 15, 18, 21]);
    assert_eq!(parameters[24..36], core::array::from_fn::<_, 12, _>(|i| 24 + i));
    assert_eq!(parameters[36..40], [38, 42, 46, 50]);
    assert_eq!(parameters[80..], [80, 81, 82]);
    assert_eq!(network.inference().initial_state().values()[4..], [0.76, 0.77, 0.78, 0.79]);

    let two_outputs = deep(86).replace("\"num_layers\"", "\"in_channels\": 1, \"out_channels\": 2, \"num_layers\"");
    let network = from_nam(two_outputs.as_bytes(), &Options::default()).unwrap().model.network;
    assert_eq!(network.parameters()[80..], [0.8, 0.82, 0.81, 0.83, 0.84, 0.85]);
    // A state of zeros is nothing to keep.
    let zeros = r#"{"version": "0.5.4", "architecture": "LSTM", "config": {"num_layers": 1, "input_size": 1, "hidden_size": 1},
        "weights": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1]}"#;
    let network = from_nam(zeros.as_bytes(), &Options::default()).unwrap().model.network;
    assert_eq!(network.to_string(), "lstm(1, sequences), dense(1)");
}

#[test]
fn what_is_wrong_or_not_known_is_said_by_name() {
    let shape = |found: usize| {
        format!(
            "tensor `weights` has the shape [{found}], but an LSTM of 2 × 2 units with 1 inputs and 1 outputs needs [83]"
        )
    };
    assert_eq!(refused(&deep(82)), shape(82));
    assert_eq!(refused(&deep(84)), shape(84));
    let whole = deep(83);
    for (from, to, message) in [
        ("0.7.0", "0.8.0", "`version`: 0.8.0 cannot be imported: 0.5 to 0.7 are known"),
        ("\"0.7.0\"", "0.7", "not a whole .nam file: invalid type: floating point `0.7`"),
        ("LSTM", "WaveNet", "`architecture`: WaveNet cannot be imported: of Neural Amp Modeler's, LSTM is recurrent"),
        ("LSTM", "ConvNet", "`architecture`: ConvNet cannot be imported"),
        ("LSTM", "Linear", "`architecture`: Linear cannot be imported"),
        ("\"metadata\"", "\"head\": {}, \"metadata\"", "`head` cannot be imported: it is not known what it changes"),
        ("\"num_layers\"", "\"head\": 1, \"num_layers\"", "`config.head` cannot be imported: it is not known what"),
        ("\"num_layers\": 2", "\"num_layers\": 0", "`config.num_layers`: 0 cannot be imported"),
        ("\"hidden_size\": 2", "\"hidden_size\": 0", "`config.hidden_size`: 0 cannot be imported"),
        ("\"num_layers\": 2", "\"num_layers\": -2", "not a whole .nam file: invalid value: integer `-2`"),
        ("\"num_layers\": 2, ", "", "not a whole .nam file: missing field `num_layers`"),
        ("\"num_layers\": 2", "\"num_layers\": 2, \"num_layers\": 2", "not a whole .nam file: duplicate field"),
        ("\"hidden_size\": 2", "\"hidden_size\": 9223372036854775807", "tensor `weights` has the shape [83], but"),
        ("\"num_layers\"", "\"in_channels\": 2, \"num_layers\"", "`config.in_channels` beside an `input_size` of 1"),
        ("\"num_layers\"", "\"out_channels\": 0, \"num_layers\"", "`config.out_channels`: 0 cannot be imported"),
        ("\"weights\": ", "\"wieghts\": ", "`wieghts` cannot be imported: it is not known what it changes"),
        ("0.05,", "1e39,", "tensor `weights`: number 5 is 10000000"),
        ("0.05,", "1e999,", "not a whole .nam file: number out of range"),
        ("0.05,", "NaN,", "not a whole .nam file: expected value"),
        ("0.05,", "[0.05],", "not a whole .nam file: "),
        ("null}", "null, \"sample_rate\": \"48k\"}", "not a whole .nam file: invalid type: string \"48k\""),
    ] {
        assert_eq!(whole.matches(from).count(), 1, "{from}");
        let found = refused(&whole.replace(from, to));
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    for length in 0..whole.len() {
        assert!(refused(&whole[..length]).starts_with("not a whole .nam file"), "{length}");
    }
    let options = Options { model: Some("lstm(3), dense(1)".into()), prefix: None };
    let message = from_nam(LSTM.as_bytes(), &options).unwrap_err().to_string();
    assert!(message.starts_with("--model is of no use with a model of Neural Amp Modeler"), "{message}");
}
