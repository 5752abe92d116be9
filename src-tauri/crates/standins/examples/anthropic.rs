//! The Anthropic stand-in by itself: `cargo run -p standins --example anthropic -- [127.0.0.1:18080] [scripts.json]`.

use anyhow::Context;
use standins::anthropic::{Anthropic, KEY, Script};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let at = arguments.next().unwrap_or_else(|| "127.0.0.1:0".into()).parse().context("an address is host:port")?;
    let scripts: Vec<Script> = match arguments.next() {
        Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
        None => Vec::new(),
    };
    let model = Anthropic::start_at(at, scripts).await?;
    println!("ANTHROPIC_BASE_URL={} ANTHROPIC_AUTH_TOKEN={KEY}", model.url());
    tokio::signal::ctrl_c().await?;
    model.stop().await;
    Ok(())
}
