//! Promise: on a terminal, one line shows how far training or measuring is.

use crate::folder::{Folder, motion, tide};
use std::process::Command;

/// What a terminal of so many columns is sent, cut where the cursor goes back to the left.
fn on_terminal(folder: &Folder, columns: usize, arguments: &str) -> Option<Vec<String>> {
    let program = env!("CARGO_BIN_EXE_gatelet");
    let command = format!("stty cols {columns} rows 24; '{program}' {arguments}");
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(folder.path("")).env("TERM", "xterm");
    let Ok(output) = script.output() else {
        eprintln!("left out: there is no program `script` to make a terminal with");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split(['\r', '\n']).map(without_escapes).filter(|line| !line.is_empty()).collect())
}

/// Without `ESC [ … letter`.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).get(1..).unwrap_or_default();
    }
    plain.trim_end().into()
}

fn bars(lines: &[String]) -> Vec<&String> {
    lines.iter().filter(|line| line.contains('░') || line.contains('█')).collect()
}

#[test]
fn the_bar_shows_loss_metric_and_time_left() {
    let folder = Folder::new().with("motion.ts", motion(300)).with("tide.csv", tide());
    let train = "train --data motion.ts --model 'gru(16), dense(3, softmax)' --epochs 4 --out m";
    let Some(lines) = on_terminal(&folder, 80, train) else { return };
    let bars = bars(&lines);
    let whole = |line: &&&String| {
        line.starts_with("epoch 2/4 ")
            && line.contains(" left  loss ")
            && line.contains(", accuracy ")
            && line.ends_with(" %")
    };
    assert!(bars.iter().any(|line| whole(&line)), "{lines:#?}");
    // Each epoch's line stays, and so does the result.
    for line in ["epoch 1: loss", "epoch 4: loss", "wrote m after epoch 4: loss"] {
        assert_eq!(lines.iter().filter(|found| found.starts_with(line)).count(), 1, "{line} in {lines:#?}");
    }

    let train = "train --data tide.csv --target height --window 8 --model 'gru(16), dense(1)' --epochs 4 --out m";
    let lines = on_terminal(&folder, 80, train).unwrap();
    assert!(
        self::bars(&lines).iter().any(|line| line.contains(" left  loss ") && line.contains(", mae ")),
        "{lines:#?}"
    );
}

#[test]
fn a_narrow_terminal_cuts_the_line_and_does_not_break_it() {
    let folder = Folder::new().with("motion.ts", motion(300));
    let train = "train --data motion.ts --model 'gru(16), dense(3, softmax)' --epochs 4 --out m";
    let Some(lines) = on_terminal(&folder, 45, train) else { return };
    let bars = bars(&lines);
    assert!(!bars.is_empty());
    assert!(bars.iter().all(|line| line.chars().count() <= 45), "{lines:#?}");
    assert!(bars.iter().any(|line| line.contains(" left  loss ")), "{lines:#?}");
}

#[test]
fn the_bar_shows_which_network_is_measured() {
    let bench = "bench --cell gru --hidden 8,16 --backend scalar --seconds 0.2";
    let Some(lines) = on_terminal(&Folder::new(), 80, bench) else { return };
    let bars = bars(&lines);
    let whole = |line: &&&String| line.starts_with("2/4 networks ") && line.ends_with(" left  gru(16), dense(1)");
    assert!(bars.iter().any(|line| whole(&line)), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("network ")), "{lines:#?}");
}
