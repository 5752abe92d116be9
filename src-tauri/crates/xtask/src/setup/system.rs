//! Which system this is, and what installing a missing thing means on it.

use crate::process;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Debian,
    Ubuntu,
    Fedora,
    Arch,
    Suse,
    Alpine,
    OtherLinux,
    MacOs,
    Windows,
}

impl System {
    pub fn here() -> System {
        match std::env::consts::OS {
            "macos" => System::MacOs,
            "windows" => System::Windows,
            _ => System::from_release(&std::fs::read_to_string("/etc/os-release").unwrap_or_default()),
        }
    }

    fn from_release(text: &str) -> System {
        let names = [release_field(text, "ID"), release_field(text, "ID_LIKE")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        let is = |name: &str| names.split_whitespace().any(|known| known == name);
        // Ubuntu and its kin say they are like Debian, so they are asked first.
        let kin = [
            ("ubuntu", System::Ubuntu),
            ("debian", System::Debian),
            ("fedora", System::Fedora),
            ("rhel", System::Fedora),
            ("arch", System::Arch),
        ];
        let more = [("suse", System::Suse), ("opensuse", System::Suse), ("alpine", System::Alpine)];
        kin.into_iter().chain(more).find(|(name, _)| is(name)).map_or(System::OtherLinux, |(_, system)| system)
    }

    /// Can xtask install packages here by itself?
    pub fn has_apt(self) -> bool {
        matches!(self, System::Debian | System::Ubuntu) && process::found("apt-get")
    }
}

/// `bookworm`, from the system's own release file.
pub fn codename() -> Option<String> {
    release_field(&std::fs::read_to_string(Path::new("/etc/os-release")).ok()?, "VERSION_CODENAME")
}

fn release_field(text: &str, field: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// Something this machine needs from outside Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    CCompiler,
    CppCompiler,
    Git,
    Node,
    Engine,
    Debootstrap,
    Bus,
    Keyring,
    SecretClient,
    Chromium,
    TlsClients,
    Nss,
    Avahi,
    Namespaces,
    Firefox,
    PythonVenv,
    Ripgrep,
    Webview,
    Screen,
    WebviewDriver,
}

impl Tool {
    /// What it is and what for, as it is said to the owner.
    pub fn purpose(self) -> &'static str {
        match self {
            Tool::CCompiler => "a C compiler, for SQLite and the TLS library",
            Tool::CppCompiler => "a C++ compiler, for the fuzzer",
            Tool::Git => "git",
            Tool::Node => "Node.js 20.19 or newer with npm, for the UI",
            Tool::Engine => "a Docker engine, for the sandbox",
            Tool::Debootstrap => "debootstrap, which makes the base image where no image registry answers",
            Tool::Bus => "a D-Bus session bus, for the keychain tests",
            Tool::Keyring => "gnome-keyring, for the keychain tests",
            Tool::SecretClient => "secret-tool, for the keychain tests",
            Tool::Chromium => "Chromium, for the tests of the phone page",
            Tool::TlsClients => "openssl and curl, for the tests of certificates",
            Tool::Nss => "certutil, which tells a Chromium whom to trust in the tests of the local network",
            Tool::Avahi => "avahi, for the tests of the local network",
            Tool::Namespaces => "ip and nsenter, for a network of the tests' own",
            Tool::Firefox => "Firefox and libnotify, for the tests of pushes",
            Tool::PythonVenv => "Python 3 with venv, for the tests against vendors' own libraries",
            Tool::Ripgrep => "ripgrep, which the bench of the search is held against",
            Tool::Webview => "WebKitGTK with its headers, for the desktop app",
            Tool::Screen => "a screen without a monitor, windows and a panel on it, for the tests of the desktop app",
            Tool::WebviewDriver => "WebKit's driver, for the tests of the desktop app",
        }
    }

    pub fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Tool::CCompiler => &["build-essential"],
            Tool::CppCompiler => &["g++"],
            Tool::Git => &["git"],
            Tool::Node => &["nodejs", "npm"],
            Tool::Engine => &["docker.io", "iptables"],
            Tool::Debootstrap => &["debootstrap"],
            Tool::Bus => &["dbus", "dbus-x11"],
            Tool::Keyring => &["gnome-keyring"],
            Tool::SecretClient => &["libsecret-tools"],
            Tool::Chromium => &["chromium", "fonts-dejavu-core"],
            Tool::TlsClients => &["openssl", "curl"],
            Tool::Nss => &["libnss3-tools"],
            Tool::Avahi => &["avahi-daemon", "avahi-utils"],
            Tool::Namespaces => &["iproute2", "util-linux"],
            Tool::Firefox => &["firefox-esr", "libnotify4"],
            Tool::PythonVenv => &["python3", "python3-venv"],
            Tool::Ripgrep => &["ripgrep"],
            Tool::Webview => &["libwebkit2gtk-4.1-dev", "pkg-config"],
            Tool::Screen => {
                &["xvfb", "xdotool", "x11-utils", "imagemagick", "openbox", "xfce4-panel", "adwaita-icon-theme"]
            }
            Tool::WebviewDriver => &["webkit2gtk-driver"],
        }
    }

    /// The words after "install it with" on systems where xtask does not do it itself.
    pub fn advice(self, system: System) -> String {
        match (system, self) {
            (System::Debian | System::Ubuntu, _) => {
                format!("sudo apt-get install {}", self.debian_packages().join(" "))
            }
            (System::MacOs, Tool::CCompiler | Tool::CppCompiler | Tool::Git) => "xcode-select --install".into(),
            (System::MacOs, Tool::Node) => "brew install node".into(),
            (System::MacOs, Tool::Engine) => {
                "brew install --cask docker, then open Docker Desktop once and wait until it says it is running".into()
            }
            (System::MacOs, Tool::Chromium) => "brew install --cask chromium".into(),
            (System::MacOs, Tool::Firefox) => "brew install --cask firefox".into(),
            (System::MacOs, Tool::PythonVenv) => "brew install python".into(),
            (System::MacOs, Tool::Ripgrep) => "brew install ripgrep".into(),
            (System::Windows, Tool::CCompiler | Tool::CppCompiler) => {
                "winget install Microsoft.VisualStudio.2022.BuildTools, with the C++ workload".into()
            }
            (System::Windows, Tool::Git) => "winget install Git.Git".into(),
            (System::Windows, Tool::Node) => "winget install OpenJS.NodeJS.LTS".into(),
            (System::Windows, Tool::Engine) => {
                "winget install Docker.DockerDesktop, then start Docker Desktop with the WSL 2 engine".into()
            }
            (System::Windows, Tool::Chromium) => "winget install Hibbiki.Chromium".into(),
            (System::Windows, Tool::Firefox) => "winget install Mozilla.Firefox".into(),
            (System::Windows, Tool::PythonVenv) => "winget install Python.Python.3.12".into(),
            (System::Windows, Tool::Ripgrep) => "winget install BurntSushi.ripgrep.MSVC".into(),
            (System::Fedora, _) => format!("sudo dnf install {}{}", self.packages_elsewhere(system), self.then_start()),
            (System::Arch, _) => format!("sudo pacman -S {}{}", self.packages_elsewhere(system), self.then_start()),
            (System::Suse, _) => {
                format!("sudo zypper install {}{}", self.packages_elsewhere(system), self.then_start())
            }
            (System::Alpine, _) => format!("sudo apk add {}{}", self.packages_elsewhere(system), self.then_start()),
            (System::OtherLinux | System::MacOs | System::Windows, _) => "your system's own packages".into(),
        }
    }

    fn packages_elsewhere(self, system: System) -> &'static str {
        match (self, system) {
            (Tool::CCompiler, System::Alpine) => "build-base",
            (Tool::CCompiler, _) => "gcc",
            (Tool::CppCompiler, System::Alpine) => "build-base",
            (Tool::CppCompiler, System::Fedora | System::Suse) => "gcc-c++",
            (Tool::CppCompiler, _) => "gcc",
            (Tool::Git, _) => "git",
            (Tool::Node, System::Suse) => "nodejs22 npm22",
            (Tool::Node, _) => "nodejs npm",
            (Tool::Engine, System::Fedora) => "moby-engine",
            (Tool::Engine, _) => "docker",
            (Tool::Debootstrap, _) => "debootstrap",
            (Tool::Bus, System::Fedora) => "dbus-daemon dbus-x11",
            (Tool::Bus, System::Suse) => "dbus-1 dbus-1-x11",
            (Tool::Bus, System::Alpine) => "dbus dbus-x11",
            (Tool::Bus, _) => "dbus",
            (Tool::Keyring, _) => "gnome-keyring",
            (Tool::SecretClient, System::Suse) => "secret-tool",
            (Tool::SecretClient, _) => "libsecret",
            (Tool::Chromium, _) => "chromium",
            (Tool::TlsClients, _) => "openssl curl",
            (Tool::Nss, System::Fedora | System::Alpine) => "nss-tools",
            (Tool::Nss, System::Suse) => "mozilla-nss-tools",
            (Tool::Nss, _) => "nss",
            (Tool::Avahi, System::Fedora) => "avahi avahi-tools",
            (Tool::Avahi, System::Suse) => "avahi avahi-utils",
            (Tool::Avahi, System::Alpine) => "avahi avahi-tools",
            (Tool::Avahi, _) => "avahi",
            (Tool::Namespaces, System::Fedora) => "iproute util-linux",
            (Tool::Namespaces, _) => "iproute2 util-linux",
            (Tool::Firefox, System::Suse) => "MozillaFirefox libnotify4",
            (Tool::Firefox, _) => "firefox libnotify",
            (Tool::PythonVenv, System::Arch) => "python",
            (Tool::PythonVenv, _) => "python3",
            (Tool::Ripgrep, _) => "ripgrep",
            (Tool::Webview, System::Fedora) => "webkit2gtk4.1-devel pkgconf",
            (Tool::Webview, System::Suse) => "webkit2gtk3-devel pkgconf",
            (Tool::Webview, System::Alpine) => "webkit2gtk-4.1-dev pkgconf",
            (Tool::Webview, _) => "webkit2gtk-4.1 pkgconf",
            (Tool::Screen, System::Fedora) => "xorg-x11-server-Xvfb xdotool xprop ImageMagick openbox xfce4-panel",
            (Tool::Screen, System::Arch) => "xorg-server-xvfb xdotool xorg-xprop imagemagick openbox xfce4-panel",
            (Tool::Screen, System::Suse) => "xorg-x11-server-Xvfb xdotool xprop ImageMagick openbox xfce4-panel",
            (Tool::Screen, _) => "xvfb xdotool xprop imagemagick openbox xfce4-panel",
            (Tool::WebviewDriver, System::Arch) => "webkit2gtk-4.1",
            (Tool::WebviewDriver, _) => "webkit2gtk-driver",
        }
    }

    fn then_start(self) -> &'static str {
        match self {
            Tool::Engine => ", then start it (sudo systemctl enable --now docker) and add yourself to the group docker",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_file_names_its_system() {
        let cases = [
            ("ID=debian\nVERSION_CODENAME=bookworm\n", System::Debian),
            ("ID=ubuntu\nID_LIKE=debian\n", System::Ubuntu),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Ubuntu),
            ("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", System::Fedora),
            ("ID=arch\n", System::Arch),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", System::Suse),
            ("NAME=Something\n", System::OtherLinux),
            ("", System::OtherLinux),
        ];
        for (text, system) in cases {
            assert_eq!(System::from_release(text), system, "{text}");
        }
    }

    #[test]
    fn every_system_has_a_way_to_an_engine() {
        for system in
            [System::Debian, System::Fedora, System::Arch, System::Suse, System::Alpine, System::MacOs, System::Windows]
        {
            assert!(
                Tool::Engine.advice(system).to_lowercase().contains("docker") || system == System::Fedora,
                "{system:?}"
            );
        }
    }
}
