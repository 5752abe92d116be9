//! Noticing that the computer slept. While a laptop is suspended its monotonic clock stands (Linux, macOS) and the wall
//! clock runs on, so a heartbeat's deadline knows nothing of the night between; the wall clock does.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// Where the time of day comes from; tests move it.
#[derive(Clone)]
pub struct Wall(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Wall {
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl Default for Wall {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wall")
    }
}

/// Longer than any pause of a loaded computer, shorter than any TCP connection's patience.
const A_NAP: Duration = Duration::from_secs(10);

/// Whether the computer slept, from how far each clock moved between two looks `tick` apart. A monotonic clock that
/// runs through sleep (Windows) shows it as a late tick. A wall clock set backwards proves nothing.
pub(crate) fn slept(wall: Duration, monotonic: Duration, tick: Duration) -> bool {
    wall > monotonic + A_NAP || monotonic > tick + A_NAP
}

/// Calls `woke` each time the computer has slept. Never returns.
pub(crate) async fn watch(wall: &Wall, tick: Duration, mut woke: impl FnMut()) {
    let mut before = (wall.now(), Instant::now());
    loop {
        tokio::time::sleep(tick).await;
        let now = (wall.now(), Instant::now());
        let moved = now.0.duration_since(before.0).unwrap_or_default();
        if slept(moved, now.1 - before.1, tick) {
            tracing::info!(slept_s = moved.as_secs(), "the computer slept; the tunnel's link is made anew");
            woke();
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_a_nap_and_a_slow_tick_or_a_clock_set_back_is_not() {
        let (tick, second) = (Duration::from_secs(1), Duration::from_secs(1));
        assert!(slept(8 * 3600 * second, second, tick), "suspended");
        assert!(slept(3600 * second, 3600 * second, tick), "suspended, with a clock that runs through");
        assert!(!slept(second, second, tick));
        assert!(!slept(9 * second, 9 * second, tick), "a loaded computer");
        assert!(!slept(Duration::ZERO, second, tick), "set back");
    }
}
