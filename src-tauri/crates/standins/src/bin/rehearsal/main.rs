//! The rehearsal: the real Lanyard with the real agent in the real sandbox, and stand-ins on loopback for what needs an
//! account. Shows the walk as it happens, then stays up and takes texts from the keyboard.

mod browser;
mod lanyard;
mod screen;
mod stage;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use lanyard::Lanyard;
use screen::Screen;
use stage::Stage;
use standins::{rehearsal, twilio::NUMBER};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::ChildStdout,
};

#[derive(Parser)]
#[command(about = "Rehearses Lanyard without accounts")]
struct Args {
    /// The `lanyard` program.
    #[arg(long)]
    lanyard: PathBuf,
    /// The desktop app, which then is what runs: with its tray and its window.
    #[arg(long)]
    app: Option<PathBuf>,
    /// The static `lanyard-relay`.
    #[arg(long)]
    relay: PathBuf,
    /// End after the walk: exit code 0 if all of it happened, 1 if not.
    #[arg(long)]
    once: bool,
}

/// For the walk's end; the first time the sandbox's disk is cold.
const WALK: Duration = Duration::from_secs(300);
/// Texts may come as long as it stays up.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let screen = Screen::default();
    match play(&args, &screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            screen.failed(&e);
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &Args, screen: &Screen) -> Result<()> {
    let stage = Stage::set().await?;
    let mut lanyard = Lanyard::start(&args.lanyard, args.app.as_deref(), &args.relay, &stage).await?;
    let result = tokio::select! {
        result = acts(args, screen, &stage, &lanyard) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
        ended = lanyard.ended() => ended,
    };
    let stopped = lanyard.stop().await;
    result.and(stopped)
}

async fn acts(args: &Args, screen: &Screen, stage: &Stage, lanyard: &Lanyard) -> Result<()> {
    screen.title(
        "Lanyard rehearsal: real gateway, sandbox and Claude Code; Anthropic, Twilio and ngrok are stand-ins on this computer",
    );
    lanyard.wait_until_ready(screen).await?;
    screen.reached_at(&lanyard.wait_for_tunnel().await?);
    tokio::spawn(lanyard.watch(screen.clone()));
    tokio::time::timeout(WALK, walk(screen, stage)).await.context("the walk took too long")??;
    stage.check_the_edit()?;
    screen.title("The walk is done: the file was edited in the sandbox after a yes by text");
    match args.once {
        true => show_code(screen, lanyard).await,
        false => stay(screen, stage, lanyard).await,
    }
}

/// The code as it would be scanned, and proof that its address leads to the page.
async fn show_code(screen: &Screen, lanyard: &Lanyard) -> Result<()> {
    let mut lines = lanyard.pair(false)?;
    let mut led = false;
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
        if let Some(url) = browser::address_in(&line) {
            browser::leads_to_the_page(url).await?;
            led = true;
        }
    }
    ensure!(led, "lanyard pair showed no address");
    screen.title("The code's address leads to the page through the tunnel");
    Ok(())
}

/// The code in the terminal and, where this computer has a display, the page it leads to; then who paired.
async fn pair(screen: Screen, mut lines: Lines<BufReader<ChildStdout>>) -> Result<()> {
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
        if let Some(url) = browser::address_in(&line) {
            screen.opened(browser::open(url));
        }
    }
    Ok(())
}

/// The owner's part: one text, and yes to what is asked.
async fn walk(screen: &Screen, stage: &Stage) -> Result<()> {
    say(screen, stage, rehearsal::WORDS).await?;
    let mut picture = false;
    loop {
        let message = stage.phone.wait_for(|_| true, WALK).await?;
        screen.arrived(&message);
        for shown in &message.pictures {
            ensure!(shown.bytes.len() < 1_000_000, "the picture is larger than an MMS may be");
            let file = stage.keep_picture(shown)?;
            screen.picture(shown.bytes.len(), &file);
            picture = true;
        }
        if message.body.contains("\nyes ") {
            say(screen, stage, "yes").await?;
        } else if message.body.starts_with("Done") {
            ensure!(picture, "no picture came");
            return Ok(());
        } else if message.pictures.is_empty() {
            bail!("an unexpected text came: {}", message.body);
        }
    }
}

async fn say(screen: &Screen, stage: &Stage, words: &str) -> Result<()> {
    screen.said(words);
    let called = stage.phone.text(NUMBER, words).await?;
    ensure!(called.status == Some(200), "the webhook answered {:?}", called.status);
    Ok(())
}

/// Up until the owner has seen enough.
async fn stay(screen: &Screen, stage: &Stage, lanyard: &Lanyard) -> Result<()> {
    screen.where_to_look(&stage.home, lanyard.program());
    tokio::spawn(pair(screen.clone(), lanyard.pair(true)?));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut typed = true;
    loop {
        tokio::select! {
            line = lines.next_line(), if typed => match line? {
                Some(words) if words.trim().is_empty() => {}
                Some(words) => say(screen, stage, words.trim()).await?,
                None => typed = false,
            },
            message = stage.phone.wait_for(|_| true, FOR_EVER) => {
                let message = message?;
                screen.arrived(&message);
                for picture in &message.pictures {
                    screen.picture(picture.bytes.len(), &stage.keep_picture(picture)?);
                }
            }
        }
    }
}
