//! Promise: a classifier goes the whole way, and every command tells the same about it.

use crate::folder::{Folder, motion};
use serde_json::Value;

const TRAIN: &str =
    "train --data motion.ts --model 'gru(6), dense(3, softmax)' --epochs 15 --learning-rate 0.02 --out m.gatelet";

/// With a classifier `m.gatelet` of `motion.ts`, and `test.ts`.
pub fn trained() -> Folder {
    let folder = Folder::new().with("motion.ts", motion(60)).with("test.ts", motion(33));
    folder.results(TRAIN);
    folder
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {value}"))
}

#[test]
fn results_are_on_standard_output_and_progress_on_standard_error() {
    let folder = Folder::new().with("motion.ts", motion(60));
    let (status, stdout, stderr) = folder.run(&format!("{TRAIN} --split 0.2"));
    assert_eq!(status, 0);
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    assert!(stdout.starts_with("wrote m.gatelet after epoch 15: loss 0."), "{stdout}");
    assert!(stdout.contains(", validation accuracy "), "{stdout}");
    let network = "training normalize(2), gru(6), dense(3, softmax) on 48 series, validating on 12";
    assert_eq!(stderr.lines().next(), Some(network));
    assert_eq!(stderr.lines().filter(|line| line.starts_with("epoch ")).count(), 15);
    assert_eq!(folder.files(), ["m.gatelet", "motion.ts"]);
}

#[test]
fn training_prints_a_line_of_json_for_each_epoch() {
    let folder = Folder::new().with("motion.ts", motion(60));
    let epochs = folder.json(&format!("{TRAIN} --split 0.2 --json"));
    assert_eq!(epochs.len(), 15);
    for (at, epoch) in (1..).zip(&epochs) {
        assert_eq!(epoch["epoch"], at);
        for name in ["seconds", "loss", "val_loss", "accuracy", "val_accuracy"] {
            assert!(number(epoch, name) >= 0.0);
        }
    }
    let [first, last] = [&epochs[0], &epochs[14]];
    assert!(number(last, "loss") < 0.5 * number(first, "loss"));
    assert!(number(last, "accuracy") > 0.9);
}

#[test]
fn validation_data_may_be_a_file() {
    let folder = Folder::new().with("motion.ts", motion(60)).with("test.ts", motion(33));
    let epochs = folder.json(&format!("{TRAIN} --validation test.ts --json"));
    let evaluation = &folder.json("eval m.gatelet --data test.ts --json")[0];
    assert_eq!(epochs[14]["val_loss"], evaluation["loss"]);
    assert_eq!(epochs[14]["val_accuracy"], evaluation["accuracy"]);
}

#[test]
fn evaluation_agrees_with_predictions() {
    let folder = trained();
    let evaluation = &folder.json("eval m.gatelet --data test.ts --json")[0];
    folder.results("predict m.gatelet --input test.ts --output p.csv");
    let predicted = folder.text("p.csv");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("series,class,rise,fall,rest"));

    let labels = ["rise", "fall", "rest"];
    let (mut right, mut loss, mut confusion) = (0, 0.0, vec![vec![0; 3]; 3]);
    for (at, line) in lines.enumerate() {
        let cells: Vec<_> = line.split(',').collect();
        assert_eq!(cells[0], at.to_string());
        let probabilities: Vec<f64> = cells[2..].iter().map(|cell| cell.parse().unwrap()).collect();
        let said = (0..3).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap();
        assert_eq!(cells[1], labels[said]);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        // The series of the file take turns.
        right += usize::from(said == at % 3);
        confusion[at % 3][said] += 1;
        loss -= probabilities[at % 3].ln() / 33.0;
    }
    assert_eq!(number(evaluation, "examples"), 33.0);
    assert_eq!(number(evaluation, "accuracy"), right as f64 / 33.0);
    assert!((number(evaluation, "loss") - loss).abs() < 1e-6);
    assert_eq!(evaluation["confusion"], serde_json::json!(confusion));
    assert!(right > 30, "{right} of 33");
    assert_eq!(folder.results("predict m.gatelet --input test.ts"), predicted);

    let text = folder.results("eval m.gatelet --data test.ts");
    assert!(text.starts_with("33 examples, loss 0."), "{text}");
    assert!(
        text.contains(&format!("accuracy {:.2} %\n is\\as  rise  fall  rest\n", 100.0 * right as f64 / 33.0)),
        "{text}"
    );
}

#[test]
fn summary_counts_layers_parameters_and_bytes() {
    let folder = trained();
    let summary = &folder.json("summary m.gatelet --json")[0];
    // Two offsets and scales; 3 gates of 6 units with 2 inputs, 6 states and two biases, of which a device needs 4; 3 x 7.
    let [normalize, gru, dense] = [4, 3 * 6 * (2 + 6) + 6 * 6, 21];
    assert_eq!(summary["parameters"], normalize + gru + dense);
    assert_eq!(summary["flash_bytes"], 4 * (normalize + gru - 2 * 6 + dense));
    assert_eq!(summary["state_bytes"], 4 * 6);
    let layers: Vec<_> =
        summary["layers"].as_array().unwrap().iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
    assert_eq!(layers, ["normalize(2)", "gru(6)", "dense(3, softmax)"]);
    assert_eq!(summary["layers"][1]["output_shape"], serde_json::json!([null, 6]));

    let text = folder.results("summary m.gatelet");
    for part in
        ["gru(6)", "(None, 6)", &gru.to_string(), "Classes: rise, fall, rest", "Trained on motion.ts for 15 epochs"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn export_writes_the_type_and_the_labels() {
    let folder = trained();
    assert_eq!(folder.results("export m.gatelet --rust net.rs"), "");
    let source = folder.text("net.rs");
    for part in ["pub static NET: Net", "Gru<2, 6>", "motion.ts", "rise"] {
        assert!(source.contains(part), "no {part} in\n{source}");
    }
}

#[test]
fn predictions_of_an_array_are_an_array() {
    let folder = trained();
    let inputs: Vec<f32> = (0..2 * 5 * 2).map(|at| at as f32 / 10.0).collect();
    gatelet::data::write_npy(&folder.path("x.npy"), &[2, 5, 2], &inputs).unwrap();
    folder.results("predict m.gatelet --input x.npy --output y.npy");
    folder.results("predict m.gatelet --input x.npy --output y.csv");
    let array = gatelet::data::read_npy(&folder.path("y.npy")).unwrap();
    assert_eq!(array.shape, [2, 3]);
    let text = folder.text("y.csv");
    let cells = text.lines().skip(1).flat_map(|line| line.split(',').skip(2));
    let numbers: Vec<f32> = cells.map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(numbers, array.values);
    // One series without a batch.
    gatelet::data::write_npy(&folder.path("one.npy"), &[5, 2], &inputs[10..]).unwrap();
    folder.results("predict m.gatelet --input one.npy --output one_y.npy");
    let one = gatelet::data::read_npy(&folder.path("one_y.npy")).unwrap();
    assert_eq!((one.shape, &one.values[..]), (vec![1, 3], &array.values[3..]));
}

#[test]
fn a_network_that_gives_sequences_predicts_every_step() {
    let folder = Folder::new().with("motion.ts", motion(60));
    folder.results("train --data motion.ts --model 'gru(6, sequences), dense(3, softmax)' --epochs 1 --out m.gatelet");
    gatelet::data::write_npy(&folder.path("x.npy"), &[2, 5, 2], &[0.5; 20]).unwrap();
    folder.results("predict m.gatelet --input x.npy --output y.npy");
    assert_eq!(gatelet::data::read_npy(&folder.path("y.npy")).unwrap().shape, [2, 5, 3]);
    folder.results("predict m.gatelet --input motion.ts --output y.csv");
    let text = folder.text("y.csv");
    let steps: usize = (0..60).map(|at| 4 + at % 6).sum();
    assert_eq!(text.lines().count(), 1 + steps);
    assert!(text.starts_with("series,step,class,rise,fall,rest\n0,0,"), "{text}");
    let error = folder.error(1, "predict m.gatelet --input motion.ts --output z.npy");
    assert_eq!(error, "series have 4 and 5 time steps, and an .npy array has one length: write to a .csv file");
}

/// Accuracy and confusion matrix of one-hot targets, in training as in evaluation.
#[test]
fn one_hot_targets_are_classes() {
    let mut csv = "x,is_low,is_high\n".to_owned();
    for row in 0..80 {
        csv += &format!("{},{},{}\n", row % 4, u8::from(row % 4 < 2), u8::from(row % 4 > 1));
    }
    let folder = Folder::new().with("hot.csv", csv);
    let train = "train --data hot.csv --target is_low,is_high --window 1 --split 0.25 --model 'gru(4), dense(2, softmax)' \
                 --epochs 30 --learning-rate 0.05 --out m.gatelet --json";
    let epochs = folder.json(train);
    assert_eq!(number(&epochs[29], "val_accuracy"), 1.0);
    assert_eq!(folder.json(&format!("{train} --loss categorical_crossentropy"))[29]["loss"], epochs[29]["loss"]);
    let evaluation = &folder.json("eval m.gatelet --data hot.csv --json")[0];
    assert_eq!(evaluation["confusion"], serde_json::json!([[40, 0], [0, 40]]));
    assert!(folder.results("eval m.gatelet --data hot.csv").contains("is_low  is_high\n"));
}

#[test]
fn the_same_seed_gives_the_same_file_on_any_number_of_threads() {
    let folder = Folder::new().with("motion.ts", motion(60));
    let train = "train --data motion.ts --split 0.2 --model 'lstm(5), dense(3, softmax)' --batch-size 30 --epochs 3";
    for (name, options) in [
        ("one", "--seed 1 --threads 1"),
        ("two", "--seed 1 --threads 2"),
        ("three", "--seed 1 --threads 3"),
        ("default", "--seed 1"),
        ("other", "--seed 2"),
    ] {
        folder.results(&format!("{train} {options} --out {name}"));
    }
    let [one, two, three, default, other] = ["one", "two", "three", "default", "other"].map(|name| folder.read(name));
    assert!(one == two && one == three && one == default);
    assert!(one != other);
    // Wherever the data lie.
    std::fs::create_dir(folder.path("elsewhere")).unwrap();
    std::fs::rename(folder.path("motion.ts"), folder.path("elsewhere/motion.ts")).unwrap();
    folder.results(&format!("{} --seed 1 --out again", train.replace("motion.ts", "elsewhere/motion.ts")));
    assert!(one == folder.read("again"));
}
