//! A QR code as a picture in a page, a picture in a file, and text for a terminal. Always dark on light with its quiet
//! zone, in a dark theme too: many readers do not see the reverse.

use crate::error::Error;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use qrcode::{Color, EcLevel, QrCode};

/// Light squares around the code, as ISO/IEC 18004 asks.
const QUIET: usize = 4;

/// The squares of a code, quiet zone included.
pub struct Qr {
    /// Squares on each side.
    side: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// Encodes a text, as a pairing URL. Medium error correction: a 71-character URL makes 37 squares a side, and a
    /// thumb over one corner does no harm.
    ///
    /// # Errors
    /// [`Error::TooLongForQr`] past 2331 bytes.
    pub fn new(text: &str) -> Result<Self, Error> {
        let too_long = |_| Error::TooLongForQr(text.len());
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(too_long)?;
        let (inner, side) = (code.width(), code.width() + 2 * QUIET);
        let mut dark = vec![false; side * side];
        for (at, color) in code.into_colors().into_iter().enumerate() {
            dark[(at / inner + QUIET) * side + at % inner + QUIET] = color == Color::Dark;
        }
        Ok(Self { side, dark })
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        y < self.side && self.dark[y * self.side + x]
    }

    /// For a page: scales to its box, and a screen reader reads `title`. The text itself is in no attribute.
    pub fn svg(&self, title: &str) -> String {
        let (side, title) = (self.side, escape(title));
        let squares = (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).filter(|&(x, y)| self.is_dark(x, y));
        let path: String = squares.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" aria-label="{title}" shape-rendering="crispEdges"><title>{title}</title><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
        )
    }

    /// For a file or a window without a page: grey scale, `pixels` to each square (at least 1).
    ///
    /// # Errors
    /// [`Error::Picture`] when it cannot be encoded.
    pub fn png(&self, pixels: u32) -> Result<Vec<u8>, Error> {
        let scale = pixels.max(1) as usize;
        let width = self.side * scale;
        let shade = |at: usize| if self.is_dark(at % width / scale, at / width / scale) { 0 } else { 255 };
        let grey: Vec<u8> = (0..width * width).map(shade).collect();
        let mut out = Vec::new();
        let side = u32::try_from(width).map_err(|_| Error::TooLongForQr(width))?;
        PngEncoder::new(&mut out).write_image(&grey, side, side, ExtendedColorType::L8)?;
        Ok(out)
    }

    /// For a terminal: two rows of squares to a line of half blocks, black on white whatever the terminal's colours.
    pub fn text(&self) -> String {
        let line = |row: usize| {
            let cell = |x: usize| match (self.is_dark(x, row), self.is_dark(x, row + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            };
            format!("\x1b[30;107m{}\x1b[0m\n", (0..self.side).map(cell).collect::<String>())
        };
        (0..self.side).step_by(2).map(line).collect()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const URL: &str = "https://calm-otter.ngrok-free.dev/pair#k=0123456789abcdefghijklmnopqrstu";

    /// What a reader sees on a screen of this many squares, eight pixels to each.
    fn read(side: usize, dark: impl Fn(usize, usize) -> bool) -> String {
        let mut screen =
            rqrr::PreparedImage::prepare_from_greyscale(
                side * 8,
                side * 8,
                |x, y| {
                    if dark(x / 8, y / 8) { 0 } else { 255 }
                },
            );
        let grids = screen.detect_grids();
        assert_eq!(grids.len(), 1, "one code is seen");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn the_page_shows_what_was_meant_dark_on_light_with_a_title() {
        let svg = Qr::new(URL).unwrap().svg("Pair <a phone>");
        assert!(svg.contains("<title>Pair &lt;a phone&gt;</title>") && svg.contains(r#"role="img""#));
        assert!(svg.contains(r##"fill="#fff""##) && !svg.contains("ngrok"), "light ground; the secret is not in it");
        let (_, path) = svg.split_once(" d=\"").unwrap();
        let squares: Vec<(usize, usize)> = path
            .split('"')
            .next()
            .unwrap()
            .split_terminator("h1v1h-1z")
            .map(|square| {
                let (x, y) = square.strip_prefix('M').unwrap().split_once(' ').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            })
            .collect();
        let side = svg.split_once("viewBox=\"0 0 ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(read(side, |x, y| squares.contains(&(x, y))), URL);
        assert!(squares.iter().all(|&(x, y)| x >= QUIET && y >= QUIET && x < side - QUIET && y < side - QUIET));
    }

    #[test]
    fn the_file_shows_what_was_meant() {
        let png = Qr::new(URL).unwrap().png(8).unwrap();
        let picture = image::load_from_memory(&png).unwrap().into_luma8();
        let mut screen = rqrr::PreparedImage::prepare(picture);
        assert_eq!(screen.detect_grids()[0].decode().unwrap().1, URL);
    }

    #[test]
    fn the_terminal_shows_what_was_meant() {
        let text = Qr::new(URL).unwrap().text();
        let bare = text.replace("\x1b[30;107m", "").replace("\x1b[0m", "");
        let rows: Vec<Vec<char>> = bare.lines().map(|line| line.chars().collect()).collect();
        let dark = |x: usize, y: usize| match rows.get(y / 2).and_then(|row| row.get(x)) {
            Some('█') => true,
            Some('▀') => y.is_multiple_of(2),
            Some('▄') => !y.is_multiple_of(2),
            _ => false,
        };
        assert_eq!(read(rows[0].len(), dark), URL);
        assert!(text.lines().all(|line| line.starts_with("\x1b[30;107m")), "black on white on every line");
    }

    #[test]
    fn too_long_a_text_is_refused() {
        assert!(matches!(Qr::new(&"x".repeat(3000)), Err(Error::TooLongForQr(3000))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn whatever_is_put_in_is_read_out(text in "[ -~]{1,200}") {
            let qr = Qr::new(&text).unwrap();
            prop_assert_eq!(read(qr.side, |x, y| qr.is_dark(x, y)), text);
        }
    }
}
