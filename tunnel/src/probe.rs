//! Whether a browser that opens the public URL sees our page, or ngrok's: free accounts get a warning page in between,
//! once per visitor, and nothing we serve can skip it (a first visit by QR code cannot send a header). Twilio's requests
//! are not a browser's and never meet it.
//!
//! There is no HTTP client here: the caller brings one.

use std::future::Future;

/// ngrok's code for that page.
const PAGE: &str = "ERR_NGROK_6024";
/// ngrok names its errors in this header, and that page too.
const CODE_HEADER: &str = "ngrok-error-code";
/// What makes ngrok take the caller for a browser.
const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

/// A GET that the caller is to send as it is, with no header and no cookie besides and without following redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Its beginning is enough: 64 kB.
    pub body: String,
}

/// What stands at the public URL for a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// What we serve.
    Ours,
    /// ngrok's page, before ours: `Code::TunnelPageInTheWay`.
    PageInTheWay,
    /// An error of ngrok's own, as ERR_NGROK_3200: no agent is online there.
    Ngrok { code: String },
}

/// Asks as a phone's browser would and says what it would see. Ask for a page of ours that is always there.
///
/// # Errors
/// Those of `get`, unchanged.
pub async fn as_browser<F, Answer, E>(url: &str, get: F) -> Result<Sight, E>
where
    F: FnOnce(Ask) -> Answer,
    Answer: Future<Output = Result<Page, E>>,
{
    let ask = Ask { url: url.to_owned(), headers: vec![("user-agent", BROWSER), ("accept", "text/html")] };
    Ok(sight(&get(ask).await?))
}

fn sight(page: &Page) -> Sight {
    let named = page.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(CODE_HEADER)).map(|(_, code)| code);
    match named {
        Some(code) if code == PAGE => Sight::PageInTheWay,
        Some(code) => Sight::Ngrok { code: code.clone() },
        None if page.body.contains(PAGE) => Sight::PageInTheWay,
        None => Sight::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ngroks_page_is_told_by_its_header_or_its_body() {
        let named = Page { headers: vec![("Ngrok-Error-Code".into(), PAGE.into())], ..Page::default() };
        let written =
            Page { body: format!("<noscript>You are about to visit … ({PAGE})</noscript>"), ..Page::default() };
        let offline = Page { headers: vec![("ngrok-error-code".into(), "ERR_NGROK_3200".into())], ..Page::default() };
        assert_eq!(sight(&named), Sight::PageInTheWay);
        assert_eq!(sight(&written), Sight::PageInTheWay);
        assert_eq!(sight(&offline), Sight::Ngrok { code: "ERR_NGROK_3200".into() });
        assert_eq!(sight(&Page { status: 500, body: "our own trouble".into(), ..Page::default() }), Sight::Ours);
    }
}
