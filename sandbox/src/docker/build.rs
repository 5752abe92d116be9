//! Builds an image with the engine's own builder, from a tar that is read as it is sent.

use super::Engine;
use crate::{Error, docker::containers::Labels};
use bollard::{body_try_stream, errors::Error as EngineError, query_parameters::BuildImageOptionsBuilder};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::{collections::HashMap, io, time::Duration};

/// The engine answers once it has the whole context: half a gigabyte, perhaps to another machine.
const SENDING: Duration = Duration::from_secs(1800);
/// Lines of a failed step that a person is shown.
const LAST_LINES: usize = 15;

pub(crate) struct BuildRequest {
    pub tag: String,
    /// Steps that were built before are taken as they are.
    pub cached: bool,
    pub arguments: HashMap<String, String>,
    pub labels: Labels,
}

impl Engine {
    /// Runs the build; `said` is given each line the builder prints. Fails with [`Error::BuildFailed`] and the last lines.
    pub(crate) async fn build(
        &self,
        request: BuildRequest,
        context: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        said: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), Error> {
        let options = BuildImageOptionsBuilder::default()
            .dockerfile("Dockerfile")
            .t(&request.tag)
            .buildargs(&request.arguments)
            .labels(&request.labels)
            .nocache(!request.cached)
            .rm(true)
            // Else a failed step leaves its container behind.
            .forcerm(true)
            .build();
        let docker = self.docker.clone().with_timeout(SENDING);
        let mut answers = std::pin::pin!(docker.build_image(options, None, Some(body_try_stream(context))));
        let mut told = Told::default();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(info) => told.hear(&info.stream.unwrap_or_default(), said),
                Err(EngineError::DockerStreamError { error }) => return Err(told.failed(&error)),
                Err(e @ EngineError::DockerResponseServerError { .. }) => return Err(told.failed(&e.to_string())),
                Err(e) => return Err(self.refused("build an image", e)),
            }
        }
        Ok(())
    }
}

/// What the builder said so far.
#[derive(Default)]
struct Told {
    step: String,
    lines: Vec<String>,
}

impl Told {
    fn hear(&mut self, text: &str, said: &(dyn Fn(&str) + Send + Sync)) {
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            said(line);
            if line.starts_with("Step ") {
                self.step = line.to_owned();
                self.lines.clear();
            } else {
                self.lines.push(line.to_owned());
            }
        }
    }

    fn failed(&self, error: &str) -> Error {
        let last = self.lines.len().saturating_sub(LAST_LINES);
        let lines = self.lines[last..].iter().map(String::as_str).chain([error]).collect::<Vec<_>>().join("\n");
        let step = if self.step.is_empty() { "its beginning".to_owned() } else { self.step.clone() };
        Error::BuildFailed { step, lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_told_by_its_own_last_lines() {
        let mut told = Told::default();
        told.hear("Step 1/3 : FROM base\n", &|_| {});
        told.hear(" ---> 0e9cd785d383\n", &|_| {});
        told.hear("Step 2/3 : RUN apt-get update\n", &|_| {});
        (0..40).for_each(|n| told.hear(&format!("line {n}\n"), &|_| {}));
        let Error::BuildFailed { step, lines } = told.failed("returned a non-zero code: 7") else { panic!() };
        assert_eq!(step, "Step 2/3 : RUN apt-get update");
        assert!(lines.starts_with("line 25\n") && lines.ends_with("line 39\nreturned a non-zero code: 7"), "{lines}");
    }
}
