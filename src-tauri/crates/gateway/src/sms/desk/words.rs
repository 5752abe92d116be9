//! What each text means: a command, an answer, or words for the agent.

use super::tasks::OfTask;
use crate::{
    approvals::{self, Meant},
    clock,
    gateway::App,
    home,
    sessions::{Glance, Opening, Place, Saying, open_session, say},
    sms::{letters::To, media::Fetched},
};
use domain::{
    Code, SessionId, Timestamp,
    approval::{Approval, ByText, Decision, Subject, read_first_answers},
    event::{Channel, Event, When},
    grammar::{self, Command, OptOut},
    phrases::{self, Today},
    session::Input,
};
use std::sync::Arc;
use store::{
    Tx,
    inbox::{self, Message},
    numbers, parked, sessions, usage,
};

/// What one text leads to, beside its rows: done after the commit.
pub enum Then {
    Nothing,
    Ring(SessionId, Box<Input>),
    /// Ring the session that has this place with what was said in it.
    Say(Place, Box<Input>),
    /// Answer an approval; whatever comes of it is told by text.
    Answer(Box<Approval>, Decision),
    Shot(Option<String>),
    /// Something is to be done with a task; whatever comes of it is told by text.
    Task(OfTask),
    /// Lock everything.
    Lock,
    /// Its session holds as many messages as it may; nothing was done.
    Full,
    /// It answers a question and was said after words that are not handled yet: it waits for them.
    Behind,
}

/// One message on the desk.
pub struct Desk {
    pub app: App,
    pub message: Message,
    pub to: To,
    pub now: Timestamp,
    pub fetched: Arc<Fetched>,
    /// Its sender was told enough for now: what is said is done and not answered.
    pub quiet: bool,
    /// It did not wait for what was said before it.
    pub overtakes: bool,
}

impl Desk {
    /// Everything a text changes, in one transaction. Nothing if the owner took it back meanwhile.
    pub fn handle(&self, tx: &Tx<'_>) -> store::Result<Then> {
        if !inbox::is_unread(tx, self.message.message)? {
            return Ok(Then::Nothing);
        }
        if let Some(wish) = grammar::opt_out(&self.message.text) {
            return self.opt_out(tx, wish);
        }
        let command = grammar::read(&self.message.text);
        if self.app.lock.is_shut() && !command.is_urgent() {
            return self.reply(tx, phrases::failed(Code::Locked));
        }
        match command {
            Command::Yes(number) => self.yes(tx, number),
            Command::Always(number) => self.always(tx, number),
            Command::Session(number) => self.for_the_session(tx, number),
            Command::No { number, words } => self.no(tx, number, words),
            Command::New { words } => self.new_session(tx, words),
            Command::List => self.list(tx),
            Command::Use(number) => self.use_session(tx, number),
            Command::Status => self.status(tx),
            Command::Halt => self.halt(tx),
            Command::Lock => Ok(Then::Lock),
            Command::More => self.more(tx),
            Command::Shot { url } => Ok(Then::Shot(url)),
            Command::Menu => self.reply(tx, phrases::menu()),
            Command::Task(None) => self.reply(tx, phrases::task_how()),
            Command::Task(Some((repository, words))) => self.task(tx, repository, words),
            Command::Tasks => self.tasks(tx),
            Command::Drop(id) => Ok(Then::Task(OfTask::Drop(id))),
            Command::Retry(id, words) => Ok(Then::Task(OfTask::Retry(id, words))),
            Command::Fix(id, words) => Ok(Then::Task(OfTask::Fix(id, words))),
            Command::Steer(words) => self.words(tx, &words, When::Steer),
            Command::Words(words) => self.plain_words(tx, &words),
        }
    }

    pub(super) fn reply(&self, tx: &Tx<'_>, words: &str) -> store::Result<Then> {
        inbox::handled(tx, self.message.message)?;
        if !self.quiet {
            self.app.post().say(tx, &self.to, words, self.now)?;
        }
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

    fn yes(&self, tx: &Tx<'_>, number: Option<u32>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) if matches!(a.subject, Subject::Question { .. }) => {
                match self.part_of_an_answer(tx, *a, "yes")? {
                    Some(then) => Ok(then),
                    None => self.reply(tx, phrases::nothing_to_answer()),
                }
            }
            Meant::This(a) => Ok(Then::Answer(a, Decision::Allowed)),
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    /// Yes, and to what it suggests from now on, if policy lets a text say that.
    fn always(&self, tx: &Tx<'_>, number: Option<u32>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) => match approvals::always_rules(&a) {
                Ok(_) if self.app.settings.rules().grants.by_text(&a) == ByText::Once => {
                    self.reply(tx, &phrases::always_at_the_desk(a.number))
                }
                Ok(rules) => Ok(Then::Answer(a, Decision::AllowedAlways { rules })),
                Err(_) => self.reply(tx, &phrases::only_once(a.number)),
            },
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    fn for_the_session(&self, tx: &Tx<'_>, number: Option<u32>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            Meant::This(a) if matches!(a.subject, Subject::Host { .. }) => {
                Ok(Then::Answer(a, Decision::AllowedSession))
            }
            Meant::This(a) => self.reply(tx, &phrases::only_hosts(a.number)),
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    fn no(&self, tx: &Tx<'_>, number: Option<u32>, words: Option<String>) -> store::Result<Then> {
        match approvals::meant(self.open(tx)?, number) {
            // An answer like any other, in its turn; with a number it refuses all that is asked together.
            Meant::This(a) if number.is_none() && matches!(a.subject, Subject::Question { .. }) => {
                if self.overtakes && inbox::oldest_unread_of(tx, &self.to.address, self.message.message)?.is_some() {
                    return Ok(Then::Behind);
                }
                match self.part_of_an_answer(tx, (*a).clone(), &self.message.text)? {
                    Some(then) => Ok(then),
                    None => Ok(Then::Answer(a, Decision::Denied { message: words })),
                }
            }
            Meant::This(a) => Ok(Then::Answer(a, Decision::Denied { message: words })),
            Meant::Which(numbers) => self.reply(tx, &phrases::which_approval(&numbers)),
            // "No, use tabs" with nothing open is a sentence for the agent.
            Meant::Nothing if words.is_some() => self.words(tx, &self.message.text, When::Queue),
            Meant::Nothing => self.reply(tx, phrases::nothing_to_answer()),
        }
    }

    fn new_session(&self, tx: &Tx<'_>, words: Option<String>) -> store::Result<Then> {
        let Ok(place) = self.app.registry.admit(SessionId::new()) else { return self.no_room(tx) };
        let number = self.open_here(tx, place.session)?;
        match words {
            Some(words) => self.say_in(tx, place, &words, When::Queue),
            None => self.reply(tx, &phrases::new_session(number)),
        }
    }

    /// As many sessions as may are at work: nothing is begun.
    fn no_room(&self, tx: &Tx<'_>) -> store::Result<Then> {
        self.reply(tx, phrases::failed(Code::SessionLimit))
    }

    /// A new session, the one this number is in from now on.
    fn open_here(&self, tx: &Tx<'_>, id: SessionId) -> store::Result<u32> {
        let number = open_session(tx, id, &Opening::usual(&self.app), self.now)?;
        numbers::set_current(tx, &self.to.address, id)?;
        Ok(number)
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
            Some(session) => inbox::count_waiting(tx, session.id)?,
            None => 0,
        };
        let used = usage::since(tx, clock::midnight())?;
        let windows: Vec<(String, f64)> =
            home::windows(&self.app).into_iter().map(|window| (window.name, window.percent)).collect();
        let words = phrases::status(&phrases::StatusWords {
            title: current.as_ref().map(title),
            doing: &doing,
            waiting,
            open: store::approvals::all_open(tx)?.len(),
            today: match windows.is_empty() {
                true => Today::Spent(used.cost),
                false => Today::Windows(used.tokens.total(), &windows),
            },
        });
        self.reply(tx, &words)
    }

    /// Ends the running turn. While none runs, takes back the oldest words that did not get so far as to start one.
    fn halt(&self, tx: &Tx<'_>) -> store::Result<Then> {
        let session = numbers::current(tx, &self.to.address)?;
        let busy = |g: Glance| matches!(g.state, "working" | "starting") || g.waiting > 0;
        if let Some(session) = session {
            // Words that were just routed to it show nothing yet.
            let busy = self.app.registry.glance(session).is_some_and(busy) || inbox::count_waiting(tx, session)? > 0;
            let waits = parked::take(tx, session)?;
            if busy {
                inbox::handled(tx, self.message.message)?;
                return Ok(Then::Ring(session, Box::new(Input::Halt)));
            }
            if waits {
                return self.reply(tx, phrases::halted());
            }
        }
        match inbox::oldest_unread_of(tx, &self.to.address, self.message.message)? {
            Some(earlier) => {
                inbox::handled(tx, earlier)?;
                self.reply(tx, phrases::halted())
            }
            None => self.reply(tx, phrases::nothing_runs()),
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
            && let Some(then) = self.part_of_an_answer(tx, approval, words)?
        {
            return Ok(then);
        }
        self.words(tx, words, When::Queue)
    }

    /// Words for the questions that are still open of those asked together; the last of them answers all. None if they have
    /// more parts than that.
    fn part_of_an_answer(&self, tx: &Tx<'_>, approval: Approval, words: &str) -> store::Result<Option<Then>> {
        let Subject::Question { questions, .. } = &approval.subject else { return Ok(None) };
        let mut answers = store::approvals::answers_so_far(tx, approval.id)?;
        let open = questions.get(answers.len()..).unwrap_or_default();
        let Some(more) = read_first_answers(open, words) else { return Ok(None) };
        answers.extend(more);
        if answers.len() == questions.len() {
            return Ok(Some(Then::Answer(Box::new(approval), Decision::Answered { answers })));
        }
        store::approvals::keep_answers(tx, approval.id, &answers)?;
        let next = phrases::next_question(approval.number, questions, answers.len());
        self.reply(tx, &domain::segments::plain(&next)).map(Some)
    }

    fn words(&self, tx: &Tx<'_>, words: &str, when: When) -> store::Result<Then> {
        if words.is_empty() && self.message.media.is_empty() {
            return self.reply(tx, phrases::menu());
        }
        let current = numbers::current(tx, &self.to.address)?;
        let Ok(place) = self.app.registry.admit(current.unwrap_or_else(SessionId::new)) else {
            return self.no_room(tx);
        };
        if current.is_none() {
            self.open_here(tx, place.session)?;
        }
        self.say_in(tx, place, words, when)
    }

    fn say_in(&self, tx: &Tx<'_>, place: Place, words: &str, when: When) -> store::Result<Then> {
        let session = place.session;
        if inbox::count_waiting(tx, session)? >= self.app.config.patience.waiting {
            return Ok(Then::Full);
        }
        let pictures = self.fetched.keep(tx, session, self.now)?;
        if self.fetched.refused > 0 {
            self.app.post().say(tx, &self.to, phrases::picture_refused(), self.now)?;
            let text = format!("{} picture(s) of a message could not be used.", self.fetched.refused);
            store::events::append(tx, session, &Event::Noticed { text }, self.now)?;
        }
        let text = if words.is_empty() { "(a picture)" } else { words };
        let message = self.message.message;
        let saying = Saying { message, place: &place, channel: Channel::Sms, text, pictures: &pictures, when };
        say(tx, &saying, self.now)?;
        Ok(Then::Say(place, Box::new(Input::Said(inbox::get(tx, message)?.said()))))
    }
}

fn title(session: &sessions::SessionRow) -> &str {
    if session.title.is_empty() { "new session" } else { &session.title }
}
