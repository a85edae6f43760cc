//! Promise: `bench` measures the networks that are asked for on the backends that are asked for; and a backend that is named in
//! the environment and not there is said before any work.

use crate::folder::{Folder, motion};
use gatelet::network::{Model, Network};
use gatelet::simd::{BackendKind, Unavailable};
use serde_json::Value;

/// `gatelet` without what the environment says about backends.
fn run(folder: &Folder, arguments: &str, backend: Option<&str>) -> (i32, String, String) {
    let mut command = folder.command(arguments);
    command.env_remove("GATELET_BACKEND");
    if let Some(backend) = backend {
        command.env("GATELET_BACKEND", backend);
    }
    crate::folder::ended(command.output().unwrap())
}

/// The unit and the rows.
fn measured(folder: &Folder, arguments: &str, backend: Option<&str>) -> (Value, Vec<Value>) {
    let (status, stdout, stderr) = run(folder, &format!("{arguments} --seconds 0.02 --json"), backend);
    assert_eq!(status, 0, "{stderr}");
    let mut lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines.remove(0)["unit"].take(), lines)
}

fn available() -> Vec<&'static str> {
    BackendKind::ALL.into_iter().filter(|kind| kind.is_available()).map(BackendKind::name).collect()
}

fn folder_with_model() -> Folder {
    let network = Network::describe(2, "gru(5), dense(3, softmax)").unwrap().initialized(1);
    let folder = Folder::new();
    Model::new(network).write(&folder.path("m.gatelet")).unwrap();
    folder
}

#[test]
fn standard_networks_of_a_cell_and_size_are_measured_on_every_backend() {
    let (unit, rows) = measured(&Folder::new(), "bench --cell lstm --hidden 16,20", None);
    assert_eq!(unit["backend"], BackendKind::best().name());
    assert!(["ns", "l1_gb_per_s", "l2_gb_per_s"].iter().all(|name| unit[name].as_f64().unwrap() > 0.0), "{unit}");
    let networks = [
        ("lstm(16), dense(1)", "f32"),
        ("lstm(16), dense(1)", "int8"),
        ("lstm(20), dense(1)", "f32"),
        ("lstm(20), dense(1)", "int8"),
        ("lstm(16, sequences), lstm(16), dense(1)", "f32"),
    ];
    let expected: Vec<_> = networks
        .iter()
        .flat_map(|(network, storage)| available().into_iter().map(move |backend| [network, storage, backend]))
        .collect();
    let words = |row: &Value| ["network", "storage", "backend"].map(|name| row[name].as_str().unwrap().to_owned());
    let found: Vec<_> = rows.iter().map(words).collect();
    assert_eq!(found, expected);
    for row in &rows {
        let number = |name: &str| row[name].as_f64().unwrap();
        assert!(number("ns_min") > 0.0 && number("ns_min") <= number("ns_per_step"), "{row}");
        assert!(number("ns_worst") >= number("ns_min"), "{row}");
        let units = number("ns_per_step") / unit["ns"].as_f64().unwrap();
        assert!((number("units") / units - 1.0).abs() < 0.01, "{row}");
        assert_eq!(row["cell"], "lstm");
        assert_eq!((number("inputs"), number("outputs")), (1.0, 1.0));
        assert_eq!(row["constant_sizes"], true);
    }
}

#[test]
fn a_models_network_is_measured_with_sizes_known_at_run_time() {
    let (_, rows) = measured(&folder_with_model(), "bench m.gatelet --backend scalar", None);
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    assert_eq!((&row["network"], &row["cell"]), (&"gru(5), dense(3, softmax)".into(), &"gru".into()));
    assert_eq!((&row["inputs"], &row["hidden"], &row["outputs"]), (&2.into(), &5.into(), &3.into()));
    assert_eq!((&row["backend"], &row["constant_sizes"]), (&"scalar".into(), &false.into()));
}

#[test]
fn the_table_has_a_line_for_each_network_and_backend() {
    let arguments = "bench --cell simple_rnn,gru --hidden 32 --seconds 0.02 --backend scalar";
    let (status, stdout, stderr) = run(&Folder::new(), arguments, None);
    assert_eq!(status, 0, "{stderr}");
    let lines: Vec<_> = stdout.lines().collect();
    let [unit, empty, heads, line, rows @ ..] = &lines[..] else { panic!("{stdout}") };
    assert!(unit.starts_with(" Unit: ") && unit.contains(" ns (") && unit.contains("L2 "), "{unit}");
    assert_eq!(*empty, "");
    for head in ["Network", "Inputs", "Backend", "Median ns", "Min ns", "Worst ns", "Units"] {
        assert!(heads.contains(head), "{heads}");
    }
    assert!(line.chars().all(|c| c == '─'), "{line}");
    let begins: Vec<_> = rows.iter().map(|row| row.split_whitespace().next().unwrap()).collect();
    assert_eq!(begins, ["simple_rnn(32),", "int8:", "gru(32),", "int8:", "gru(32)"]);
    assert!(rows.iter().all(|row| row.chars().count() >= heads.chars().count()), "{stdout}");
    let progress: Vec<_> = stderr.lines().collect();
    let expected = [
        "network 1/5: simple_rnn(32), dense(1)",
        "network 2/5: int8: simple_rnn(32), dense(1)",
        "network 3/5: gru(32), dense(1)",
        "network 4/5: int8: gru(32), dense(1)",
        "network 5/5: gru(32)",
    ];
    assert_eq!(progress, expected);
}

#[test]
fn backends_are_those_that_are_asked_for_or_the_environments() {
    let of = |options: &str, backend| {
        let rows = measured(&Folder::new(), &format!("bench --cell gru --hidden 8 {options}"), backend).1;
        let rows = rows.iter().filter(|row| row["storage"] == "f32");
        rows.map(|row| row["backend"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("", None), available());
    assert_eq!(of("", Some("")), available());
    assert_eq!(of("", Some("scalar")), ["scalar"]);
    assert_eq!(of(&format!("--backend {} --backend scalar", available().join(",")), Some("scalar")), available());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let folder = folder_with_model();
    let names = available().join(", ");
    for (arguments, expected) in [
        ("--hidden 10", "--hidden: no such network has 10 units; there are 8, 16, 20, 32, 40, 64, 128"),
        ("--cell gru --hidden 16,17", "--hidden: no such network has 17 units; there are 8, 16, 20, 32, 40, 64, 128"),
        ("--seconds 1e30", "--seconds: nobody waits so long; give fewer"),
    ] {
        assert_eq!(folder.error(2, &format!("bench {arguments}")), expected);
    }
    for (arguments, expected) in [
        ("--seconds 0", "expected a number above 0"),
        ("--hidden 0", "expected a whole number, at least 1"),
        ("--cell rnn", "[possible values: simple_rnn, lstm, gru]"),
        ("--backend mmx", &format!("expected a backend of this machine: {names}")),
        ("--backend scalar,", &format!("expected a backend of this machine: {names}")),
        ("m.gatelet --cell gru", "cannot be used with '--cell <CELLS>'"),
        ("m.gatelet --hidden 8", "cannot be used with '--hidden <UNITS>'"),
    ] {
        let error = folder.error(2, &format!("bench {arguments}"));
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    if let Some(kind) = BackendKind::ALL.into_iter().find(|kind| !kind.is_available()) {
        let error = folder.error(2, &format!("bench --backend {kind}"));
        assert!(error.contains(&Unavailable(kind).to_string()), "{error}");
    }
    assert!(folder.error(1, "bench nowhere.gatelet").starts_with("cannot read nowhere.gatelet: "));
}

#[test]
fn a_backend_of_the_environment_that_is_not_there_stops_every_command_before_its_work() {
    let folder = folder_with_model().with("motion.ts", motion(30));
    let files = folder.files();
    let unknown = format!("GATELET_BACKEND is `mmx`, which is no backend; this machine has {}", available().join(", "));
    let mut cases = vec![("mmx", unknown)];
    cases.extend(
        BackendKind::ALL
            .into_iter()
            .filter(|kind| !kind.is_available())
            .map(|kind| (kind.name(), format!("GATELET_BACKEND: {}", Unavailable(kind)))),
    );
    for (backend, sentence) in cases {
        for arguments in [
            "train --data motion.ts --model 'gru(4), dense(3, softmax)' --epochs 1 --out new.gatelet",
            "eval nowhere.gatelet --data motion.ts",
            "predict m.gatelet --input motion.ts",
            "summary m.gatelet",
            "export m.gatelet --rust new.rs",
            "verify m.gatelet",
            "bench m.gatelet",
            "demo",
        ] {
            let ended = run(&folder, arguments, Some(backend));
            assert_eq!(ended, (2, String::new(), format!("error: {sentence}\n")), "{arguments}");
        }
        assert_eq!(folder.files(), files);
        assert_eq!(run(&folder, "bench --help", Some(backend)).0, 0);
    }
}
