//! `shot`: a picture of a page inside the sandbox.

use super::letters::To;
use crate::{clock, gateway::App, pictures};
use domain::{Code, Problem, phrases};
use store::inbox;
use url::Url;

/// Where a dev server usually is; what `shot` alone shows.
const USUAL: &str = "http://127.0.0.1:3000/";

/// Takes the picture and sends it; says why if it cannot. The message is done with once that is written.
pub async fn send(app: &App, message: i64, to: To, wanted: Option<String>) -> store::Result<()> {
    let url = page(wanted.as_deref());
    let picture = match &url {
        Some(url) => take(app, url).await,
        None => Err(Code::BadRequest.into()),
    };
    let (post, now) = (app.post(), clock::now());
    let written = app.store.write(move |tx| {
        inbox::handled(tx, message)?;
        match picture {
            Ok((media_type, bytes)) => {
                let caption = phrases::shot_caption(url.as_ref().map_or("", Url::as_str));
                let of = pictures::Of { caption: Some(caption.clone()), ..Default::default() };
                let id = pictures::keep(tx, of, media_type, bytes, now)?;
                post.picture(tx, &to, &caption, id, now)
            }
            Err(problem) => post.say(tx, &to, phrases::failed(problem.code), now),
        }
    });
    written.await
}

async fn take(app: &App, url: &Url) -> Result<(&'static str, Vec<u8>), Problem> {
    let png = app.workshop.shot(url.as_str()).await?;
    let fitting = tokio::task::spawn_blocking(move || pictures::for_mms(png)).await;
    let unusable = |e: &dyn std::fmt::Display| Problem::with_detail(Code::PictureRefused, e);
    fitting.map_err(|e| unusable(&e))?.map_err(|e| unusable(&e))
}

/// `3000`, `/path`, `localhost:3000/x` and whole addresses; only http and https.
fn page(wanted: Option<&str>) -> Option<Url> {
    let usual = Url::parse(USUAL).ok()?;
    let Some(wanted) = wanted else { return Some(usual) };
    let url = if wanted.parse::<u16>().is_ok() {
        Url::parse(&format!("http://127.0.0.1:{wanted}/"))
    } else if wanted.starts_with('/') {
        usual.join(wanted)
    } else if wanted.contains("://") {
        Url::parse(wanted)
    } else {
        Url::parse(&format!("http://{wanted}"))
    };
    url.ok().filter(|u| matches!(u.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_page_is_named_as_people_name_it() {
        let check = |wanted: Option<&str>, url: &str| assert_eq!(page(wanted).unwrap().as_str(), url);
        check(None, "http://127.0.0.1:3000/");
        check(Some("8080"), "http://127.0.0.1:8080/");
        check(Some("/about"), "http://127.0.0.1:3000/about");
        check(Some("localhost:5173/x"), "http://localhost:5173/x");
        check(Some("https://example.test"), "https://example.test/");
        assert_eq!(page(Some("file:///etc/passwd")), None);
        assert_eq!(page(Some("javascript:alert(1)")), None);
    }
}
