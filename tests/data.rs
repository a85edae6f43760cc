//! Promise: data files are read as they are written, and what is wrong with one is said with its place.

#![cfg(feature = "std")]

use std::path::{Path, PathBuf};

use gatelet::data::*;
use proptest::prelude::*;
use tempfile::TempDir;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A file of its own folder, which is removed with the first value.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_text(name: &str, content: &str, options: &Options) -> Dataset {
    let (_folder, path) = file(name, content);
    read(&path, options).unwrap()
}

/// The message about a file, without its folder.
fn problem(name: &str, content: impl AsRef<[u8]>, options: &Options) -> String {
    let (folder, path) = file(name, content);
    let message = read(&path, options).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

fn label(column: &str) -> Options {
    Options { label: Some(column.into()), ..Options::default() }
}

fn target(columns: &[&str]) -> Options {
    Options { target: names(columns), ..Options::default() }
}

fn classes(dataset: &Dataset) -> &[String] {
    match &dataset.targets {
        Targets::Classes(labels) => labels,
        other => panic!("{other:?} are no classes"),
    }
}

fn classes_of(series: &Series) -> Vec<usize> {
    (0..series.len()).filter_map(|step| series.class(step)).collect()
}

fn values_of(series: &Series) -> Vec<f32> {
    (0..series.len()).filter_map(|step| series.values(step)).flatten().copied().collect()
}

fn inputs(dataset: &Dataset) -> Vec<&[f32]> {
    dataset.series.iter().map(Series::inputs).collect()
}

mod shipped_sets {
    use super::*;

    #[test]
    fn japanese_vowels_have_their_published_numbers() {
        let train = read(&shipped("japanese_vowels/JapaneseVowels_TRAIN.ts"), &Options::default()).unwrap();
        let test = read(&shipped("japanese_vowels/JapaneseVowels_TEST.ts"), &Options::default()).unwrap();
        let per_class = |dataset: &Dataset| {
            let mut counts = [0; 9];
            dataset.series.iter().for_each(|series| counts[series.last_class().unwrap()] += 1);
            counts
        };
        assert_eq!(per_class(&train), [30; 9]);
        assert_eq!(per_class(&test), [31, 35, 88, 44, 29, 24, 40, 50, 29]);
        assert_eq!(classes(&train), names(&["1", "2", "3", "4", "5", "6", "7", "8", "9"]));
        assert_eq!(train.features.len(), 12);
        assert_eq!(train.features[11], "x11");
        let lengths = || train.series.iter().chain(&test.series).map(Series::len);
        assert_eq!((lengths().min(), lengths().max()), (Some(7), Some(29)));
        // The first and the last value of the channels of the first line, which the file has channel by channel.
        let first = &train.series[0];
        assert_eq!((first.len(), first.features()), (20, 12));
        assert_eq!(first.steps().next().unwrap()[..3], [1.860936, -0.207383, 0.261557]);
        assert_eq!(first.steps().last().unwrap()[9..], [-0.219071, -0.033314, -0.175986]);
        train.check_trainable(true).unwrap();
    }

    #[test]
    fn watch_windows_are_cut_by_subject() {
        let options = Options {
            index: Some(shipped("watch_exercise/index.csv")),
            label: Some("label_name".into()),
            group: Some("subject".into()),
            decimate: 2,
            window: Some(100),
            stride: 25,
            ..Options::default()
        };
        let watch = read(&shipped("watch_exercise/watch_i16.npy"), &options).unwrap();
        assert_eq!(classes(&watch), names(&["ABD", "ER", "FEL", "IR", "PEN", "ROW", "TRAP"]));
        let (train, test) = watch.split_groups(&names(&["8", "9", "10"])).unwrap();
        assert_eq!((train.series.len(), test.series.len(), train.skipped), (2997, 1400, 0));
        // The file is in Fortran order; these are its rows 0 and 198.
        let first = &train.series[0];
        assert_eq!((first.len(), first.features(), first.group(), first.row()), (100, 6, Some("7"), 198));
        assert_eq!(first.steps().next().unwrap(), [-1084.0, -19.0, -27.0, 411.0, -1603.0, -2489.0]);
        assert_eq!(first.steps().last().unwrap(), [-1077.0, 67.0, -26.0, 364.0, 772.0, -2196.0]);
        assert_eq!(first.last_class(), Some(4));
        assert_eq!(train.series[1].row(), 198 + 50);
        // The second line of the index is subject 10's forward elevation, from row 1333 on.
        let second = &test.series[0];
        assert_eq!((second.name(), second.group(), second.last_class()), ("1", Some("10"), Some(2)));
        assert_eq!(second.inputs()[..6], [-953.0, 229.0, -354.0, 1220.0, -76.0, 265.0]);
    }

    #[test]
    fn weather_windows_look_six_rows_ahead_within_an_airport() {
        let options = Options {
            features: names(&["temp", "dewp", "humid", "wind_speed", "precip"]),
            target: names(&["temp"]),
            series: Some("origin".into()),
            group: Some("month".into()),
            horizon: 6,
            window: Some(48),
            missing: Missing::Previous,
            ..Options::default()
        };
        let path = shipped("nyc_weather/weather.csv");
        let weather = read(&path, &options).unwrap();
        // 8703 rows of EWR, 8706 each of JFK and LGA, less 53 for the window and the horizon.
        assert_eq!(weather.series.len(), 8650 + 8653 + 8653);
        let text = std::fs::read_to_string(&path).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        for series in weather.series.iter().step_by(101) {
            let ahead = &rows[series.row()];
            let last = &rows[series.row() - 6];
            assert_eq!((series.name(), series.group()), (ahead[0], Some(ahead[1])));
            assert_eq!(series.last_values(), Some(&[ahead[4].parse().unwrap()][..]));
            assert_eq!(series.steps().last().unwrap()[0], last[4].parse::<f32>().unwrap());
            assert_eq!(last[0], ahead[0]);
        }
        let (_, test) = weather.split_groups(&names(&["11", "12"])).unwrap();
        assert_eq!(test.series.len(), 1429 + 1428 + 1428);
    }

    #[test]
    fn a_gap_in_the_weather_is_found() {
        let path = shipped("nyc_weather/weather.csv");
        let options = Options { features: names(&["pressure"]), ..Options::default() };
        assert_eq!(
            read(&path, &options).unwrap_err().to_string(),
            format!(
                "{}:13: column 10 \"pressure\": the value is missing; fill it in, or use --missing previous to repeat \
                 the value before it, or --missing drop to leave out the row",
                path.display()
            )
        );
        let dropped = read(&path, &Options { missing: Missing::Drop, ..options }).unwrap();
        assert_eq!(dropped.series[0].len(), 26115 - 2729);
    }
}

mod windows {
    use super::*;

    const COUNT: &str = "x,y\n0,10\n1,11\n2,12\n3,13\n4,14\n5,15\n6,16\n7,17\n";

    #[test]
    fn a_window_has_the_target_of_the_row_ahead_of_every_step() {
        let options = Options { window: Some(3), stride: 2, horizon: 2, ..target(&["y"]) };
        let dataset = read_text("a.csv", COUNT, &options);
        assert_eq!(inputs(&dataset), [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]);
        assert_eq!(values_of(&dataset.series[0]), [12.0, 13.0, 14.0]);
        assert_eq!(values_of(&dataset.series[1]), [14.0, 15.0, 16.0]);
        assert_eq!(dataset.series.iter().map(Series::row).collect::<Vec<_>>(), [4, 6]);
    }

    #[test]
    fn without_a_window_the_horizon_shortens_the_series() {
        let dataset = read_text("a.csv", COUNT, &Options { horizon: 6, ..target(&["y"]) });
        assert_eq!(inputs(&dataset), [[0.0, 1.0]]);
        assert_eq!(values_of(&dataset.series[0]), [16.0, 17.0]);
    }

    #[test]
    fn decimation_picks_rows_before_windows_and_horizon_count_them() {
        let options = Options { decimate: 3, window: Some(2), horizon: 1, ..target(&["y"]) };
        let dataset = read_text("a.csv", COUNT, &options);
        assert_eq!(inputs(&dataset), [[0.0, 3.0]]);
        assert_eq!(values_of(&dataset.series[0]), [13.0, 16.0]);
        assert_eq!(dataset.series[0].row(), 6);
    }

    #[test]
    fn windows_share_the_rows_of_their_recording() {
        let dataset = read_text("a.csv", COUNT, &Options { window: Some(4), ..Options::default() });
        let starts: Vec<_> = dataset.series.iter().map(|series| series.inputs().as_ptr()).collect();
        assert_eq!(starts.len(), 5);
        assert!(starts.windows(2).all(|pair| pair[0].wrapping_add(2) == pair[1]));
    }

    #[test]
    fn the_group_is_that_of_the_row_ahead() {
        let text = "x,month\n0,1\n1,1\n2,2\n3,2\n";
        let options = Options { group: Some("month".into()), window: Some(1), horizon: 1, ..target(&["x"]) };
        let dataset = read_text("a.csv", text, &Options { features: names(&["x"]), ..options });
        let groups: Vec<_> = dataset.series.iter().filter_map(Series::group).collect();
        assert_eq!(groups, ["1", "2", "2"]);
    }

    #[test]
    fn a_window_never_crosses_into_another_series_even_if_their_rows_alternate() {
        let text = "s,x\na,0\nb,10\na,1\nb,11\na,2\nc,20\n";
        let options = Options { series: Some("s".into()), window: Some(2), ..Options::default() };
        let dataset = read_text("a.csv", text, &options);
        assert_eq!(inputs(&dataset), [[0.0, 1.0], [1.0, 2.0], [10.0, 11.0]]);
        assert_eq!(dataset.series.iter().map(Series::row).collect::<Vec<_>>(), [2, 4, 3]);
        assert_eq!(dataset.skipped, 1, "series c has one row");
    }

    #[test]
    fn no_window_at_all_is_an_error() {
        assert_eq!(
            problem("a.csv", COUNT, &Options { window: Some(7), horizon: 2, ..target(&["y"]) }),
            "a.csv: no series is long enough; the longest has 8 rows after dropping and decimating, expected 7 for the \
             window and 2 for the horizon; use a shorter --window or --horizon"
        );
    }
}

mod csv {
    use super::*;

    #[test]
    fn unnamed_features_are_the_columns_not_used_otherwise() {
        let text = "id,b,a,who,y\n1,0.5,7,me,3\n1,1.5,8,me,4\n";
        let options = Options {
            series: Some("id".into()),
            group: Some("who".into()),
            target: names(&["y"]),
            ..Options::default()
        };
        let dataset = read_text("a.csv", text, &options);
        assert_eq!(dataset.features, names(&["b", "a"]));
        assert_eq!(dataset.targets, Targets::Values(names(&["y"])));
        assert_eq!(inputs(&dataset), [[0.5, 7.0, 1.5, 8.0]]);
        assert_eq!((dataset.series[0].name(), dataset.series[0].group()), ("1", Some("me")));
        let chosen = read_text("a.csv", text, &Options { features: names(&["a", "b"]), ..Options::default() });
        assert_eq!(inputs(&chosen), [[7.0, 0.5, 8.0, 1.5]]);
        assert_eq!(chosen.targets, Targets::None);
    }

    #[test]
    fn classes_are_in_the_order_of_numbers_or_the_alphabet() {
        let numbers = read_text("a.csv", "x,k\n1,10\n2,-1\n3,2\n", &label("k"));
        assert_eq!(classes(&numbers), names(&["-1", "2", "10"]));
        assert_eq!(classes_of(&numbers.series[0]), [2, 0, 1]);
        let words = read_text("a.csv", "x,k\n1,10\n2,walk\n3,2\n", &label("k"));
        assert_eq!(classes(&words), names(&["10", "2", "walk"]));
        assert_eq!(classes_of(&words.series[0]), [0, 2, 1]);
    }

    #[test]
    fn text_is_read_as_spreadsheets_write_it() {
        let text = "\u{feff}x,\"k, the class\"\r\n 1 ,\"a \"\"b\"\"\"\r\n\r\n2,c";
        let dataset = read_text("a.CSV", text, &label("k, the class"));
        assert_eq!(inputs(&dataset), [[1.0, 2.0]]);
        assert_eq!(classes(&dataset), names(&["a \"b\"", "c"]));
    }

    #[test]
    fn missing_cells_repeat_the_previous_row_of_the_series_or_drop_the_row() {
        let text = "s,x,k\na,,u\na,1,u\nb,5,v\na,NA,\na,3,u\nb,,w\n";
        let options = |missing| Options { series: Some("s".into()), missing, ..label("k") };
        let previous = read_text("a.csv", text, &options(Missing::Previous));
        assert_eq!(inputs(&previous), [&[1.0, 1.0, 3.0][..], &[5.0, 5.0]]);
        assert_eq!(classes_of(&previous.series[0]), [0, 0, 0]);
        assert_eq!(classes_of(&previous.series[1]), [1, 2]);
        let dropped = read_text("a.csv", text, &options(Missing::Drop));
        assert_eq!(inputs(&dropped), [&[1.0, 3.0][..], &[5.0]]);
        assert_eq!(classes(&dropped), names(&["u", "v"]), "no row with w is left");
        assert_eq!(dropped.series[0].row(), 4);
    }

    #[test]
    fn prediction_needs_no_target_columns_and_keeps_the_last_rows() {
        let options = Options { window: Some(2), horizon: 2, ..target(&["y"]) };
        for text in ["x\n1\n2\n3\n", "y,x\n7,1\n,2\n,3\n"] {
            let (_folder, path) = file("a.csv", text);
            let dataset = read_inputs(&path, &options).unwrap();
            assert_eq!(dataset.targets, Targets::None);
            assert_eq!(dataset.features, names(&["x"]));
            assert_eq!(inputs(&dataset), [[1.0, 2.0], [2.0, 3.0]]);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_column() {
        let plain = Options::default();
        let cases: &[(&str, Options, &str)] = &[
            (
                "x,y\n1,2\n\n3,four\n",
                plain.clone(),
                "a.csv:4: column 2 \"y\": expected a number, found `four`; correct it, or name the inputs with --features \
                 if this is none",
            ),
            (
                "x,y\n\"1\n\",2\n3,nan\n",
                plain.clone(),
                "a.csv:4: column 2 \"y\": expected a finite number that fits in an f32, found `nan`; correct it or mark \
                 it as missing",
            ),
            (
                "x\n-inf\n",
                plain.clone(),
                "a.csv:2: column 1 \"x\": expected a finite number that fits in an f32, found `-inf`; correct it or mark \
                 it as missing",
            ),
            (
                "x\n1e39\n",
                plain.clone(),
                "a.csv:2: column 1 \"x\": expected a finite number that fits in an f32, found `1e39`; correct it or mark \
                 it as missing",
            ),
            (
                "x,y\r\n\r\n1,2\r\n1,2,3\r\n",
                plain.clone(),
                "a.csv:4: expected 2 fields as in the header, found 3; check the commas and quotes",
            ),
            (
                "1,2\n3,4\n",
                plain.clone(),
                "a.csv:1: expected a header line with the columns' names, found only numbers; write the names above them",
            ),
            ("x,x\n1,2\n", plain.clone(), "a.csv:1: two columns are named `x`; rename one of them"),
            ("", plain.clone(), "a.csv holds no data; expected a header line and rows below it"),
            ("x\n", plain.clone(), "a.csv holds no data; expected rows of numbers below the header line"),
            ("x,y\n1,2\n", label("k"), "a.csv has no column `k`; it has `x`, `y`"),
            ("k\n1\n", label("k"), "a.csv has no column left for the inputs; name the inputs with --features"),
            (
                "x,k\n1,a\n2,\n",
                label("k"),
                "a.csv:3: column 2 \"k\": the value is missing; fill it in, or use --missing previous to repeat the value \
                 before it, or --missing drop to leave out the row",
            ),
            (
                "x,g\n1,\n",
                Options { group: Some("g".into()), ..plain.clone() },
                "a.csv:2: column 2 \"g\": the cell is empty, but every row needs its group here; fill it in or remove \
                 the row",
            ),
            (
                "x,k\n1,2\n",
                Options { target: names(&["x"]), ..label("k") },
                "option `label`: it excludes `target`: give a class column or value columns, not both",
            ),
            (
                "x\n1\n",
                Options { stride: 2, ..plain.clone() },
                "option `stride`: it is the distance of windows, but there is no `window`: give its length in rows",
            ),
            (
                "x\n1\n",
                Options { labels: Some("b.npy".into()), ..plain.clone() },
                "option `labels`: it goes with .npy files; a .csv file has its labels in a column, name it with `label` \
                 or `target`",
            ),
        ];
        for (text, options, message) in cases {
            assert_eq!(&problem("a.csv", text, options), message, "{text:?}");
        }
        let not_text = problem("a.csv", b"x\n1\n\xff\n", &plain);
        assert_eq!(not_text, "a.csv:3: this is not UTF-8 text; save the file as UTF-8");
    }

    #[test]
    fn a_file_that_is_not_there_or_of_an_unknown_kind_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = |name: &str| {
            let error = read(&folder.path().join(name), &Options::default()).unwrap_err();
            error.to_string().replace(&format!("{}/", folder.path().display()), "")
        };
        assert_eq!(
            message("a.csv"),
            "cannot read a.csv: No such file or directory (os error 2); check the path and its permissions"
        );
        assert_eq!(message("a.xlsx"), "cannot tell the format of a.xlsx by its extension; expected .ts, .csv or .npy");
    }

    #[test]
    fn a_message_stays_short_whatever_the_file_holds() {
        let cell = "ß\n".repeat(100_000);
        let header = (0..1000).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
        let long = problem("a.csv", format!("x\n\"{cell}\"\n"), &Options::default());
        assert!(long.contains(&format!("found `{}…`; correct it", "ß\\n".repeat(20))), "{long}");
        let unknown = problem("a.csv", format!("{header}\n"), &label("k"));
        assert!(unknown.ends_with("`c18`, `c19` and 980 more"), "{unknown}");
    }
}

mod ts {
    use super::*;

    const HEADER: &str = "# comment\n\n@problemName test\n@CLASSLABEL True down up\n@dimensions 2\n@data\n";

    fn with_header(lines: &str) -> String {
        format!("{HEADER}{lines}")
    }

    #[test]
    fn channels_become_features_and_the_header_orders_the_classes() {
        let text = with_header("1,2,3:10,20,30:up\n# between\n4:40:down\n");
        let dataset = read_text("a.ts", &text, &Options::default());
        assert_eq!(dataset.features, names(&["x0", "x1"]));
        assert_eq!(classes(&dataset), names(&["down", "up"]));
        assert_eq!(inputs(&dataset), [&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0][..], &[4.0, 40.0]]);
        assert_eq!(classes_of(&dataset.series[0]), [1, 1, 1]);
        assert_eq!((dataset.series[1].row(), dataset.series[1].name()), (1, "1"));
        for one in ["x1", "1"] {
            let second = read_text("a.ts", &text, &Options { features: names(&[one]), ..Options::default() });
            assert_eq!(second.features, names(&["x1"]));
            assert_eq!(inputs(&second), [&[10.0, 20.0, 30.0][..], &[40.0]]);
        }
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_no_text() {
        let text = format!("\u{feff}{}", with_header("1:10:up\n")).replace('\n', "\r\n");
        assert_eq!(inputs(&read_text("a.ts", &text, &Options::default())), [[1.0, 10.0]]);
    }

    #[test]
    fn the_last_field_is_a_target_value_or_a_channel_if_the_header_says_so() {
        let values = read_text("a.ts", "@targetLabel true\n@data\n1,2:0.5\n", &Options::default());
        assert_eq!(values.targets, Targets::Values(names(&["target"])));
        assert_eq!(values_of(&values.series[0]), [0.5, 0.5]);
        let none = read_text("a.ts", "@classLabel false\n@univariate false\n@data\n1:2\n", &Options::default());
        assert_eq!((&none.targets, inputs(&none)), (&Targets::None, vec![&[1.0, 2.0][..]]));
        let (_folder, path) = file("a.ts", with_header("1:2:up\n"));
        let unlabelled = read_inputs(&path, &Options::default()).unwrap();
        assert_eq!((&unlabelled.targets, inputs(&unlabelled)), (&Targets::None, vec![&[1.0, 2.0][..]]));
    }

    #[test]
    fn question_marks_are_missing_values() {
        let text = with_header("?,1,2,?:10,?,30,40:up\n");
        let read = |missing| read_text("a.ts", &text, &Options { missing, ..Options::default() });
        assert_eq!(inputs(&read(Missing::Previous)), [[2.0, 30.0, 2.0, 40.0]]);
        assert_eq!(inputs(&read(Missing::Drop)), [[2.0, 30.0]]);
        assert_eq!(
            problem("a.ts", &text, &Options::default()),
            "a.ts:7: channel x0 (field 1), value 1: the value is missing; fill it in, or use --missing previous to repeat \
             the value before it, or --missing drop to leave out the row"
        );
    }

    #[test]
    fn what_is_wrong_in_a_series_is_said_with_its_line_and_value() {
        let cases = [
            (
                "1:2:up\n1,2,3:4,x,6:up\n",
                "a.ts:8: channel x1 (field 2), value 2: expected a number, found `x`; correct it, or name the inputs with \
                 --features if this is none",
            ),
            (
                "NaN:2:up\n",
                "a.ts:7: channel x0 (field 1), value 1: expected a finite number that fits in an f32, found `NaN`; \
                 correct it or mark it as missing",
            ),
            (
                "\n# c\n1:2:3:up\n",
                "a.ts:9: expected 2 channels separated by `:` before the label, found 3; correct the line or @dimensions",
            ),
            (
                "1,2:3:up\n",
                "a.ts:7: channel x1 has 1 values but channel x0 has 2; all channels of a series need one value per time \
                 step",
            ),
            ("1:2:left\n", "a.ts:7: the label `left` is not in the header; @classLabel lists `down`, `up`"),
            (":2:up\n", "a.ts:7: channel x0 has no values; a series has at least one time step, remove the line"),
            ("", "a.ts holds no data; expected one series per line below @data"),
        ];
        for (lines, message) in cases {
            assert_eq!(problem("a.ts", with_header(lines), &Options::default()), message, "{lines:?}");
        }
    }

    #[test]
    fn what_is_wrong_in_the_header_is_said_with_its_line() {
        let cases = [
            (
                "#\n@timeStamps TRUE\n",
                "a.ts:2: time stamps are not supported; resample the series to a fixed rate, write the values only and \
                 `@timeStamps false`",
            ),
            ("@classLabel yes\n", "a.ts:1: expected `true` or `false` after @classLabel, found `yes`"),
            (
                "@classLabel true\n",
                "a.ts:1: @classLabel true lists no labels; write all of them behind it, separated by spaces",
            ),
            ("@classLabel true a b a\n", "a.ts:1: @classLabel lists `a` twice; list every label once"),
            (
                "@classLabel true a\n@targetLabel true\n",
                "a.ts:2: @classLabel or @targetLabel is true for the second time; a line ends with one label or value, \
                 set the other to false",
            ),
            (
                "@univariate true\n@dimensions 3\n",
                "a.ts:2: the number of channels is 3 here but 1 above; correct @univariate or @dimensions",
            ),
            ("@dimensions 0\n", "a.ts:1: expected a number of channels after @dimensions, found `0`"),
            (
                "@data\n1:2\n",
                "a.ts:1: the header has no @classLabel or @targetLabel; write `@classLabel true` with all labels above \
                 this line, or `@classLabel false` if the series have none",
            ),
            (
                "@classLabel false\n1:2\n",
                "a.ts:2: expected a line that starts with `#` or `@`; series stand below a line `@data`",
            ),
            ("@classLabel false\n", "a.ts:1: the header ends without a line `@data`; expected it above the series"),
            (
                "@frequency 50\n",
                "a.ts:1: unknown key `@frequency`; expected @problemName, @timeStamps, @missing, @univariate, \
                 @dimensions, @equalLength, @seriesLength, @classLabel, @targetLabel or @data; remove the line if the \
                 series can be read without it",
            ),
            (
                "@dimensions 99999999999999\n@classLabel false\n@data\n1\n",
                "a.ts:4: expected 99999999999999 channels separated by `:`, found 1; correct the line or @dimensions",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(problem("a.ts", text, &Options::default()), message, "{text:?}");
        }
        assert_eq!(
            problem("a.ts", with_header("1:2:up\n"), &label("x1")),
            "option `label`: a .ts file has no such columns, its header says what follows the channels; leave the option out"
        );
        assert_eq!(
            problem("a.ts", with_header("1:2:up\n"), &Options { features: names(&["x2"]), ..Options::default() }),
            "a.ts has no column `x2`; it has `x0`, `x1`"
        );
    }
}

/// A `.npy` file of version 1 with any header and data.
fn npy(descr: &str, fortran_order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn array(shape: &str, values: &[f32]) -> Vec<u8> {
    npy("'<f4'", "False", shape, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

mod npy_files {
    use super::*;

    fn values(descr: &str, data: &[u8], count: usize) -> Vec<f32> {
        let (_folder, path) = file("a.npy", npy(&format!("'{descr}'"), "False", &format!("({count},)"), data));
        read_npy(&path).unwrap().values
    }

    #[test]
    fn every_integer_and_float_type_of_both_byte_orders_is_read() {
        assert_eq!(values("|i1", &[1, 0xff, 0x80], 3), [1.0, -1.0, -128.0]);
        assert_eq!(values("|u1", &[1, 0xff], 2), [1.0, 255.0]);
        assert_eq!(values("<i2", &[0xfe, 0xff, 0x00, 0x80], 2), [-2.0, -32768.0]);
        assert_eq!(values(">i2", &[0xff, 0xfe, 0x12, 0x34], 2), [-2.0, 4660.0]);
        assert_eq!(values(">u2", &[0xff, 0xfe], 1), [65534.0]);
        assert_eq!(values("<i4", &(-70_000_i32).to_le_bytes(), 1), [-70_000.0]);
        assert_eq!(values(">u4", &4_000_000_000_u32.to_be_bytes(), 1), [4e9]);
        assert_eq!(values(">i8", &(-3_i64).to_be_bytes(), 1), [-3.0]);
        assert_eq!(values("<u8", &(1_u64 << 40).to_le_bytes(), 1), [1_099_511_627_776.0]);
        assert_eq!(values(">f4", &0.1_f32.to_be_bytes(), 1), [0.1]);
        assert_eq!(values("<f8", &0.1_f64.to_le_bytes(), 1), [0.1]);
        let halves = [0x3c00_u16, 0xc000, 0x7bff, 0x0001, 0x83ff, 0x0400, 0xfc00, 0x3555];
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        // The values that the Wikipedia article on the format gives for these bits.
        let expected =
            [1.0, -2.0, 65504.0, 5.960_464_5e-8, -6.097_555e-5, 6.103_515_6e-5, f32::NEG_INFINITY, 0.333_251_95];
        assert_eq!(values("<f2", &bytes, 8), expected);
    }

    #[test]
    fn fortran_order_is_turned_into_c_order() {
        // numpy: np.asfortranarray(np.arange(24).reshape(2, 3, 4)) stores 0 12 4 16 8 20 1 13 ...
        let stored = [0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23];
        let (_folder, path) = file("a.npy", npy("'|u1'", "True", "(2, 3, 4)", &stored));
        let array = read_npy(&path).unwrap();
        assert_eq!(array.shape, [2, 3, 4]);
        assert_eq!(array.values, (0..24_u8).map(f32::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_written_array_is_what_numpy_writes_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write_npy(&path, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.5]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(bytes[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(bytes[10..128], *format!("{header:117}\n").as_bytes());
        assert_eq!(bytes[148..], 5.5_f32.to_le_bytes());
        for shape in [&[6][..], &[], &[1, 2, 3, 0]] {
            let values = vec![1.5; shape.iter().product()];
            write_npy(&path, shape, &values).unwrap();
            assert_eq!(read_npy(&path).unwrap(), Array { shape: shape.to_vec(), values });
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else() {
        let (folder, path) = file("a.npy", "old");
        let error = write_npy(&path, &[3], &[1.0, 2.0]).unwrap_err();
        assert!(error.to_string().ends_with("a.npy: 2 values cannot have the shape [3]; expected the product of it"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let taken = folder.path().join("folder.npy");
        std::fs::create_dir_all(taken.join("not empty")).unwrap();
        assert!(matches!(write_npy(&taken, &[1], &[1.0]), Err(DataError::Write { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    #[cfg(unix)]
    fn a_written_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, ordinary) = file("ordinary", "");
        let path = folder.path().join("a.npy");
        write_npy(&path, &[1], &[1.0]).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&ordinary));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let cut = "a.npy: this is no .npy file, or its header is cut off; save it again";
        let whole = array("(2, 2)", &[1.0; 4]);
        let follow = |shape: &str, bytes: usize, follow: usize| {
            format!(
                "a.npy: the header says {shape} values of {bytes} bytes, but {follow} bytes follow; the file is cut off or \
                 damaged, save it again"
            )
        };
        let longest_header = [b"\x93NUMPY\x02\x00", &u32::MAX.to_le_bytes()[..], b"{}"].concat();
        let cases: Vec<(Vec<u8>, String)> = vec![
            (b"x,y\n1,2\n".to_vec(), cut.into()),
            (whole[..40].to_vec(), cut.into()),
            (longest_header, cut.into()),
            (whole[..whole.len() - 1].to_vec(), follow("[2, 2]", 4, 15)),
            ([&whole[..], b"x"].concat(), follow("[2, 2]", 4, 17)),
            (npy("'<f4'", "False", "(1099511627776, 2)", b""), follow("[1099511627776, 2]", 4, 0)),
            (
                npy("'<f4'", "False", "(1099511627776, 1099511627776)", b""),
                follow("[1099511627776, 1099511627776]", 4, 0),
            ),
            (npy("'<f8'", "False", "(9223372036854775808,)", b""), follow("[9223372036854775808]", 8, 0)),
            (
                npy("[('t', '<i8'), ('x', '<f4')]", "False", "(2,)", b""),
                "a.npy: the values are of the type [('t', '<i8'), ('x', '<f4')]; expected integers or \
                 floats, save the array as float32"
                    .into(),
            ),
            (
                npy("'|O'", "False", "(2,)", b""),
                "a.npy: the values are of the type '|O'; expected integers or floats, save the array as float32".into(),
            ),
            (
                npy("'<f4'", "Maybe", "(2,)", b""),
                "a.npy: the header's `fortran_order` is missing or damaged; save the file again".into(),
            ),
            (
                npy("'<f4'", "True", "(-2,)", b""),
                "a.npy: the header's `shape` is missing or damaged; save the file again".into(),
            ),
            (
                array("(4,)", &[1.0; 4]),
                "a.npy: the array has the shape [4], expected (rows, features) or (series, time \
                 steps, features)"
                    .into(),
            ),
            (array("(0, 2)", &[]), "a.npy: the array has the shape [0, 2], expected at least one value".into()),
            (
                array("(2, 2)", &[1.0, 2.0, 3.0, f32::NAN]),
                "a.npy: the value at [1, 1] is NaN, expected a finite number; correct the array".into(),
            ),
            (
                npy("'<f8'", "False", "(1, 2, 1)", &[1e300_f64; 2].map(f64::to_le_bytes).concat()),
                "a.npy: the value at [0, 0, 0] is inf, expected a finite number; correct the array".into(),
            ),
        ];
        for (bytes, message) in cases {
            assert_eq!(problem("a.npy", &bytes, &Options::default()), message);
        }
    }
}

mod arrays {
    use super::*;

    /// Reads `a.npy` with another file beside it.
    fn read_beside(array: &[u8], name: &str, content: impl AsRef<[u8]>, options: Options) -> Result<Dataset, String> {
        let (folder, path) = file("a.npy", array);
        let beside = folder.path().join(name);
        std::fs::write(&beside, content).unwrap();
        let options = match name {
            "index.csv" => Options { index: Some(beside), ..options },
            _ => Options { labels: Some(beside), ..options },
        };
        let prefix = format!("{}/", folder.path().display());
        read(&path, &options).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn rows() -> Vec<u8> {
        array("(4, 2)", &[0.0, 10.0, 1.0, 11.0, 2.0, 12.0, 3.0, 13.0])
    }

    fn batch() -> Vec<u8> {
        array("(2, 2, 1)", &[1.0, 2.0, 3.0, 4.0])
    }

    #[test]
    fn two_axes_are_one_series_and_three_are_many() {
        let (_folder, path) = file("walk.npy", rows());
        let one = read(&path, &Options { features: names(&["x1"]), horizon: 1, ..target(&["x0"]) }).unwrap();
        assert_eq!(one.series[0].name(), "walk");
        assert_eq!(inputs(&one), [[10.0, 11.0, 12.0]]);
        assert_eq!(values_of(&one.series[0]), [1.0, 2.0, 3.0]);
        let (_folder, path) = file("a.npy", batch());
        let many = read(&path, &Options::default()).unwrap();
        assert_eq!(many.features, names(&["x0"]));
        assert_eq!(inputs(&many), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(many.series.iter().map(Series::row).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn an_index_cuts_and_names_series() {
        let index = "who,rows,row_start,y\nbob,1,3,0.5\nann,2,0,1.5\n";
        let options = Options { series: Some("who".into()), group: Some("who".into()), ..target(&["y"]) };
        let dataset = read_beside(&rows(), "index.csv", index, options).unwrap();
        assert_eq!(inputs(&dataset), [&[3.0, 13.0][..], &[0.0, 10.0, 1.0, 11.0]]);
        assert_eq!((dataset.series[1].name(), dataset.series[1].group()), ("ann", Some("ann")));
        assert_eq!(dataset.series[1].row(), 1);
        assert_eq!(values_of(&dataset.series[1]), [1.5, 1.5]);
    }

    #[test]
    fn an_index_that_does_not_fit_the_array_is_refused() {
        let message = |index: &str| read_beside(&rows(), "index.csv", index, Options::default()).unwrap_err();
        assert_eq!(
            message("row_start,rows\n0,2\n3,2\n"),
            "index.csv:3: the series takes rows 3..5 but the array has 4 rows; expected at least one row, all of them \
             inside the array"
        );
        assert_eq!(
            message("row_start,rows\n1,18446744073709551615\n"),
            "index.csv:2: the series takes rows 1..18446744073709551615 but the array has 4 rows; expected at least one \
             row, all of them inside the array"
        );
        assert_eq!(
            message("row_start,rows\n0,0\n"),
            "index.csv:2: the series takes rows 0..0 but the array has 4 rows; expected at least one row, all of them \
             inside the array"
        );
        assert_eq!(
            message("row_start,rows\n2,2\n0,1\n0,3\n"),
            "index.csv:4: the series shares rows with the one of line 3; give every row of the array to one series"
        );
        assert_eq!(
            message("row_start,rows\n0,-1\n"),
            "index.csv:2: column 2 \"rows\": expected a whole number of rows, found `-1`; correct it"
        );
        assert_eq!(message("start,rows\n0,1\n"), "index.csv has no column `row_start`; it has `start`, `rows`");
    }

    #[test]
    fn labels_are_classes_values_or_values_per_step() {
        let class = read_beside(&batch(), "l.npy", array("(2,)", &[7.0, 3.0]), Options::default()).unwrap();
        assert_eq!(classes(&class), names(&["3", "7"]));
        assert_eq!(classes_of(&class.series[0]), [1, 1]);
        let value = read_beside(&batch(), "l.npy", array("(2, 2)", &[1.0, 2.0, 3.0, 4.0]), Options::default()).unwrap();
        assert_eq!(value.targets, Targets::Values(names(&["y0", "y1"])));
        assert_eq!(values_of(&value.series[1]), [3.0, 4.0, 3.0, 4.0]);
        let step =
            read_beside(&batch(), "l.npy", array("(2, 2, 1)", &[5.0, 6.0, 7.0, 8.0]), Options::default()).unwrap();
        assert_eq!(values_of(&step.series[1]), [7.0, 8.0]);
        let named =
            read_beside(&batch(), "l.csv", "k,g\nwalk,a\nrun,b\n", Options { group: Some("g".into()), ..label("k") });
        let named = named.unwrap();
        assert_eq!(classes(&named), names(&["run", "walk"]));
        assert_eq!((named.series[0].last_class(), named.series[0].group()), (Some(1), Some("a")));
    }

    #[test]
    fn labels_that_do_not_fit_the_array_are_refused() {
        let message = |name, content: &[u8], options| read_beside(&batch(), name, content, options).unwrap_err();
        assert_eq!(
            message("l.npy", &array("(3,)", &[1.0; 3]), Options::default()),
            "l.npy: the array has the shape [3], expected (2,), (2, values) or (2, 2, values)"
        );
        assert_eq!(
            message("l.npy", &array("(2,)", &[1.0, 0.5]), Options::default()),
            "l.npy: the value at [1] is 0.5, expected a class number, an integer of at most 2^24; correct the array"
        );
        assert_eq!(
            message("l.csv", b"k\na\n", label("k")),
            "l.csv has labels for 1 series but the array has 2 series; expected one row per series, in the same order"
        );
        assert_eq!(
            message("l.csv", b"k\na\nb\n", Options::default()),
            "option `labels`: no column of the CSV file is asked for; name one with `label` or `target`"
        );
        assert_eq!(
            message("l.csv", b"k,y\na,1\n,2\n", label("k")),
            "l.csv:3: column 1 \"k\": the cell is empty, but every row needs its label here; fill it in or remove the row"
        );
        assert_eq!(
            message("l.npy", &array("(2,)", &[1.0; 2]), label("k")),
            "option `label`: `labels` is a .npy file, which has no columns; leave the option out"
        );
    }

    #[test]
    fn an_option_without_a_use_is_refused() {
        let cases = [
            (label("k"), "option `label`: a 2-D array has such columns in its `index`; give the index too"),
            (
                Options { labels: Some("l.csv".into()), ..Options::default() },
                "option `labels`: it goes with a 3-D array; describe the series of a 2-D one by an `index`",
            ),
            (
                Options { missing: Missing::Drop, ..Options::default() },
                "option `missing`: a .npy file has no empty cells; replace NaN before saving the array",
            ),
        ];
        for (options, message) in cases {
            assert_eq!(problem("a.npy", rows(), &options), message);
        }
        assert_eq!(
            problem("a.npy", batch(), &Options { index: Some("i.csv".into()), ..Options::default() }),
            "option `index`: it goes with a 2-D array; describe the series of a 3-D one by `labels`"
        );
    }
}

mod in_memory {
    use super::*;

    fn series(name: &str) -> Series {
        Series::new(name, 2, vec![1.0, 2.0, 3.0, 4.0]).unwrap()
    }

    fn refusal(targets: Targets, series: Series) -> String {
        Dataset::new(names(&["a", "b"]), targets, vec![series]).unwrap_err().to_string()
    }

    #[test]
    fn a_series_gives_back_what_it_was_made_of() {
        let one = series("s").with_class(1).with_group("g").with_row(7);
        assert_eq!((one.name(), one.group(), one.row(), one.len(), one.features()), ("s", Some("g"), 7, 2, 2));
        assert_eq!(one.steps().collect::<Vec<_>>(), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!((one.class(0), one.class(1), one.class(2), one.values(0)), (Some(1), Some(1), None, None));
        let per_step = series("s").with_classes(vec![1, 0]);
        assert_eq!((per_step.class(0), per_step.class(2), per_step.last_class()), (Some(1), None, Some(0)));
        let value = series("s").with_value(vec![0.5]);
        assert_eq!((value.values(1), value.values(2)), (Some(&[0.5][..]), None));
        let values = series("s").with_values(1, vec![0.5, 0.7]);
        assert_eq!(
            (values.values(0), values.values(2), values.last_values()),
            (Some(&[0.5][..]), None, Some(&[0.7][..]))
        );
        assert_eq!(values.class(0), None);
    }

    #[test]
    fn a_series_has_whole_finite_steps() {
        let message = |features, inputs: &[f32]| Series::new("s", features, inputs.to_vec()).unwrap_err().to_string();
        for (features, inputs) in [(0, &[1.0][..]), (2, &[]), (2, &[1.0, 2.0, 3.0])] {
            assert_eq!(
                message(features, inputs),
                format!(
                    "series `s`: {} input values do not make time steps of {features} features; expected at least one \
                     whole step",
                    inputs.len()
                )
            );
        }
        assert_eq!(
            message(2, &[1.0, 2.0, 3.0, f32::INFINITY]),
            "series `s`: feature 1 is inf at step 1; expected a finite number, remove or fill it"
        );
    }

    #[test]
    fn a_data_set_has_series_of_its_features_and_targets() {
        let two = || Targets::Classes(names(&["u", "v"]));
        let values = || Targets::Values(names(&["y"]));
        let cases = [
            (two(), series("s").with_class(2), "it has class 2 at step 0, but there are 2 classes, from 0 on"),
            (
                two(),
                series("s").with_classes(vec![0, 5]),
                "it has class 5 at step 1, but there are 2 classes, from 0 on",
            ),
            (two(), series("s").with_classes(vec![0]), "it has 1 classes for 2 time steps, expected one per step"),
            (two(), series("s").with_classes(vec![0; 3]), "it has 3 classes for 2 time steps, expected one per step"),
            (values(), series("s").with_value(vec![1.0, 2.0]), "it has 2 target values, expected 1: 1 per vector"),
            (values(), series("s").with_values(1, vec![1.0]), "it has 1 target values, expected 2: 1 per vector"),
            (values(), series("s").with_values(2, vec![1.0; 2]), "a target value at step 1 is not a finite number"),
            (
                values(),
                series("s").with_values(1, vec![1.0, f32::NAN]),
                "a target value at step 1 is not a finite number",
            ),
            (values(), series("s"), "its target is not of the kind that the data set has: none, classes or values"),
            (
                Targets::None,
                series("s").with_class(0),
                "its target is not of the kind that the data set has: none, classes or values",
            ),
            (Targets::None, Series::new("s", 1, vec![1.0]).unwrap(), "it has 1 features, expected 2"),
        ];
        for (targets, series, problem) in cases {
            assert_eq!(refusal(targets, series), format!("series `s`: {problem}"));
        }
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused_with_the_reason() {
        let refusal = |targets, series| {
            Dataset::new(names(&["a", "b"]), targets, series).unwrap().check_trainable(true).unwrap_err().to_string()
        };
        assert_eq!(refusal(Targets::None, vec![]), "the data have no series to train on");
        assert_eq!(
            refusal(Targets::None, vec![series("s")]),
            "the data have no targets to train for; name a class column with --label or value columns with --target"
        );
        let two = || Targets::Classes(names(&["u", "v"]));
        assert_eq!(
            refusal(two(), vec![series("s").with_class(1), series("t").with_classes(vec![1, 1])]),
            "all series are of the class `v`; training needs at least two classes in the data"
        );
        // Two classes, but one at every end: enough for a network that gives sequences.
        let ends = |every_step| {
            let series = vec![series("s").with_classes(vec![1, 0]), series("t").with_class(0)];
            Dataset::new(names(&["a", "b"]), two(), series).unwrap().check_trainable(every_step)
        };
        assert!(ends(true).is_ok());
        assert!(ends(false).unwrap_err().to_string().starts_with("all series are of the class `u`"));
        let one_series = vec![series("s").with_classes(vec![1, 0])];
        Dataset::new(names(&["a", "b"]), two(), one_series).unwrap().check_trainable(true).unwrap();
    }
}

mod classes_of_training {
    use super::*;

    #[test]
    fn labels_are_renumbered_by_name() {
        let options = Options { window: Some(2), series: Some("s".into()), ..label("k") };
        let text = "s,x,k\na,1,run\na,2,sit\na,3,run\nb,4,walk\nb,5,sit\n";
        let known = names(&["walk", "run", "jump", "sit"]);
        let dataset = read_text("a.csv", text, &options).with_classes_of(&known).unwrap();
        assert_eq!(classes(&dataset), known);
        assert_eq!(dataset.series.iter().map(classes_of).collect::<Vec<_>>(), [[1, 3], [3, 1], [0, 3]]);
        let whole = read_text("a.ts", "@classLabel true a b c\n@data\n1:b\n1:a\n", &Options::default());
        let whole = whole.with_classes_of(&names(&["b", "a"])).unwrap();
        assert_eq!(whole.series.iter().filter_map(Series::last_class).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_label_that_training_did_not_know_is_an_error() {
        let dataset =
            read_text("a.csv", "s,x,k\nmon,1,run\ntue,2,fly\n", &Options { series: Some("s".into()), ..label("k") });
        assert_eq!(
            dataset.with_classes_of(&names(&["run", "walk"])).unwrap_err().to_string(),
            "series `tue` has the label `fly`, which the model was not trained on; it knows `run`, `walk`"
        );
        let dataset = read_text("a.csv", "x\n1\n", &Options::default());
        assert_eq!(
            dataset.with_classes_of(&names(&["run"])).unwrap_err().to_string(),
            "the data have no class labels; name their column with --label"
        );
    }
}

mod splits {
    use super::*;

    fn grouped() -> Dataset {
        let options = Options { series: Some("x".into()), group: Some("g".into()), ..Options::default() };
        let options = Options { features: names(&["x"]), ..options };
        read_text("a.csv", "x,g\n0,1\n1,10\n2,2\n3,10\n", &options)
    }

    fn rows(dataset: &Dataset) -> Vec<usize> {
        dataset.series.iter().map(Series::row).collect()
    }

    #[test]
    fn groups_are_chosen_by_name() {
        let (rest, chosen) = grouped().split_groups(&names(&["10"])).unwrap();
        assert_eq!((rows(&rest), rows(&chosen)), (vec![0, 2], vec![1, 3]));
        let error = |dataset: Dataset, groups: &[&str]| dataset.split_groups(&names(groups)).unwrap_err().to_string();
        assert_eq!(error(grouped(), &["1", "3"]), "no series belongs to the group `3`; the groups are `1`, `2`, `10`");
        assert_eq!(
            error(grouped(), &["1", "2", "10"]),
            "the split takes 4 of 4 series and leaves 0; expected at least one on either side, choose another split"
        );
        assert_eq!(
            error(read_text("a.csv", "x\n1\n", &Options::default()), &["1"]),
            "the series belong to no groups; name the column of their group with --group"
        );
    }

    #[test]
    fn rows_are_chosen_by_number() {
        let (rest, chosen) = grouped().split_rows(1..3).unwrap();
        assert_eq!((rows(&rest), rows(&chosen)), (vec![0, 3], vec![1, 2]));
        assert!(matches!(grouped().split_rows(4..9), Err(DataError::EmptySide { rest: 4, chosen: 0 })));
    }

    #[test]
    fn a_fraction_takes_whole_recordings_and_the_same_ones_for_the_same_seed() {
        let rows_of = |name| (0..10).map(|x| format!("{name},{x}\n")).collect::<String>();
        let text = format!("s,x\n{}", (0..20).map(rows_of).collect::<String>());
        let options = Options { series: Some("s".into()), window: Some(4), ..Options::default() };
        let dataset = || read_text("a.csv", &text, &options);
        let recordings = |dataset: &Dataset| {
            let mut names: Vec<String> = dataset.series.iter().map(|series| series.name().into()).collect();
            names.dedup();
            names
        };
        let (rest, chosen) = dataset().split_fraction(0.25, 1).unwrap();
        assert_eq!((rest.series.len(), chosen.series.len()), (15 * 7, 5 * 7));
        assert_eq!((recordings(&rest).len(), recordings(&chosen).len()), (15, 5));
        let again = dataset().split_fraction(0.25, 1).unwrap().1;
        assert_eq!(recordings(&again), recordings(&chosen));
        let other = dataset().split_fraction(0.25, 2).unwrap().1;
        assert_ne!(recordings(&other), recordings(&chosen));
    }

    #[test]
    fn a_fraction_of_one_recording_is_its_end() {
        let text = "x\n0\n1\n2\n3\n4\n5\n";
        let dataset = read_text("a.csv", text, &Options { window: Some(2), ..Options::default() });
        let (rest, chosen) = dataset.split_fraction(0.4, 9).unwrap();
        assert_eq!((rows(&rest), rows(&chosen)), (vec![1, 2, 3], vec![4, 5]));
    }

    #[test]
    fn a_fraction_leaves_something_on_both_sides() {
        let error = |fraction| grouped().split_fraction(fraction, 0).unwrap_err().to_string();
        for fraction in [0.0, 1.0, f64::NAN] {
            assert_eq!(
                error(fraction),
                format!("cannot split off the fraction {fraction}; expected a number above 0 and below 1")
            );
        }
        assert_eq!(
            error(0.1),
            "the split takes 0 of 4 series and leaves 4; expected at least one on either side, choose another split"
        );
    }
}

mod options_in_a_model_file {
    use super::*;

    #[test]
    fn only_what_differs_from_the_default_is_written() {
        assert_eq!(serde_json::to_string(&Options::default()).unwrap(), "{}");
        let options = Options {
            features: names(&["temp"]),
            target: names(&["temp"]),
            series: Some("origin".into()),
            group: Some("month".into()),
            horizon: 6,
            window: Some(48),
            stride: 2,
            decimate: 3,
            missing: Missing::Previous,
            index: Some("index.csv".into()),
            labels: Some("labels.npy".into()),
            label: Some("class".into()),
        };
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(text.matches(':').count(), 12, "{text}");
        assert!(text.contains(r#""missing":"previous""#), "{text}");
        assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
    }

    #[test]
    fn an_option_of_a_later_version_is_not_ignored() {
        let error = serde_json::from_str::<Options>(r#"{"average": 2}"#).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `average`"), "{error}");
    }
}

mod any_bytes {
    use super::*;

    /// Small valid files to damage, with options that use everything in them.
    fn valid() -> Vec<(&'static str, Vec<u8>, Options)> {
        let csv = b"s,x,\"y\",k,g\na,1,2,u,1\n\nb,3,,v,1\r\na,1e3,-2,v,2\n".to_vec();
        let ts = b"#c\n@missing true\n@dimensions 2\n@classLabel true u v\n@data\n1,?:3,4:u\n5:6:v\n".to_vec();
        let by_name = Options {
            label: Some("k".into()),
            series: Some("s".into()),
            group: Some("g".into()),
            missing: Missing::Previous,
            ..Options::default()
        };
        let windows = Options { window: Some(2), horizon: 1, ..target(&["x0"]) };
        vec![
            ("a.csv", csv, by_name),
            ("a.ts", ts, Options { missing: Missing::Drop, ..Options::default() }),
            ("a.npy", array("(3, 1)", &[1.0, 2.0, 3.0]), windows.clone()),
            ("a.npy", npy("'>i2'", "True", "(1, 3, 2)", &[1; 12]), windows),
        ]
    }

    /// Reads the bytes in every role a file can have. Any result will do, but it must be one.
    fn read_everywhere(name: &str, bytes: &[u8], options: &Options) {
        let (folder, path) = file(name, bytes);
        for result in [read(&path, options), read(&path, &Options::default()), read_inputs(&path, options)] {
            for series in result.into_iter().flat_map(|dataset| dataset.series) {
                assert_eq!(series.inputs().len(), series.len() * series.features());
                assert!(series.len() > 0 && series.inputs().iter().all(|value| value.is_finite()));
            }
        }
        let array_path = folder.path().join("array.npy");
        for (shape, index) in [("(2, 2)", true), ("(2, 2, 1)", false)] {
            std::fs::write(&array_path, array(shape, &[1.0; 4])).unwrap();
            let beside = Some(path.clone());
            let (index, labels) = if index { (beside, None) } else { (None, beside) };
            let _ = read(&array_path, &Options { index, labels, label: options.label.clone(), ..Options::default() });
        }
    }

    /// Any byte, or one that means something in a text file.
    fn likely_byte() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), Just(b','), Just(b':'), Just(b'9'), Just(b'\n')]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn never_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for (name, valid, options) in valid() {
                read_everywhere(name, &bytes, &options);
                // Behind a valid beginning.
                let begin = valid.len().min(bytes.first().copied().unwrap_or_default().into());
                read_everywhere(name, &[&valid[..begin], &bytes].concat(), &options);
            }
        }

        #[test]
        fn that_damage_a_valid_file_never_make_a_reader_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), likely_byte()), 0..4),
            removed in any::<(prop::sample::Index, prop::sample::Index)>(),
            cut in any::<bool>(),
        ) {
            for (name, mut bytes, options) in valid() {
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if cut {
                    let (a, b) = (removed.0.index(bytes.len()), removed.1.index(bytes.len()));
                    bytes.drain(a.min(b)..a.max(b));
                }
                read_everywhere(name, &bytes, &options);
            }
        }
    }
}
