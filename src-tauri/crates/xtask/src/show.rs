//! What a person sees while set-up works: one line a step, alive in a terminal, plain in a log.

use console::style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// One thing being done. Dropped unfinished it leaves a cross.
pub struct Step {
    name: String,
    began: Instant,
    bar: ProgressBar,
    finished: bool,
}

impl Step {
    pub fn begin(name: &str) -> Step {
        let bar = ProgressBar::new_spinner().with_message(name.to_owned());
        if console::user_attended_stderr() {
            let looks = ProgressStyle::with_template("{spinner:.yellow} {msg:24} {elapsed:>4} {prefix:.dim}");
            bar.set_style(looks.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars("◐◓◑◒●"));
            bar.enable_steady_tick(Duration::from_millis(120));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Step { name: name.to_owned(), began: Instant::now(), bar, finished: false }
    }

    /// What it is at just now; only the last line is seen, and only in a terminal.
    pub fn say(&self, line: &str) {
        let line = console::strip_ansi_codes(line.trim());
        if !line.is_empty() {
            let room = usize::from(console::Term::stderr().size().1).saturating_sub(36);
            self.bar.set_prefix(console::truncate_str(&line, room, "…").into_owned());
        }
    }

    /// It is done, and `what` came of it.
    pub fn done(mut self, what: &str) -> Duration {
        let took = self.began.elapsed();
        self.finish(style("✓").green().to_string(), what);
        took
    }

    fn finish(&mut self, mark: String, what: &str) {
        self.finished = true;
        self.bar.finish_and_clear();
        eprintln!("{mark} {:24} {:>8}  {}", self.name, seconds(self.began.elapsed()), style(what).dim());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.finished {
            self.finish(style("✗").red().to_string(), "");
        }
    }
}

/// `0.4 s`, `12 s`, `3 min 5 s`.
pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..=9 => format!("{:.1} s", time.as_secs_f64()),
        whole @ 10..=119 => format!("{whole} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// Columns as wide as their widest cell, two spaces between. The first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| console::measure_text_width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(&widths).map(|(cell, width)| console::pad_str(cell, *width, console::Alignment::Left, None));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if lines.len() > 1 {
        lines.insert(1, "─".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_wide_signs() {
        let rows =
            [["what", "time"], ["läuft ✓", "1 s"], ["x", "2 min 0 s"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "what     time\n──────────────────\nläuft ✓  1 s\nx        2 min 0 s");
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let said = [0.42, 12.9, 119.0, 185.0].map(|s| seconds(Duration::from_secs_f64(s)));
        assert_eq!(said, ["0.4 s", "12 s", "119 s", "3 min 5 s"]);
    }
}
