//! The figures as a picture: one bar a row on a logarithmic scale, with the other at 1.

use super::rows::{Measured, figure};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const NAMES: f64 = 150.0;
const VALUES: f64 = 230.0;
const ROW: f64 = 34.0;
const TOP: f64 = 64.0;

/// A picture that stands for itself: light background, no scripts, fonts of the viewer.
pub fn svg(measured: &[Measured]) -> String {
    let scale = Scale::over(measured);
    let height = TOP + ROW * measured.len() as f64 + 24.0;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#1f2328\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"16\" font-weight=\"600\">Lanyard against the other, as a ratio (logarithmic)</text>\n"
    );
    for decade in scale.low as i32..=scale.high as i32 {
        let x = scale.x(f64::from(decade));
        let (line, label) = (if decade == 0 { "#57606a" } else { "#d8dee4" }, figure(10f64.powi(decade)));
        let _ = writeln!(
            picture,
            "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{line}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#57606a\" font-size=\"11\">{label} x</text>",
            TOP - 6.0,
            height - 18.0,
            TOP - 12.0
        );
    }
    for (index, row) in measured.iter().enumerate() {
        bar(&mut picture, row, TOP + ROW * index as f64, &scale);
    }
    picture + "</svg>\n"
}

fn bar(picture: &mut String, row: &Measured, y: f64, scale: &Scale) {
    let (one, end) = (scale.x(0.0), scale.x(row.ratio.max(f64::MIN_POSITIVE).log10()));
    let colour = if row.met { "#2f7d5b" } else { "#c4452f" };
    let (left, width) = (one.min(end), (one - end).abs().max(2.0));
    let words = escaped(&format!("{} / {} {}", figure(row.ours), figure(row.other), row.unit));
    let _ = writeln!(
        picture,
        "<text x=\"16\" y=\"{:.1}\">{}</text><rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"16\" rx=\"3\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{:.1}\">{words}</text>",
        y + 16.0,
        escaped(&row.id),
        y + 4.0,
        WIDTH - VALUES + 16.0,
        y + 16.0
    );
}

/// Whole powers of ten around 1 and all ratios.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(measured: &[Measured]) -> Scale {
        let powers = || measured.iter().map(|row| row.ratio.max(1e-6).log10());
        Scale { low: powers().fold(-1.0, f64::min).floor(), high: powers().fold(1.0, f64::max).ceil() }
    }

    fn x(&self, power: f64) -> f64 {
        let share = (power.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        NAMES + share * (WIDTH - NAMES - VALUES)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_looks_different_and_names_are_escaped() {
        let row = |met, ratio| Measured {
            id: "a<b".into(),
            ours: 1.0,
            other: 2.0,
            unit: "ms".into(),
            ratio,
            goal: String::new(),
            met,
            runs: 1,
            p50: 1.0,
            p99: 1.0,
        };
        let picture = svg(&[row(true, 0.03), row(false, 40.0)]);
        assert!(picture.contains("a&lt;b") && picture.contains("#c4452f") && picture.contains("#2f7d5b"));
        assert!(picture.contains(">0.0100 x<") && picture.contains(">100 x<"), "{picture}");
    }

    #[test]
    fn no_figures_are_an_empty_picture() {
        assert!(svg(&[]).ends_with("</svg>\n"));
    }
}
