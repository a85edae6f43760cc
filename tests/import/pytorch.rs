//! PyTorch's state dicts, to and fro.

use crate::common::{difference_of_integers, difference_on_every_backend};
use crate::{refused_json, wave};
use gatelet::export::to_safetensors;
use gatelet::import::{Imported, Options, from_json, from_safetensors};
use gatelet::network::{LayerKind, Network};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};

/// A tensor: its name, shape and numbers.
type Named = (String, Vec<usize>, Vec<f32>);

fn named(name: &str, shape: &[usize], values: impl IntoIterator<Item = f32>) -> Named {
    (name.to_owned(), shape.to_vec(), values.into_iter().collect())
}

/// Tensors of zeros.
fn zeros(tensors: &[(&str, &[usize])]) -> Vec<Named> {
    tensors.iter().map(|(name, shape)| named(name, shape, vec![0.0; shape.iter().product()])).collect()
}

fn file(tensors: &[Named]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("the shape has so many numbers"))
    });
    serialize(views, None).unwrap()
}

fn import(tensors: &[Named]) -> Imported {
    from_safetensors(&file(tensors), &Options::default()).unwrap()
}

/// The layers that come of it, as a description.
fn layers(tensors: &[Named], model: Option<&str>) -> String {
    let options = Options { model: model.map(str::to_owned), prefix: None };
    from_safetensors(&file(tensors), &options).unwrap().model.network.to_string()
}

fn refused(tensors: &[Named], model: Option<&str>) -> String {
    let options = Options { model: model.map(str::to_owned), prefix: None };
    from_safetensors(&file(tensors), &options).unwrap_err().to_string()
}

/// The state dict of a recurrent module with the golden vectors' weights.
fn state_dict(gates: usize, [inputs, units, layers, bias, directions]: [usize; 5]) -> Vec<Named> {
    let mut count = 0;
    let mut tensors = Vec::new();
    for (layer, end) in
        (0..layers).flat_map(|layer| ["", "_reverse"].map(|end| (layer, end)).into_iter().take(directions))
    {
        let rows = gates * units;
        let inputs = if layer == 0 { inputs } else { directions * units };
        let shapes = [
            ("weight_ih", vec![rows, inputs]),
            ("weight_hh", vec![rows, units]),
            ("bias_ih", vec![rows]),
            ("bias_hh", vec![rows]),
        ];
        for (name, shape) in shapes.into_iter().take(2 + 2 * bias) {
            let length = shape.iter().product();
            let values = wave(count, length, 1.0 / (units as f64).sqrt(), 0.7, 1.0);
            tensors.push(named(&format!("{name}_l{layer}{end}"), &shape, values));
            count += length;
        }
    }
    tensors
}

/// A line of golden vectors: the module that it is about, `N` sizes from the number of inputs on, and numbers.
fn golden<const N: usize>(line: &str) -> (Network<f32>, [usize; N], Vec<f32>) {
    let words: Vec<_> = line.split(' ').collect();
    let (&[kind, nonlinearity], rest) = words.split_first_chunk().unwrap();
    let (sizes, numbers) = rest.split_first_chunk::<N>().unwrap();
    let sizes = sizes.map(|word| word.parse::<usize>().unwrap());
    let numbers = numbers.iter().map(|word| word.parse().unwrap()).collect();
    let (gates, word) = match kind {
        "RNN" => (1, "simple_rnn"),
        "GRU" => (3, "gru"),
        "LSTM" => (4, "lstm"),
        _ => panic!("{line}"),
    };
    let [inputs, units, layers, bias] = *sizes.first_chunk().unwrap();
    let directions = *sizes.get(4).unwrap_or(&1);
    let tensors = state_dict(gates, [inputs, units, layers, bias, directions]);
    let layer = format!("{word}({units}{}, sequences)", if nonlinearity == "relu" { ", relu" } else { "" });
    let layer = if directions == 2 { format!("bidirectional({layer})") } else { layer };
    let model = vec![layer; layers].join(", ");
    let imported = if nonlinearity == "relu" {
        from_safetensors(&file(&tensors), &Options { model: Some(model.clone()), prefix: None }).unwrap()
    } else {
        import(&tensors)
    };
    assert_eq!(imported.model.network.to_string(), model);
    (imported.model.network, sizes, numbers)
}

/// PyTorch's final states for every kind of module, with ragged sizes, one layer and two, with bias and without.
#[test]
fn recurrent_modules_end_in_the_states_that_pytorch_gives() {
    const STEPS: usize = 4;
    let lines = include_str!("../golden/pytorch.txt");
    let mut worst = 0.0_f32;
    for line in lines.lines() {
        let (network, [inputs, units, ..], expected) = golden::<4>(line);
        let xs = wave(0, STEPS * inputs, 1.0, 1.3, 0.0);
        let inference = network.inference();
        let error = difference_on_every_backend(&expected, || {
            let mut state = inference.zero_state();
            inference.run(&mut state, &xs, &mut vec![0.0; STEPS * units]);
            state.values().to_vec()
        });
        assert!(error <= 2e-6, "{error} in {line}");
        worst = worst.max(error);
    }
    assert_eq!(lines.lines().count(), 80);
    println!("largest difference: {worst:.1e}");
}

/// PyTorch's outputs and final states: both directions, states to begin with, and series of a batch that have lengths of their own.
#[test]
fn sequences_give_what_pytorch_gives() {
    let lines = include_str!("../golden/pytorch_sequences.txt");
    let mut worst = 0.0_f32;
    for line in lines.lines() {
        let (network, [inputs, units, layers, _, directions, given, first, steps], expected) = golden::<8>(line);
        let xs = wave(first, steps * inputs, 1.0, 1.3, 0.0);
        let inference = network.inference();
        let mut begin = inference.zero_state();
        for layer in (0..layers).filter(|_| given == 1) {
            let range = inference.state_of(layer);
            begin.values_mut()[range.clone()].copy_from_slice(&wave(range.start, range.len(), 0.8, 0.9, 0.5));
        }
        let error = difference_on_every_backend(&expected, || {
            let mut state = begin.clone();
            let mut found = vec![0.0; steps * network.outputs()];
            inference.run(&mut state, &xs, &mut found);
            [&found, state.values()].concat()
        });
        assert!(error <= 2e-6, "{error} in {line}");
        worst = worst.max(error);

        // One output for the sequence: the final h of the last layer, of both directions.
        let description = network.to_string();
        let (before, last) = description.rsplit_once(", sequences").unwrap();
        let mut ending = Network::describe(inputs, &format!("{before}{last}")).unwrap();
        ending.parameters_mut().copy_from_slice(network.parameters());
        let states = &expected[steps * network.outputs()..][inference.state_of(layers - 1)];
        let ends: Vec<f32> =
            states.chunks_exact(states.len() / directions).flat_map(|state| &state[..units]).copied().collect();
        let inference = ending.inference();
        let error = difference_on_every_backend(&ends, || inference.run_last(&mut begin.clone(), &xs).unwrap());
        assert!(error <= 2e-6, "{error} in the last output of {line}");
    }
    assert_eq!(lines.lines().count(), 144);
    println!("largest difference: {worst:.1e}");
}

const TAGGER: &str = "embedding(11, 6), conv1d(8, 3, dilation=2, groups=2), prelu(8), bidirectional(gru(5, sequences)), \
                      bidirectional(gru(5, sequences)), last, activation(tanh), dense(3, softmax)";

#[test]
fn modules_that_shapes_do_not_tell_apart_are_described() {
    #[derive(serde::Deserialize)]
    struct Answers {
        x: Vec<Vec<f32>>,
        y: Vec<Vec<f32>>,
    }
    let answers: Answers = serde_json::from_str(include_str!("../golden/pytorch_tagger.json")).unwrap();
    let bytes = include_bytes!("../golden/pytorch_tagger.safetensors");
    let options = Options { model: Some(TAGGER.into()), prefix: None };
    let imported = from_safetensors(bytes, &options).unwrap();
    assert_eq!((imported.model.network.to_string(), imported.notes), (TAGGER.into(), vec![]));
    let inference = imported.model.network.inference();
    for (x, y) in answers.x.iter().zip(&answers.y) {
        let error = difference_on_every_backend(y, || inference.run_last(&mut inference.zero_state(), x).unwrap());
        assert!(error <= 2e-6, "{error}");
    }
    let difference = difference_of_integers(&imported.model.network, &answers.x).unwrap();
    println!("{difference:.1e} of integers");
    assert!(difference <= 0.02, "{difference:.1e}");
    assert_eq!(
        from_safetensors(bytes, &Options::default()).unwrap_err().to_string(),
        "a state dict does not say what to make of `conv`, Conv1d(3 · groups, 8, 3); say it with --model, such as --model \
         'embedding(11, 6), conv1d(8, 3), bidirectional(gru(5, sequences)), bidirectional(gru(5, sequences)), prelu(8), \
         dense(3)'"
    );
    for (from, to, message) in [
        (
            "embedding(11, 6)",
            "embedding(12, 6)",
            "--model: layer 1 is embedding(12, 6), but what is left in the file is",
        ),
        ("groups=2", "groups=3", "--model: layer 2 is conv1d(8, 3, dilation=2, groups=3) with 6 inputs, but what"),
        ("prelu(8)", "prelu(7)", "--model: layer 3 is prelu(7) with 8 inputs, but what is left in the file is"),
        ("prelu(8), ", "", "--model: `slopes`, PReLU(8) is in the file, but not in the description"),
        (
            "dense(3",
            "dense(4",
            "--model: layer 8 is dense(4, softmax) with 10 inputs, but what is left in the file is `head`, Embedding(3, 10) or Linear(10, 3) without bias",
        ),
        ("last, ", "last, last, gru(5), ", "--model: layer 8 is gru(5) with 10 inputs, but"),
        (
            "bidirectional(gru(5, sequences)), last",
            "bidirectional(gru(5, sequences), merge=sum), last",
            "--model: layer 8 is dense(3, softmax) with 5 inputs, but",
        ),
        (
            "bidirectional(gru(5, sequences)), last",
            "bidirectional(gru(5)), last",
            "--model: layer 6 needs a sequence, but layer 5 gives only its last output",
        ),
        ("prelu(8)", "residual(prelu(8))", "--model: layer 3: a residual layer has no counterpart in a state dict"),
        ("last", "initial_state(gru(10))", "--model: layer 6: a state dict has no state to begin with"),
        ("last", "normalize(10)", "--model: layer 6 is normalize(10) with 10 inputs, but what is left in the file is"),
        ("last", "dense(18446744073709551615)", "--model: layer 6 is dense(18446744073709551615) with 10 inputs, but"),
    ] {
        let model = TAGGER.replacen(from, to, 1);
        let message_found =
            from_safetensors(bytes, &Options { model: Some(model), prefix: None }).unwrap_err().to_string();
        assert!(message_found.starts_with(message), "{message_found}\n{message}");
    }
}

/// What is in front of the first module has the sizes that it asks for.
#[test]
fn the_first_module_says_how_many_inputs_there_are() {
    let linear = zeros(&[("weight", &[2, 12]), ("bias", &[2])]);
    for (model, inputs) in
        [("masking(0), dense(2)", 12), ("flatten(4), dense(2)", 3), ("average_pooling(4), dense(2)", 12)]
    {
        let options = Options { model: Some(model.into()), prefix: None };
        let network = from_safetensors(&file(&linear), &options).unwrap().model.network;
        assert_eq!((network.to_string(), network.inputs()), (model.into(), inputs));
    }
    let message = refused(&linear, Some("flatten(5), dense(2)"));
    assert!(message.starts_with("tensor `weight` has the shape [2, 12], but Linear(12, 2) needs [2, 10]"), "{message}");
    let message = refused(&linear, Some("flatten(0), dense(2)"));
    assert!(message.contains("the number of time steps is 0"), "{message}");
    let shared = zeros(&[("0.weight", &[4, 3]), ("0.bias", &[4]), ("1.weight", &[1])]);
    assert_eq!(layers(&shared, Some("dense(4), prelu(4)")), "dense(4), prelu(4)");
}

#[test]
fn a_file_that_pytorch_has_saved_gives_its_outputs() {
    #[derive(serde::Deserialize)]
    struct Answers {
        x: Vec<Vec<Vec<f32>>>,
        y: Vec<Vec<Vec<f32>>>,
    }
    let answers: Answers = serde_json::from_str(include_str!("../golden/pytorch.json")).unwrap();
    let imported = from_safetensors(include_bytes!("../golden/pytorch.safetensors"), &Options::default()).unwrap();
    assert_eq!(imported.model.network.to_string(), "lstm(9, sequences), lstm(9, sequences), dense(4)");
    assert_eq!(
        imported.notes,
        [
            "`fc`, Linear(9, 4): unless --model says otherwise, no activation behind it",
            "`rnn`, l1, LSTM(9, 9): unless --model says otherwise, an output for every time step"
        ]
    );
    let inference = imported.model.network.inference();
    for (x, y) in answers.x.iter().zip(&answers.y) {
        let mut found = vec![0.0; y.concat().len()];
        inference.run(&mut inference.zero_state(), &x.concat(), &mut found);
        assert!(found.iter().zip(y.concat()).all(|(found, y)| (found - y).abs() <= 2e-6), "{found:?}");
    }
}

/// An LSTM and a linear layer, whose names sort the other way.
fn classifier() -> Vec<Named> {
    zeros(&[
        ("head.weight", &[4, 6]),
        ("head.bias", &[4]),
        ("rnn.weight_ih_l0", &[24, 3]),
        ("rnn.weight_hh_l0", &[24, 6]),
        ("rnn.bias_ih_l0", &[24]),
        ("rnn.bias_hh_l0", &[24]),
    ])
}

#[test]
fn modules_are_put_in_the_order_of_their_sizes() {
    assert_eq!(layers(&classifier(), None), "lstm(6, sequences), dense(4)");
    assert_eq!(layers(&classifier(), Some("lstm(6), dense(4, softmax)")), "lstm(6), dense(4, softmax)");
    // A cell has no number of a layer; the GRU takes what it gives.
    let cell = zeros(&[
        ("a.weight_ih_l0", &[6, 5]),
        ("a.weight_hh_l0", &[6, 2]),
        ("b.weight_ih", &[5, 3]),
        ("b.weight_hh", &[5, 5]),
    ]);
    assert_eq!(layers(&cell, None), "simple_rnn(5, sequences), gru(2, sequences)");
}

#[test]
fn what_sizes_do_not_say_has_to_be_said() {
    let twins = zeros(&[
        ("rnn2.weight_ih_l0", &[4, 4]),
        ("rnn2.weight_hh_l0", &[4, 4]),
        ("rnn10.weight_ih_l0", &[4, 4]),
        ("rnn10.weight_hh_l0", &[4, 4]),
    ]);
    assert_eq!(
        refused(&twins, None),
        "the sizes do not say in which order the modules are: `rnn2`, l0, RNN(4, 4); `rnn10`, l0, RNN(4, 4); say it with \
         --model, such as --model 'simple_rnn(4, sequences), simple_rnn(4, sequences)'"
    );
    assert_eq!(
        layers(&twins, Some("simple_rnn(4, relu, sequences), simple_rnn(4)")),
        "simple_rnn(4, relu, sequences), simple_rnn(4)"
    );

    let heads = zeros(&[("0.weight", &[3, 2]), ("0.bias", &[3]), ("2.weight", &[1, 3]), ("2.bias", &[1])]);
    let message = refused(&heads, None);
    assert!(message.starts_with("a state dict does not say which activations are between Linear modules"), "{message}");
    assert_eq!(layers(&heads, Some("dense(3, relu), dense(1)")), "dense(3, relu), dense(1)");

    let apart = zeros(&[("0.weight", &[3, 2]), ("0.bias", &[3]), ("1.weight", &[1, 4]), ("1.bias", &[1])]);
    assert!(
        refused(&apart, None)
            .contains("no order of the modules fits their sizes: `0`, Linear(2, 3); `1`, Linear(4, 1)")
    );
}

#[test]
fn a_description_that_does_not_fit_says_what_there_is() {
    for (model, message) in [
        (
            "gru(6), dense(4)",
            "--model: layer 1 is gru(6), but what is left in the file is `rnn`, l0, LSTM(3, 6); `head`, Linear(6, 4)",
        ),
        ("lstm(6)", "--model: `head`, Linear(6, 4) is in the file, but not in the description"),
        (
            "lstm(6), dense(5)",
            "--model: layer 2 is dense(5) with 6 inputs, but what is left in the file is `head`, Linear(6, 4)",
        ),
        (
            "lstm(6, sequences), lstm(6), dense(4)",
            "--model: layer 2 is lstm(6) with 6 inputs, but what is left in the file is `head`, Linear(6, 4)",
        ),
        (
            "lstm(6), residual(dense(6)), dense(4)",
            "--model: layer 2: a residual layer has no counterpart in a state dict",
        ),
    ] {
        // In whatever order the modules are listed.
        let found = refused(&classifier(), Some(model));
        let swapped = message
            .replace("`rnn`, l0, LSTM(3, 6); `head`, Linear(6, 4)", "`head`, Linear(6, 4); `rnn`, l0, LSTM(3, 6)");
        assert!(found == message || found == swapped, "{found}\n{message}");
    }
    assert!(refused(&classifier(), Some("lstm(")).starts_with("--model: expected the number of units"));
}

/// [`classifier`] with one tensor changed, or without it.
fn with(name: &str, change: impl FnOnce(&mut Named)) -> Vec<Named> {
    let mut tensors = classifier();
    change(tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap());
    tensors
}

#[test]
fn every_tensor_is_used_or_named() {
    let without = |name: &str| classifier().into_iter().filter(|tensor| tensor.0 != name).collect::<Vec<_>>();
    assert_eq!(
        refused(&without("rnn.weight_ih_l0"), None),
        "there is no tensor `rnn.weight_ih_l0`, which a recurrent layer needs; `--list` shows what there is"
    );
    assert_eq!(
        refused(&without("rnn.bias_hh_l0"), None),
        "there is no tensor `rnn.bias_hh_l0`, which `rnn`, l0, LSTM(3, 6) needs; `--list` shows what there is"
    );
    let renamed = with("rnn.bias_ih_l0", |tensor| tensor.0 = "rnn.bias_l0".into());
    assert!(refused(&renamed, None).starts_with("there is no tensor `rnn.bias_ih_l0`"));

    let left_over = " belongs to no layer that is known here; --prefix leaves out what is no part of the model";
    let added = |name: &str, shape: &[usize]| [classifier(), zeros(&[(name, shape)])].concat();
    assert_eq!(refused(&added("rnn.bias_l0", &[3]), None), format!("tensor `rnn.bias_l0` [3]{left_over}"));
    assert_eq!(refused(&added("norm.running_mean", &[3]), None), format!("tensor `norm.running_mean` [3]{left_over}"));
    assert_eq!(refused(&added("scale", &[]), None), format!("tensor `scale` []{left_over}"));

    let needs = |name: &str, shape: &str, by: &str| format!("tensor `{name}` has the shape {shape}, but {by}");
    let wider = with("rnn.bias_ih_l0", |tensor| (tensor.1, tensor.2) = (vec![25], vec![0.0; 25]));
    assert_eq!(refused(&wider, None), needs("rnn.bias_ih_l0", "[25]", "`rnn`, l0, LSTM(3, 6) needs [24]"));
    let flat = with("rnn.weight_hh_l0", |tensor| tensor.1 = vec![144]);
    assert_eq!(
        refused(&flat, None),
        needs("rnn.weight_hh_l0", "[144]", "a recurrent layer needs [gates · units, units]")
    );
    let two_gates = with("rnn.weight_hh_l0", |tensor| (tensor.1, tensor.2) = (vec![12, 6], vec![0.0; 72]));
    let expected = "a recurrent layer needs [gates · units, units] with 1, 3 or 4 gates";
    assert_eq!(refused(&two_gates, None), needs("rnn.weight_hh_l0", "[12, 6]", expected));
    let other_rows = with("rnn.weight_ih_l0", |tensor| tensor.1 = vec![12, 6]);
    assert_eq!(
        refused(&other_rows, None),
        needs("rnn.weight_ih_l0", "[12, 6]", "the layer of `rnn.weight_hh_l0` needs [24, inputs]")
    );
    let conv2d = with("head.weight", |tensor| tensor.1 = vec![2, 2, 3, 2]);
    assert_eq!(refused(&conv2d, None), needs("head.weight", "[2, 2, 3, 2]", "a Linear needs [outputs, inputs]"));
    // A layer normalisation has a weight and a bias of one size.
    assert_eq!(
        refused(&[classifier(), zeros(&[("norm.weight", &[4]), ("norm.bias", &[4])])].concat(), None),
        format!("tensor `norm.weight` [4]{left_over}")
    );

    for value in [f32::NAN, f32::INFINITY] {
        let nan = with("rnn.bias_ih_l0", |tensor| tensor.2[7] = value);
        assert_eq!(refused(&nan, None), format!("tensor `rnn.bias_ih_l0`: number 7 is {value}"));
    }
}

/// A sum of what is in the file.
#[test]
fn sums_that_are_no_numbers_are_refused() {
    let mut tensors =
        zeros(&[("weight_ih_l0", &[4, 1]), ("weight_hh_l0", &[4, 1]), ("bias_ih_l0", &[4]), ("bias_hh_l0", &[4])]);
    tensors[2].2[1] = 3e38;
    tensors[3].2[1] = 3e38;
    assert_eq!(
        refused(&tensors, None),
        "layer 1, lstm(1, sequences), with a weight that is inf cannot be imported: sums of its biases or products are too large"
    );
}

#[test]
fn what_this_release_does_not_have_is_said_by_name() {
    let projection = zeros(&[("weight_hh_l0", &[16, 2]), ("weight_ih_l0", &[16, 3]), ("weight_hr_l0", &[2, 4])]);
    let message = refused(&projection, None);
    assert!(message.starts_with("an LSTM with projections, `proj_size` (tensor `weight_hr_l0`)"), "{message}");
    let many: Vec<_> = (0..33).map(|i| named(&format!("{i}.weight"), &[1, 1], [0.0])).collect();
    assert!(refused(&many, None).starts_with("a state dict of 33 modules cannot be imported: at most 32 are"));
}

#[test]
fn a_backward_layer_is_whole_or_named() {
    let both = |change: &dyn Fn(&mut Vec<Named>)| {
        let mut tensors = state_dict(4, [3, 2, 1, 1, 2]);
        change(&mut tensors);
        tensors
    };
    assert_eq!(layers(&both(&|_| ()), None), "bidirectional(lstm(2, sequences))");
    assert_eq!(layers(&both(&|_| ()), Some("bidirectional(lstm(2), merge=sum)")), "bidirectional(lstm(2), merge=sum)");
    for (name, to, message) in [
        ("weight_hh_l0", None, "there is no tensor `weight_hh_l0`, which a recurrent layer needs"),
        ("weight_hh_l0_reverse", None, "there is no tensor `weight_hh_l0_reverse`, which a bidirectional layer needs"),
        ("weight_ih_l0_reverse", None, "there is no tensor `weight_ih_l0_reverse`, which a bidirectional layer needs"),
        ("bias_hh_l0_reverse", Some("bias_hh_l0_revers"), "there is no tensor `bias_hh_l0_reverse`, which"),
        ("weight_ih_l0_reverse", Some("weight_ih_l1_reverse"), "there is no tensor `weight_ih_l0_reverse`, which"),
    ] {
        let changed = both(&|tensors| {
            let at = tensors.iter().position(|tensor| tensor.0 == name).unwrap();
            match to {
                Some(to) => tensors[at].0 = to.into(),
                None => drop(tensors.remove(at)),
            }
        });
        let found = refused(&changed, None);
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    let narrow = both(&|tensors| {
        let tensor = tensors.iter_mut().find(|tensor| tensor.0 == "weight_ih_l0_reverse").unwrap();
        (tensor.1, tensor.2) = (vec![8, 2], vec![0.0; 16]);
    });
    let message = "tensor `weight_ih_l0_reverse` has the shape [8, 2], but l0, LSTM(3, 2, bidirectional) needs [8, 3]";
    assert_eq!(refused(&narrow, None), message);
    let message = refused(&both(&|_| ()), Some("lstm(2)"));
    assert_eq!(message, "--model: layer 1 is lstm(2), but what is left in the file is l0, LSTM(3, 2, bidirectional)");
}

/// The tensors of a file that PyTorch has saved.
fn tensors_of(bytes: &[u8]) -> Vec<Named> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let floats = |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect() };
    let mut tensors: Vec<_> = file.iter().map(|(name, view)| named(name, view.shape(), floats(view.data()))).collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    tensors
}

#[test]
fn each_tensor_of_a_file_is_named_when_something_is_wrong_with_it() {
    let classifier: &[u8] = include_bytes!("../golden/pytorch.safetensors");
    for (bytes, model) in [(classifier, None), (include_bytes!("../golden/pytorch_tagger.safetensors"), Some(TAGGER))] {
        let whole = tensors_of(bytes);
        for at in 0..whole.len() {
            let name = &whole[at].0;
            let changed = |change: &dyn Fn(&mut Vec<Named>)| {
                let mut tensors = whole.clone();
                change(&mut tensors);
                let message = refused(&tensors, model).replace(".x", ".");
                let module = name.rsplit_once('.').map_or("", |(module, _)| module);
                // A module of another kind or size is not found by the description; what it is called is said.
                let said = message.contains(&format!("`{name}`")) || message.contains(&format!("`{module}`"));
                assert!(said, "{name}: {message}");
                message
            };
            let dot = name.rfind('.').map_or(0, |dot| dot + 1);
            changed(&|tensors| tensors[at].0.insert(dot, 'x'));
            changed(&|tensors| {
                let (_, shape, values) = &mut tensors[at];
                shape[0] -= 1;
                values.truncate(shape.iter().product());
            });
            let message = changed(&|tensors| tensors[at].2[1] = f32::NAN);
            assert_eq!(message, format!("tensor `{name}`: number 1 is NaN"));
        }
        let mut more = whole.clone();
        more.push(named("rnn.gate", &[3], vec![0.0; 3]));
        assert!(refused(&more, model).starts_with("tensor `rnn.gate` [3] belongs to no layer"));
    }
}

#[test]
fn a_search_among_many_modules_ends() {
    let linear = |name: &str, [units, inputs]: [usize; 2]| {
        zeros(&[(&format!("{name}.weight"), &[units, inputs]), (&format!("{name}.bias"), &[units])])
    };
    let alike: Vec<_> = (0..32).flat_map(|i| linear(&i.to_string(), [1, 1])).collect();
    assert!(refused(&alike, None).starts_with("the sizes do not say in which order"));
    // No order fits, which takes more tries than are made.
    let mut fork: Vec<_> = (0..30).flat_map(|i| linear(&i.to_string(), [2, 2])).collect();
    fork.extend([linear("x", [3, 2]), linear("y", [3, 2])].concat());
    assert!(refused(&fork, None).starts_with("the sizes do not say in which order"));
}

#[test]
fn a_prefix_chooses_a_part() {
    let mut tensors: Vec<_> =
        classifier().into_iter().map(|(name, shape, values)| (format!("model.{name}"), shape, values)).collect();
    tensors.extend([named("optimizer.step", &[1], [1.0]), named("model2.weight", &[1, 1], [1.0])]);
    for prefix in ["model", "model."] {
        let options = Options { model: None, prefix: Some(prefix.into()) };
        let imported = from_safetensors(&file(&tensors), &options).unwrap();
        assert_eq!(imported.model.network.to_string(), "lstm(6, sequences), dense(4)");
    }
    let options = Options { model: None, prefix: Some("modle.".into()) };
    let message = from_safetensors(&file(&tensors), &options).unwrap_err().to_string();
    assert_eq!(message, "there is no tensor `modle.…`, which the model needs; `--list` shows what there is");
}

#[test]
fn a_file_that_is_cut_off_or_something_else_is_no_model() {
    let whole = file(&classifier());
    for length in 0..whole.len() {
        let message = from_safetensors(&whole[..length], &Options::default()).unwrap_err().to_string();
        assert!(message.starts_with("not a whole .safetensors file"), "{length}: {message}");
    }
    // A header that claims to be longer than anything.
    let message = from_safetensors(&[0xff; 64], &Options::default()).unwrap_err().to_string();
    assert!(message.starts_with("not a whole .safetensors file"), "{message}");
}

#[test]
fn numbers_of_other_types_are_read_or_refused() {
    let half = vec![0_u8; 12];
    let view = |dtype, bytes| TensorView::new(dtype, vec![2, 3], bytes).unwrap();
    let bytes = serialize([("weight", view(Dtype::F16, &half))], None).unwrap();
    let message = from_safetensors(&bytes, &Options::default()).unwrap_err().to_string();
    assert_eq!(message, "tensor `weight` holds f16 numbers; write it as 32-bit floats (PyTorch: `.float()`)");

    let double: Vec<u8> = [1.0_f64, 2.0, 3.0, 4.0, 5.0, 6.0].into_iter().flat_map(f64::to_le_bytes).collect();
    let bytes = serialize([("weight", view(Dtype::F64, &double))], None).unwrap();
    let options = Options { model: Some("dense(2)".into()), prefix: None };
    let imported = from_safetensors(&bytes, &options).unwrap();
    assert_eq!(imported.model.network.parameters(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0, 0.0, 0.0]);
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let embedding = Network::describe(1, "embedding(7, 3), lstm(2)").unwrap().initialized(1);
    let imported = from_safetensors(&to_safetensors(&embedding).unwrap(), &Options::default()).unwrap();
    assert_eq!(imported.model.network, embedding);
    for description in [
        "simple_rnn(5)",
        "simple_rnn(5, relu, sequences), dense(3, relu), dense(2, softmax)",
        "lstm(5, sequences), lstm(7), dense(2)",
        "gru(4, sequences), gru(4, sequences), dense(4, tanh), dense(4, sigmoid)",
        "bidirectional(simple_rnn(5, relu, sequences)), bidirectional(lstm(3, sequences)), bidirectional(gru(4)), dense(2)",
        "conv1d(6, 3, dilation=2, groups=3, relu), prelu(6), bidirectional(gru(2, sequences)), last, activation(tanh), dense(1)",
    ] {
        let network = Network::describe(3, description).unwrap().initialized(1);
        let imported = from_safetensors(&to_safetensors(&network).unwrap(), &Options::default()).unwrap();
        assert_eq!((imported.model.network, imported.notes), (network, vec![]), "{description}");
    }
}

#[test]
fn an_exported_normalisation_is_part_of_the_layer_behind_it() {
    for description in ["simple_rnn(5)", "lstm(5)", "gru(5), dense(2)", "dense(3, tanh)", "bidirectional(lstm(2))"] {
        let normalize = LayerKind::Normalize { size: 3 };
        let network = Network::describe(3, description).unwrap().initialized(1);
        let network = network.with_layer(0, normalize.into(), &[0.5, -2.0, 10.0, 2.0, 0.25, 0.1]).unwrap();
        let imported = from_safetensors(&to_safetensors(&network).unwrap(), &Options::default()).unwrap().model.network;
        assert_eq!(imported.to_string(), description);
        let xs = wave(0, 12, 3.0, 1.3, 0.0);
        let last = |network: &Network<f32>| {
            let inference = network.inference();
            inference.run_last(&mut inference.zero_state(), &xs).unwrap()
        };
        for (found, expected) in last(&imported).iter().zip(last(&network)) {
            assert!((found - expected).abs() <= 1e-6, "{description}: {found} instead of {expected}");
        }
    }
}

#[test]
fn what_pytorch_does_not_have_is_not_exported() {
    let pytorch = "cannot be exported";
    for (description, message) in [
        (
            "dense(3), simple_rnn(3, elu)",
            format!("layer 2, simple_rnn(3, elu), {pytorch}: PyTorch's RNN has tanh and ReLU alone"),
        ),
        (
            "gru(3, reset_after=false)",
            format!("layer 1, gru(3, reset_after=false), {pytorch}: PyTorch's GRU resets after the product"),
        ),
        (
            "lstm(3, relu)",
            format!("layer 1, lstm(3, relu), {pytorch}: PyTorch's LSTM and GRU have tanh and sigmoid alone"),
        ),
        (
            "residual(dense(3))",
            format!("layer 1, residual(dense(3)), {pytorch}: a state dict has no way around a layer"),
        ),
        (
            "bidirectional(gru(2), merge=ave)",
            format!(
                "layer 1, bidirectional(gru(2), merge=ave), {pytorch}: PyTorch's bidirectional modules give both outputs side by side"
            ),
        ),
        ("masking(0), gru(2)", format!("layer 1, masking(0), {pytorch}: PyTorch has no such module")),
    ] {
        let network = Network::describe(3, description).unwrap();
        assert_eq!(to_safetensors(&network).unwrap_err().to_string(), message);
    }
    let convolution = Network::describe(3, "conv1d(2, 3)").unwrap();
    let behind = convolution.with_layer(0, LayerKind::Normalize { size: 3 }.into(), &[1.0; 6]).unwrap();
    let message = to_safetensors(&behind).unwrap_err().to_string();
    assert_eq!(message, format!("layer 2, conv1d(2, 3), {pytorch}: it cannot take in the normalisation before it"));
    let normalize = Network::new(vec![LayerKind::Normalize { size: 3 }.into()]).unwrap();
    let message = to_safetensors(&normalize).unwrap_err().to_string();
    assert_eq!(message, format!("layer 1, normalize(3), {pytorch}: there is no layer behind it to take it in"));
}

#[test]
fn a_state_dict_in_json_is_one_like_any_other() {
    let whole = r#"{"fc.weight": [[1, 2], [3, 4], [5, 6]], "fc.bias": [7, 8, 9]}"#;
    let imported = from_json(whole.as_bytes(), &Options::default()).unwrap();
    assert_eq!(imported.model.network.parameters(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0]);
    for (from, to, message) in [
        ("fc.bias", "fc.bais", "tensor `fc.bais` [3] belongs to no layer that is known here"),
        ("\"fc.bias\"", "\"x\": [], \"fc.bias\"", "tensor `x` [0] belongs to no layer that is known here"),
        ("fc.bias", "fc.weight", "not a whole .json file: tensor `fc.weight` is there twice"),
        ("[7, 8, 9]", "[7, 8]", "tensor `fc.bias` has the shape [2], but `fc`, Linear(2, 3) needs [3]"),
        ("[7, 8, 9]", "[7, 8, -1e39]", "tensor `fc.bias`: number 2 is -1"),
        ("[7, 8, 9]", "{}", "not a whole .json file: invalid type: map, expected numbers, or lists of them"),
    ] {
        let error = refused_json(&whole.replace(from, to));
        assert!(error.starts_with(message), "{error}");
    }
    assert!(refused_json("[1, 2]").starts_with("not a whole .json file: "));
    // Lists in lists without end are stopped by their depth.
    assert!(refused_json(&format!("{{\"x\": {}", "[".repeat(100_000))).starts_with("not a whole .json file: "));
}
