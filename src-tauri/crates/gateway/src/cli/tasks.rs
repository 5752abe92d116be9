//! Tasks, from the command line.

use super::client::LocalDoor;
use clap::Subcommand;
use console::{Alignment, pad_str, style};
use domain::{
    Problem, Timestamp, phrases,
    shown::{shown, shown_line},
};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum TaskAction {
    /// Put one into the queue: lanyard task add acme/shop fix the login test
    Add {
        /// As in acme/shop, or its address.
        repository: String,
        /// The branch to begin at and to go into; without it the repository's own.
        #[arg(long)]
        base: Option<String>,
        /// The branch to work on; without it one named after the task.
        #[arg(long)]
        branch: Option<String>,
        /// What it may cost, in dollars.
        #[arg(long, value_name = "DOLLARS")]
        budget: Option<f64>,
        /// low, normal or high; a step counts as an hour of waiting.
        #[arg(long, value_parser = ["low", "normal", "high"])]
        priority: Option<String>,
        /// Not before then: 18:00, 2026-12-24 8:00, or "in 2h".
        #[arg(long, value_name = "TIME", value_parser = time_of, conflicts_with = "every")]
        at: Option<i64>,
        /// Again and again, as cron says it: "0 7 * * 1-5" is 7:00 on weekdays.
        #[arg(long, value_name = "CRON", conflicts_with = "branch")]
        every: Option<String>,
        /// What is to be done.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// What is done again and again; take one away.
    Schedules {
        #[arg(long, value_name = "NUMBER")]
        remove: Option<u32>,
    },
    /// The newest, and where they stand.
    List,
    /// One task with all its steps.
    Show { id: u32 },
    /// Take one back.
    Drop { id: u32 },
    /// Run one that is over again, with more words if there are any.
    Retry { id: u32, words: Vec<String> },
    /// Hand what checks and people say of its pull request to its agent.
    Fix { id: u32, words: Vec<String> },
    /// Repositories of your account.
    Repositories {
        /// At this forge; without it github.com.
        host: Option<String>,
    },
}

pub async fn act(door: &LocalDoor, action: TaskAction, json: bool) -> Result<(), Problem> {
    let words = |words: Vec<String>| Some(words.join(" ")).filter(|words| !words.is_empty());
    let shown = match action {
        TaskAction::List => return list(&door.get("/api/tasks").await?, json),
        TaskAction::Repositories { host } => {
            let query = host.map(|host| format!("?host={host}")).unwrap_or_default();
            return repositories(&door.get(&format!("/api/repositories{query}")).await?, json);
        }
        TaskAction::Schedules { remove } => {
            let all = match remove {
                Some(id) => door.delete(&format!("/api/schedules/{id}")).await?,
                None => door.get("/api/schedules").await?,
            };
            return schedules(&all["schedules"], json);
        }
        TaskAction::Add { repository, base, budget, priority, every: Some(cron), words: said, .. } => {
            let plan = json!({ "cron": cron, "repository": repository, "prompt": said.join(" "), "base": base,
                               "budget_dollars": budget, "priority": priority });
            return schedules(&json!([door.post("/api/schedules", &plan).await?]), json);
        }
        TaskAction::Add { repository, base, branch, budget, priority, at, words: said, .. } => {
            let task = json!({ "repository": repository, "prompt": said.join(" "), "base": base, "branch": branch,
                               "budget_dollars": budget, "priority": priority, "at": at });
            door.post("/api/tasks", &task).await?
        }
        TaskAction::Show { id } => door.get(&format!("/api/tasks/{id}")).await?,
        TaskAction::Drop { id } => door.delete(&format!("/api/tasks/{id}")).await?,
        TaskAction::Retry { id, words: more } => {
            door.post(&format!("/api/tasks/{id}/retry"), &json!({ "words": words(more) })).await?
        }
        TaskAction::Fix { id, words: more } => {
            let feedback = json!({ "words": words(more), "feedback": true });
            door.post(&format!("/api/tasks/{id}/retry"), &feedback).await?
        }
    };
    match json {
        true => println!("{shown:#}"),
        false => tell(&shown),
    }
    Ok(())
}

/// "needs you" is the longest.
const STATE: usize = 9;

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn since(at: &Value) -> String {
    phrases::span(crate::clock::now().since(Timestamp(at.as_i64().unwrap_or_default())))
}

fn state(task: &Value) -> String {
    let state = word(task, "state").replace('_', " ");
    let styled = match state.as_str() {
        "done" => style(state).green(),
        "failed" => style(state).red(),
        "needs you" => style(state).yellow(),
        "queued" | "cancelled" => style(state).dim(),
        _ => style(state).cyan(),
    };
    styled.to_string()
}

fn list(page: &Value, json: bool) -> Result<(), Problem> {
    if json {
        println!("{page:#}");
        return Ok(());
    }
    let tasks = page["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    for task in tasks {
        let prompt = shown_line(word(task, "prompt").trim(), 50);
        let place = shown(word(task, "repository"));
        let state = pad_str(&state(task), STATE, Alignment::Left, None).into_owned();
        println!("{:>4}  {state}  {:<9} {place}  {}", task["id"], since(&task["state_at"]), style(prompt).dim());
    }
    if tasks.is_empty() {
        println!("There are no tasks. Begin one: lanyard task add acme/shop fix the login test");
    }
    Ok(())
}

fn schedules(all: &Value, json: bool) -> Result<(), Problem> {
    if json {
        println!("{all:#}");
        return Ok(());
    }
    let all = all.as_array().map_or(&[][..], Vec::as_slice);
    for one in all {
        let prompt = shown_line(word(one, "prompt").trim(), 50);
        let next = crate::clock::told(Timestamp(one["next_at"].as_i64().unwrap_or_default()));
        println!(
            "{:>4} {} (next {next}) {}",
            one["id"],
            style(word(one, "says")).cyan(),
            shown(word(one, "repository"))
        );
        println!("     {}", style(prompt).dim());
    }
    if all.is_empty() {
        println!(
            "Nothing is done again and again. Plan it: lanyard task add --every \"0 7 * * 1-5\" acme/shop update the packages"
        );
    }
    Ok(())
}

/// `18:00` (the next), `2026-12-24 8:00`, `in 90min`.
fn time_of(text: &str) -> Result<i64, String> {
    let now = jiff::Zoned::now();
    let odd = || format!("{text:?} is no time; write it as in 18:00, 2026-12-24 08:00 or \"in 2h\"");
    if let Some(span) = text.strip_prefix("in ") {
        let span: jiff::Span = span.trim().parse().map_err(|_| odd())?;
        return now.checked_add(span).map(|at| at.timestamp().as_millisecond()).map_err(|_| odd());
    }
    if let Ok(time) = text.parse::<jiff::civil::Time>() {
        let today = now.datetime().date().to_datetime(time).to_zoned(now.time_zone().clone()).map_err(|_| odd())?;
        let at = if today < now { today.tomorrow().map_err(|_| odd())? } else { today };
        return Ok(at.timestamp().as_millisecond());
    }
    let at: jiff::civil::DateTime = text.parse().map_err(|_| odd())?;
    at.to_zoned(now.time_zone().clone()).map(|at| at.timestamp().as_millisecond()).map_err(|_| odd())
}

fn repositories(found: &Value, json: bool) -> Result<(), Problem> {
    if json {
        println!("{found:#}");
        return Ok(());
    }
    for one in found["repositories"].as_array().into_iter().flatten() {
        println!("{:<40} {}", shown(word(one, "repository")), style(shown(word(one, "default_branch"))).dim());
    }
    Ok(())
}

fn tell(task: &Value) {
    let line = |name: &str, says: &str| println!("{:<10} {}", style(name).bold(), says);
    line("task", &format!("{} {}", task["id"], state(task)));
    line("repository", &shown(word(task, "repository")));
    line("branch", &shown(word(task, "branch")));
    line("asked", &shown_line(word(task, "prompt").trim(), 200));
    for step in task["steps"].as_array().into_iter().flatten() {
        line("", &format!("{:<10} {} ago", word(step, "state").replace('_', " "), since(&step["at"])));
    }
    let result = &task["result"];
    if result["files"].as_u64().unwrap_or(0) > 0 {
        let many = if result["files"] == 1 { "file" } else { "files" };
        let size = format!("{} {many}, +{} -{}", result["files"], result["added"], result["removed"]);
        line("changed", &size);
    }
    if let Some(url) = result["request"]["url"].as_str() {
        line("request", &format!("{} (checks: {})", shown(url), word(&result["request"], "checks")));
    }
    if let Some(session) = task["session_number"].as_u64() {
        line("session", &format!("{session}, ${:.2}", task["cost_dollars"].as_f64().unwrap_or(0.0)));
    }
    if !task["error"].is_null() {
        line("failed", &shown(word(&task["error"], "message")));
        line("", &shown(task["error"]["details"]["suggestion"].as_str().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::time_of;

    #[test]
    fn a_time_is_written_as_people_write_it() {
        let now = jiff::Timestamp::now().as_millisecond();
        let in_two = time_of("in 2h").unwrap() - now;
        assert!((7_190_000..7_210_000).contains(&in_two), "{in_two}");
        let next = time_of("18:00").unwrap() - now;
        assert!((-1_000..25 * 3_600_000).contains(&next), "{next}");
        assert!(time_of("2026-12-24 08:00").is_ok() && time_of("2026-12-24T08:00").is_ok());
        for bad in ["soon", "25:00", "in", "in a while", ""] {
            assert!(time_of(bad).is_err(), "{bad}");
        }
    }
}
