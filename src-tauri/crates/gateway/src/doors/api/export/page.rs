//! A history as one page that stands alone: pictures are in it, and nothing in it is fetched or acts. What is raw HTML in the words
//! of an agent stays text, and its policy lets no script run, whatever comes through.

use super::{
    diff::{Diff, Sign, sign},
    parts::Part,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

const HEAD: &str = include_str!("head.html");

pub fn written(parts: &[Part]) -> String {
    let mut page = HEAD.to_owned();
    for part in parts {
        html::push_html(&mut page, events(part).into_iter());
    }
    page
}

fn events(part: &Part) -> Vec<Event<'_>> {
    match part {
        Part::Words(words) => read(words),
        Part::Block(text) => block(text),
        Part::Change(diff) => change(diff),
        Part::Picture { media_type, caption, bytes, .. } => picture(media_type, caption, bytes),
    }
}

/// Each part is read by itself, so that nothing one leaves open takes in the next.
fn read(words: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let acts_nowhere = |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if harmless(&dest_url) { dest_url } else { "#".into() };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        // A picture of elsewhere would tell that site who reads this.
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Emphasis),
        other => other,
    };
    Parser::new_ext(words, options).map(acts_nowhere).collect()
}

fn harmless(url: &str) -> bool {
    ["https://", "http://", "mailto:", "#"].iter().any(|start| url.starts_with(start))
}

fn block(text: &str) -> Vec<Event<'_>> {
    vec![Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)), Event::Text(text.into()), Event::End(TagEnd::CodeBlock)]
}

/// Ours alone are the tags; what stands between them is text.
fn change(diff: &Diff) -> Vec<Event<'_>> {
    let tag = |tag: &'static str| Event::Html(CowStr::Borrowed(tag));
    let mut events = vec![tag("<figure><figcaption><code>"), Event::Text((&*diff.file).into())];
    events.push(tag("</code></figcaption><pre class=\"diff\"><code>"));
    for line in &diff.lines {
        events.push(tag(match sign(line) {
            Sign::Kept => "<span>",
            Sign::Came => "<span class=\"came\">",
            Sign::Went => "<span class=\"went\">",
            Sign::Place => "<span class=\"place\">",
        }));
        events.extend([Event::Text((&**line).into()), tag("\n</span>")]);
    }
    events.push(tag("</code></pre></figure>\n"));
    events
}

fn picture<'p>(media_type: &str, caption: &'p str, bytes: &[u8]) -> Vec<Event<'p>> {
    let dest_url = format!("data:{media_type};base64,{}", STANDARD.encode(bytes)).into();
    vec![
        Event::Start(Tag::Paragraph),
        Event::Start(Tag::Image { link_type: LinkType::Inline, dest_url, title: "".into(), id: "".into() }),
        Event::Text(caption.into()),
        Event::End(TagEnd::Image),
        Event::End(TagEnd::Paragraph),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ArtifactId;
    use proptest::prelude::*;

    const MEAN: &str = "\"><script>alert(1)</script><img src=x onerror=y>";

    fn body(part: Part) -> String {
        written(&[part]).strip_prefix(HEAD).unwrap().to_owned()
    }

    #[test]
    fn nothing_an_agent_wrote_acts_in_the_page() {
        let words = "<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![x](https://spy.example/x.png) a <img src=x onerror=y>";
        let html = body(Part::Words(words.into()));
        assert!(html.contains("<a href=\"#\">x</a>") && html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("javascript:") && !html.contains("<img"), "{html}");
    }

    #[test]
    fn a_change_has_its_colours_and_is_text() {
        let lines = ["@@ -1 +1 @@".into(), format!("-{MEAN}"), "+b & c".into(), " d".into()];
        let html = body(Part::Change(Diff { file: MEAN.into(), lines: lines.into() }));
        assert!(html.contains("<span class=\"came\">+b &amp; c\n</span><span> d\n</span>"), "{html}");
        assert!(html.contains("<span class=\"went\">-\"&gt;&lt;script&gt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }

    #[test]
    fn a_picture_is_in_the_page_and_its_caption_is_text() {
        let (id, media_type) = (ArtifactId::new(), "image/png".to_owned());
        let html = body(Part::Picture { id, media_type, caption: MEAN.into(), bytes: vec![0xfb, 0xff, 1] });
        assert!(html.starts_with("<p><img src=\"data:image/png;base64,+/8B\" alt=\"&quot;&gt;"), "{html}");
        assert_eq!(html.matches('<').count(), 3, "{html}");
    }

    #[test]
    fn what_a_part_leaves_open_ends_with_it() {
        let html = written(&[Part::Words("```\nopen".into()), Part::Words("# next".into())]);
        assert!(html.ends_with("</code></pre>\n<h1>next</h1>\n"), "{html}");
    }

    proptest! {
        #[test]
        fn whatever_is_written_no_tag_but_those_of_markdown_is_in_the_page(
            words in r#"([<>"'&/=\[\]()!`*_#|~ \n:-]|script|img|svg|iframe|a|onload|href|javascript:|data:text/html,|x){0,60}"#
        ) {
            let known = [
                "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "code", "em", "strong", "del", "a", "ul", "ol", "li", "hr", "br",
                "blockquote", "table", "thead", "tbody", "tr", "th", "td",
            ];
            let diff = Diff { file: words.clone(), lines: vec![words.clone()] };
            for html in [body(Part::Words(words.clone())), body(Part::Block(words.clone())), body(Part::Change(diff))] {
                for tag in html.split('<').skip(1) {
                    let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                    prop_assert!(known.contains(&&*name) || ["figure", "figcaption", "span"].contains(&&*name), "{html}");
                }
                prop_assert!(!html.contains("href=\"javascript") && !html.contains("href=\"data"), "{html}");
            }
        }
    }
}
