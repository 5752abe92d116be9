//! What was measured, and the line it is told in.

use serde::Serialize;
use std::time::Duration;

/// Values of one kind, in one unit.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<f64>);

impl Series {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn push_ms(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1000.0);
    }

    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// With fewer than a hundred values this is the largest.
    pub fn p99(&self) -> f64 {
        self.at(0.99)
    }

    pub fn least(&self) -> f64 {
        self.at(0.0)
    }

    /// The value that this share of all lies below; not a number where nothing was measured.
    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get(((sorted.len() as f64 * share) as usize).min(last)).copied().unwrap_or(f64::NAN)
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// A row's figures, as `cargo xtask bench` reads them.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub id: &'static str,
    /// In `unit`, at the median.
    pub ours: f64,
    pub other: f64,
    pub unit: &'static str,
    pub ratio: f64,
    /// In words, with what else the goal was measured by.
    pub goal: String,
    pub met: bool,
    pub runs: usize,
    /// Of ours, in `unit`.
    pub p50: f64,
    pub p99: f64,
}

impl Figures {
    /// Medians beside each other; the goal is not judged yet.
    pub fn of(id: &'static str, unit: &'static str, ours: &Series, other: &Series) -> Self {
        Self {
            id,
            ours: ours.median(),
            other: other.median(),
            unit,
            ratio: ours.median() / other.median(),
            goal: String::new(),
            met: false,
            runs: ours.len(),
            p50: ours.median(),
            p99: ours.p99(),
        }
    }

    pub fn judged(mut self, goal: impl Into<String>, met: bool) -> Self {
        (self.goal, self.met) = (goal.into(), met);
        self
    }

    pub fn at_most(self, ratio: f64) -> Self {
        let met = self.ratio <= ratio;
        self.judged(format!("at most {ratio} x"), met)
    }

    /// A line for a person on standard error, then the figures as the last line of standard output.
    pub fn print(&self) {
        let Self { id, ours, other, unit, ratio, goal, runs, p99, .. } = self;
        let verdict = if self.met { "met" } else { "missed" };
        eprintln!(
            "{id}: {ours:.3} {unit} against {other:.3} {unit}, {ratio:.4} x, {runs} runs, p99 {p99:.3}; {goal}: {verdict}"
        );
        println!("{}", serde_json::json!(self));
    }
}
