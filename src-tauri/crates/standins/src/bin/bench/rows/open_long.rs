//! What a phone asks for when it opens a session: the session, and the newest piece of its history. One of 100 000 events
//! against one of 100, both in a store of a million others.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    history::{self, write_session},
    phone::{Connection, Phone},
};
use anyhow::Result;
use domain::SessionId;
use std::time::{Duration, Instant};
use store::Store;

const LONG: i64 = 100_000;
const SHORT: i64 = 100;
const ROUNDS: usize = 500;
const BEFORE: usize = 20;

pub async fn measure() -> Result<Figures> {
    let (folder, long, short) = (tempfile::tempdir()?, SessionId::new(), SessionId::new());
    let kept = history::kept().await?;
    std::fs::copy(kept.join("lanyard.db"), folder.path().join("lanyard.db"))?;
    let store = Store::open(&folder.path().join("lanyard.db"))?;
    let first = *store.bells().events.borrow();
    store.write(move |tx| write_session(tx, long, LONG)).await?;
    store.write(move |tx| write_session(tx, short, SHORT)).await?;
    drop(store);
    let wish = Wish { store: Some(folder.path().to_owned()), ..Wish::PLAIN };
    at_a_desk(wish, async |desk| {
        let mut phone = Phone::of(desk).await?.connection().await?;
        let (mut ours, mut other, mut middle) = (Series::default(), Series::default(), Series::default());
        for round in 0..BEFORE + ROUNDS {
            let times = (
                open(&mut phone, long, "").await?,
                open(&mut phone, short, "").await?,
                open(&mut phone, long, &format!("&before={}", first + LONG / 2)).await?,
            );
            if round >= BEFORE {
                ours.push_ms(times.0);
                other.push_ms(times.1);
                middle.push_ms(times.2);
            }
        }
        let figures = Figures::of("open-long", "ms", &ours, &other).at_most(2.0);
        let goal = format!("{} (a piece from its middle: {:.2} ms)", figures.goal, middle.median());
        Ok(Figures { goal, ..figures })
    })
    .await
}

async fn open(phone: &mut Connection, session: SessionId, piece: &str) -> Result<Duration> {
    let asked = Instant::now();
    phone.get(&format!("/api/sessions/{session}")).await?;
    phone.get(&format!("/api/sessions/{session}/events?limit=50{piece}")).await?;
    Ok(asked.elapsed())
}
