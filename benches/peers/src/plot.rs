//! The drawing: a row per library, a dot per network on a logarithmic axis, the slowest one's time beside it.

use crate::measure::Row;
use crate::network::Cell;
use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

const WIDTH: u32 = 1000;
const HEADER: u32 = 36;
const ROW: u32 = 26;
/// Titles and axes above and below the rows.
const FRAME: u32 = 90;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes an SVG file with a panel per cell.
pub fn draw(rows: &[Row], path: &Path) -> Result<()> {
    let mut cells: Vec<Cell> = rows.iter().map(|row| row.cell).collect();
    cells.dedup();
    let mut hidden: Vec<usize> = rows.iter().map(|row| row.hidden).collect();
    hidden.sort_unstable();
    hidden.dedup();
    let mut by_time: Vec<&Row> = rows.iter().collect();
    by_time.sort_by(|a, b| b.ns_per_step.total_cmp(&a.ns_per_step));
    // The slowest at the bottom, each where its fastest network is.
    let mut labels: Vec<String> = Vec::new();
    for row in by_time {
        labels.retain(|label| *label != self::label(row));
        labels.push(label(row));
    }

    let height = HEADER + FRAME + ROW * labels.len() as u32;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (header, panels) = root.split_vertically(HEADER);
    legend(&header, &hidden)?;
    for (area, &cell) in panels.split_evenly((1, cells.len())).iter().zip(&cells) {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.cell == cell).collect();
        panel(area, cell, &rows, &labels, &hidden)?;
    }
    root.present()?;
    Ok(())
}

fn label(row: &Row) -> String {
    match row.steps_per_call {
        1 => row.peer.clone(),
        steps => format!("{} ({steps} a call)", row.peer),
    }
}

/// From light to dark blue.
fn shade(hidden: usize, all: &[usize]) -> RGBColor {
    let position = all.iter().filter(|&&h| h <= hidden).count() as f64 / all.len() as f64;
    let mix = |light: f64, dark: f64| (light + (dark - light) * position) as u8;
    RGBColor(mix(190.0, 10.0), mix(220.0, 40.0), mix(250.0, 100.0))
}

fn legend(area: &Area, hidden: &[usize]) -> Result<()> {
    let style = ("sans-serif", 17).into_font();
    area.draw(&Text::new("Nanoseconds per time step, f32, one thread. Units:", (12, 14), style.clone()))?;
    for (&h, x) in hidden.iter().zip((400..).step_by(60)) {
        area.draw(&Circle::new((x, 20), 5, shade(h, hidden).filled()))?;
        area.draw(&Text::new(h.to_string(), (x + 10, 14), style.clone()))?;
    }
    Ok(())
}

fn panel(area: &Area, cell: Cell, rows: &[&Row], labels: &[String], hidden: &[usize]) -> Result<()> {
    let times = || rows.iter().map(|row| row.ns_per_step);
    let from = 10f64.powf(times().fold(f64::INFINITY, f64::min).log10().floor());
    let to = 10f64.powf(times().fold(0.0, f64::max).log10().ceil());
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{cell:?}").to_uppercase(), ("sans-serif", 19))
        .margin(10)
        .margin_right(60)
        .x_label_area_size(34)
        .y_label_area_size(190)
        .build_cartesian_2d((from..to).log_scale(), (0..labels.len().saturating_sub(1)).into_segmented())?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(RGBColor(240, 240, 240))
        .y_labels(labels.len())
        .y_label_formatter(&|place| match place {
            SegmentValue::CenterOf(index) => labels.get(*index).cloned().unwrap_or_default(),
            _ => String::new(),
        })
        .x_label_formatter(&|ns| format!("{ns}"))
        .label_style(("sans-serif", 16))
        .draw()?;
    for (index, name) in labels.iter().enumerate() {
        let mut dots: Vec<&&Row> = rows.iter().filter(|row| label(row) == *name).collect();
        dots.sort_by(|a, b| a.ns_per_step.total_cmp(&b.ns_per_step));
        let Some(slowest) = dots.last() else { continue };
        let place = |ns| (ns, SegmentValue::CenterOf(index));
        chart.draw_series(LineSeries::new([from, slowest.ns_per_step].map(place), RGBColor(200, 200, 200)))?;
        chart.draw_series(
            dots.iter().map(|row| Circle::new(place(row.ns_per_step), 5, shade(row.hidden, hidden).filled())),
        )?;
        let text = Text::new(format!("{:.0}", slowest.ns_per_step), (10, -6), ("sans-serif", 15));
        chart.draw_series([EmptyElement::at(place(slowest.ns_per_step)) + text])?;
    }
    Ok(())
}
