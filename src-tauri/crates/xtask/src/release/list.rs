//! `latest.json`: what the app looks at to find a newer version. Made from the packages in a folder, whoever made them: each
//! package that has a signature beside it is in it.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::path::Path;

pub fn write(folder: &Path, version: &str, url: &str, notes: &str) -> Result<()> {
    let mut platforms = Map::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".sig"))
        else {
            continue;
        };
        let signature = std::fs::read_to_string(&path)?.trim().to_owned();
        for target in targets(name, version) {
            platforms.insert(target, json!({ "url": format!("{url}/{name}"), "signature": signature }));
        }
    }
    if platforms.is_empty() {
        bail!("{} holds no signed package of version {version}", folder.display());
    }
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let list = json!({ "version": version, "notes": notes, "pub_date": now, "platforms": Value::Object(platforms) });
    let file = folder.join("latest.json");
    std::fs::write(&file, serde_json::to_string_pretty(&list)? + "\n")?;
    println!("{}", file.display());
    Ok(())
}

/// What the app of each kind looks for, by the package's name. None for what is no update (a disk image) or another version.
fn targets(name: &str, version: &str) -> Vec<String> {
    let ours = [format!("_{version}_"), format!("-{version}-")].iter().any(|part| name.contains(part));
    let arch = || {
        let known = [
            ("amd64", "x86_64"),
            ("x86_64", "x86_64"),
            ("x64", "x86_64"),
            ("arm64", "aarch64"),
            ("aarch64", "aarch64"),
        ];
        known.into_iter().find(|(word, _)| name.contains(word)).map(|(_, arch)| arch)
    };
    let kinds: [(&str, &str, &[&str]); 5] = [
        (".deb", "linux", &["deb"]),
        (".rpm", "linux", &["rpm"]),
        (".AppImage", "linux", &["appimage"]),
        (".app.tar.gz", "darwin", &["app", ""]),
        ("-setup.exe", "windows", &["nsis", ""]),
    ];
    let kind = kinds.into_iter().find(|(ending, _, _)| name.ends_with(ending)).filter(|_| ours);
    let (Some((_, system, forms)), Some(arch)) = (kind, arch()) else { return Vec::new() };
    let named =
        |form: &&str| [system, arch, form].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    forms.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_named_as_its_app_looks_for_it() {
        let of = |name: &str| targets(name, "0.2.0");
        assert_eq!(of("Lanyard_0.2.0_amd64.deb"), ["linux-x86_64-deb"]);
        assert_eq!(of("Lanyard-0.2.0-1.x86_64.rpm"), ["linux-x86_64-rpm"]);
        assert_eq!(of("Lanyard_0.2.0_arm64.AppImage"), ["linux-aarch64-appimage"]);
        assert_eq!(of("Lanyard_0.2.0_aarch64.app.tar.gz"), ["darwin-aarch64-app", "darwin-aarch64"]);
        assert_eq!(of("Lanyard_0.2.0_x64-setup.exe"), ["windows-x86_64-nsis", "windows-x86_64"]);
        assert!(of("Lanyard_0.1.0_amd64.deb").is_empty() && of("Lanyard_0.2.0_aarch64.dmg").is_empty());
    }

    #[test]
    fn a_folder_without_signed_packages_is_no_release() {
        let folder = std::env::temp_dir().join(format!("lanyard-xtask-list-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Lanyard_0.2.0_amd64.deb"), "x").unwrap();
        assert!(write(&folder, "0.2.0", "https://a.b", "").is_err());
        std::fs::write(folder.join("Lanyard_0.2.0_amd64.deb.sig"), "c2ln\n").unwrap();
        write(&folder, "0.2.0", "https://a.b", "- new").unwrap();
        let list: Value = serde_json::from_slice(&std::fs::read(folder.join("latest.json")).unwrap()).unwrap();
        let entry = json!({ "url": "https://a.b/Lanyard_0.2.0_amd64.deb", "signature": "c2ln" });
        assert_eq!((&list["notes"], &list["platforms"]["linux-x86_64-deb"]), (&json!("- new"), &entry));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
