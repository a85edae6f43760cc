//! Promise: a model file is read completely or refused with a typed error, and a refused one changes nothing.
#![cfg(feature = "std")]

use gatelet::format::{self, Kind};
use gatelet::math::{ActivationKind, OutputKind};
use gatelet::network::{Metadata, Model, ModelError, Network, Training};
use gatelet::{
    Bidirectional, Conv1d, Dense, FormatError, Gru, InitialState, Linear, Lstm, Masking, Normalize, ReadInto, Residual,
    SimpleRnn, Softmax, Sum, chain,
};
use proptest::prelude::*;

type Net = chain!(Gru<2, 5>, Dense<5, 3, Softmax>);

fn model() -> Model {
    let mut model = Model::new(Network::describe(2, "gru(5), dense(3, softmax)").unwrap().initialized(3));
    model.labels = vec!["yes".into(), "no".into(), "아마도".into()];
    model.metadata = Metadata {
        training: Some(Training { seed: 3, epochs: 7, optimizer: "adam".into(), ..Training::default() }),
        metrics: [("accuracy".to_owned(), 0.5)].into(),
        ..Metadata::default()
    };
    model
}

fn bytes_of(description: &str) -> Vec<u8> {
    Model::new(Network::describe(2, description).unwrap().initialized(1)).to_bytes().unwrap()
}

/// Gives changed bytes a right length and checksum, so that what is tested lies behind them.
fn repair(bytes: &mut [u8]) {
    let length = (bytes.len() as u32).to_le_bytes();
    bytes[12..16].copy_from_slice(&length);
    let crc = format::crc32(&bytes[20..]).to_le_bytes();
    bytes[16..20].copy_from_slice(&crc);
}

#[test]
fn every_kind_of_layer_comes_back() {
    let descriptions = [
        "dense(3)",
        "dense(3, relu), dense(2, softmax)",
        "simple_rnn(4, relu), dense(1, sigmoid)",
        "lstm(4, recurrent_activation=hard_sigmoid, sequences), dense(2)",
        "gru(4, reset_after=false), dense(2)",
        "residual(gru(2, elu, sequences)), residual(dense(2, softplus)), lstm(3, softsign)",
        "masking(-1.5), bidirectional(gru(3, sequences)), bidirectional(lstm(2), merge=mul), activation(softmax)",
        "residual(initial_state(bidirectional(simple_rnn(2, sequences), merge=ave))), last, prelu(2)",
        "initial_state(lstm(3, sequences, go_backwards)), gru(2, zero_output_for_mask)",
        "conv1d(6, 3, dilation=2, groups=2, silu), average_pooling(3), unit_normalization, flatten(4)",
        "normalize(2), bidirectional(gru(3, leaky_relu), merge=none)",
        "embedding(9, 2, mask_zero), bidirectional(gru(3), merge=sum)",
    ];
    for description in descriptions {
        let inputs = if description.starts_with("embedding") { 1 } else { 2 };
        let mut model = Model::new(Network::describe(inputs, description).unwrap().initialized(9));
        for (i, parameter) in model.network.parameters_mut().iter_mut().enumerate() {
            *parameter += i as f32;
        }
        let back = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
        assert_eq!(back, model, "{description}");
        assert_eq!(back.network.to_string(), description);
    }
}

#[test]
fn labels_and_metadata_come_back() {
    let model = model();
    let bytes = model.to_bytes().unwrap();
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
    let mut net = Net::EMPTY;
    let container = net.read_into(&bytes).unwrap();
    assert_eq!(container.labels().collect::<Vec<_>>(), ["yes", "no", "아마도"]);
    assert!(std::str::from_utf8(container.metadata()).unwrap().contains("\"adam\""));
}

#[test]
fn a_refused_file_changes_nothing() {
    let good = model().to_bytes().unwrap();
    let mut net = Net::EMPTY;
    net.read_into(&good).unwrap();
    let before = net.clone();
    // Right up to the second layer's activation.
    let error = net.read_into(&bytes_of("gru(5), dense(3)")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model file does not fit the type: layer 2: activation is linear in the file and softmax in the type"
    );
    assert_eq!(net, before);
}

#[test]
fn whatever_differs_from_the_type_is_named() {
    fn refused<N: ReadInto>(description: &str) -> String {
        let mut net = N::EMPTY;
        let error = net.read_into(&bytes_of(description)).expect_err(description);
        error.to_string().replace("model file does not fit the type: ", "")
    }
    assert_eq!(refused::<Gru<2, 4>>("gru(5)"), "layer 1: number of units is 5 in the file and 4 in the type");
    assert_eq!(refused::<Gru<3, 5>>("gru(5)"), "layer 1: input size is 2 in the file and 3 in the type");
    assert_eq!(refused::<Dense<2, 4>>("dense(5)"), "layer 1: output size is 5 in the file and 4 in the type");
    assert_eq!(refused::<Lstm<2, 5>>("gru(5)"), "layer 1: it is gru in the file and lstm in the type");
    assert_eq!(refused::<Normalize<2>>("dense(2)"), "layer 1: it is dense in the file and normalize in the type");
    assert_eq!(refused::<Gru<2, 5, false>>("gru(5)"), "layer 1: reset_after is true in the file and false in the type");
    assert_eq!(
        refused::<SimpleRnn<2, 5>>("simple_rnn(5, relu)"),
        "layer 1: activation is relu in the file and tanh in the type"
    );
    assert_eq!(
        refused::<Lstm<2, 5, gatelet::Tanh, Linear>>("lstm(5)"),
        "layer 1: recurrent activation is sigmoid in the file and linear in the type"
    );
    assert_eq!(refused::<Net>("gru(5)"), "the file ends before layer 2 of the type");
    assert_eq!(refused::<Gru<2, 5>>("gru(5), dense(1)"), "the file has a layer 2, the type ends before it");
    assert_eq!(
        refused::<Residual<Dense<2, 2>>>("dense(2)"),
        "layer 1: it is dense in the file and residual in the type"
    );
    assert_eq!(
        refused::<Dense<2, 2>>("residual(dense(2))"),
        "layer 1: it is residual in the file and dense in the type"
    );
}

#[test]
fn damage_is_named() {
    let good = model().to_bytes().unwrap();
    let open = |bytes: &[u8]| format::open(bytes).map(|_| ()).unwrap_err();
    assert_eq!(open(b""), FormatError::NotGatelet);
    assert_eq!(open(&[b'x'; 100]), FormatError::NotGatelet);
    let mut other = good.clone();
    other[8] = 2;
    assert_eq!(open(&other), FormatError::Version { found: 2 });
    assert_eq!(open(&good[..good.len() - 4]), FormatError::Length { found: good.len() - 4, expected: good.len() });
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(open(&longer), FormatError::Length { found: good.len() + 1, expected: good.len() });
    for at in 20..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(matches!(open(&flipped), FormatError::Checksum { .. }), "byte {at}");
    }
}

#[test]
fn the_host_refuses_what_a_device_could_not_run() {
    let mut infinite = model();
    infinite.network.parameters_mut()[4] = f32::INFINITY;
    assert_eq!(infinite.to_bytes().unwrap_err().to_string(), "layer 1 has a weight that is inf, not a finite number");
    let mut labels = model();
    labels.labels.pop();
    assert_eq!(labels.to_bytes().unwrap_err().to_string(), "there are 2 class labels for 3 outputs");
    // A NaN that another program has written.
    let mut bytes = model().to_bytes().unwrap();
    bytes[40 + 32..40 + 36].copy_from_slice(&f32::NAN.to_le_bytes());
    repair(&mut bytes);
    assert!(matches!(Model::from_bytes(&bytes), Err(ModelError::NotFinite { layer: 1, .. })));
    // A flag that no release knows yet.
    let mut bytes = model().to_bytes().unwrap();
    bytes[40 + 24] |= 64;
    repair(&mut bytes);
    let mut net = Net::EMPTY;
    assert!(matches!(net.read_into(&bytes), Err(FormatError::Flags { layer: 1, flags: 66 })));
    // A size that would take more memory than the file has bytes.
    let mut bytes = model().to_bytes().unwrap();
    bytes[40 + 12..40 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    repair(&mut bytes);
    let said = "layer 1: the number of units is 4294967295, and 16384 is the most there can be";
    assert_eq!(Model::from_bytes(&bytes).unwrap_err().to_string(), said);
}

/// In a file, residual goes around one layer: a type with more inside is another network.
#[test]
fn a_residual_block_is_not_a_residual_layer() {
    let file = bytes_of("residual(gru(2, sequences)), dense(2)");
    let mut net = <Residual<chain!(Gru<2, 2>, Dense<2, 2>)>>::EMPTY;
    assert_eq!(
        net.read_into(&file).unwrap_err().to_string(),
        "model file does not fit the type: layer 1: residual goes around this one layer in the file and around several in the type"
    );
    <chain!(Residual<Gru<2, 2>>, Dense<2, 2>)>::EMPTY.clone().read_into(&file).unwrap();
    // What a device refuses of a residual's record, the host refuses, too.
    let mut forged = file;
    forged[40 + 12] = 77;
    repair(&mut forged);
    let said = "model file does not fit the type: layer 1: number of units is 77 in the file and 2 in the type";
    assert_eq!(Model::from_bytes(&forged).unwrap_err().to_string(), said);
}

/// And so does bidirectional around two.
#[test]
fn several_layers_are_not_one_of_two_directions() {
    let file = bytes_of("bidirectional(gru(2, sequences), merge=sum), gru(2, sequences), gru(2, sequences)");
    let mut net = <Bidirectional<chain!(Gru<2, 2>, Gru<2, 2>), 2, Sum>>::EMPTY;
    assert_eq!(
        net.read_into(&file).unwrap_err().to_string(),
        "model file does not fit the type: layer 1: bidirectional goes around this one layer in the file and around several in the type"
    );
    <chain!(Bidirectional<Gru<2, 2>, 2, Sum>, Gru<2, 2>, Gru<2, 2>)>::EMPTY.clone().read_into(&file).unwrap();
}

/// What no file can hold is no network either.
#[test]
fn layers_that_cannot_be_are_refused() {
    let refused = |inputs, description: &str| {
        let error = Network::<f32>::describe(inputs, description).unwrap_err();
        error.problem().to_owned()
    };
    let fits = "needs as many outputs as inputs, the whole sequence of a recurrent layer, and none that masks";
    assert_eq!(refused(1, "residual(embedding(9, 1))"), format!("layer 1: residual(embedding) {fits}"));
    assert_eq!(refused(2, "residual(masking(0))"), format!("layer 1: residual(masking) {fits}"));
    assert_eq!(
        refused(2, "bidirectional(gru(2, go_backwards))"),
        "layer 1: bidirectional goes both ways; leave go_backwards out"
    );
    // A few bytes each.
    assert_eq!(
        refused(32, &["average_pooling(65535)"; 8].join(", ")),
        "layer 2: the number of values in the state up to here is 4194176, and 2097152 is the most there can be"
    );
    assert_eq!(
        refused(1, "embedding(131072, 8192)"),
        "layer 1: the number of weights is 1073741824, and 536870911 is the most there can be"
    );
}

#[test]
fn a_size_of_zero_is_refused_without_a_panic() {
    let mut net = Dense::<2, 0>::EMPTY;
    assert!(net.read_into(&bytes_of("dense(1)")).is_err());
    let mut file = bytes_of("dense(1)");
    // One unit less, and its weights with it.
    file.drain(40 + 32..40 + 32 + 12);
    file[40 + 4] = 0;
    file[40 + 12] = 0;
    file[24] -= 12;
    repair(&mut file);
    net.read_into(&file).unwrap();
    assert_eq!(
        Model::from_bytes(&file).unwrap_err().to_string(),
        "layer 1: the number of units is 0; give it at least 1"
    );
}

#[test]
fn a_missing_or_foreign_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gatelet");
    assert!(Model::read(&path).unwrap_err().to_string().starts_with(&format!("cannot read {}: ", path.display())));
    std::fs::write(&path, "PK").unwrap();
    let error = Model::read(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{}: model file is not a .gatelet file", path.display()));
}

#[test]
fn codes_are_those_of_the_specification() {
    let names = "linear tanh sigmoid hard_sigmoid relu softsign softplus elu silu leaky_relu";
    let names: Vec<_> = names.split(' ').collect();
    for (code, name) in names.iter().enumerate() {
        assert_eq!(ActivationKind::from_code(code as u32).unwrap().name(), *name);
    }
    assert_eq!(OutputKind::from_code(256), Some(OutputKind::Softmax));
    assert_eq!(ActivationKind::ALL.len(), names.len());
    let kinds = [Kind::Normalize, Kind::Dense, Kind::SimpleRnn, Kind::Lstm, Kind::Gru, Kind::Residual];
    assert_eq!(kinds.map(|kind| kind as u32), [1, 2, 3, 4, 5, 6]);
    let kinds = [Kind::InitialState, Kind::Bidirectional, Kind::Masking, Kind::Embedding, Kind::Conv1d];
    assert_eq!(kinds.map(|kind| kind as u32), [7, 8, 9, 10, 11]);
    let kinds =
        [Kind::AveragePooling, Kind::Flatten, Kind::Last, Kind::UnitNormalization, Kind::Activation, Kind::Prelu];
    assert_eq!(kinds.map(|kind| kind as u32), [12, 13, 14, 15, 16, 17]);
}

type Layers = chain!(
    Masking<2>,
    Residual<InitialState<Bidirectional<Gru<2, 2>, 2, Sum>>>,
    Conv1d<2, 4, 2, Linear, 1, 1>
);

/// Layers that say something about others, or work on whole sequences.
fn layers() -> Vec<u8> {
    let network =
        "masking(-1), residual(initial_state(bidirectional(gru(2, sequences), merge=sum))), conv1d(4, 2, groups=2)";
    bytes_of(network)
}

proptest! {
    /// The same of layers that are composed of several records.
    #[test]
    fn forged_layers_cannot_panic(changes in prop::collection::vec((0usize..10_000, 0u8..20), 1..5)) {
        let mut bytes = layers();
        for (at, value) in changes {
            let at = 20 + at % (bytes.len() - 20);
            bytes[at] = value;
        }
        repair(&mut bytes);
        let mut net = Layers::EMPTY;
        if net.read_into(&bytes).is_err() {
            prop_assert_eq!(net, Layers::EMPTY);
        }
        if let Ok(model) = Model::from_bytes(&bytes) {
            prop_assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
        }
    }

    /// A valid file with some bytes replaced and the checksum repaired: an answer or an error, never a panic.
    #[test]
    fn a_forged_file_cannot_panic(changes in prop::collection::vec((20usize..1000, any::<u8>()), 1..8), cut in 0usize..8) {
        let mut bytes = model().to_bytes().unwrap();
        for (at, value) in changes {
            let length = bytes.len();
            // Headers, where the sense lies, more often than weights.
            bytes[if at % 3 == 0 { 20 + at % 60 } else { 20 + at % (length - 20) }] = value;
        }
        bytes.truncate(bytes.len() - cut);
        repair(&mut bytes);
        let mut net = Net::EMPTY;
        if net.read_into(&bytes).is_err() {
            prop_assert_eq!(net, Net::EMPTY);
        }
        if let Ok(model) = Model::from_bytes(&bytes) {
            prop_assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
        }
    }
}
