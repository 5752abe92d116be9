//! A session's history as a file: Markdown or a page for people, JSON for programs.

use super::{
    PairedPhone, Read,
    no::{Asked, No, Of, Refusals},
};
use crate::{gateway::App, stream::facts, wire::Frame};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{Code, SessionId, event::Event, shown::shown};
use pulldown_cmark::{Options, Parser, html};
use serde::Deserialize;
use std::fmt::Write;
use store::{
    events::{self, Stored},
    sessions::{self, SessionRow},
};
use utoipa::{IntoParams, ToSchema};

/// Events read at once, so that a long history is not held in memory twice.
const BATCH: usize = 500;

#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct As {
    #[param(inline)]
    pub format: Option<Format>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Md,
    Json,
    Html,
}

/// The whole history of a session as a file.
#[utoipa::path(get, path = "/api/sessions/{id}/export", tag = "sessions", params(("id" = uuid::Uuid, Path), As),
    responses((status = 200, content((String = "text/markdown"), (Vec<Frame> = "application/json"), (String = "text/html"))), Refusals))]
pub async fn export(
    State(app): State<App>,
    _phone: PairedPhone<Read>,
    Of(id): Of<SessionId>,
    Asked(wanted): Asked<As>,
) -> Result<Response, No> {
    let format = wanted.format.unwrap_or_default();
    crate::audit::note(&app, store::audit::Kind::Exported, serde_json::json!({ "session": id })).await;
    let read = app.store.read(move |r| {
        let row = sessions::get(r, id)?.ok_or(store::Error::Refused(Code::UnknownSession))?;
        let number = row.number;
        let mut writing = Writing::of(format, &row);
        let mut cursor = i64::MIN;
        loop {
            let found = events::of_session(r, id, cursor, BATCH)?;
            let Some(last) = found.last() else { break };
            cursor = last.seq;
            for stored in found {
                match &mut writing {
                    Writing::Words(text) => said(text, &stored),
                    Writing::Frames(frames) => frames.push(facts::frame(r, stored)?),
                }
            }
        }
        Ok((number, writing.end(format)?))
    });
    let (number, text) = read.await?;
    let (media_type, name) = match format {
        Format::Md => ("text/markdown; charset=utf-8", "md"),
        Format::Json => ("application/json", "json"),
        Format::Html => ("text/html; charset=utf-8", "html"),
    };
    let file = HeaderValue::from_str(&format!("attachment; filename=\"lanyard-session-{number}.{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, file.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    Ok((headers, text).into_response())
}

enum Writing {
    Words(String),
    Frames(Vec<Frame>),
}

impl Writing {
    fn of(format: Format, row: &SessionRow) -> Self {
        match format {
            Format::Json => Self::Frames(Vec::new()),
            Format::Md | Format::Html => {
                let title = if row.title.is_empty() { "Session" } else { &row.title };
                Self::Words(format!("# {}\n\nSession {}, begun {}\n", shown(title), row.number, time(row.created_at.0)))
            }
        }
    }

    fn end(self, format: Format) -> store::Result<String> {
        match self {
            Self::Frames(frames) => Ok(serde_json::to_string(&frames)?),
            Self::Words(text) if format == Format::Html => Ok(page(&text)),
            Self::Words(text) => Ok(text),
        }
    }
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
}

/// Writing to a String cannot fail.
fn said(out: &mut String, stored: &Stored) {
    let at = time(stored.at.0);
    let _infallible = match &stored.event {
        Event::Said { channel, text, .. } => {
            write!(out, "\n## You, by {} ({at})\n\n{}\n", channel.as_str(), shown(text))
        }
        Event::Answered { text, .. } => write!(out, "\n{}\n", shown(text)),
        Event::ToolUsed { tool, input, .. } => write!(out, "\n**{}**\n{}", shown(tool), fenced(&tool_words(input))),
        Event::ToolFinished { ok, text, .. } => {
            write!(out, "\n{}\n{}", if *ok { "gave" } else { "failed" }, fenced(text))
        }
        Event::Asked { number, subject, risk, .. } => {
            write!(out, "\n**Asked** (#{number}, {} risk)\n{}", risk.as_str(), fenced(&subject.in_full()))
        }
        Event::Resolved { decision, .. } => write!(out, "\n**{}**\n", decision.as_str()),
        Event::Failed { code, detail, .. } => {
            write!(
                out,
                "\n**{}** {}\n{}",
                code,
                code.entry().sentence,
                if detail.is_empty() { String::new() } else { fenced(detail) }
            )
        }
        Event::Noticed { text } => write!(out, "\n*{}*\n", shown(text)),
        Event::TurnEnded { cost, duration_ms, .. } => {
            write!(out, "\n---\n\n*{:.1} s, {cost}*\n", *duration_ms as f64 / 1000.0)
        }
        Event::ArtifactMade { caption, media_type, .. } => {
            write!(out, "\n*{}: {}*\n", shown(media_type), shown(caption.as_deref().unwrap_or("a file")))
        }
        Event::TurnStarted { .. } | Event::Steered { .. } | Event::ModeChanged { .. } | Event::Closed => Ok(()),
    };
}

fn tool_words(input: &serde_json::Value) -> String {
    match input.get("command").and_then(serde_json::Value::as_str) {
        Some(command) => command.to_owned(),
        None => serde_json::to_string_pretty(input).unwrap_or_default(),
    }
}

/// A fence longer than any in the text, so that nothing in it ends the block.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("\n{fence}\n{}\n{fence}\n", shown(text).trim_end())
}

/// Raw HTML in what an agent wrote stays text.
fn page(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        pulldown_cmark::Event::Html(text) | pulldown_cmark::Event::InlineHtml(text) => {
            pulldown_cmark::Event::Text(text)
        }
        pulldown_cmark::Event::Start(pulldown_cmark::Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if harmless(&dest_url) { dest_url } else { "#".into() };
            pulldown_cmark::Event::Start(pulldown_cmark::Tag::Link { link_type, dest_url, title, id })
        }
        // A picture of elsewhere would tell that site who reads this.
        pulldown_cmark::Event::Start(pulldown_cmark::Tag::Image { .. }) => {
            pulldown_cmark::Event::Start(pulldown_cmark::Tag::Emphasis)
        }
        pulldown_cmark::Event::End(pulldown_cmark::TagEnd::Image) => {
            pulldown_cmark::Event::End(pulldown_cmark::TagEnd::Emphasis)
        }
        other => other,
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Lanyard</title>\n<style>body{{font:16px/1.5 system-ui;max-width:48rem;margin:auto;padding:1rem;\
         color-scheme:light dark}}pre{{overflow:auto}}</style>\n{body}"
    )
}

fn harmless(url: &str) -> bool {
    ["https://", "http://", "mailto:", "#"].iter().any(|start| url.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_an_agent_wrote_acts_in_the_page() {
        let words = "<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![x](https://spy.example/x.png) a <img src=x onerror=y>";
        let html = page(words);
        assert!(html.contains("<a href=\"#\">x</a>") && html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("javascript:") && !html.contains("<img"), "{html}");
    }

    #[test]
    fn no_text_ends_its_block() {
        assert_eq!(fenced("a\n````\nb"), "\n`````\na\n````\nb\n`````\n");
    }
}
