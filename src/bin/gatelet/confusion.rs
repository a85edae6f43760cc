//! The confusion matrix as text.

/// Wider tables are broken by many terminals.
const WIDEST: usize = 100;

/// Rows are the classes that the examples are of, columns the classes they were taken for. Where that would be too wide, a
/// line for each class.
pub fn table(confusion: &[Vec<usize>], labels: &[String]) -> String {
    let label = |class: usize| labels.get(class).cloned().unwrap_or_else(|| class.to_string());
    let labels: Vec<_> = (0..confusion.len()).map(label).collect();
    let cells: Vec<Vec<_>> = confusion.iter().map(|row| row.iter().map(|&count| cell(count)).collect()).collect();
    let head = widest(labels.iter()).max(CORNER.len()) + 1;
    let columns: Vec<_> = (0..labels.len())
        .map(|class| 2 + widest(cells.iter().map(|row| &row[class]).chain([&labels[class]])))
        .collect();
    if head + columns.iter().sum::<usize>() > WIDEST {
        return lines(confusion, &labels);
    }
    let line = |name: &str, cells: &[String]| {
        let cells = cells.iter().zip(&columns).map(|(cell, width)| format!("{cell:>width$}"));
        format!("{name:>head$}{}", cells.collect::<String>())
    };
    let rows = labels.iter().zip(&cells).map(|(label, cells)| line(label, cells));
    [line(CORNER, &labels)].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

const CORNER: &str = "is\\as";

fn cell(count: usize) -> String {
    if count == 0 { "·".to_owned() } else { count.to_string() }
}

fn widest<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// How many examples of each class were taken for it, and what the others were mostly taken for.
fn lines(confusion: &[Vec<usize>], labels: &[String]) -> String {
    let width = widest(labels.iter()).max("class".len());
    let mut text = format!(" {:width$}  examples     right  mostly taken for", "class");
    for (class, (label, row)) in labels.iter().zip(confusion).enumerate() {
        let examples: usize = row.iter().sum();
        text += &format!("\n {label:width$}  {examples:>8}");
        if examples > 0 {
            text += &format!("  {:>6.2} %", 100.0 * row[class] as f64 / examples as f64);
        }
        let mut others: Vec<_> = (0..row.len()).filter(|&other| other != class && row[other] > 0).collect();
        others.sort_by_key(|&other| std::cmp::Reverse(row[other]));
        let others: Vec<_> =
            others.iter().take(3).map(|&other| format!("{} ({})", labels[other], row[other])).collect();
        if !others.is_empty() {
            text += &format!("  {}", others.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    fn labels(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|&label| label.into()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_labels_and_counts() {
        let text = table(&[vec![12, 0], vec![3, 1000]], &labels(&["walking upstairs", "run"]));
        let lines = [
            "            is\\as  walking upstairs   run",
            " walking upstairs                12     ·",
            "              run                 3  1000",
        ];
        assert_eq!(text, lines.join("\n"));
    }

    #[test]
    fn many_or_long_labels_are_listed_class_by_class() {
        let names: Vec<_> = (0..40).map(|class| format!("class number {class}")).collect();
        let mut confusion = vec![vec![0; 40]; 40];
        confusion[0][0] = 3;
        confusion[0][39] = 1;
        let text = table(&confusion, &names);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(text.lines().count(), 41);
        let second: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(second, "class number 0 4 75.00 % class number 39 (1)".split(' ').collect::<Vec<_>>());
    }

    #[test]
    fn classes_without_labels_are_numbered() {
        assert_eq!(table(&[vec![1, 0], vec![0, 2]], &[]), " is\\as  0  1\n     0  1  ·\n     1  ·  2");
    }
}
