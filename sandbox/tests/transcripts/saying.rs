//! What we say, against what was recorded.

use super::recorded::{Transcript, VERSIONS};
use domain::agent::{AgentCommand, AgentEvent as E, CallId, GatewayTool, Rule};
use sandbox::agent::{Heard, Options, Reader, encode};
use serde_json::{Value, json};

/// The command that says the same as a recorded line; `None` for requests we never make.
fn command(line: &Value) -> Option<AgentCommand> {
    let request = line["response"]["request_id"].as_str().unwrap_or_default().to_owned();
    let answer = &line["response"]["response"];
    let modes = domain::PermissionMode::ALL;
    let mode = |v: &Value| modes.into_iter().find(|m| Some(m.as_str()) == v.as_str());
    match (line["type"].as_str()?, line["request"]["subtype"].as_str(), answer["behavior"].as_str()) {
        ("user", ..) => {
            let text = line["message"]["content"].as_str()?.to_owned();
            Some(AgentCommand::Say { id: uuid::Uuid::nil(), text, pictures: vec![], slash: true })
        }
        ("control_request", Some("interrupt"), _) => Some(AgentCommand::Interrupt),
        ("control_request", Some("set_permission_mode"), _) => {
            mode(&line["request"]["mode"]).map(AgentCommand::SetMode)
        }
        ("control_request", Some("set_model"), _) => {
            Some(AgentCommand::SetModel(line["request"]["model"].as_str()?.into()))
        }
        ("control_response", _, Some("allow")) => {
            let update =
                |kind: &str| answer["updatedPermissions"].as_array().into_iter().flatten().find(|u| u["type"] == kind);
            let rule = |r: &Value| Rule {
                tool: r["toolName"].as_str().unwrap().into(),
                content: r["ruleContent"].as_str().map(Into::into),
            };
            let always = update("addRules").map(|u| u["rules"].as_array().unwrap().iter().map(rule).collect());
            Some(AgentCommand::Allow {
                request,
                input: answer.get("updatedInput")?.clone(),
                always: always.unwrap_or_default(),
                mode: update("setMode").and_then(|u| mode(&u["mode"])),
            })
        }
        ("control_response", _, Some("deny")) => Some(AgentCommand::Deny {
            request,
            message: answer["message"].as_str()?.into(),
            interrupt: answer["interrupt"] == true,
        }),
        ("control_response", ..) if answer["mcp_response"]["result"].get("content").is_some() => {
            let rpc = answer["mcp_response"]["id"].clone();
            Some(AgentCommand::ToolAnswered { call: CallId { request, rpc }, result: Ok("sent".into()) })
        }
        _ => None,
    }
}

#[test]
fn what_we_say_has_the_recorded_shape() {
    let mut said = 0;
    for transcript in VERSIONS.iter().flat_map(|v| Transcript::all(v)) {
        for (_, line) in transcript.lines.iter().filter(|(direction, _)| direction == "in") {
            // Recorded to see what a suggestion does that is echoed as it came: we never do.
            if transcript.name == "27-perm-suggestions" {
                continue;
            }
            let Some(command) = command(line) else { continue };
            let ours: Value = serde_json::from_str(&encode(&command)).unwrap();
            holds(&ours, line, &transcript.name);
            said += 1;
        }
    }
    assert!(said > 200, "{said} lines were compared");
}

/// Everything in `theirs` is in `ours`, with the same value; ids of our own requests are our own.
fn holds(ours: &Value, theirs: &Value, at: &str) {
    match theirs {
        Value::Object(map) => map.iter().filter(|(k, _)| *k != "uuid" && *k != "_t").for_each(|(key, value)| {
            if key == "request_id" && theirs["type"] == "control_request" {
                assert!(ours[key].is_string(), "{at}: {key}");
            } else {
                holds(&ours[key], value, &format!("{at}.{key}"));
            }
        }),
        other => assert_eq!(ours, other, "{at}"),
    }
}

#[test]
fn the_recorded_handshake_of_an_own_tool_is_answered_in_the_recorded_shape() {
    for version in VERSIONS {
        let transcript = Transcript::named(version, "39-sdk-mcp").unwrap();
        let out = String::from_utf8(transcript.bytes("out")).unwrap();
        let out = out.replace("\"server_name\":\"gw\"", "\"server_name\":\"lanyard\"");
        let heard = Reader::new(&Options::default()).stdout(out.into());
        let theirs = transcript
            .lines
            .iter()
            .filter(|(d, m)| d == "in" && m["response"]["response"].get("mcp_response").is_some());
        let theirs: Vec<&Value> = theirs.map(|(_, m)| m).collect();
        let mut answered = 0;
        for heard in &heard {
            let ours: Value = match heard {
                Heard::Reply(line) => serde_json::from_str(line).unwrap(),
                Heard::Event(E::Called(call)) => {
                    let GatewayTool::SendPhoto { path, caption } = &call.tool;
                    assert_eq!((path.as_str(), caption.as_deref()), ("/workspace/shot.png", Some("hi")));
                    let answer = AgentCommand::ToolAnswered { call: call.call.clone(), result: Ok("sent".into()) };
                    serde_json::from_str(&encode(&answer)).unwrap()
                }
                _ => continue,
            };
            let same = |t: &&&Value| t["response"]["request_id"] == ours["response"]["request_id"];
            let theirs = theirs.iter().find(same).expect("a recorded answer");
            let (ours, theirs) =
                (&ours["response"]["response"]["mcp_response"], &theirs["response"]["response"]["mcp_response"]);
            assert_eq!(ours["id"], theirs["id"]);
            let keys = |v: &Value| {
                v["result"].as_object().unwrap().keys().filter(|k| *k != "isError").cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(ours), keys(theirs), "{version}");
            answered += 1;
        }
        assert_eq!(answered, theirs.len(), "{version}");
    }
}

#[test]
fn a_request_nobody_knows_is_answered_with_an_error() {
    let line = json!({ "type": "control_request", "request_id": "r9", "request": { "subtype": "hook_callback", "callback_id": "h" } });
    let heard = Reader::new(&Options::default()).stdout(format!("{line}\n").into());
    let [Heard::Reply(reply)] = &heard[..] else { panic!("{heard:?}") };
    let reply: Value = serde_json::from_str(reply).unwrap();
    assert_eq!((&reply["response"]["subtype"], &reply["response"]["request_id"]), (&json!("error"), &json!("r9")));
}
