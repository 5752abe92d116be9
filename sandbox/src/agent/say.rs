//! What Claude Code is told: one JSON line for each command.

use super::mcp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    PermissionMode,
    agent::{AgentCommand, Picture, Rule},
};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// The line for a command, without a line end.
pub fn encode(command: &AgentCommand) -> String {
    let line = match command {
        AgentCommand::Say { id, text, pictures, slash } => {
            json!({
                "type": "user",
                "message": { "role": "user", "content": content(text, pictures, *slash) },
                "parent_tool_use_id": null, "session_id": "", "uuid": id
            })
        }
        AgentCommand::Allow { request, input, always, mode } => success(request, allowance(input, always, *mode)),
        AgentCommand::Deny { request, message, interrupt } => success(request, denial(message, *interrupt)),
        AgentCommand::ToolAnswered { call, result } => mcp_answer(&call.request, mcp::tool_answer(call, result)),
        AgentCommand::Interrupt => request("interrupt", json!({})),
        AgentCommand::SetMode(mode) => request("set_permission_mode", json!({ "mode": mode.as_str() })),
        AgentCommand::SetModel(model) => request("set_model", json!({ "model": model })),
    };
    line.to_string()
}

/// The first thing said to a process. Its answer tells that it is ready, and its pid inside the sandbox.
pub fn initialize(tools: bool) -> String {
    let servers: &[&str] = if tools { &[mcp::SERVER] } else { &[] };
    request("initialize", json!({ "sdkMcpServers": servers })).to_string()
}

pub fn mcp_answer(request: &str, message: Value) -> Value {
    success(request, json!({ "mcp_response": message }))
}

/// The answer to a request that cannot be met. Without one Claude Code would wait for ever.
pub fn refusal(request: &str, why: &str) -> Value {
    json!({ "type": "control_response", "response": { "subtype": "error", "request_id": request, "error": why } })
}

fn success(request: &str, response: Value) -> Value {
    json!({ "type": "control_response", "response": { "subtype": "success", "request_id": request, "response": response } })
}

/// `subtype` is part of the id, so that an answer tells what it answers.
fn request(subtype: &str, mut more: Value) -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    more["subtype"] = subtype.into();
    json!({ "type": "control_request", "request_id": format!("{subtype}-{number}"), "request": more })
}

fn content(text: &str, pictures: &[Picture], slash: bool) -> Value {
    let text = if slash { text.to_owned() } else { plain(text) };
    if pictures.is_empty() {
        return text.into();
    }
    let said = (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }));
    said.into_iter().chain(pictures.iter().map(picture)).collect()
}

/// Only a text whose very first character is a slash is taken as a command; both versions leave ` /cost` to the model.
/// (2.1.329 has a field `client_composed` for this, which 2.1.197 does not know.)
fn plain(text: &str) -> String {
    if text.starts_with('/') { format!(" {text}") } else { text.to_owned() }
}

fn picture(picture: &Picture) -> Value {
    let source = json!({ "type": "base64", "media_type": picture.media_type, "data": STANDARD.encode(&picture.bytes) });
    json!({ "type": "image", "source": source })
}

/// `updatedInput` is always sent: 2.1.197 takes an allowance without it for a denial.
fn allowance(input: &Value, always: &[Rule], mode: Option<PermissionMode>) -> Value {
    let mut allowance = json!({ "behavior": "allow", "updatedInput": input });
    // "session" always: any other destination writes settings files into the workspace.
    let rules = (!always.is_empty()).then(|| {
        let rules: Vec<Value> = always.iter().map(rule).collect();
        json!({ "type": "addRules", "rules": rules, "behavior": "allow", "destination": "session" })
    });
    let mode = mode.map(|mode| json!({ "type": "setMode", "mode": mode.as_str(), "destination": "session" }));
    let updates: Vec<Value> = rules.into_iter().chain(mode).collect();
    if !updates.is_empty() {
        allowance["updatedPermissions"] = updates.into();
    }
    allowance
}

fn rule(rule: &Rule) -> Value {
    let mut written = Map::from_iter([("toolName".to_owned(), Value::from(rule.tool.as_str()))]);
    if let Some(content) = &rule.content {
        written.insert("ruleContent".to_owned(), content.as_str().into());
    }
    written.into()
}

fn denial(message: &str, interrupt: bool) -> Value {
    let mut denial = json!({ "behavior": "deny", "message": message });
    if interrupt {
        denial["interrupt"] = true.into();
    }
    denial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, slash: bool) -> Value {
        let say = AgentCommand::Say { id: uuid::Uuid::nil(), text: text.into(), pictures: vec![], slash };
        serde_json::from_str::<Value>(&encode(&say)).unwrap()["message"]["content"].clone()
    }

    #[test]
    fn a_person_s_slash_is_text_and_lanyard_s_is_a_command() {
        assert_eq!((said("/cost", false), said("/cost", true)), (json!(" /cost"), json!("/cost")));
        assert_eq!(said("a / b", false), json!("a / b"));
    }

    #[test]
    fn always_holds_for_this_process_and_is_written_nowhere() {
        let always = vec![Rule { tool: "Bash".into(), content: Some("npm test *".into()) }];
        let allow = AgentCommand::Allow { request: "r".into(), input: json!({}), always, mode: None };
        let line: Value = serde_json::from_str(&encode(&allow)).unwrap();
        assert_eq!(line["response"]["response"]["updatedPermissions"][0]["destination"], "session");
    }

    #[test]
    fn a_line_never_holds_a_line_end() {
        let say =
            AgentCommand::Say { id: uuid::Uuid::nil(), text: "a\nb\r\u{2028}".into(), pictures: vec![], slash: false };
        assert!(!encode(&say).contains('\n'));
    }
}
