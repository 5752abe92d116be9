//! Every answer of the stand-in against Twilio's published OpenAPI description of its REST interface.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use standins::{
    oracle,
    twilio::{ACCOUNT, NUMBER, SERVICE, TOKEN, Twilio},
};
use std::time::Duration;

const PHONE: &str = "+15551230001";

/// The description as JSON Schema: OpenAPI 3.0 writes `nullable` where JSON Schema has a type more. Twilio's paths are
/// relative though the description calls them URIs, so formats are not checked, but dates are (below).
fn description(interface: &str) -> Value {
    let modules = oracle::node(&["@twilio/cli-core@8.3.2"]).unwrap();
    let file = format!("node_modules/@twilio/cli-core/src/services/twilio-api/twilio_{interface}.json");
    let file = modules.join(file);
    let mut description: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    allow_null(&mut description);
    description
}

fn allow_null(at: &mut Value) {
    match at {
        Value::Object(map) => {
            if map.remove("nullable") == Some(json!(true)) {
                if let Some(Value::String(one)) = map.get("type") {
                    map["type"] = json!([one, "null"]);
                }
                if let Some(Value::Array(allowed)) = map.get_mut("enum") {
                    allowed.push(Value::Null);
                }
            }
            map.values_mut().for_each(allow_null);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        _ => {}
    }
}

struct Described {
    description: Value,
    twilio: Twilio,
}

impl Described {
    async fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let client = Client::builder(TokioExecutor::new()).build_http();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.twilio.url()))
            .header("authorization", format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"))))
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// One call, its answer held against the description of that operation.
    async fn check(&self, method: &str, described: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, answer) = self.call(method, path, form).await;
        let operation = &self.description["paths"][described][method.to_ascii_lowercase()];
        let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {described} documents no answer with {status}: {answer}");
        let mut root = schema.clone();
        root["components"] = self.description["components"].clone();
        let validator = jsonschema::draft202012::new(&root).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&answer).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}");
        self.check_keys(schema, &answer, path);
        answer
    }

    /// Twilio leaves no key out and adds none, and its dates are RFC 2822.
    fn check_keys(&self, schema: &Value, answer: &Value, at: &str) {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => &self.description["components"]["schemas"][reference.rsplit('/').next().unwrap()],
            None => schema,
        };
        let (Some(properties), Some(object)) = (schema["properties"].as_object(), answer.as_object()) else { return };
        let (mut wanted, mut given): (Vec<_>, Vec<_>) = (properties.keys().collect(), object.keys().collect());
        wanted.sort();
        given.sort();
        assert_eq!(given, wanted, "{at}");
        for (name, property) in properties {
            let value = &object[name];
            if let (Some("date-time-rfc-2822"), Some(date)) = (property["format"].as_str(), value.as_str()) {
                jiff::fmt::rfc2822::parse(date).unwrap_or_else(|e| panic!("{at}: {name}: {e}"));
            }
            for item in value.as_array().into_iter().flatten() {
                self.check_keys(&property["items"], item, at);
            }
        }
    }
}

fn path(rest: &str) -> String {
    format!("/2010-04-01/Accounts/{ACCOUNT}{rest}")
}

#[tokio::test]
async fn every_answer_is_as_twilio_describes_it() {
    let description = tokio::task::spawn_blocking(|| description("api_v2010")).await.unwrap();
    let world = Described { description, twilio: Twilio::start().await.unwrap() };
    let account = "/2010-04-01/Accounts/{AccountSid}";
    let described = |rest: &str| format!("{account}{rest}");

    let sms = [("To", PHONE), ("From", NUMBER), ("Body", "hello")];
    let sent = world.check("POST", &described("/Messages.json"), &path("/Messages.json"), &sms).await;
    world.check("POST", &described("/Messages.json"), &path("/Messages.json"), &sms).await;
    world.twilio.leave_undelivered("+15551230009", 30003);
    let lost = [("To", "+15551230009"), ("From", NUMBER), ("Body", "hello")];
    world.check("POST", &described("/Messages.json"), &path("/Messages.json"), &lost).await;
    let media = vec![("image/png".to_owned(), Bytes::from_static(b"\x89PNG"))];
    world.twilio.phone(PHONE).text_with(NUMBER, "picture", media).await.unwrap();
    world.twilio.settled(Duration::from_secs(10)).await.unwrap();

    let list = world.check("GET", &described("/Messages.json"), &path("/Messages.json?PageSize=1"), &[]).await;
    let next = list["next_page_uri"].as_str().unwrap();
    world.check("GET", &described("/Messages.json"), next, &[]).await;
    let all = world.check("GET", &described("/Messages.json"), &path("/Messages.json"), &[]).await;
    assert_eq!(all["messages"].as_array().unwrap().len(), 4);
    assert_eq!(all["messages"][1]["error_code"], 30003);
    let one = path(&format!("/Messages/{}.json", sent["sid"].as_str().unwrap()));
    world.check("GET", &described("/Messages/{Sid}.json"), &one, &[]).await;

    let inbound = all["messages"][0]["sid"].as_str().unwrap();
    let files = path(&format!("/Messages/{inbound}/Media.json"));
    let files = world.check("GET", &described("/Messages/{MessageSid}/Media.json"), &files, &[]).await;
    let file = files["media_list"][0]["uri"].as_str().unwrap();
    world.check("GET", &described("/Messages/{MessageSid}/Media/{Sid}.json"), file, &[]).await;

    let numbers = path("/IncomingPhoneNumbers.json");
    let numbers = world.check("GET", &described("/IncomingPhoneNumbers.json"), &numbers, &[]).await;
    let number = numbers["incoming_phone_numbers"][0]["uri"].as_str().unwrap();
    let update = [("SmsUrl", "https://desk.example/sms")];
    world.check("POST", &described("/IncomingPhoneNumbers/{Sid}.json"), number, &update).await;
    world.check("GET", "/2010-04-01/Accounts/{Sid}.json", &path(".json"), &[]).await;
    world.twilio.stop().await;
}

#[tokio::test]
async fn campaigns_and_verifications_are_as_twilio_describes_them() {
    let description = tokio::task::spawn_blocking(|| description("messaging_v1")).await.unwrap();
    let world = Described { description, twilio: Twilio::start().await.unwrap() };
    world.twilio.add_number("+18885550100");
    let service = format!("/v1/Services/{SERVICE}");
    for (status, reason) in [("IN_REVIEW", None), ("TWILIO_REJECTED", Some("No opt-in was shown."))] {
        world.twilio.verify_toll_free("+18885550100", status, reason);
        let all = world.check("GET", "/v1/Tollfree/Verifications", "/v1/Tollfree/Verifications", &[]).await;
        assert_eq!(all["verifications"][0]["status"], status);
    }
    for (status, errors) in [("VERIFIED", &[][..]), ("FAILED", &["The website could not be read."])] {
        world.twilio.register_campaign(&[NUMBER], status, errors);
        world.check("GET", "/v1/Services", "/v1/Services", &[]).await;
        let senders = "/v1/Services/{ServiceSid}/PhoneNumbers";
        world.check("GET", senders, &format!("{service}/PhoneNumbers"), &[]).await;
        let usa2p = "/v1/Services/{MessagingServiceSid}/Compliance/Usa2p";
        let all = world.check("GET", usa2p, &format!("{service}/Compliance/Usa2p"), &[]).await;
        assert_eq!(all["compliance"][0]["campaign_status"], status);
    }
    world.twilio.stop().await;
}
