//! Promise: what cannot be done is said in a sentence that tells what is wrong, where, and what to do, before anything is
//! written.

use crate::folder::{Folder, motion, tide, with_third_channel};

const MODEL: &str = "--model 'gru(4), dense(3, softmax)' --epochs 1 --out m.gatelet";
const REGRESSION: &str = "--model 'gru(4), dense(1)' --epochs 1 --out m.gatelet";

fn folder() -> Folder {
    Folder::new().with("motion.ts", motion(30)).with("tide.csv", tide())
}

/// Why a training fails; it writes nothing.
fn refused(folder: &Folder, status: i32, arguments: &str) -> String {
    let before = folder.files();
    let error = folder.error(status, &format!("train {arguments}"));
    assert_eq!(folder.files(), before, "{error}");
    error
}

/// A trained classifier with its data.
fn trained() -> Folder {
    let folder = folder();
    folder.results(&format!("train --data motion.ts {MODEL}"));
    folder
}

mod options {
    use super::*;

    #[test]
    fn values_are_checked_and_what_was_expected_is_said() {
        let folder = folder();
        for (option, expected) in [
            ("--split 0", "a fraction above 0 and below 1, such as 0.2"),
            ("--split 1", "a fraction above 0 and below 1, such as 0.2"),
            ("--split 1.5", "a fraction above 0 and below 1, such as 0.2"),
            ("--split -1", "a fraction above 0 and below 1, such as 0.2"),
            ("--batch-size 0", "a whole number, at least 1"),
            ("--threads 0", "a whole number, at least 1"),
            ("--window 0", "a whole number, at least 1"),
            ("--decimate 0", "a whole number, at least 1"),
            ("--stride 0", "a whole number, at least 1"),
            ("--learning-rate nan", "a number above 0"),
            ("--learning-rate 0", "a number above 0"),
            ("--learning-rate -1", "a number above 0"),
            ("--learning-rate inf", "a number above 0"),
            ("--clip-norm -1", "a number above 0, or 0 for none"),
            ("--dropout 1", "a number from 0 to below 1, such as 0.2"),
            ("--momentum 1", "a number from 0 to below 1, such as 0.9"),
            ("--missing skip", "error, previous or drop"),
            ("--test-rows 20..10", "the first row and the row behind the last one, such as 20000..26000"),
            ("--test-rows 20", "the first row and the row behind the last one, such as 20000..26000"),
        ] {
            let error = refused(&folder, 2, &format!("--data motion.ts {MODEL} {option}"));
            let (name, value) = option.split_once(' ').unwrap();
            let begin = format!("invalid value '{value}' for '{name} <");
            assert!(
                error.starts_with(&begin) && error.contains(&format!(": expected {expected}\n")),
                "{option}: {error}"
            );
        }
        let error = refused(&folder, 2, &format!("--data motion.ts {}", MODEL.replace("--epochs 1", "--epochs 0")));
        assert!(
            error.starts_with("invalid value '0' for '--epochs <N>': expected a whole number, at least 1\n"),
            "{error}"
        );
    }

    #[test]
    fn options_that_exclude_each_other_are_named() {
        let folder = folder();
        for (options, first, second) in [
            ("--label a --target b", "--label <COLUMN>", "--target <COLUMNS>"),
            ("--split 0.2 --validation motion.ts", "--validation <FILE>", "--split <FRACTION>"),
            ("--validation motion.ts --index i.csv", "--validation <FILE>", "--index <FILE>"),
        ] {
            let error = refused(&folder, 2, &format!("--data motion.ts {MODEL} {options}"));
            assert!(
                error.contains(first) && error.contains(second) && error.contains("cannot be used with"),
                "{error}"
            );
        }
        let error = refused(&folder, 2, &format!("--data motion.ts {MODEL} --momentum 0.5"));
        assert_eq!(error, "--momentum: adam has none of its own; add --optimizer sgd, or leave it out");
    }

    #[test]
    fn options_that_mean_nothing_for_a_file_are_refused() {
        let folder = folder();
        let error = refused(&folder, 2, &format!("--data motion.ts {MODEL} --label x"));
        assert_eq!(
            error,
            "--label: a .ts file has no such columns, its header says what follows the channels; leave the option out"
        );
        let error = refused(&folder, 2, &format!("--data tide.csv --target height {REGRESSION} --stride 2"));
        assert_eq!(error, "--stride: it is the distance of windows, but there is no `window`: give its length in rows");
    }

    #[test]
    fn a_loss_has_to_go_with_the_targets() {
        let folder = folder();
        let error = refused(&folder, 1, &format!("--data motion.ts {MODEL} --loss mean_squared_error"));
        assert_eq!(
            error,
            "mean_squared_error needs values as targets, but the data have classes: choose another loss or other targets"
        );
        let train = "--data tide.csv --target height,wind --model 'gru(4), dense(2, softmax)' --out m";
        let error = refused(&folder, 1, train);
        assert_eq!(
            error,
            "categorical_crossentropy needs probabilities that add up to 1, such as one-hot vectors, as targets, but the data \
             have other values: choose another loss or other targets"
        );
    }
}

mod data {
    use super::*;

    fn csv(rows: &str) -> Folder {
        Folder::new().with("bad.csv", format!("x,label\n{rows}"))
    }

    fn problem(folder: &Folder, options: &str) -> String {
        refused(folder, 1, &format!("--data bad.csv --label label --window 1 {MODEL} {options}"))
    }

    #[test]
    fn numbers_have_to_be_finite() {
        for number in ["NaN", "inf", "-inf", "1e999"] {
            assert_eq!(
                problem(&csv(&format!("1,a\n{number},b\n")), ""),
                format!(
                    "bad.csv:3: column 1 \"x\": expected a finite number that fits in an f32, found `{number}`; correct it or \
                     mark it as missing"
                )
            );
        }
        let folder = Folder::new();
        gatelet::data::write_npy(&folder.path("x.npy"), &[2, 3, 1], &[0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]).unwrap();
        gatelet::data::write_npy(&folder.path("y.npy"), &[2], &[0.0, 1.0]).unwrap();
        assert_eq!(
            refused(&folder, 1, &format!("--data x.npy --labels y.npy {MODEL}")),
            "x.npy: the value at [1, 1, 0] is NaN, expected a finite number; correct the array"
        );
    }

    #[test]
    fn a_sequence_has_at_least_one_step() {
        let folder = Folder::new().with("bad.ts", motion(3) + ":1,2:rise\n");
        assert_eq!(
            refused(&folder, 1, &format!("--data bad.ts {MODEL}")),
            "bad.ts:7: channel x0 has no values; a series has at least one time step, remove the line"
        );
        gatelet::data::write_npy(&folder.path("bad.npy"), &[3, 0, 2], &[]).unwrap();
        assert_eq!(
            refused(&folder, 1, &format!("--data bad.npy {MODEL}")),
            "bad.npy: the array has the shape [3, 0, 2], expected at least one value"
        );
        assert_eq!(problem(&csv(""), ""), "bad.csv holds no data; expected rows of numbers below the header line");
    }

    #[test]
    fn one_class_is_nothing_to_learn() {
        assert_eq!(
            problem(&csv("1,a\n2,a\n"), ""),
            "all series are of the class `a`; training needs at least two classes in the data"
        );
    }

    #[test]
    fn a_window_has_to_fit() {
        let folder = folder();
        assert_eq!(
            refused(&folder, 1, &format!("--data tide.csv --target height --window 200 --horizon 3 {REGRESSION}")),
            "tide.csv: no series is long enough; the longest has 120 rows after dropping and decimating, expected 200 for the \
             window and 3 for the horizon; use a shorter --window or --horizon"
        );
    }

    #[test]
    fn columns_and_groups_have_to_exist() {
        let folder = folder();
        let train = format!("--data tide.csv {REGRESSION}");
        assert_eq!(
            refused(&folder, 1, &format!("{train} --target hight")),
            "tide.csv has no column `hight`; it has `month`, `hour`, `height`, `wind`"
        );
        assert_eq!(
            refused(&folder, 1, &format!("{train} --target height --window 8 --group month --test-groups 2,13")),
            "no series belongs to the group `13`; the groups are `1`, `2`"
        );
        for option in ["--test-groups", "--validation-groups"] {
            assert_eq!(
                refused(&folder, 1, &format!("{train} --target height {option} 2")),
                "the series belong to no groups; name the column of their group with --group"
            );
        }
    }

    #[test]
    fn a_target_has_to_be_named() {
        let folder = folder();
        assert_eq!(
            refused(&folder, 2, &format!("--data tide.csv {REGRESSION}")),
            "what shall the network learn? Name the column of the class with --label, or those of values with --target"
        );
        gatelet::data::write_npy(&folder.path("x.npy"), &[2, 3, 1], &[0.0; 6]).unwrap();
        assert_eq!(
            refused(&folder, 1, &format!("--data x.npy {REGRESSION}")),
            "the data have no targets to train for; name a class column with --label or value columns with --target"
        );
    }

    #[test]
    fn splits_leave_something_on_both_sides() {
        assert_eq!(
            problem(&csv("1,a\n2,b\n3,b\n"), "--test-rows 7..9"),
            "the split takes 0 of 3 series and leaves 3; expected at least one on either side, choose another split"
        );
    }

    #[test]
    fn files_have_to_be_there() {
        let folder = folder();
        let missing = "cannot read nope.ts: No such file or directory (os error 2); check the path and its permissions";
        assert_eq!(refused(&folder, 1, &format!("--data nope.ts {MODEL}")), missing);
        assert_eq!(refused(&folder, 1, &format!("--data motion.ts --validation nope.ts {MODEL}")), missing);
        assert_eq!(
            refused(&folder, 1, &format!("--data motion.txt {MODEL}")),
            "cannot tell the format of motion.txt by its extension; expected .ts, .csv or .npy"
        );
    }

    #[test]
    fn validation_data_have_to_fit_before_training_begins() {
        let short = "@dimensions 2\n@classLabel true rise hop\n@data\n1:1:hop\n";
        let folder = folder().with("three.ts", with_third_channel(&motion(9))).with("hop.ts", short);
        assert_eq!(
            refused(&folder, 1, &format!("--data motion.ts --validation hop.ts {MODEL}")),
            "series `0` has the label `hop`, which the model was not trained on; it knows `rise`, `fall`, `rest`"
        );
        let (status, _, stderr) = folder.run(&format!("train --data motion.ts --validation three.ts {MODEL}"));
        assert_eq!(status, 1);
        assert!(
            stderr.ends_with(
                "\nerror: the data have 3 features, the network takes 2: choose the features it was trained with\n"
            ),
            "{stderr}"
        );
        assert!(!stderr.contains("epoch 1"), "{stderr}");
    }
}

mod output {
    use super::*;

    #[test]
    fn the_folder_has_to_be_there_and_writable() {
        let folder = trained();
        std::fs::create_dir(folder.path("folder")).unwrap();
        for (command, option) in [
            ("train --data motion.ts --model 'gru(4), dense(3, softmax)' --epochs 1", "--out"),
            ("predict m.gatelet --input motion.ts", "--output"),
            ("export m.gatelet", "--rust"),
        ] {
            let ending = if option == "--output" { ".csv" } else { "" };
            let error = |path: &str| folder.error(1, &format!("{command} {option} {path}"));
            let file = format!("not/there/y{ending}");
            assert_eq!(
                error(&file),
                format!("{option} {file}: there is no folder not/there; make it with `mkdir -p not/there`")
            );
            // Nobody can make files there, not even root.
            let file = format!("/proc/y{ending}");
            let unwritable = error(&file);
            assert!(
                unwritable.starts_with(&format!("{option} {file}: cannot write to the folder /proc: ")),
                "{unwritable}"
            );
            assert!(unwritable.ends_with("; choose another one or change its permissions"), "{unwritable}");
        }
        for path in ["folder", "folder/", "nothing/"] {
            let error =
                folder.error(1, &format!("train --data motion.ts --model 'gru(4), dense(3, softmax)' --out {path}"));
            assert_eq!(error, format!("--out {path}: this is a folder; name a file in it"));
        }
        assert_eq!(
            folder.error(2, "predict m.gatelet --input motion.ts --output y.txt"),
            "--output y.txt: expected .npy or .csv"
        );
    }

    #[test]
    fn inputs_and_devices_are_not_overwritten() {
        let folder = trained();
        let lost = "this is the input, which would be lost; name another file";
        assert_eq!(
            refused(
                &folder,
                1,
                &format!("--data motion.ts {} --out ./motion.ts", MODEL.replace(" --out m.gatelet", ""))
            ),
            format!("--out ./motion.ts: {lost}")
        );
        assert_eq!(
            folder.error(1, "predict m.gatelet --input tide.csv --output tide.csv"),
            format!("--output tide.csv: {lost}")
        );
        assert_eq!(folder.error(1, "export m.gatelet --rust m.gatelet"), format!("--rust m.gatelet: {lost}"));
        assert_eq!(
            folder.error(1, "export m.gatelet --rust /dev/null"),
            "--rust /dev/null: this is a device, not a file; name a file"
        );
        assert_eq!(folder.text("tide.csv"), tide());
    }
}

mod divergence {
    use super::*;

    /// One batch is one epoch: the loss of the second one is that of weights as large as the learning rate.
    const TRAIN: &str = "--data tide.csv --target height --window 8 --batch-size 1000 --model 'simple_rnn(4, relu), dense(1)' \
                         --learning-rate 1e30 --clip-norm 0 --epochs 5 --out m.gatelet";

    #[test]
    fn training_stops_with_epoch_and_batch_and_keeps_the_last_good_model() {
        let folder = folder().with("m.gatelet", "of an earlier run");
        let error = folder.error(1, &format!("train {TRAIN}"));
        let (why, kept) = error.split_once('\n').unwrap();
        assert!(why.ends_with(" in epoch 2, batch 1: try a smaller learning rate, or clip gradients"), "{why}");
        assert_eq!(kept, "wrote the model of epoch 1 to m.gatelet.epoch1");
        assert_eq!(folder.text("m.gatelet"), "of an earlier run");
        assert_eq!(folder.files(), ["m.gatelet", "m.gatelet.checkpoint", "m.gatelet.epoch1", "motion.ts", "tide.csv"]);
        assert!(folder.results("summary m.gatelet.epoch1").contains("for 1 epochs"));
    }

    #[test]
    fn without_a_good_epoch_nothing_is_written() {
        let folder = folder();
        for train in [TRAIN.replace("1000", "10"), TRAIN.replace("1e30", "1e39")] {
            let error = refused(&folder, 1, &train);
            assert!(error.contains(" became ") && error.contains(" in epoch 1, batch "), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}

mod models {
    use super::*;

    #[test]
    fn a_file_that_is_no_model_is_named() {
        let folder = trained();
        let model = folder.read("m.gatelet");
        for command in [
            "eval M --data motion.ts",
            "predict M --input motion.ts --output y.csv",
            "summary M",
            "export M --rust r.rs",
            "verify M",
        ] {
            let error = |name: &str, content: Option<&[u8]>| {
                if let Some(content) = content {
                    std::fs::write(folder.path(name), content).unwrap();
                }
                folder.error(1, &command.replace('M', name))
            };
            assert_eq!(error("nope", None), "cannot read nope: No such file or directory (os error 2)");
            assert_eq!(error("foreign", Some(b"GIF89a, a picture")), "foreign: model file is not a .gatelet file");
            assert_eq!(error("empty", Some(b"")), "empty: model file is not a .gatelet file");
            assert_eq!(
                error("cut", Some(&model[..model.len() - 100])),
                format!(
                    "cut: model file has {} bytes instead of {}: it is cut off or has grown",
                    model.len() - 100,
                    model.len()
                )
            );
            for at in [20, model.len() / 2, model.len() - 1] {
                let mut flipped = model.clone();
                flipped[at] ^= 4;
                let error = error("flipped", Some(&flipped));
                assert!(error.starts_with("flipped: model file is damaged"), "byte {at}: {error}");
            }
        }
    }

    #[test]
    fn data_need_as_many_channels_as_in_training() {
        let one = "@dimensions 1\n@classLabel true rise fall rest\n@data\n1,2:rise\n";
        let three = "@dimensions 3\n@classLabel true rise fall rest\n@data\n1,2:1,2:1,2:rise\n";
        let folder = trained().with("one.ts", one).with("three.ts", three);
        for (file, count) in [("one.ts", 1), ("three.ts", 3)] {
            for command in
                ["eval m.gatelet --data F", "predict m.gatelet --input F --output y.csv", "verify m.gatelet --data F"]
            {
                let error = folder.error(1, &command.replace('F', file));
                let expected = format!(
                    "the data have {count} features, the network takes 2: choose the features it was trained with"
                );
                assert_eq!(error, expected);
            }
        }
        folder.results("eval m.gatelet --data three.ts --features x0,x2");
    }

    #[test]
    fn labels_have_to_be_those_of_training() {
        let other = "@dimensions 2\n@classLabel true rise hop\n@data\n1,2:1,2:rise\n1,2:1,2:hop\n";
        let folder = trained().with("other.ts", other);
        assert_eq!(
            folder.error(1, "eval m.gatelet --data other.ts"),
            "series `1` has the label `hop`, which the model was not trained on; it knows `rise`, `fall`, `rest`"
        );
        // Prediction needs none.
        folder.results("predict m.gatelet --input other.ts --output y.csv");
    }

    #[test]
    fn evaluation_needs_targets_of_the_models_kind() {
        let none = "@dimensions 2\n@classLabel false\n@data\n1,2:1,2\n";
        let folder = trained().with("none.ts", none).with("xy.csv", "x,y\n1,2\n");
        assert_eq!(
            folder.error(1, "eval m.gatelet --data none.ts"),
            "none.ts: no targets to compare with; the model gives classes: name their column with --label"
        );
        assert_eq!(
            folder.error(1, "eval m.gatelet --data xy.csv"),
            "xy.csv: no targets to compare with; the model gives classes: name their column with --label"
        );
        gatelet::data::write_npy(&folder.path("x.npy"), &[2, 3, 2], &[0.0; 12]).unwrap();
        assert_eq!(
            folder.error(1, "eval m.gatelet --data x.npy"),
            "x.npy: no targets to compare with; the model gives classes: name their column with --label, or their file with \
             --labels"
        );
        folder.results(&format!(
            "train --data tide.csv --target height --features hour,wind --window 8 {}",
            REGRESSION.replace("m.gatelet", "r.gatelet")
        ));
        assert_eq!(
            folder.error(1, "eval r.gatelet --data motion.ts"),
            "motion.ts: no targets to compare with; the model gives values: name their columns with --target"
        );
    }
}
