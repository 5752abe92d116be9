//! What the agent asks for: `can_use_tool` and its suggestions.

use super::wire::{Request, Suggestion};
use domain::agent::{Ask, AskAbout, Question, QuestionOption, Rule};
use serde::Deserialize;
use serde_json::Value;

/// The question behind a `can_use_tool` request; `None` where it names no tool.
pub fn ask(request: String, asked: Request) -> Option<Ask> {
    let tool = asked.tool_name?;
    let input = asked.input.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let about = match (tool.as_str(), questions(&input)) {
        ("AskUserQuestion", Some(questions)) => AskAbout::Question { questions, input },
        ("ExitPlanMode", _) => AskAbout::Plan { plan: input["plan"].as_str().unwrap_or_default().to_owned(), input },
        _ => {
            let why = asked.decision_reason.as_ref().and_then(reason).or(asked.description);
            AskAbout::Tool { rules: rules(asked.permission_suggestions.unwrap_or_default()), tool, input, why }
        }
    };
    Some(Ask { request, tool_use: asked.tool_use_id, subagent: asked.agent_id, about })
}

/// A sentence, or an object that holds one.
fn reason(reason: &Value) -> Option<String> {
    reason.as_str().or_else(|| reason["reason"].as_str()).map(str::to_owned)
}

/// Only rules that allow. Where they would be kept is not for the agent to say: the owner's "always" is kept by Lanyard.
fn rules(suggestions: Vec<Suggestion>) -> Vec<Rule> {
    let allowing = suggestions.into_iter().filter(|s| s.kind == "addRules" && s.behavior.as_deref() == Some("allow"));
    let suggested = allowing.flat_map(|s| s.rules.unwrap_or_default());
    suggested.map(|rule| Rule { tool: rule.tool_name, content: rule.rule_content }).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    question: String,
    header: Option<String>,
    #[serde(default)]
    multi_select: bool,
    #[serde(default)]
    options: Vec<Offered>,
}

#[derive(Deserialize)]
struct Offered {
    label: String,
    #[serde(default)]
    description: String,
}

fn questions(input: &Value) -> Option<Vec<Question>> {
    let asked = Vec::<Asked>::deserialize(input.get("questions")?).ok().filter(|asked| !asked.is_empty())?;
    let question = |asked: Asked| Question {
        question: asked.question,
        header: asked.header,
        several: asked.multi_select,
        options: asked
            .options
            .into_iter()
            .map(|o| QuestionOption { label: o.label, description: o.description })
            .collect(),
    };
    Some(asked.into_iter().map(question).collect())
}
