//! The desk where texts are read: each is a command, an answer, or words for the agent. One after another for each number;
//! a number that writes too fast is done later, not refused.

use super::{letters::To, media, shot};
use crate::{
    approvals::{self, Answer, Meant},
    clock,
    gateway::App,
    sessions::{Glance, Opening, Saying, open_session, say},
};
use domain::{
    SessionId, Timestamp,
    approval::{Approval, ByText, Decision, Subject, read_answers},
    event::{Channel, Event, When},
    grammar::{self, Command, OptOut},
    phrases,
    session::Input,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::{
    collections::HashSet,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{
    Tx,
    inbox::{self, Message},
    numbers, sessions, usage,
};

/// Messages looked at in one round.
const ROUND: usize = 200;
/// A number that writes too fast is looked at again after this.
const SLOW: Duration = Duration::from_secs(1);

/// Reads the inbox until Lanyard stops.
pub async fn run(app: App) {
    let per_minute = NonZeroU32::new(app.config.sms.per_minute).unwrap_or(NonZeroU32::MIN);
    let limiter = RateLimiter::keyed(Quota::per_minute(per_minute));
    let mut bell = app.store.bells().inbox.subscribe();
    let mut told_slow = HashSet::new();
    let shooting = Shooting::default();
    loop {
        bell.mark_unchanged();
        let again = round(&app, &limiter, &mut told_slow, &shooting).await;
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = bell.changed() => {}
            () = tokio::time::sleep(SLOW), if again => {}
        }
    }
}

/// One look at everything unread. True if something is left for later.
async fn round(
    app: &App,
    limiter: &DefaultKeyedRateLimiter<String>,
    told: &mut HashSet<String>,
    shooting: &Shooting,
) -> bool {
    let unread = match app.store.read(|r| inbox::unread(r, ROUND)).await {
        Ok(unread) => unread,
        Err(e) => {
            tracing::error!(error = ?e, "the inbox could not be read");
            return true;
        }
    };
    let mut left = unread.len() == ROUND;
    let mut held: HashSet<String> = HashSet::new();
    for message in unread.into_iter().filter(|m| !shooting.holds(m.message)) {
        let sender = message.sender.clone().unwrap_or_default();
        if held.contains(&sender) || limiter.check_key(&sender).is_err() {
            left = true;
            if held.insert(sender.clone()) && told.insert(sender.clone()) {
                say_slow(app, &sender).await;
            }
            continue;
        }
        if app.stop.is_cancelled() {
            return false;
        }
        match read(app, &message, shooting).await {
            Ok(Done::Yes) => {}
            Ok(Done::Later) => {
                left = true;
                held.insert(sender);
            }
            Err(e) => {
                tracing::error!(message = message.message, error = ?e, "a text could not be handled; it stays in the inbox");
                left = true;
                held.insert(sender);
            }
        }
    }
    told.retain(|sender| held.contains(sender));
    left
}

async fn say_slow(app: &App, sender: &str) {
    let (post, to, now) = (app.post(), To::address(sender), clock::now());
    if let Err(e) = app.store.write(move |tx| post.say(tx, &to, phrases::slow_down(), now)).await {
        tracing::error!(error = ?e, "a notice could not be written");
    }
}

/// What one text leads to, beside its rows: done after the commit.
enum Then {
    Nothing,
    Ring(SessionId, Box<Input>),
    /// Answer an approval; whatever comes of it is told by text.
    Answer(Box<Approval>, Decision),
    Shot(Option<String>),
}

/// Messages whose picture of a page is being taken: they stay unread until it is on its way, and are not begun twice.
#[derive(Clone, Default)]
pub struct Shooting(Arc<Mutex<HashSet<i64>>>);

impl Shooting {
    fn holds(&self, message: i64) -> bool {
        self.set().contains(&message)
    }

    fn begin(&self, message: i64) {
        self.set().insert(message);
    }

    pub fn end(&self, message: i64) {
        self.set().remove(&message);
    }

    fn set(&self) -> std::sync::MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether a text was dealt with.
enum Done {
    Yes,
    /// Its pictures cannot be had yet.
    Later,
}

async fn read(app: &App, message: &Message, shooting: &Shooting) -> store::Result<Done> {
    crate::may_die!("desk-before");
    let Some(sender) = message.sender.clone() else {
        let number = message.message;
        app.store.write(move |tx| inbox::handled(tx, number)).await?;
        return Ok(Done::Yes);
    };
    let Some(fetched) = media::fetch(app, message).await else { return Ok(Done::Later) };
    let now = clock::now();
    let desk = Desk { app: app.clone(), message: message.clone(), to: To::address(sender), now, fetched };
    let then = app.store.write(move |tx| desk.handle(tx)).await?;
    crate::may_die!("desk-after");
    carry_out(app, message, then, shooting).await?;
    Ok(Done::Yes)
}

async fn carry_out(app: &App, message: &Message, then: Then, shooting: &Shooting) -> store::Result<()> {
    match then {
        Then::Nothing => {}
        Then::Ring(session, input) => app.registry.ring(app, session, *input).await,
        Then::Answer(approval, decision) => answer(app, message, &approval, decision).await?,
        Then::Shot(url) => {
            let sender = message.sender.clone().unwrap_or_default();
            shooting.begin(message.message);
            app.tasks.spawn(shot::send(app.clone(), message.message, sender, url, shooting.clone()));
        }
    }
    Ok(())
}

/// Gives the answer to the gate and says how it went where that is not plain from what follows.
async fn answer(app: &App, message: &Message, approval: &Approval, decision: Decision) -> store::Result<()> {
    let given = Answer {
        approval: approval.id,
        hash: approval.hash.clone(),
        decision: decision.clone(),
        channel: Channel::Sms,
        by: message.sender.clone(),
        message: Some(message.message),
    };
    let words = match approvals::answer(app, given).await {
        Ok(_) if matches!(approval.subject, Subject::Rerun { .. }) => Some(phrases::rerun_done(decision.grants())),
        Ok(_) => None,
        Err(problem) => Some(phrases::failed(problem.code)),
    };
    let Some(words) = words else { return Ok(()) };
    let (post, now) = (app.post(), clock::now());
    let to = To::address(message.sender.clone().unwrap_or_default());
    app.store.write(move |tx| post.say(tx, &to, words, now)).await
}

/// One message on the desk.
struct Desk {
    app: App,
    message: Message,
    to: To,
    now: Timestamp,
    fetched: media::Fetched,
}

impl Desk {
    /// Everything a text changes, in one transaction.
    fn handle(&self, tx: &Tx<'_>) -> store::Result<Then> {
        if let Some(wish) = grammar::opt_out(&self.message.text) {
            return self.opt_out(tx, wish);
        }
        match grammar::read(&self.message.text) {
            Command::Yes(number) => self.yes(tx, number),
            Command::Always(number) => self.always(tx, number),
            Command::No { number, words } => self.no(tx, number, words),
            Command::New { words } => self.new_session(tx, words),
            Command::List => self.list(tx),
            Command::Use(number) => self.use_session(tx, number),
            Command::Status => self.status(tx),
            Command::Halt => self.halt(tx),
            Command::More => self.more(tx),
            Command::Shot { url } => Ok(Then::Shot(url)),
            Command::Menu => self.reply(tx, phrases::menu()),
            Command::Steer(words) => self.words(tx, &words, When::Steer),
            Command::Words(words) => self.plain_words(tx, &words),
        }
    }

    fn reply(&self, tx: &Tx<'_>, words: &str) -> store::Result<Then> {
        inbox::handled(tx, self.message.message)?;
        self.app.post().say(tx, &self.to, words, self.now)?;
        Ok(Then::Nothing)
    }

    /// Twilio has done it and answers by itself; Lanyard only remembers.
    fn opt_out(&self, tx: &Tx<'_>, wish: OptOut) -> store::Result<Then> {
        inbox::handled(tx, self.message.message)?;
        numbers::set_opted_out(tx, &self.to.address, (wish == OptOut::Stop).then_some(self.now))?;
        Ok(Then::Nothing)
    }

    /// What was open when these words were said: a text that was held up answers nothing newer than itself.
    fn open(&self, tx: &Tx<'_>) -> store::Result<Vec<Approval>> {
        let open = store::approvals::all_open(tx)?;
        Ok(open.into_iter().filter(|a| a.asked_at <= self.message.received_at).collect())
    }

    /// "no" to a question is an answer like any other.
    fn refusal(&self, approval: &Approval, words: Option<String>) -> Decision {
        match &approval.subject {
            Subject::Question { questions, .. } => match read_answers(questions, &self.message.text) {
                Some(answers) => Decision::Answered { answers },
                None => Decision::Denied { message: words },
            },
            _ => Decision::Denied { message: words },
        }
    }

    fn yes(&self, tx: &Tx<'_>, number: Option<u32>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) if matches!(a.subject, Subject::Question { .. }) => match a.subject {
                Subject::Question { ref questions, .. } => match read_answers(questions, "yes") {
                    Some(answers) => Ok(Then::Answer(a, Decision::Answered { answers })),
                    None => self.reply(tx, phrases::nothing_to_answer()),
                },
                _ => self.reply(tx, phrases::nothing_to_answer()),
            },
            Meant::This(a) => Ok(Then::Answer(a, Decision::Allowed)),
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    /// Yes, and to what it suggests from now on, if policy lets a text say that.
    fn always(&self, tx: &Tx<'_>, number: Option<u32>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) => match approvals::always_rules(&a) {
                Ok(_) if self.app.config.grants.by_text(&a) == ByText::Once => {
                    self.reply(tx, &phrases::always_at_the_desk(a.number))
                }
                Ok(rules) => Ok(Then::Answer(a, Decision::AllowedAlways { rules })),
                Err(_) => self.reply(tx, &phrases::only_once(a.number)),
            },
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    fn no(&self, tx: &Tx<'_>, number: Option<u32>, words: Option<String>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) => Ok(Then::Answer(a.clone(), self.refusal(&a, words))),
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            // "No, use tabs" with nothing open is a sentence for the agent.
            Meant::Nothing if words.is_some() => self.words(tx, &self.message.text, When::Queue),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    fn new_session(&self, tx: &Tx<'_>, words: Option<String>) -> store::Result<Then> {
        let id = SessionId::new();
        let number = open_session(tx, id, &Opening::usual(&self.app), self.now)?;
        numbers::set_current(tx, &self.to.address, id)?;
        match words {
            Some(words) => self.say_in(tx, id, &words, When::Queue),
            None => self.reply(tx, &phrases::new_session(number)),
        }
    }

    fn list(&self, tx: &Tx<'_>) -> store::Result<Then> {
        let current = numbers::current(tx, &self.to.address)?;
        let line = |s: &sessions::SessionRow| {
            let state =
                self.app.registry.glance(s.id).map_or("idle", |g| if g.state == "cold" { "idle" } else { g.state });
            phrases::listed(s.number, current == Some(s.id), title(s), state)
        };
        let lines: Vec<String> = sessions::latest(tx, 6)?.iter().map(line).collect();
        match lines.is_empty() {
            true => self.reply(tx, phrases::no_sessions()),
            false => self.reply(tx, &lines.join("\n")),
        }
    }

    fn use_session(&self, tx: &Tx<'_>, number: u32) -> store::Result<Then> {
        match sessions::numbered(tx, number)? {
            Some(session) => {
                numbers::set_current(tx, &self.to.address, session.id)?;
                self.reply(tx, &phrases::using(number, title(&session)))
            }
            None => self.reply(tx, &phrases::no_such_number(number)),
        }
    }

    fn status(&self, tx: &Tx<'_>) -> store::Result<Then> {
        let current = match numbers::current(tx, &self.to.address)? {
            Some(id) => sessions::get(tx, id)?,
            None => None,
        };
        let glance = current.as_ref().and_then(|s| self.app.registry.glance(s.id));
        let doing = match &glance {
            Some(g) if g.state == "working" => {
                g.doing.as_ref().map_or("working".into(), |tool| format!("working ({tool})"))
            }
            Some(g) if g.state == "starting" => "starting".to_owned(),
            _ => "idle".to_owned(),
        };
        let waiting = match &current {
            Some(session) => inbox::waiting(tx, session.id)?.len(),
            None => 0,
        };
        let words = phrases::status(&phrases::StatusWords {
            title: current.as_ref().map(title),
            doing: &doing,
            waiting,
            open: store::approvals::all_open(tx)?.len(),
            today: usage::since(tx, clock::midnight())?.cost,
        });
        self.reply(tx, &words)
    }

    fn halt(&self, tx: &Tx<'_>) -> store::Result<Then> {
        let Some(session) = numbers::current(tx, &self.to.address)? else {
            return self.reply(tx, phrases::nothing_runs());
        };
        let busy = |g: Glance| matches!(g.state, "working" | "starting") || g.waiting > 0;
        match self.app.registry.glance(session).is_some_and(busy) {
            true => {
                inbox::handled(tx, self.message.message)?;
                Ok(Then::Ring(session, Box::new(Input::Halt)))
            }
            false => self.reply(tx, phrases::nothing_runs()),
        }
    }

    fn more(&self, tx: &Tx<'_>) -> store::Result<Then> {
        match self.app.post().more(tx, &self.to, self.now)? {
            true => {
                inbox::handled(tx, self.message.message)?;
                Ok(Then::Nothing)
            }
            false => self.reply(tx, phrases::no_more()),
        }
    }

    /// Words answer an open question of the session this number is in; else they are for the agent.
    fn plain_words(&self, tx: &Tx<'_>, words: &str) -> store::Result<Then> {
        let current = numbers::current(tx, &self.to.address)?;
        let asked = self
            .open(tx)?
            .into_iter()
            .find(|a| Some(a.session) == current && matches!(a.subject, Subject::Question { .. }));
        if let Some(approval) = asked
            && let Subject::Question { questions, .. } = &approval.subject
            && let Some(answers) = read_answers(questions, words)
        {
            return Ok(Then::Answer(Box::new(approval), Decision::Answered { answers }));
        }
        self.words(tx, words, When::Queue)
    }

    fn words(&self, tx: &Tx<'_>, words: &str, when: When) -> store::Result<Then> {
        if words.is_empty() && self.message.media.is_empty() {
            return self.reply(tx, phrases::menu());
        }
        let session = match numbers::current(tx, &self.to.address)? {
            Some(session) => session,
            None => {
                let id = SessionId::new();
                open_session(tx, id, &Opening::usual(&self.app), self.now)?;
                numbers::set_current(tx, &self.to.address, id)?;
                id
            }
        };
        self.say_in(tx, session, words, when)
    }

    fn say_in(&self, tx: &Tx<'_>, session: SessionId, words: &str, when: When) -> store::Result<Then> {
        let pictures = self.fetched.keep(tx, session, self.now)?;
        if self.fetched.refused > 0 {
            self.app.post().say(tx, &self.to, phrases::picture_refused(), self.now)?;
            let text = format!("{} picture(s) of a message could not be used.", self.fetched.refused);
            store::events::append(tx, session, &Event::Noticed { text }, self.now)?;
        }
        let text = if words.is_empty() { "(a picture)" } else { words };
        let message = self.message.message;
        let saying = Saying { message, session, channel: Channel::Sms, text, pictures: &pictures, when };
        say(tx, &saying, self.now)?;
        Ok(Then::Ring(session, Box::new(Input::Said(inbox::get(tx, message)?.said()))))
    }
}

fn title(session: &sessions::SessionRow) -> &str {
    if session.title.is_empty() { "new session" } else { &session.title }
}
