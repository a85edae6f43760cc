//! Promise: an integer network is made by one command, which tells what that costs, and every other command takes it.

use crate::classifier::trained;
use crate::folder::Folder;

#[test]
fn a_model_goes_the_whole_way() {
    let folder = trained();
    let report = &folder.json("quantize m.gatelet --data motion.ts --test test.ts --out q.gatelet --json")[0];
    assert_eq!(folder.files(), ["m.gatelet", "motion.ts", "q.gatelet", "test.ts"]);
    assert_eq!((&report["series"], &report["saturated"]), (&60.into(), &0.into()), "{report}");
    assert_eq!(report["drift"]["steps"], 10_000);
    let drift = &report["drift"]["layers"][0];
    assert_eq!(drift["layer"], "integer gru(6)");
    assert!((1e-5..0.01).contains(&drift["rms"].as_f64().unwrap()), "{report}");
    assert_eq!(drift["tenths"].as_array().unwrap().len(), 10);
    assert_eq!(report["after"]["accuracy"], report["before"]["accuracy"]);
    assert!(report["flash_bytes"][0].as_u64() > report["flash_bytes"][1].as_u64(), "{report}");

    // The others take it as any model.
    assert_eq!(folder.json("eval q.gatelet --data test.ts --json")[0]["loss"], report["after"]["loss"]);
    let summary = folder.results("summary q.gatelet");
    assert!(summary.contains("integer gru(6)") && summary.contains("gatelet::quant::Gru<"), "{summary}");
    assert_eq!(folder.results("predict q.gatelet --input test.ts").lines().count(), 34);
    assert!(folder.results("verify q.gatelet --data test.ts --random 20").starts_with("verified"));
}

#[test]
fn the_report_is_in_words() {
    let folder = trained();
    let (status, report, said) = folder.run(
        "quantize m.gatelet --data motion.ts --out q.gatelet --ranges percentile --steps 50 --calibration-series 7",
    );
    assert_eq!(status, 0, "{said}");
    let parts = ["calibrated on 7 series, ranges by percentile", "drift over 50 steps", "integer gru(6)", "flash: "];
    assert!(parts.iter().all(|part| report.contains(part)), "{report}");
    assert!(
        said.ends_with("wrote q.gatelet: quantize(2), integer gru(6), integer dense(3, softmax), dequantize(3)\n"),
        "{said}"
    );
}

#[test]
fn the_test_part_of_the_training_file_is_not_calibrated_on() {
    let folder = Folder::new().with_shipped("nyc_weather/weather.csv");
    folder.results(
        "train --data weather.csv --series origin --missing previous --features temp,dewp --target temp --horizon 6 \
         --window 24 --stride 300 --group month --test-groups 11,12 --epochs 1 --model 'gru(4), dense(1)' --out w.gatelet",
    );
    let (status, report, said) = folder.run("quantize w.gatelet --data weather.csv --out q.gatelet");
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("calibrating without the part that training kept for the test"), "{said}");
    assert!(report.contains("mae: "), "{report}");
}

#[test]
fn what_is_wrong_is_said() {
    let folder = trained();
    folder.results("quantize m.gatelet --data motion.ts --out q.gatelet");
    let again = folder.error(1, "quantize q.gatelet --data motion.ts --out r.gatelet");
    assert!(again.contains("an integer network already"), "{again}");
    let said = folder.error(1, "quantize m.gatelet --data motion.ts --out m.gatelet");
    assert!(said.contains("--out m.gatelet: this is the input"), "{said}");
    let said = folder.error(2, "quantize m.gatelet --data motion.ts --out r.gatelet --ranges best");
    assert!(said.contains("possible values: auto, min-max, percentile, mean-square"), "{said}");
    let said = folder.error(1, "export q.gatelet --safetensors q.safetensors");
    assert!(said.contains("PyTorch has no such integer layer"), "{said}");
    assert!(!folder.path("r.gatelet").exists());
}

#[test]
fn training_goes_on_for_integers() {
    let folder = trained();
    let (status, result, said) =
        folder.run("train --quantize m.gatelet --data motion.ts --validation test.ts --epochs 4 --out q.gatelet");
    assert_eq!(status, 0, "{said}");
    assert!(result.starts_with("wrote q.gatelet after epoch "), "{result}");
    assert!(folder.results("summary q.gatelet").contains("integer gru(6)"));
    assert_eq!(folder.files(), ["m.gatelet", "motion.ts", "q.gatelet", "test.ts"]);
    // What is written is the integer network that is nearest to single precision.
    let epochs = folder
        .json("train --quantize m.gatelet --data motion.ts --validation test.ts --epochs 4 --out again.gatelet --json");
    assert_eq!(folder.read("again.gatelet"), folder.read("q.gatelet"));
    let error = |epoch: &serde_json::Value| epoch["rms_error"].as_f64().unwrap();
    let best = epochs.iter().min_by(|a, b| error(a).total_cmp(&error(b))).unwrap();
    assert_eq!(epochs.len(), 5);
    assert!(result.contains(&format!("after epoch {}, ", best["epoch"])), "{result}");
    let evaluation = &folder.json("eval again.gatelet --data test.ts --json")[0];
    assert_eq!(best["val_accuracy"], evaluation["accuracy"]);
    let said = folder.error(1, "train --quantize q.gatelet --data motion.ts --out r.gatelet");
    assert!(said.contains("an integer network already"), "{said}");
    for (option, name) in [("--model 'gru(3)'", "--model"), ("--loss mean_squared_error", "--loss")] {
        let said = folder.error(2, &format!("train --quantize m.gatelet {option} --data motion.ts --out r.gatelet"));
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn training_for_integers_makes_nothing_worse() {
    let folder = trained();
    folder.results("quantize m.gatelet --data motion.ts --out q.gatelet");
    let calibrated = folder.results("predict q.gatelet --input test.ts");
    // With steps that only do harm, calibration alone remains; with steps out of all measure, too.
    for rate in ["1", "1e30"] {
        let train =
            format!("train --quantize m.gatelet --data motion.ts --epochs 2 --learning-rate {rate} --out r.gatelet");
        let (status, result, said) = folder.run(&train);
        assert_eq!(status, 0, "{said}");
        assert!(result.starts_with("wrote r.gatelet by calibration alone, since no epoch"), "{result}");
        assert_eq!(folder.results("predict r.gatelet --input test.ts"), calibrated);
    }
}
