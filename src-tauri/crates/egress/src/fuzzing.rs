//! What is thrown at the door by a fuzzer (`cargo xtask fuzz`), and what must hold whatever it is. Not part of any program: only
//! tests and a build with `--cfg fuzzing` have it.
//!
//! An input is what is said and, behind its last NUL, the lengths of the pieces in which it comes, over and over; without them each
//! byte comes alone. Inputs to begin with are in `fuzz/seeds`, a folder for each target. One that broke something is kept there too.

mod door;
mod inside;
mod policy;
mod usage;
mod world;

pub use door::door;
pub use policy::policy;
pub use usage::usage;

/// The bytes, and the same in pieces.
fn pieces(input: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (bytes, lengths) = match memchr::memrchr(0, input) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &input[..0]),
    };
    let lengths = if lengths.is_empty() { &[1][..] } else { lengths };
    let (mut rest, mut pieces) = (bytes, Vec::new());
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(usize::from(*length).clamp(1, rest.len()));
        pieces.push(piece);
        rest = after;
    }
    (bytes, pieces)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn each_of(folder: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(folder);
        let files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            println!("{}", file.display());
            target(&std::fs::read(file).unwrap());
        }
    }

    #[test]
    fn the_door_keeps_its_word_for_every_input_that_was_kept() {
        each_of("door", super::door);
    }

    #[test]
    fn usage_is_counted_the_same_for_every_input_that_was_kept() {
        each_of("usage", super::usage);
    }

    #[test]
    fn the_policy_says_what_its_rules_say_for_every_input_that_was_kept() {
        each_of("policy", super::policy);
    }

    #[test]
    fn an_input_comes_in_the_pieces_it_says() {
        assert_eq!(super::pieces(b"abcde\0\x02\x01"), (&b"abcde"[..], vec![&b"ab"[..], b"c", b"de"]));
        assert_eq!(super::pieces(b"ab"), (&b"ab"[..], vec![&b"a"[..], b"b"]));
        assert_eq!(super::pieces(b"ab\0"), (&b"ab"[..], vec![&b"a"[..], b"b"]));
    }
}
