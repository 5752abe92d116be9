//! All that the phone page is made of, in bytes as they are sent, against what another page of its kind loads before it shows
//! anything.

use crate::{
    desk::{Wish, at_a_desk},
    figures::{Figures, Series},
    phone::{Connection, Phone},
};
use anyhow::{Context, Result, ensure};
use regex::Regex;
use std::collections::BTreeSet;

/// CloudCLI 1.12.0 (npm @siteboon/claude-code-ui): its page, the scripts and the style sheet that page names, each through
/// gzip, as measured in another run. Its own server sends them unsqueezed: 2 444 kB.
const CLOUDCLI_KB: f64 = 690.0;

pub async fn measure() -> Result<Figures> {
    at_a_desk(Wish::PLAIN, async |desk| {
        let mut phone = Phone::of(desk).await?.connection().await?;
        // The worker names every file: it keeps them for when there is no network.
        let names = names(&mut phone).await?;
        ensure!(names.len() > 3, "the page was not built: {names:?}");
        let mut bytes = 0;
        for name in &names {
            bytes += phone.get(name).await?.1.len();
        }
        let ours = Series::from_iter([bytes as f64 / 1000.0]);
        let figures = Figures::of("page-weight", "kB", &ours, &Series::from_iter([CLOUDCLI_KB])).at_most(0.3);
        let goal = format!("{} ({} files, all; CloudCLI's as measured in another run)", figures.goal, names.len());
        Ok(Figures { goal, ..figures })
    })
    .await
}

async fn names(phone: &mut Connection) -> Result<BTreeSet<String>> {
    let asset = Regex::new(r"(?:/assets/|\./)([\w-]+\.(?:js|css|svg))")?;
    let mut found = BTreeSet::from(["/".to_owned()]);
    let mut next = vec!["/".to_owned()];
    while let Some(path) = next.pop() {
        let text = plain(phone, &path).await?;
        for named in asset.captures_iter(&text) {
            let path = format!("/assets/{}", &named[1]);
            if found.insert(path.clone()) {
                next.push(path);
            }
        }
    }
    Ok(found)
}

async fn plain(phone: &mut Connection, path: &str) -> Result<String> {
    let (headers, body) = phone.get(path).await?;
    let squeezed = headers.get("content-encoding").is_some_and(|how| how == "gzip");
    let bytes = if squeezed { unsqueezed(&body)? } else { body.to_vec() };
    String::from_utf8(bytes).with_context(|| format!("{path} is no text"))
}

fn unsqueezed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut plain)?;
    Ok(plain)
}
