//! What every part of a search works with.

use evaluator::Problem;

use super::{events::Events, job::Jobs};
use crate::{
    config::Config,
    data::task::Task,
    domain::trial::Stage,
    store::{SearchId, Store},
};

/// What every part of a search works with; shared, and cheap to hold on to.
pub struct Context {
    /// The whole configuration.
    pub config: Config,
    /// The memory.
    pub store: Store,
    /// The search.
    pub id: SearchId,
    /// Problems.
    pub task: Task,
    /// Who is told what happens.
    pub events: std::sync::Arc<dyn Events>,
}

impl Context {
    /// Writes its jobs.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs {
            config: &self.config,
            task: &self.task,
        }
    }

    /// The held-out problems of a stage: candidates are selected on Dev, finalists confirmed on Test.
    #[must_use]
    pub fn problems(&self, stage: Stage) -> Vec<Problem> {
        let n = match stage {
            Stage::Screen { rung } => self.config.screen.ladder().rungs[rung as usize].problems,
            Stage::Confirm { .. } => self.config.confirm.problems,
        };
        let search = &self.config.search;
        self.task
            .held_out(search.protocol.split(stage), n, search.seed)
    }
}
