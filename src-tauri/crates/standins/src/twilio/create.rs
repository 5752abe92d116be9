//! `POST /Messages.json`: the checks Twilio makes before it takes a message.

use super::{
    Direction, Message, SERVICE,
    fault::{refuse, sentence},
    life,
    rest::Shared,
    shapes,
    world::{State as Known, new_sid},
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::Address;

/// Characters in a text (Twilio's limit, error 21617).
const LONGEST: usize = 1600;
/// Pictures in a message (error 21623).
const MOST_MEDIA: usize = 10;

pub(super) async fn create(State(world): Shared, body: String) -> Response {
    let fault = world.next_send_fault();
    if let Some(fault) = fault.filter(|fault| !fault.takes()) {
        return fault.answer().await;
    }
    let form = Form(form_urlencoded::parse(body.as_bytes()).into_owned().collect());
    let taken = world.change(|state| {
        let message = form.message(state)?;
        state.messages.push(message.clone());
        state.living += 1;
        Ok(message)
    });
    let message = match taken {
        Ok(message) => message,
        Err(Refused(status, code)) if code == 21211 => {
            return refuse(status, code, &format!("The 'To' number {} is not a valid phone number.", form.text("To")));
        }
        Err(Refused(status, code)) => return refuse(status, code, sentence(code)),
    };
    life::begin(&world, &message.sid);
    match fault {
        Some(fault) => fault.answer().await,
        None => (StatusCode::CREATED, Json(shapes::message(&message))).into_response(),
    }
}

struct Form(Vec<(String, String)>);

/// HTTP status and Twilio's error number.
struct Refused(u16, u32);

impl Form {
    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn message(&self, state: &Known) -> Result<Message, Refused> {
        let media_urls = self.media_urls()?;
        let (to, body) = (self.recipient(state)?, self.text("Body"));
        if body.is_empty() && media_urls.is_empty() {
            return Err(Refused(400, 21602));
        }
        if body.chars().count() > LONGEST {
            return Err(Refused(400, 21617));
        }
        let (from, service) = self.sender(state, to)?;
        let callback = self.text("StatusCallback");
        Ok(Message {
            sid: new_sid(if media_urls.is_empty() { "SM" } else { "MM" }),
            status: if service.is_some() { "accepted" } else { "queued" },
            service,
            media_urls,
            status_callback: (!callback.is_empty()).then(|| callback.to_owned()),
            ..Message::new(Direction::Outbound, from.as_deref(), to, body)
        })
    }

    fn media_urls(&self) -> Result<Vec<String>, Refused> {
        let urls: Vec<String> =
            self.0.iter().filter(|(key, _)| key == "MediaUrl").map(|(_, url)| url.clone()).collect();
        if urls.len() > MOST_MEDIA {
            return Err(Refused(400, 21623));
        }
        let is_web = |url: &String| url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if urls.iter().all(is_web) { Ok(urls) } else { Err(Refused(400, 21620)) }
    }

    fn recipient(&self, state: &Known) -> Result<&str, Refused> {
        let to = self.text("To");
        if to.is_empty() {
            return Err(Refused(400, 21604));
        }
        // Twilio's numbers have no blanks or dashes.
        if to.parse::<Address>().map(|a| a.to_string()).ok().as_deref() != Some(to) {
            return Err(Refused(400, 21211));
        }
        match state.refused.get(to) {
            Some(code) => Err(Refused(400, *code)),
            None => Ok(to),
        }
    }

    /// The sender, or the service that will choose one.
    fn sender(&self, state: &Known, to: &str) -> Result<(Option<String>, Option<String>), Refused> {
        let (from, service) = (self.text("From"), self.text("MessagingServiceSid"));
        if !service.is_empty() {
            let chooses = life::service_number(state).ok_or(Refused(400, 21703))?;
            let known = service == SERVICE;
            let out = state.opted_out.contains(&(to.to_owned(), chooses.to_owned()));
            return match (known, out) {
                (false, _) => Err(Refused(404, 20404)),
                (true, true) => Err(Refused(400, 21610)),
                (true, false) => Ok((None, Some(service.to_owned()))),
            };
        }
        if from.is_empty() {
            return Err(Refused(400, 21603));
        }
        if from == to {
            return Err(Refused(400, 21266));
        }
        if state.number(from).is_none() {
            return Err(Refused(400, 21606));
        }
        match state.opted_out.contains(&(to.to_owned(), from.to_owned())) {
            true => Err(Refused(400, 21610)),
            false => Ok((Some(from.to_owned()), None)),
        }
    }
}
