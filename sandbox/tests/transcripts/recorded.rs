//! The recordings, and what we hear in them.

use domain::agent::{AgentEvent as E, TurnOutcome};
use sandbox::agent::{Heard, Options, Reader};
use serde_json::Value;
use std::path::PathBuf;

pub const VERSIONS: [&str; 2] = ["v2.1.197", "v2.1.329"];

pub struct Transcript {
    pub name: String,
    pub status: Option<i64>,
    pub lines: Vec<(String, Value)>,
}

impl Transcript {
    pub fn all(version: &str) -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(version);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| Self::read(&file)).collect()
    }

    pub fn named(version: &str, name: &str) -> Option<Self> {
        Self::all(version).into_iter().find(|t| t.name == name)
    }

    fn read(file: &std::path::Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = text.lines().filter(|l| !l.is_empty()).map(|l| serde_json::from_str::<Value>(l).unwrap());
        let status = lines.next().unwrap()["rc"].as_i64();
        let lines = lines.map(|mut l| (l["dir"].as_str().unwrap().to_owned(), l["msg"].take())).collect();
        Self { name: file.file_stem().unwrap().to_string_lossy().into_owned(), status, lines }
    }

    /// The bytes of one direction.
    pub fn bytes(&self, direction: &str) -> Vec<u8> {
        let of = self.lines.iter().filter(|(d, _)| d == direction);
        of.flat_map(|(_, m)| format!("{}\n", m.as_str().map_or_else(|| m.to_string(), str::to_owned)).into_bytes())
            .collect()
    }

    pub fn heard(&self) -> Vec<Heard> {
        let mut reader = Reader::new(&Options::default());
        let mut heard = reader.stdout(self.bytes("out").into());
        heard.extend(reader.stderr(self.bytes("err").into()));
        heard.extend(reader.finish(self.status));
        heard
    }

    pub fn events(&self) -> Vec<E> {
        let event = |heard| if let Heard::Event(event) = heard { Some(event) } else { None };
        self.heard().into_iter().filter_map(event).collect()
    }

    pub fn outcomes(&self) -> Vec<TurnOutcome> {
        let end = |event| if let E::TurnEnded(end) = event { Some(end.outcome) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }
}
