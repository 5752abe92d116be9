//! What the agent made, looked at before it goes out: commits, the repository's own tests, the base that moved on.

use super::{Step, Worker, delivery::title_of};
use crate::{
    clock,
    sessions::Pass,
    tasks::{
        room::{Merge, Room, Tested, Work},
        setup::Setup,
    },
};
use domain::{Code, Problem, event::Event};
use store::{events, tasks::TaskRow};

/// How often the agent works until its tests pass and its branch fits the base; less where tests hang, for each time costs the
/// longest that they may take.
const ROUNDS: u32 = 3;
const ROUNDS_HUNG: u32 = 2;

/// What is between an agent's work and its delivery.
pub(super) struct Missing {
    /// For the agent.
    pub words: String,
    /// For the owner, where the agent does not get there.
    pub problem: Problem,
    /// After so many it is over.
    pub rounds: u32,
}

impl Worker {
    /// What the agent has still to do before its work can go out, in words for it.
    pub(super) async fn what_is_missing(
        &self,
        task: &TaskRow,
        setup: &Setup,
        pass: &Pass,
        round: u32,
    ) -> Step<Option<Missing>> {
        let room = Room { workshop: &self.workshop, pass };
        let result = self.row().await?.result;
        let from = result.from.clone().unwrap_or_default();
        let work = room.commit(&from, &task.branch, &title_of(&task.prompt)).await?;
        if work.commits == 0 {
            let said = result.summary.unwrap_or_default();
            return Err(Problem::with_detail(Code::NothingChanged, said).into());
        }
        self.note_work(&room, &from, work, round).await?;
        if let Some(line) = &setup.test {
            let tested = room.test(line, self.app.config.tasks.tests).await?;
            let passed = tested == Tested::Passed;
            self.change_result(move |result| result.tests = Some(passed)).await?;
            let rounds = if matches!(tested, Tested::Hung(_)) { ROUNDS_HUNG } else { ROUNDS };
            if let Tested::Failed(said) | Tested::Hung(said) = tested {
                let words = format!("The repository's own tests ({line}) failed. Mend that.\n\n{said}");
                return Ok(Some(Missing { words, problem: Problem::with_detail(Code::TestsFailed, said), rounds }));
            }
        }
        let base = result.base.unwrap_or_default();
        let files = match room.merge(&base).await? {
            Merge::Fits => return Ok(None),
            Merge::Conflicts(files) => files.join(", "),
        };
        let words = format!(
            "The branch {base} has moved on meanwhile, and a merge of it is in conflict in: {files}. The merge is begun. Resolve it so \
             that both sides' intent is kept, and commit the merge."
        );
        Ok(Some(Missing { words, problem: Problem::with_detail(Code::MergeConflict, files), rounds: ROUNDS }))
    }

    async fn note_work(&self, room: &Room<'_>, from: &str, work: Work, round: u32) -> Step {
        let diff = room.diff(from).await?;
        let (session, now, id) = (self.session, clock::now(), self.id);
        let caption = format!("Diff of task {id}");
        self.app
            .store
            .write(move |tx| {
                let of = crate::pictures::Of { session: Some(session), turn: None, caption: Some(caption.clone()) };
                let artifact = crate::pictures::keep(tx, of, "text/x-diff", diff, now)?;
                let made = Event::ArtifactMade {
                    turn: None,
                    artifact,
                    media_type: "text/x-diff".to_owned(),
                    caption: Some(caption),
                };
                events::append(tx, session, &made, now)
            })
            .await?;
        tracing::info!(task.id = %id, round, commits = work.commits, files = work.files, "a task's work was looked at");
        self.change_result(move |result| {
            let Work { head, commits, files, added, removed } = work;
            (result.head, result.commits) = (Some(head), commits);
            (result.files, result.added, result.removed) = (files, added, removed);
        })
        .await?;
        Ok(())
    }
}
