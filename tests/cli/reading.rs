//! Promise: evaluation and prediction read data as training did, wherever they lie.

use crate::folder::{Folder, noise};

/// An array of 12 series of 10 rows and two channels, and what `index.csv` says about it.
fn with_array(folder: Folder) -> Folder {
    let mut noise = noise();
    let mut index = "row_start,rows,subject,what\n".to_owned();
    let mut values = Vec::new();
    for series in 0..12 {
        let what = ["still", "shaking"][series % 2];
        index += &format!("{},10,{},{what}\n", 10 * series, 1 + series / 4);
        let size = [0.1, 2.0][series % 2];
        values.extend((0..20).map(|_| (size * noise()) as f32));
    }
    gatelet::data::write_npy(&folder.path("x.npy"), &[120, 2], &values).unwrap();
    folder.with("index.csv", index)
}

const TRAIN: &str = "train --data data/x.npy --index data/index.csv --label what --group subject --test-groups 3 --decimate 2 \
                     --window 4 --model 'gru(4), dense(2, softmax)' --epochs 1 --out m";

fn trained() -> Folder {
    let folder = with_array(Folder::new());
    std::fs::create_dir(folder.path("data")).unwrap();
    for name in ["x.npy", "index.csv"] {
        std::fs::rename(folder.path(name), folder.path("data").join(name)).unwrap();
    }
    folder.results(TRAIN);
    folder
}

#[test]
fn an_index_is_found_beside_the_data() {
    let folder = trained();
    let here = folder.results("eval m --data data/x.npy");
    assert!(here.starts_with("8 examples"), "{here}");
    std::fs::rename(folder.path("data"), folder.path("moved")).unwrap();
    assert_eq!(folder.results("eval m --data moved/x.npy"), here);
    folder.results("predict m --input moved/x.npy --output y.csv");
    assert_eq!(folder.text("y.csv").lines().count(), 1 + 12 * 2);
    // Somewhere else it has to be named.
    std::fs::rename(folder.path("moved/index.csv"), folder.path("i.csv")).unwrap();
    let error = folder.error(1, "eval m --data moved/x.npy");
    assert_eq!(
        error,
        "training read x.npy with --index index.csv, which is not beside moved/x.npy: name it with --index"
    );
    assert_eq!(folder.results("eval m --data moved/x.npy --index i.csv"), here);
}

#[test]
fn another_array_needs_an_index_of_its_own() {
    let folder = trained();
    std::fs::copy(folder.path("data/x.npy"), folder.path("data/new.npy")).unwrap();
    let error = folder.error(1, "eval m --data data/new.npy");
    assert_eq!(
        error,
        "training read x.npy with --index index.csv: name the file that goes with data/new.npy with --index"
    );
    // And has been kept from training as a whole.
    let all = folder.results("eval m --data data/new.npy --index data/index.csv");
    assert!(all.starts_with("24 examples"), "{all}");
    // Without one it is one series: 60 rows of every second one, in windows of 4.
    let (status, _, stderr) = folder.run("predict m --input data/new.npy --output y.csv");
    assert_eq!((status, stderr.lines().next()), (0, Some("without --index, an array of two dimensions is one series")));
    assert_eq!(folder.text("y.csv").lines().count(), 1 + 57);
}

#[test]
fn labels_of_a_batch_go_with_their_array() {
    let folder = with_array(Folder::new());
    let array = gatelet::data::read_npy(&folder.path("x.npy")).unwrap();
    for name in ["train.npy", "test.npy"] {
        gatelet::data::write_npy(&folder.path(name), &[12, 10, 2], &array.values).unwrap();
    }
    let classes: Vec<f32> = (0..12).map(|series| (series % 2) as f32).collect();
    gatelet::data::write_npy(&folder.path("y.npy"), &[12], &classes).unwrap();
    folder.results("train --data train.npy --labels y.npy --model 'gru(4), dense(2, softmax)' --epochs 1 --out m");
    assert!(folder.results("eval m --data train.npy").starts_with("12 examples"));
    let error = folder.error(1, "eval m --data test.npy");
    assert_eq!(
        error,
        "training read train.npy with --labels y.npy: name the file that goes with test.npy with --labels"
    );
    assert!(folder.results("eval m --data test.npy --labels y.npy").starts_with("12 examples"));
    folder.results("predict m --input test.npy --output p.csv");
    assert_eq!(folder.text("p.csv").lines().next(), Some("series,class,0,1"));
}

#[test]
fn a_model_reads_other_kinds_of_files() {
    let folder = trained();
    let csv = "a,b\n".to_owned() + &"1,2\n".repeat(7);
    let folder = folder.with("new.csv", csv);
    folder.results("predict m --input new.csv --output y.csv");
    assert_eq!(folder.text("y.csv").lines().count(), 2);
}

#[test]
fn other_data_are_not_taken_for_the_training_file() {
    let folder = trained();
    let (_, _, stderr) = folder.run("eval m --data data/x.npy --all");
    assert_eq!(stderr, "the model was trained on data of a file of this name; new data tell more\n");
}
