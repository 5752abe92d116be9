//! The page in this computer's browser.

use anyhow::{Context, Result, ensure};
use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::Url;

/// What became of the wish to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Here,
    /// A server, a console, continuous integration.
    NoDisplay,
    NoBrowser,
}

/// The pairing address, if this line of `lanyard pair` is it.
pub fn address_in(line: &str) -> Option<&str> {
    Some(line.trim()).filter(|word| word.starts_with("http") && word.contains("/pair#c=") && !word.contains(' '))
}

/// Asks the desktop for its browser. Returns at once.
pub fn open(url: &str) -> Opened {
    if !has_display() {
        return Opened::NoDisplay;
    }
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    match command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(_it_ends_by_itself) => Opened::Here,
        Err(_) => Opened::NoBrowser,
    }
}

fn has_display() -> bool {
    let named = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !named("CI") && (cfg!(target_os = "macos") || named("DISPLAY") || named("WAYLAND_DISPLAY"))
}

/// Fetches the page as a browser would.
pub async fn leads_to_the_page(url: &str) -> Result<()> {
    let url = Url::parse(url)?;
    let (host, port) = (url.host_str().context("an address has a host")?, url.port_or_known_default().unwrap_or(80));
    let head = format!("GET {} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n", url.path());
    let mut page = Vec::new();
    let fetch = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.read_to_end(&mut page).await
    };
    timeout(Duration::from_secs(15), fetch).await.context("the page did not come in time")??;
    let page = String::from_utf8_lossy(&page);
    ensure!(page.starts_with("HTTP/1.1 200") && page.contains("<title>"), "{url} does not lead to the page: {page}");
    Ok(())
}
