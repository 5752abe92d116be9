//! For tests: how SQLite goes about the queries of a function, so that one which would walk through a whole table fails.

use crate::{Reader, Result, Store};
use std::sync::{Arc, Mutex};

/// The steps of all queries that ran.
#[derive(Debug)]
pub struct Plans(Vec<(String, String)>);

/// Runs `queries` on a reader and asks for the plan of each statement they prepared.
pub async fn of_all<T: Send + 'static>(
    store: &Store,
    queries: impl FnOnce(&Reader<'_>) -> Result<T> + Send + 'static,
) -> Plans {
    let steps = move |r: &Reader<'_>| {
        let ran: Arc<Mutex<Vec<String>>> = Arc::default();
        TRACED.with(|traced| *traced.lock().unwrap() = Some(Arc::clone(&ran)));
        r.0.trace_v2(rusqlite::trace::TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
        queries(r)?;
        r.0.trace_v2(rusqlite::trace::TraceEventCodes::empty(), None);
        let ran = std::mem::take(&mut *ran.lock().unwrap());
        let mut plans = Vec::new();
        // Those that begin so are told by tables of other kinds about themselves.
        for sql in ran.into_iter().filter(|sql| !sql.starts_with("--")) {
            let mut explained = r.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = explained.query_map([], |row| row.get::<_, String>(3))?;
            for step in steps {
                plans.push((step?, sql.clone()));
            }
        }
        Ok(Plans(plans))
    };
    store.read(steps).await.unwrap()
}

thread_local! {
    /// A trace's callback is a plain function: this is where it writes.
    static TRACED: Mutex<Option<Arc<Mutex<Vec<String>>>>> = const { Mutex::new(None) };
}

fn note(event: rusqlite::trace::TraceEvent<'_>) {
    let rusqlite::trace::TraceEvent::Stmt(statement, _) = event else { return };
    TRACED.with(|traced| {
        if let (Some(ran), Some(sql)) = (&*traced.lock().unwrap(), statement.expanded_sql()) {
            ran.lock().unwrap().push(sql);
        }
    });
}

impl Plans {
    /// Panics if no step uses this index.
    pub fn use_index(&self, index: &str) {
        assert!(self.0.iter().any(|(step, _)| step.contains(index)), "{index} is not used: {:#?}", self.0);
    }

    /// Panics if there is none, or one that walks through one of these tables.
    pub fn scan_none_of(&self, tables: &[&str]) {
        assert!(!self.0.is_empty(), "nothing ran");
        for (step, sql) in &self.0 {
            let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split_whitespace().next());
            let bad = scanned.is_some_and(|table| tables.contains(&table));
            assert!(!bad, "{step}\n{sql}");
        }
    }
}
