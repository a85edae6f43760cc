//! The models of Automated-GuitarAmpModelling, which GuitarML's programs take.

use crate::common::{difference_of_integers, difference_on_every_backend};
use crate::refused_json;
use gatelet::import::{Options, from_json};
use serde_json::Value;

#[derive(serde::Deserialize)]
struct Case {
    model: Value,
    x: Vec<Vec<f32>>,
    y: Vec<Vec<f32>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../golden/guitarml.json")).unwrap()
}

#[test]
fn models_give_pytorchs_outputs_with_the_input_that_is_added() {
    let descriptions = [
        "dense(10), residual(lstm(10, sequences)), dense(1)",
        "dense(9), residual(lstm(9, sequences)), dense(1)",
        "dense(8), residual(gru(8, sequences)), dense(2)",
        "dense(6), residual(simple_rnn(6, sequences)), dense(3)",
        "lstm(6, sequences), lstm(6, sequences), dense(1)",
    ];
    let cases = cases();
    assert_eq!(cases.len(), descriptions.len());
    for (Case { model, x, y }, description) in cases.iter().zip(descriptions) {
        let imported = from_json(model.to_string().as_bytes(), &Options::default()).unwrap();
        assert_eq!(imported.model.network.to_string(), description);
        assert_eq!(imported.notes.len(), usize::from(description.contains("residual")), "{:?}", imported.notes);
        let inference = imported.model.network.inference();
        let error = difference_on_every_backend(&y.concat(), || {
            let mut found = vec![0.0; y.concat().len()];
            inference.run(&mut inference.zero_state(), &x.concat(), &mut found);
            found
        });
        let of_integers = difference_of_integers(&imported.model.network, &[x.concat()]).unwrap();
        println!("{error:.1e} {description}, {of_integers:.1e} of integers");
        assert!(error <= 2e-6 && of_integers <= 0.03, "{description}: {error}, {of_integers} of integers");
    }
}

/// The first case with one thing changed.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut model = cases().swap_remove(0).model;
    change(&mut model);
    refused_json(&model.to_string())
}

#[test]
fn what_is_wrong_or_not_known_is_said_by_name() {
    let data = |key: &'static str, value: Value| changed(move |model| model["model_data"][key] = value);
    for (key, value, message) in [
        ("model", "RecNet".into(), "`model_data.model`: RecNet cannot be imported: there is SimpleRNN"),
        ("unit_type", "Elman".into(), "`model_data.unit_type`: Elman cannot be imported: there are LSTM, GRU and RNN"),
        (
            "unit_type",
            "GRU".into(),
            "not a whole .json file: its `model_data` name other layers than it has: --model: layer 1 is",
        ),
        (
            "hidden_size",
            8.into(),
            "not a whole .json file: its `model_data` name other layers than it has: --model: layer 1 is",
        ),
        (
            "output_size",
            2.into(),
            "not a whole .json file: its `model_data` name other layers than it has: --model: layer 2 is",
        ),
        (
            "num_layers",
            2.into(),
            "not a whole .json file: its `model_data` name other layers than it has: --model: layer 2 is",
        ),
        ("num_layers", 1e9.into(), "not a whole .json file: invalid type: floating point"),
        ("num_layers", 1_000_000_000.into(), "`model_data.num_layers`: 1000000000 cannot be imported"),
        ("input_size", 2.into(), "not a whole .json file: its `model_data.input_size` is 2, and its tensors are for 1"),
        (
            "bias_fl",
            false.into(),
            "not a whole .json file: its `model_data.bias_fl` is false, and `lin.bias` says otherwise",
        ),
        ("skip", 2.into(), "`model_data.skip`: 2 cannot be imported: 1 inputs and 1 outputs do not allow it"),
        ("skip", (-1).into(), "not a whole .json file: invalid value: integer `-1`"),
        ("clip_position", 2.into(), "not a whole .json file: unknown field `clip_position`"),
    ] {
        let found = data(key, value);
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    let mut deep = cases().swap_remove(4).model;
    deep["model_data"]["skip"] = 1.into();
    let found = refused_json(&deep.to_string());
    assert!(
        found.starts_with("`model_data.skip`: 1 cannot be imported: it can be with a `num_layers` of 1"),
        "{found}"
    );

    let found = changed(|model| {
        let tensors = model["state_dict"].as_object_mut().unwrap();
        let bias = tensors.remove("rec.bias_hh_l0").unwrap();
        tensors.insert("rec.bias_hh".into(), bias);
    });
    assert!(found.starts_with("there is no tensor `rec.bias_hh_l0`"), "{found}");
    let found = changed(|model| model["state_dict"]["extra.scale"] = 2.into());
    assert!(found.starts_with("tensor `extra.scale` [] belongs to no layer"), "{found}");
    let found = changed(|model| drop(model["state_dict"]["lin.weight"][0].as_array_mut().unwrap().pop()));
    assert!(found.contains("name other layers than it has: --model: layer 2 is dense(1) with 9 inputs"), "{found}");
    let found = changed(|model| model["state_dict"]["rec.bias_ih_l0"][3] = 1e39.into());
    assert!(found.starts_with("tensor `rec.bias_ih_l0`: number 3 is 1"), "{found}");
    let beside = {
        let mut model = cases().swap_remove(0).model;
        model["training_info"] = serde_json::json!({"best_val_loss": 0.01});
        from_json(model.to_string().as_bytes(), &Options::default()).unwrap().notes
    };
    assert_eq!(beside[1], "`training_info` is no part of the network");
    let whole = cases().swap_remove(0).model.to_string();
    for length in (0..whole.len()).step_by(7) {
        assert!(refused_json(&whole[..length]).starts_with("not a whole .json file"), "{length}");
    }
    let options = Options { model: Some("lstm(9), dense(1)".into()), prefix: None };
    let message = from_json(whole.as_bytes(), &options).unwrap_err().to_string();
    assert!(message.starts_with("--model is of no use with a model of Automated-GuitarAmpModelling"), "{message}");
}
