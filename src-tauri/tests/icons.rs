//! The icons' files are made of the drawings in `icons/`; this proves them fresh. To make them anew:
//! `LANYARD_WRITE=1 cargo test -p lanyard-desktop --test icons`

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};
use std::{collections::BTreeMap, fs, io::Cursor, path::PathBuf};

const FACES: [&str; 5] = ["idle", "working", "needs-you", "offline", "trouble"];
/// The drawings' colours on a light bar, and on a dark one: greys and fills that stand out there.
const LIGHT: [(&str, &str); 2] = [("#7d8b92", "#4b575d"), ("#e09a1f", "#c27c06")];
const DARK: [(&str, &str); 4] =
    [("#7d8b92", "#dfe6e8"), ("#12877f", "#2bb3a8"), ("#e09a1f", "#f0ad36"), ("#cf3f36", "#ec5f55")];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../icons")
}

fn drawing(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn drawn(svg: &str, size: u32) -> Pixmap {
    let tree = Tree::from_str(svg, &Options::default()).unwrap();
    let mut pixels = Pixmap::new(size, size).unwrap();
    let scale = size as f32 / tree.size().width();
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels
}

fn in_colours(svg: &str, colours: &[(&str, &str)]) -> String {
    colours.iter().fold(svg.to_owned(), |svg, (from, to)| svg.replace(from, to))
}

/// Black where there is ink, and holes where the drawing is white: macOS colours what is opaque.
fn template(svg: &str) -> Vec<u8> {
    let mut pixels = drawn(svg, 44);
    for pixel in pixels.pixels_mut() {
        let plain = pixel.demultiply();
        let darkest = plain.red().min(plain.green()).min(plain.blue());
        let ink = 255 - u32::from(darkest.saturating_sub(150)) * 255 / 105;
        let alpha = (u32::from(plain.alpha()) * ink / 255) as u8;
        *pixel = resvg::tiny_skia::PremultipliedColorU8::from_rgba(0, 0, 0, alpha).unwrap();
    }
    pixels.encode_png().unwrap()
}

fn windows_icon(svg: &str) -> Vec<u8> {
    let mut icon = ico::IconDir::new(ico::ResourceType::Icon);
    for size in [16, 24, 32, 48, 64, 256] {
        let image = ico::IconImage::read_png(Cursor::new(drawn(svg, size).encode_png().unwrap())).unwrap();
        icon.add_entry(ico::IconDirEntry::encode(&image).unwrap());
    }
    let mut bytes = Vec::new();
    icon.write(&mut bytes).unwrap();
    bytes
}

fn macos_icon(svg: &str) -> Vec<u8> {
    let mut family = icns::IconFamily::new();
    for size in [32, 64, 128, 256, 512, 1024] {
        let image = icns::Image::read_png(Cursor::new(drawn(svg, size).encode_png().unwrap())).unwrap();
        family.add_icon(&image).unwrap();
    }
    let mut bytes = Vec::new();
    family.write(&mut bytes).unwrap();
    bytes
}

fn made() -> BTreeMap<String, Vec<u8>> {
    let app = drawing("lanyard.svg");
    let sizes = [("32x32", 32), ("128x128", 128), ("128x128@2x", 256), ("icon", 512)];
    let mut files: BTreeMap<String, Vec<u8>> =
        sizes.map(|(name, size)| (format!("{name}.png"), drawn(&app, size).encode_png().unwrap())).into();
    files.insert("icon.ico".into(), windows_icon(&app));
    files.insert("icon.icns".into(), macos_icon(&app));
    for face in FACES {
        let svg = drawing(&format!("tray/{face}.svg"));
        files.insert(format!("tray/made/{face}-template.png"), template(&svg));
        for (tone, colours) in [("any", &[][..]), ("light", &LIGHT), ("dark", &DARK)] {
            let svg = in_colours(&svg, colours);
            for size in [24, 48] {
                files.insert(format!("tray/made/{face}-{tone}-{size}.png"), drawn(&svg, size).encode_png().unwrap());
            }
        }
    }
    files
}

#[test]
fn every_icon_is_as_its_drawing_makes_it() {
    let write = std::env::var_os("LANYARD_WRITE").is_some();
    for (name, bytes) in made() {
        let path = folder().join(&name);
        if write {
            fs::write(&path, &bytes).unwrap();
        }
        assert!(fs::read(&path).is_ok_and(|kept| kept == bytes), "{name} is not as its drawing makes it");
    }
}
