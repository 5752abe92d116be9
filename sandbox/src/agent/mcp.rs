//! Lanyard's own tools, given to Claude Code as an MCP server whose messages travel inside control requests: no port, no
//! process. Claude Code 2.1.197 shakes hands twice; nothing is remembered here, so that costs nothing.

use domain::agent::{CallId, GatewayCall, GatewayTool};
use serde::Deserialize;
use serde_json::{Value, json};

/// The server's name in every frame.
pub const SERVER: &str = "lanyard";
/// The tool as permission rules name it.
pub const SEND_PHOTO: &str = "mcp__lanyard__send_photo";
/// The newest protocol version both Claude Code versions speak.
const PROTOCOL: &str = "2025-11-25";

/// JSON-RPC's own numbers (specification 2.0, section 5.1).
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

/// For `--mcp-config`.
pub fn config() -> String {
    json!({ "mcpServers": { SERVER: { "type": "sdk", "name": SERVER } } }).to_string()
}

/// What to do with one message.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Answer with this JSON-RPC message.
    Answer(Value),
    /// The answer comes from outside, by [`tool_answer`].
    Call(GatewayCall),
}

/// One JSON-RPC message that came in control request `request`.
pub fn hear(request: &str, message: &Value) -> Heard {
    let id = message.get("id");
    let answer = |result: Value| match id {
        Some(id) => Heard::Answer(json!({ "jsonrpc": "2.0", "id": id, "result": result })),
        None => Heard::Answer(json!({ "jsonrpc": "2.0", "result": {} })),
    };
    match message["method"].as_str().unwrap_or_default() {
        "initialize" => answer(welcome(&message["params"])),
        "tools/list" => answer(json!({ "tools": [send_photo()] })),
        "tools/call" => call(request, id, &message["params"]),
        "ping" => answer(json!({})),
        _ if id.is_none() => answer(json!({})),
        method => Heard::Answer(error(id, METHOD_NOT_FOUND, &format!("there is no method {method}"))),
    }
}

/// The answer to a call: words for the model, or words about what went wrong.
pub fn tool_answer(call: &CallId, result: &Result<String, String>) -> Value {
    let (text, failed) = match result {
        Ok(text) => (text, false),
        Err(text) => (text, true),
    };
    let content = json!([{ "type": "text", "text": text }]);
    json!({ "jsonrpc": "2.0", "id": call.rpc, "result": { "content": content, "isError": failed } })
}

fn welcome(params: &Value) -> Value {
    let version = params["protocolVersion"].as_str().unwrap_or(PROTOCOL);
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": { "name": SERVER, "version": env!("CARGO_PKG_VERSION") }
    })
}

fn send_photo() -> Value {
    json!({
        "name": "send_photo",
        "description": "Send a picture to the owner, who is away from the computer and reads on a phone. Use it whenever \
                        seeing helps more than reading: a page you changed, a plot, a diagram. Make a picture of a web page \
                        with the command `lanyard-shot URL FILE [WIDTHxHEIGHT]`.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "Absolute path of a PNG, JPEG, GIF or WebP file" },
                "caption": { "type": "string", "description": "One line that says what the picture shows" }
            },
            "required": ["path"],
            "additionalProperties": false
        }
    })
}

#[derive(Deserialize)]
struct Photo {
    path: String,
    caption: Option<String>,
}

fn call(request: &str, id: Option<&Value>, params: &Value) -> Heard {
    if params["name"] != "send_photo" {
        return Heard::Answer(error(id, INVALID_PARAMS, &format!("there is no tool {}", params["name"])));
    }
    let rpc = id.cloned().unwrap_or_default();
    let call = CallId { request: request.to_owned(), rpc };
    match Photo::deserialize(&params["arguments"]) {
        Ok(Photo { path, caption }) => {
            Heard::Call(GatewayCall { call, tool: GatewayTool::SendPhoto { path, caption } })
        }
        // As the tool's own failure, not the protocol's: the model reads it and can mend its call.
        Err(e) => Heard::Answer(tool_answer(&call, &Err(format!("send_photo takes a path and a caption: {e}")))),
    }
}

fn error(id: Option<&Value>, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(message: Value) -> Heard {
        hear("r1", &message)
    }

    #[test]
    fn a_call_comes_out_with_what_its_answer_needs() {
        let params = json!({ "name": "send_photo", "arguments": { "path": "/a.png", "caption": "A" } });
        let Heard::Call(call) = asked(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params }))
        else {
            panic!("a call")
        };
        assert_eq!(call.tool, GatewayTool::SendPhoto { path: "/a.png".into(), caption: Some("A".into()) });
        let answer = tool_answer(&call.call, &Err("too large".into()));
        assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(2), &json!(true)));
    }

    #[test]
    fn a_wrong_call_is_answered_and_reaches_nobody() {
        for params in [json!({ "name": "send_photo", "arguments": {} }), json!({ "name": "other" }), json!(null)] {
            let heard = asked(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
            assert!(matches!(heard, Heard::Answer(_)), "{heard:?}");
        }
    }

    #[test]
    fn an_unknown_method_is_an_error_and_an_unknown_notification_is_not() {
        let Heard::Answer(refused) = asked(json!({ "id": 7, "method": "resources/list" })) else { panic!("an answer") };
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(METHOD_NOT_FOUND)));
        let Heard::Answer(noted) = asked(json!({ "method": "notifications/initialized" })) else { panic!("an answer") };
        assert!(noted.get("error").is_none());
    }
}
