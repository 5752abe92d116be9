//! The sandbox image: there, of another version, or missing.

use super::{Finding, Fix, broken, note, well};
use domain::Problem;
use sandbox::{CLAUDE_VERSION, ImageState};

const BUILD: &str = "lanyard image builds it, in about two minutes; else the next start does.";

pub fn finding(state: Result<ImageState, Problem>) -> Finding {
    match state {
        Ok(ImageState::Ready(image)) => {
            let gigabytes = image.bytes as f64 / 1e9;
            well("image", format!("{} with Claude Code {}, {gigabytes:.1} GB.", image.tag, image.claude_version))
        }
        Ok(ImageState::Other { tag, lanyard, claude }) => {
            let made = |what: &str, version: String| {
                if version.is_empty() { String::new() } else { what.to_owned() + &version }
            };
            let (by, with) = (made(" by Lanyard ", lanyard), made(" with Claude Code ", claude));
            let says =
                format!("Not built for this version (Claude Code {CLAUDE_VERSION}). There is {tag}, made{by}{with}.");
            note("image", says, BUILD).by(Fix::BuildImage)
        }
        Ok(ImageState::Missing) => note("image", "The sandbox image is not built yet.", BUILD).by(Fix::BuildImage),
        Err(problem) => broken("image", problem).by(Fix::BuildImage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use domain::Code;

    #[test]
    fn each_state_of_the_image_says_what_to_do() {
        let other = ImageState::Other { tag: "x:1".into(), lanyard: "0.0.9".into(), claude: "2.1.1".into() };
        let other = finding(Ok(other));
        assert!(other.says.contains("x:1, made by Lanyard 0.0.9 with Claude Code 2.1.1."), "{}", other.says);
        let missing = finding(Ok(ImageState::Missing));
        assert!(other.mend.contains("lanyard image") && missing.mend.contains("lanyard image"));
        let base = finding(Err(Problem::with_detail(Code::NoImage, "The base x is not in the engine.")));
        assert!(base.state == State::Broken && base.says.contains("NO_IMAGE") && !base.mend.is_empty());
    }
}
