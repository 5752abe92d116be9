//! The client against Twilio's stand-in: every way a send, a look and a picture can end.

mod common;

use accounts::twilio::{
    CallError, Credentials, MessageStatus, Outgoing, PictureError, SendError, Sender, Twilio, TwilioAccount,
};
use bytes::Bytes;
use common::{Desk, PNG, PUBLIC};
use domain::{Address, Timestamp};
use standins::twilio::{self as standin, ACCOUNT, API_KEY, API_SECRET, Fault, NUMBER, SERVICE, TOKEN};
use std::time::Duration;

const PHONE: &str = "+15551230001";
const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    twilio: standin::Twilio,
    desk: Desk,
    client: Twilio,
}

fn client(base: &str, token: &str) -> Twilio {
    Twilio::new(TwilioAccount {
        account_sid: ACCOUNT.to_owned(),
        api: base.parse().unwrap(),
        credentials: Credentials::AuthToken(token.into()),
    })
    .unwrap()
}

async fn world() -> World {
    let (twilio, desk) = (standin::Twilio::start().await.unwrap(), Desk::open().await);
    twilio.route(PUBLIC, desk.at);
    twilio.set_webhook(NUMBER, &format!("{PUBLIC}/sms"));
    let client = client(&twilio.url(), TOKEN);
    World { twilio, desk, client }
}

fn address(written: &str) -> Address {
    written.parse().unwrap()
}

fn text(body: &str) -> Outgoing {
    Outgoing {
        to: address(PHONE),
        from: Sender::Address(address(NUMBER)),
        body: body.to_owned(),
        media_urls: Vec::new(),
        status_callback: Some(format!("{PUBLIC}/status?m=7").parse().unwrap()),
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

#[tokio::test]
async fn a_text_with_a_picture_arrives_and_its_receipts_are_signed() {
    let w = world().await;
    let mut message = text("done, 3 files changed 👍");
    message.media_urls = vec![format!("{PUBLIC}/p.png").parse().unwrap()];
    let sent = w.client.send(&message).await.unwrap();
    assert_eq!((sent.status, sent.segments), (MessageStatus::Queued, 1));

    let shown = w.twilio.phone(PHONE).wait_for(|m| m.sid == sent.sid, DEADLINE).await.unwrap();
    assert_eq!((shown.body.as_str(), &shown.pictures[0].bytes[..]), ("done, 3 files changed 👍", PNG));
    w.twilio.settled(DEADLINE).await.unwrap();
    let reports: Vec<_> = w.desk.reports().iter().map(|r| (r.sid == sent.sid, r.status)).collect();
    let all = [MessageStatus::Queued, MessageStatus::Sent, MessageStatus::Delivered];
    assert_eq!(reports, all.map(|status| (true, status)));
    assert_eq!(w.twilio.alerts(), []);
}

#[tokio::test]
async fn receipts_that_come_backwards_leave_the_message_delivered() {
    let w = world().await;
    w.twilio.set_receipts_backwards(true);
    w.client.send(&text("x")).await.unwrap();
    w.twilio.settled(DEADLINE).await.unwrap();
    let reports = w.desk.reports();
    assert_eq!(reports[0].status, MessageStatus::Delivered);
    let end = reports.iter().fold(MessageStatus::Accepted, |at, report| at.after(report.status));
    assert_eq!(end, MessageStatus::Delivered);
}

#[tokio::test]
async fn an_undelivered_text_says_why() {
    let w = world().await;
    w.twilio.leave_undelivered(PHONE, 30003);
    w.client.send(&text("x")).await.unwrap();
    w.twilio.settled(DEADLINE).await.unwrap();
    let last = w.desk.reports().pop().unwrap();
    assert_eq!((last.status, last.error), (MessageStatus::Undelivered, Some(30003)));
    assert!(accounts::twilio::explain(30003).unwrap().words.contains("could not be reached"));
}

/// An ambiguous send is found if it was taken and not found if it was not.
async fn check_ambiguous(fault: Fault, taken: bool) {
    let mut w = world().await;
    w.client = w.client.with_deadline(Duration::from_secs(2));
    w.client.send(&text("the same words")).await.unwrap();
    let known = vec![w.twilio.messages()[0].sid.clone()];
    w.twilio.fail_next_send(fault);
    let began = now();
    let error = w.client.send(&text("the same words")).await.unwrap_err();
    assert!(matches!(error, SendError::Ambiguous(_)), "{fault:?}: {error:?}");
    assert!(error.retryable());
    let found = w.client.find_sent(&text("the same words"), began, &known).await.unwrap();
    assert_eq!(found.is_some(), taken, "{fault:?}");
    assert_eq!(found.map(|f| f.sid), w.twilio.messages().get(1).map(|m| m.sid.clone()));
    assert_eq!(w.client.find_sent(&text("other words"), began, &[]).await.unwrap(), None);
}

#[tokio::test]
async fn a_cut_connection_or_a_server_error_is_settled_by_the_list() {
    for (fault, taken) in [
        (Fault::TakenThenCut, true),
        (Fault::TakenThenStatus(502), true),
        (Fault::Cut, false),
        (Fault::Status(500), false),
    ] {
        check_ambiguous(fault, taken).await;
    }
}

#[tokio::test]
async fn a_send_that_is_never_answered_is_given_up_and_settled_by_the_list() {
    check_ambiguous(Fault::TakenThenSilence, true).await;
}

#[tokio::test]
async fn a_send_without_any_connection_never_left() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for nowhere in [format!("http://{free}"), format!("https://{free}")] {
        let error = client(&nowhere, TOKEN).send(&text("x")).await.unwrap_err();
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
        let chain = format!("{error:?}");
        assert!(!chain.contains(ACCOUNT) && !chain.contains("Messages.json"), "{chain}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart_and_explained() {
    let w = world().await;
    let refused = |error: SendError| match error {
        SendError::Refused(refusal) => (refusal.code.unwrap(), refusal.retryable(), refusal.words().to_owned()),
        other => panic!("{other:?}"),
    };
    let (code, retryable, words) = refused(w.client.send(&text("")).await.unwrap_err());
    assert_eq!((code, retryable, words.contains("neither text")), (21602, false, true));
    let (code, ..) = refused(w.client.send(&text(&"x".repeat(1601))).await.unwrap_err());
    assert_eq!(code, 21617);
    w.twilio.refuse_recipient(PHONE, 21608);
    let error = w.client.send(&text("x")).await.unwrap_err();
    assert!(error.problem().message.contains("trial account"), "{}", error.problem());
    let (code, ..) = refused(client(&w.twilio.url(), "wrong").send(&text("x")).await.unwrap_err());
    assert_eq!(code, 20003);
    w.twilio.fail_next_send(Fault::RateLimited { retry_after: 7 });
    let limited = w.client.send(&text("x")).await.unwrap_err();
    assert!(matches!(limited, SendError::RateLimited { retry_after: Some(d) } if d.as_secs() == 7), "{limited:?}");
}

#[tokio::test]
async fn stop_ends_sending_until_start() {
    let w = world().await;
    let phone = w.twilio.phone(PHONE);
    assert_eq!(phone.text(NUMBER, "Stop").await.unwrap().status, Some(200));
    assert!(matches!(w.client.send(&text("x")).await.unwrap_err(), SendError::OptedOut));
    let mut by_service = text("x");
    by_service.from = Sender::MessagingService(SERVICE.to_owned());
    assert!(matches!(w.client.send(&by_service).await.unwrap_err(), SendError::OptedOut));
    phone.text(NUMBER, "start").await.unwrap();
    w.client.send(&by_service).await.unwrap();
    phone.wait_for(|m| m.body == "x", DEADLINE).await.unwrap();
    let opted: Vec<_> = w.desk.got.lock().unwrap().texts.iter().map(|t| t.opt_out).collect();
    assert_eq!(opted, [Some(accounts::twilio::OptOut::Stop), Some(accounts::twilio::OptOut::Start)]);
}

#[tokio::test]
async fn what_came_during_an_outage_is_on_the_list_with_its_pictures() {
    let w = world().await;
    let phone = w.twilio.phone(PHONE);
    let before = now();
    phone.text(NUMBER, "heard").await.unwrap();
    w.twilio.set_outage(true);
    let picture = vec![("image/png".to_owned(), Bytes::from_static(PNG))];
    let lost = phone.text_with(NUMBER, "lost", picture).await.unwrap();
    assert_eq!(lost.status, None);
    for n in 0..120 {
        phone.text(NUMBER, &format!("lost {n}")).await.unwrap();
    }
    w.twilio.set_outage(false);
    w.client.send(&text("not inbound")).await.unwrap();

    let received = w.client.received_since(&address(NUMBER), before).await.unwrap();
    assert_eq!(received.len(), 122);
    assert_eq!((received[0].body.as_str(), received[1].body.as_str()), ("heard", "lost"));
    assert_eq!(received[121].body, "lost 119");
    let media = &received[1].media[0];
    let picture = w.client.fetch_media(&media.url, 1 << 20).await.unwrap();
    assert_eq!((&picture.bytes[..], picture.media_type), (PNG, "image/png"));
    assert!(!w.twilio.credentials_leaked());
    w.client.delete_media(media).await.unwrap();
    w.client.delete_media(media).await.unwrap();
    assert!(w.client.received_since(&address(NUMBER), now() + Duration::from_secs(3600)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_picture_by_webhook_is_fetched_within_its_bounds() {
    let w = world().await;
    let phone = w.twilio.phone(PHONE);
    let media = [("image/jpeg", PNG), ("image/jpeg", b"not a picture"), ("video/mp4", PNG)];
    let media = media.map(|(kind, bytes)| (kind.to_owned(), Bytes::from_static(bytes))).to_vec();
    phone.text_with(NUMBER, "look", media).await.unwrap();
    let urls: Vec<_> = w.desk.got.lock().unwrap().texts[0].media.iter().map(|m| m.url.clone()).collect();

    let right = w.client.fetch_media(&urls[0], PNG.len()).await.unwrap();
    assert_eq!(right.media_type, "image/png", "the bytes decide");
    let large = w.client.fetch_media(&urls[0], PNG.len() - 1).await.unwrap_err();
    assert!(matches!(large, PictureError::TooLarge { .. }), "{large:?}");
    for other in &urls[1..] {
        assert!(matches!(w.client.fetch_media(other, 1 << 20).await.unwrap_err(), PictureError::NotAPicture));
    }
    let path = urls[0].strip_prefix(&w.twilio.url()).unwrap();
    for elsewhere in [
        format!("http://{}{path}", w.desk.at),
        format!("{}{}", w.twilio.url(), path.replace(ACCOUNT, &ACCOUNT.replace('a', "b"))),
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages/../../x/Media/y", w.twilio.url()),
        format!("http://user@{}{path}", w.twilio.address()),
        "file:///etc/passwd".to_owned(),
    ] {
        let refused = w.client.fetch_media(&elsewhere, 1 << 20).await.unwrap_err();
        assert!(matches!(refused, PictureError::WrongAddress), "{elsewhere}: {refused:?}");
    }
}

#[tokio::test]
async fn set_up_finds_the_number_and_points_it_here() {
    let w = world().await;
    w.twilio.add_number("+15550002222");
    let by_key = Twilio::new(TwilioAccount {
        account_sid: ACCOUNT.to_owned(),
        api: w.twilio.url().parse().unwrap(),
        credentials: Credentials::ApiKey { sid: API_KEY.to_owned(), secret: API_SECRET.into() },
    });
    let by_key = by_key.unwrap();
    let account = by_key.account().await.unwrap();
    assert_eq!((account.status.as_str(), account.kind.as_str()), ("active", "Full"));
    assert_eq!(by_key.numbers().await.unwrap().len(), 2);
    let hook = format!("{PUBLIC}/sms?n=2#rc=5&rp=all").parse().unwrap();
    let number = by_key.set_webhook(&"+15550002222".parse().unwrap(), &hook).await.unwrap();
    assert_eq!((number.sms_url.as_deref(), number.capabilities.mms), (Some(hook.as_str()), true));
    assert!(w.twilio.phone(PHONE).text("+15550002222", "hi").await.unwrap().is_success());
    let stranger = by_key.set_webhook(&"+15559999999".parse().unwrap(), &hook).await.unwrap_err();
    assert!(matches!(stranger, CallError::Refused(_)));
}

#[tokio::test]
async fn whatsapp_goes_both_ways() {
    let w = world().await;
    let (ours, theirs) = ("whatsapp:+15550001111", "whatsapp:+15551230001");
    w.twilio.add_number(ours);
    w.twilio.set_webhook(ours, &format!("{PUBLIC}/sms"));
    assert!(w.twilio.phone(theirs).text(ours, "hi").await.unwrap().is_success());
    let from = w.desk.got.lock().unwrap().texts[0].from.clone();
    let message = Outgoing { to: from, from: Sender::Address(address(ours)), ..text("hello") };
    w.client.send(&message).await.unwrap();
    w.twilio.phone(theirs).wait_for(|m| m.body == "hello", DEADLINE).await.unwrap();
    assert!(w.twilio.phone(PHONE).received().is_empty());
}

#[tokio::test]
async fn a_webhook_is_tried_by_the_rules_of_its_address() {
    let w = world().await;
    w.twilio.set_outage(true);
    let phone = w.twilio.phone(PHONE);
    assert_eq!(phone.text(NUMBER, "x").await.unwrap().attempts.len(), 2);
    w.twilio.set_webhook(NUMBER, &format!("{PUBLIC}/sms#rc=5&rp=all"));
    assert_eq!(phone.text(NUMBER, "x").await.unwrap().attempts.len(), 6);
    w.twilio.set_outage(false);
    assert_eq!(phone.text(NUMBER, "x").await.unwrap().attempts, [standin::Attempt::Answered(200)]);
}
