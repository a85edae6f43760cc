//! Promise: a regression's predictions and errors are in the data's units.

use crate::folder::{Folder, tide};

const TRAIN: &str = "train --data tide.csv --features height,wind --target height --horizon 2 --window 8 --group month \
                     --model 'gru(6), dense(1)' --epochs 8 --learning-rate 0.02 --out m.gatelet";

fn heights(csv: &str) -> Vec<f64> {
    csv.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse().unwrap()).collect()
}

#[test]
fn errors_are_those_of_the_predictions() {
    let folder = Folder::new().with("tide.csv", tide());
    folder.results(&format!("{TRAIN} --test-groups 2"));
    let (_, stdout, stderr) = folder.run("eval m.gatelet --data tide.csv --json");
    assert_eq!(stderr, "evaluating on the part that training kept for the test; --all takes the whole file\n");
    let evaluation: serde_json::Value = serde_json::from_str(&stdout).unwrap();

    folder.results("predict m.gatelet --input tide.csv --output p.csv");
    let predicted = folder.text("p.csv");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("series,row,height"));
    let heights = heights(&folder.text("tide.csv"));
    let mut errors = Vec::new();
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let (row, height): (usize, f64) = (cells[1].parse().unwrap(), cells[2].parse().unwrap());
        assert_eq!(cells[0], "tide");
        // The last two windows look beyond the file; month 2 begins at row 60.
        if (60..120).contains(&(row + 2)) {
            errors.push(height - heights[row + 2]);
        }
    }
    let count = errors.len() as f64;
    let mae = errors.iter().map(|error| error.abs()).sum::<f64>() / count;
    let rmse = (errors.iter().map(|error| error * error).sum::<f64>() / count).sqrt();
    assert_eq!(evaluation["examples"], 60);
    assert_eq!(count, 60.0);
    // The data are read in single precision.
    assert!((evaluation["mae"].as_f64().unwrap() - mae).abs() < 1e-6, "{mae} {evaluation}");
    assert!((evaluation["rmse"].as_f64().unwrap() - rmse).abs() < 1e-6, "{rmse} {evaluation}");
    // Heights are 9 to 15; whoever always says 12 is 1.9 off.
    assert!(mae < 1.0, "{mae}");
    assert!(evaluation.get("accuracy").is_none() && evaluation.get("confusion").is_none());

    let text = folder.results("eval m.gatelet --data tide.csv");
    assert!(
        text.starts_with("60 examples, loss 0.") && text.contains(&format!("mae {mae:.4}, rmse {rmse:.4}")),
        "{text}"
    );
    let all = folder.results("eval m.gatelet --data tide.csv --all");
    assert!(all.starts_with("111 examples, "), "{all}");
}

#[test]
fn epochs_tell_the_mean_absolute_error() {
    let folder = Folder::new().with("tide.csv", tide()).with("other.csv", tide().replace(",12.", ",13."));
    let epochs = folder.json(&format!("{TRAIN} --validation other.csv --json"));
    assert_eq!(epochs.len(), 8);
    for name in ["epoch", "seconds", "loss", "val_loss", "mae", "val_mae"] {
        assert!(epochs[7][name].is_number(), "{}", epochs[7]);
    }
    assert!(epochs[7].get("accuracy").is_none());
    let evaluation = &folder.json("eval m.gatelet --data other.csv --json")[0];
    assert_eq!((&evaluation["mae"], &evaluation["loss"]), (&epochs[7]["val_mae"], &epochs[7]["val_loss"]));
}

#[test]
fn a_column_that_never_changes_does_no_harm() {
    let constant = "x,still,y\n".to_owned() + &(0..40).map(|i| format!("{i},1013.25,{}\n", 2 * i)).collect::<String>();
    let folder = Folder::new().with("c.csv", constant);
    let epochs = folder.json(
        "train --data c.csv --target y --window 1 --model 'gru(4), dense(1)' --epochs 20 --learning-rate 0.05 --out m --json",
    );
    assert!(epochs[19]["mae"].as_f64().unwrap() < 5.0, "{}", epochs[19]);
    // A target, too: what never changes is foretold from the start.
    let epochs = folder
        .json("train --data c.csv --target still --window 1 --model 'gru(4), dense(1)' --epochs 20 --out m --json");
    assert!(epochs[19]["mae"].as_f64().unwrap() < 1.0, "{}", epochs[19]);
}

#[test]
fn a_target_that_the_network_sees_is_pointed_out() {
    let folder = Folder::new().with("tide.csv", tide());
    let train = "train --data tide.csv --features height,wind --target height --window 8 --model 'gru(2), dense(1)' --epochs 1 --out m";
    let warning = "the inputs contain the target height of the same row: name the inputs with --features, or look ahead with \
                   --horizon\n";
    assert!(folder.run(train).2.contains(warning));
    assert!(!folder.run(&format!("{train} --horizon 1")).2.contains(warning));
}

#[test]
fn inputs_are_all_columns_that_have_no_other_use() {
    let folder = Folder::new().with("tide.csv", tide());
    let train =
        "train --data tide.csv --target height --group month --window 8 --model 'gru(2), dense(1)' --epochs 1 --out m";
    assert!(folder.run(train).2.starts_with("inputs: hour, wind\n"));
    // And they are found by their names.
    let more: String =
        tide().lines().map(|line| format!("extra,{line}\n")).collect::<String>().replacen("extra", "first", 1);
    let folder = folder.with("more.csv", more.replace("extra", "0"));
    folder.results("predict m --input tide.csv --output a.csv");
    folder.results("predict m --input more.csv --output b.csv");
    assert_eq!(folder.text("a.csv").replace("tide,", ""), folder.text("b.csv").replace("more,", ""));
}

#[test]
fn several_targets_have_their_names() {
    let folder = Folder::new().with("tide.csv", tide());
    folder.results(
        "train --data tide.csv --features hour --target height,wind --window 8 --model 'gru(2), dense(2)' --epochs 1 --out m",
    );
    folder.results("predict m --input tide.csv --output p.csv");
    assert!(folder.text("p.csv").starts_with("series,row,height,wind\ntide,7,"));
}

#[test]
fn rows_can_be_kept_for_the_test() {
    let folder = Folder::new().with("tide.csv", tide());
    folder.results(&format!("{TRAIN} --test-rows 100..110"));
    assert_eq!(folder.json("eval m.gatelet --data tide.csv --json")[0]["examples"], 10);
    // Another file has been kept from training as a whole.
    let folder = folder.with("other.csv", tide());
    assert_eq!(folder.json("eval m.gatelet --data other.csv --json")[0]["examples"], 111);
}
