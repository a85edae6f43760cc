//! `gatelet import`, and what the other commands make of its model.

use crate::folder::Folder;
use std::fmt::Write;

const STATE_DICT: &[u8] = include_bytes!("../golden/pytorch.safetensors");

#[derive(serde::Deserialize)]
struct Answers {
    x: Vec<Vec<Vec<f32>>>,
    y: Vec<Vec<Vec<f32>>>,
}

#[test]
fn an_imported_model_predicts_what_pytorch_does() {
    let answers: Answers = serde_json::from_str(include_str!("../golden/pytorch.json")).unwrap();
    let mut csv = "id,a,b,c\n".to_owned();
    for (series, steps) in answers.x.iter().enumerate() {
        for step in steps {
            writeln!(csv, "{series},{},{},{}", step[0], step[1], step[2]).unwrap();
        }
    }
    let folder = Folder::new().with("model.safetensors", STATE_DICT).with("x.csv", csv);
    let (status, results, notes) = folder.run("import model.safetensors --out m.gatelet");
    assert_eq!((status, &*results), (0, ""), "{notes}");
    assert_eq!(
        notes,
        "assumed: `fc`, Linear(9, 4): no activation behind it (--model says otherwise)\n\
         assumed: `rnn`, l1, LSTM(9, 9): an output for every time step (--model says otherwise)\n\
         wrote m.gatelet: lstm(9, sequences), lstm(9, sequences), dense(4)\n"
    );
    let predicted = folder.results("predict m.gatelet --input x.csv --series id");
    let rows: Vec<Vec<f32>> = predicted
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').take(4).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let expected = answers.y.concat();
    assert_eq!(rows.len(), expected.len(), "{predicted}");
    for (row, expected) in rows.iter().zip(&expected) {
        for (found, expected) in row.iter().rev().zip(expected) {
            assert!((found - expected).abs() <= 2e-6, "{found} instead of {expected}");
        }
    }
}

#[test]
fn a_description_says_what_the_file_does_not() {
    let folder = Folder::new().with("model.safetensors", STATE_DICT);
    let model = "lstm(9, sequences), lstm(9), dense(4, softmax)";
    let (status, _, notes) = folder.run(&format!("import model.safetensors --model '{model}' -o m.gatelet"));
    assert_eq!((status, notes), (0, format!("wrote m.gatelet: {model}\n")));
}

#[test]
fn a_list_has_every_tensor() {
    let folder = Folder::new().with("model.safetensors", STATE_DICT);
    let list = folder.results("import --list model.safetensors");
    assert_eq!(list.lines().count(), 10);
    assert_eq!(list.lines().next(), Some("fc.bias  [4]  f32"));
    assert_eq!(list.lines().last(), Some("rnn.weight_ih_l1  [36, 9]  f32"));
    assert_eq!(folder.files(), ["model.safetensors"]);
}

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let folder = Folder::new()
        .with("model.safetensors", STATE_DICT)
        .with("cut.safetensors", &STATE_DICT[..2000])
        .with("m.pt", "");
    let files = folder.files();
    for (status, arguments, message) in [
        (1, "import cut.safetensors -o m.gatelet", "cut.safetensors: not a whole .safetensors file: "),
        (1, "import --list cut.safetensors", "cut.safetensors: not a whole .safetensors file: "),
        (1, "import none.safetensors -o m.gatelet", "cannot read none.safetensors: "),
        (1, "import model.safetensors -o none/m.gatelet", "--out none/m.gatelet: there is no folder none"),
        (
            1,
            "import model.safetensors --prefix encoder -o m.gatelet",
            "model.safetensors: there is no tensor `encoder.…`",
        ),
        (
            2,
            "import m.pt -o m.gatelet",
            "`m.pt` is not the name of a file that can be imported: PyTorch's own files hold programs",
        ),
        (2, "import m -o m.gatelet", "`m` is not the name of a file that can be imported: there is .safetensors"),
        (
            2,
            "import model.safetensors --model 'lstm(9), dense(4)' -o m.gatelet",
            "model.safetensors: --model: `rnn`, l1, LSTM(9, 9) is in",
        ),
        (2, "import model.safetensors --model 'lstm(9' -o m.gatelet", "model.safetensors: --model: "),
        (2, "import model.safetensors", "the following required arguments were not provided:\n  --out <FILE>"),
    ] {
        let error = folder.error(status, arguments);
        assert!(error.starts_with(message), "gatelet {arguments}\n{error}");
        assert_eq!(folder.files(), files, "gatelet {arguments}");
    }
}
