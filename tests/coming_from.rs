//! Promise: on the page for people who come from Keras or PyTorch every line of the right column is compiled: it stands in the program
//! below its table, and the programs are documentation tests.

const PAGE: &str = include_str!("../src/coming_from.md");

/// The code spans of a table row's last cell.
fn spans(row: &str) -> Vec<String> {
    let row = row.trim().trim_end_matches('|').replace("\\|", "\u{0}");
    let cell = row.rsplit('|').next().unwrap_or("");
    cell.split('`').skip(1).step_by(2).map(|span| span.replace('\u{0}', "|")).collect()
}

#[test]
fn every_line_of_the_right_column_is_compiled() {
    let mut waiting: Vec<String> = Vec::new();
    let mut program = None;
    let (mut lines, mut programs) = (0, 0);
    for line in PAGE.lines() {
        match (&mut program, line) {
            (None, "```") => program = Some(String::new()),
            (None, line) if line.starts_with("```") => panic!("{line}: a program that is not compiled"),
            (Some(text), "```") => {
                for span in waiting.drain(..) {
                    assert!(text.contains(&span), "`{span}` is in a table, and not in the program below");
                }
                programs += 1;
                program = None;
            }
            (Some(text), line) => *text += &format!("{line}\n"),
            (None, line) if line.starts_with('|') && !line.starts_with("|---") && !line.ends_with("| Gatelet |") => {
                let spans = spans(line);
                assert!(!spans.is_empty(), "{line}: nothing in the right column");
                lines += 1;
                waiting.extend(spans);
            }
            _ => {}
        }
    }
    assert!(waiting.is_empty() && program.is_none(), "no program below the last table: {waiting:?}");
    assert!(lines >= 40 && programs >= 4, "{lines} lines, {programs} programs");
}
