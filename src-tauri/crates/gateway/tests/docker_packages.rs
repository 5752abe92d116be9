//! Packages in a real sandbox, by the package managers' own programs, from the mirror that the owner's are set to.

mod world;

use gateway::{hosts, sessions::Workshop};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use standins::mirror::Mirror;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use world::{LATER, Running, Wish, World};

/// One package for each manager, as an index of its kind serves it.
fn filled(folder: &Path, url: &str) -> anyhow::Result<PathBuf> {
    let write = |path: &str, text: &str| {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("src/npm/package.json", r#"{"name": "tiny-thing", "version": "1.0.0", "bin": {"tiny-thing": "run.js"}}"#);
    write("src/npm/run.js", "#!/usr/bin/env node\nconsole.log('npm came')\n");
    run(folder, "mkdir -p npm/-", &[]);
    run(&folder.join("npm/-"), "npm pack --silent", &["../../src/npm"]);
    let tarball = format!("{url}/npm/-/tiny-thing-1.0.0.tgz");
    let version = format!(
        r#"{{"name":"tiny-thing","version":"1.0.0","bin":{{"tiny-thing":"run.js"}},"dist":{{"tarball":"{tarball}"}}}}"#
    );
    let packument =
        format!(r#"{{"name":"tiny-thing","dist-tags":{{"latest":"1.0.0"}},"versions":{{"1.0.0":{version}}}}}"#);
    write("npm/tiny-thing", &packument);

    write("src/pip/tiny_thing.py", "print('pip came')\n");
    write("src/pip/tiny_thing-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0.0\n");
    write("src/pip/tiny_thing-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
    write("src/pip/tiny_thing-1.0.0.dist-info/RECORD", "tiny_thing.py,,\ntiny_thing-1.0.0.dist-info/RECORD,,\n");
    write(
        "simple/tiny-thing/index.html",
        r#"<a href="../tiny_thing-1.0.0-py3-none-any.whl">tiny_thing-1.0.0-py3-none-any.whl</a>"#,
    );
    run(
        &folder.join("src/pip"),
        "python3 -m zipfile -c ../../simple/tiny_thing-1.0.0-py3-none-any.whl tiny_thing.py tiny_thing-1.0.0.dist-info",
        &[],
    );

    write(
        "src/tiny-thing-1.0.0/Cargo.toml",
        "[package]\nname = \"tiny-thing\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    );
    write("src/tiny-thing-1.0.0/src/lib.rs", "//! cargo came\n");
    run(folder, "mkdir -p crates/files && tar -czf crates/files/tiny-thing.crate -C src tiny-thing-1.0.0", &[]);
    let sum = hash(&folder.join("crates/files/tiny-thing.crate"));
    write("crates/config.json", &format!(r#"{{"dl":"{url}/crates/files/{{crate}}.crate"}}"#));
    write(
        "crates/ti/ny/tiny-thing",
        &format!(r#"{{"name":"tiny-thing","vers":"1.0.0","deps":[],"cksum":"{sum}","features":{{}},"yanked":false}}"#),
    );
    Ok(folder.to_owned())
}

fn hash(file: &Path) -> String {
    Sha256::digest(fs::read(file).unwrap()).iter().map(|b| format!("{b:02x}")).collect()
}

fn run(folder: &Path, line: &str, more: &[&str]) {
    let line = format!("{line} {}", more.join(" "));
    let status = Command::new("sh").args(["-c", &line]).current_dir(folder).stdout(Stdio::null()).status();
    assert!(status.unwrap().success(), "{line}");
}

/// Runs a script in the sandbox as the agent does: its proxy, its token, the owner's settings.
struct Inside {
    container: String,
    env: Vec<String>,
}

impl Inside {
    async fn of(running: &Running) -> Self {
        // Of no session: about other hosts nobody is asked.
        let (token, _) = running.app.tokens.mint(running.app.workshop.sandbox());
        let proxy = format!("http://sandbox:{}@127.0.0.1:3128", token.expose_secret());
        let mut env: Vec<String> =
            ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"].map(|name| format!("{name}={proxy}")).to_vec();
        let told = running.app.packages.environment().await;
        env.extend(told.into_iter().map(|(name, value)| format!("{name}={value}")));
        // As an agent has it, whose own programs come first.
        env.push("PATH=/home/agent/.local/bin:/usr/local/bin:/usr/bin:/bin".to_owned());
        // As in an image that was built where the company's CA is trusted.
        let trusting = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CARGO_HTTP_CAINFO"];
        env.extend(trusting.map(|name| format!("{name}=/home/agent/ca.pem")));
        Self { container: world::container(running), env }
    }

    fn run(&self, script: &str, input: &[u8]) -> (bool, String) {
        let mut docker = Command::new("docker");
        docker.args(["exec", "-i", "-u", "1000:1000", "-w", "/home/agent", "-e", "HOME=/home/agent"]);
        docker.args(self.env.iter().flat_map(|variable| ["-e", variable.as_str()]));
        docker.args([&self.container, "sh", "-c", &format!("{{ {script}\n}} 2>&1")]);
        let mut child = docker.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn does(&self, script: &str, says: &str) {
        let (well, said) = self.run(script, b"");
        assert!(well && said.contains(says), "{script}: {said}");
    }
}

const DEB: &str = "mkdir -p deb/DEBIAN deb/usr/bin && cd deb
printf 'Package: tiny-thing\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: me <me@example.com>\\nDescription: tiny\\n' > DEBIAN/control
printf '#!/bin/sh\\necho apt came\\n' > usr/bin/tiny-thing-apt; chmod 755 usr/bin/tiny-thing-apt
cd .. && dpkg-deb --build deb tiny-thing.deb > /dev/null && cat tiny-thing.deb | base64";

#[tokio::test(flavor = "multi_thread")]
async fn packages_come_from_the_owners_mirror_by_each_managers_own_program() {
    world::relay();
    let world = World::new(Wish { sandbox: true, ..Wish::default() }).await;
    // Its image is made of packages from where they really are.
    Workshop::build_image(&world.resolved(), &world.paths(), false, |_| {}).await.unwrap();
    let (files, cargo) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mirror = Mirror::start(|url| filled(files.path(), url)).await.unwrap();
    let replaced = "[source.crates-io]\nreplace-with = \"company\"\n[source.company]\nregistry = ";
    let cargo_config = format!("{replaced}\"sparse+{}/crates/\"\n", mirror.url);
    fs::write(cargo.path().join("config.toml"), &cargo_config).unwrap();
    let set = [
        ("NPM_CONFIG_REGISTRY", format!("{}/npm/", mirror.url)),
        ("NPM_CONFIG_@company:registry", format!("{}/npm/", mirror.url)),
        ("PIP_INDEX_URL", format!("{}/simple/", mirror.url)),
        ("CARGO_HOME", cargo.path().display().to_string()),
    ];
    let set = set.map(|(name, value)| (name, Some(value)));
    temp_env::async_with_vars(set, Box::pin(installed(&world, &mirror, files.path()))).await;
}

async fn installed(world: &World, mirror: &Mirror, files: &Path) {
    let running = world.start().await;
    tokio::time::timeout(LATER, running.app.workshop.make()).await.unwrap().unwrap();
    let inside = Inside::of(&running).await;
    inside.run("cat > ca.pem", mirror.ca.as_bytes());
    inside.does("npm install --global tiny-thing && tiny-thing", "npm came");
    inside.does("python3 -m venv v && v/bin/pip install tiny-thing && v/bin/python -m tiny_thing", "pip came");

    let program = Command::new("rustup").args(["which", "cargo"]).output().map(|o| o.stdout).unwrap_or_default();
    let program = String::from_utf8(program).unwrap();
    let program = if program.trim().is_empty() { env!("CARGO") } else { program.trim() };
    inside.run("mkdir -p bin && cat > bin/cargo && chmod 755 bin/cargo", &fs::read(program).unwrap());
    inside.does("cat .npmrc", "@company:registry=");
    inside.does(
        "mkdir -p own/src && cd own && touch src/lib.rs
         printf '[package]\\nname = \"own\"\\nversion = \"0.1.0\"\\n[dependencies]\\ntiny-thing = \"1\"\\n' > Cargo.toml
         ~/bin/cargo vendor --respect-source-config > /dev/null && cat vendor/tiny-thing/src/lib.rs",
        "cargo came",
    );

    let deb = inside.run(DEB, b"").1;
    apt_index(files, &deb);
    let list = format!("deb [trusted=yes] {}/apt ./", mirror.url);
    inside.does(
        &format!(
            "echo '{list}' > list && printf 'Dir::Etc::sourcelist \"/home/agent/list\";Dir::Etc::sourceparts \"-\";\
             Acquire::https::CaInfo \"/home/agent/ca.pem\";' > apt.conf
             export APT_CONFIG=/home/agent/apt.conf; apt-get update && apt-get install -y tiny-thing && tiny-thing-apt"
        ),
        "apt came",
    );

    let (_, said) = inside.run("curl -sS https://elsewhere.example/ -m 3", b"");
    assert!(said.contains("403"), "another host is not let out with them: {said}");
    let known = hosts::shown(&running.app).await.unwrap().packages;
    let place = mirror.url.strip_prefix("https://").unwrap();
    for manager in ["npm", "pip", "cargo"] {
        assert!(known.iter().any(|p| p.host == place && p.manager == manager), "{manager}: {known:?}");
    }
    assert!(known.iter().any(|p| p.manager == "apt"), "the image's own: {known:?}");
    running.remove().await;
}

/// A flat repository of one package.
fn apt_index(files: &Path, deb: &str) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(deb.split_whitespace().collect::<String>()).unwrap();
    fs::create_dir_all(files.join("apt")).unwrap();
    let file = files.join("apt/tiny-thing.deb");
    fs::write(&file, &bytes).unwrap();
    let about = format!(
        "Package: tiny-thing\nVersion: 1.0\nArchitecture: all\nFilename: ./tiny-thing.deb\nSize: {}\nSHA256: {}\nDescription: tiny\n",
        bytes.len(),
        hash(&file)
    );
    fs::write(files.join("apt/Packages"), about).unwrap();
}
