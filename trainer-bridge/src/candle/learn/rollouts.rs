//! A batch of rollouts: drawn, scored, compared within their groups, filtered, and with the log-probabilities that the objective needs
//! beside the policy's own.

use crate::candle::{
    decoder::{engine::Engine, pack::Group},
    files::tokenizer::Tokenizer,
    learn::{
        draws::{Draw, DrawnGroup, SharedDraws},
        schedule::Schedule,
    },
    model::Model,
    sample::rows::Completion,
};
use crate::{
    GrpoConfig, TrainError, TrainJob,
    grpo::{advantage::Advantages, filter::filtered},
    seam::{
        metrics::RewardPart,
        scorer::{Rollout, Score},
    },
};

/// Longest text of the rewards that is kept, bytes: every step of every trial is stored.
const PRINTED: usize = 2000;

/// A completion with all that is known of it.
pub struct ScoredCompletion {
    /// What was drawn.
    pub completion: Completion,
    /// Its text.
    pub text: String,
    /// Raw reward of each member of the mix.
    pub rewards: Vec<f64>,
    /// Their weighted sum.
    pub reward: f64,
    /// The verifier's verdict.
    pub correct: bool,
    /// Whether the verifier finds an answer in it.
    pub answered: bool,
    /// Its advantage; absent if a filter left it out.
    pub advantage: Option<f64>,
    /// Cut at the length limit and left out of the loss for it.
    pub masked: bool,
    /// Whether the loss has a gradient by it: the others need no forward pass.
    pub learns: bool,
    /// Log-probabilities under the policy that sampled it, where that is not the policy itself.
    pub old: Option<Vec<f32>>,
    /// Log-probabilities under the reference policy, where there is a KL term.
    pub reference: Option<Vec<f32>>,
}

/// A prompt and its completions.
pub struct RolloutGroup {
    /// Index of the training example.
    pub example: usize,
    /// Token ids of its prompt.
    pub prompt: Vec<u32>,
    /// `num_generations` of them.
    pub rollouts: Vec<ScoredCompletion>,
}

/// The rollouts of the steps from `start` on that share them.
pub struct Batch {
    /// The first of the steps.
    pub start: u32,
    /// Prompt after prompt.
    pub groups: Vec<RolloutGroup>,
    /// Tokens that count in the loss, on average a step.
    pub tokens_per_step: f64,
    /// What the rewards said beside their scores.
    pub remarks: Remarks,
}

/// What rewards say beside their scores.
pub struct Remarks {
    /// The parts they name, where there are several.
    pub parts: Vec<RewardPart>,
    /// What they printed, shortened.
    pub printed: String,
}

/// Who takes part in making a batch.
pub struct Roles<'a> {
    /// The run.
    pub job: &'a TrainJob,
    /// Who scores what is drawn.
    pub scorer: &'a dyn Score,
    /// Of all of the policies.
    pub tokenizer: &'a Tokenizer,
    /// Who samples.
    pub sampler: &'a Model,
    /// Whom the KL term holds the policy to: the base model.
    pub reference: &'a Model,
    /// What policies of which nothing is trained have drawn for other runs.
    pub shared: &'a SharedDraws,
}

impl Roles<'_> {
    /// Makes the batch of rollouts that step `start` begins with. The same every time for the same sampler.
    pub fn batch(&self, engine: &mut Engine, start: u32) -> Result<Batch, TrainError> {
        let grpo = &self.job.grpo;
        let schedule = Schedule::new(grpo);
        let draw = Draw {
            job: self.job,
            schedule,
            start,
        };
        let by_hand = || draw.completions(engine, self.sampler, self.tokenizer);
        let untrained = self.job.from.is_none() && schedule.samples_untrained(start);
        let drawn = match untrained {
            true => self.shared.get_or(draw.digest(), by_hand)?.to_vec(),
            false => by_hand()?,
        };
        let (mut groups, remarks) = self.score(drawn, start)?;
        if schedule.off_policy() {
            let logs = log_probs(engine, self.sampler, &groups, grpo.temperature)?;
            fill(&mut groups, &logs, |scored| &mut scored.old);
        }
        if grpo.beta > 0.0 {
            let logs = log_probs(engine, self.reference, &groups, grpo.temperature)?;
            fill(&mut groups, &logs, |scored| &mut scored.reference);
        }
        let tokens: usize = groups.iter().map(RolloutGroup::tokens).sum();
        Ok(Batch {
            start,
            groups,
            tokens_per_step: tokens as f64 / schedule.parts() as f64,
            remarks,
        })
    }

    /// Rewards, advantages, and who is learnt from.
    fn score(
        &self,
        drawn: Vec<DrawnGroup>,
        step: u32,
    ) -> Result<(Vec<RolloutGroup>, Remarks), TrainError> {
        let grpo = &self.job.grpo;
        let rollouts: Vec<Rollout<'_>> = drawn
            .iter()
            .flat_map(|group| {
                let example = &self.job.examples[group.example];
                let texts = group.completions.iter().map(|(_, text)| text.as_str());
                texts.map(move |completion| Rollout::of(example, completion))
            })
            .collect();
        let scored = self.scorer.score(&rollouts);
        let scored = scored.map_err(|error| TrainError::of_scoring(error, step))?;
        let advantages = scored.advantages(grpo.scale_rewards, grpo.num_generations);
        check_finite(&scored, &advantages, step)?;
        let correct: Vec<bool> = scored.verdicts.iter().map(|v| v.correct).collect();
        let kept = filtered(grpo.filter, &advantages, &correct, grpo.num_generations);
        let mut places = 0..;
        let groups = drawn.into_iter().map(|group| RolloutGroup {
            example: group.example,
            prompt: group.prompt,
            rollouts: group
                .completions
                .into_iter()
                .zip(places.by_ref())
                .map(|((completion, text), place)| {
                    let masked = grpo.mask_truncated_completions && !completion.finished;
                    ScoredCompletion {
                        rewards: scored.rewards_of(place),
                        reward: advantages.rewards[place],
                        correct: correct[place],
                        answered: scored.verdicts[place].extracted.is_some(),
                        advantage: kept[place],
                        masked,
                        learns: !masked && has_gradient(kept[place], grpo),
                        completion,
                        text,
                        old: None,
                        reference: None,
                    }
                })
                .collect(),
        });
        let remarks = Remarks {
            parts: scored.parts(),
            printed: scored.printed(PRINTED),
        };
        Ok((groups.collect(), remarks))
    }
}

impl RolloutGroup {
    /// Tokens that count in the loss.
    pub fn tokens(&self) -> usize {
        let counted = |scored: &&ScoredCompletion| scored.advantage.is_some() && !scored.masked;
        let lengths = self.rollouts.iter().filter(counted);
        lengths.map(|scored| scored.completion.tokens.len()).sum()
    }

    /// The completions that are learnt from.
    pub fn learnt_from(&self) -> impl Iterator<Item = &ScoredCompletion> {
        self.rollouts.iter().filter(|scored| scored.learns)
    }
}

/// Without an advantage there is nothing to learn but to stay near the reference policy.
fn has_gradient(advantage: Option<f64>, grpo: &GrpoConfig) -> bool {
    advantage.is_some_and(|advantage| advantage != 0.0 || grpo.beta > 0.0)
}

/// Lays the completions that are learnt from out in micro-batches, groups without any left out, and hands them on to the engine's work.
pub fn with_micro_batches<'e, R>(
    engine: &'e mut Engine,
    groups: &[RolloutGroup],
    work: impl FnOnce(&'e mut Engine, &[&[Group<'_>]]) -> R,
) -> R {
    let views: Vec<Vec<&[u32]>> = groups
        .iter()
        .map(|group| {
            group
                .learnt_from()
                .map(|s| s.completion.tokens.as_slice())
                .collect()
        })
        .collect();
    let packed: Vec<Group<'_>> = groups
        .iter()
        .zip(&views)
        .filter(|(_, completions)| !completions.is_empty())
        .map(|(group, completions)| Group {
            prompt: &group.prompt,
            completions,
        })
        .collect();
    let batches = engine.micro_batches(&packed);
    work(engine, &batches)
}

/// Log-probabilities of the completions that are learnt from, end to end.
fn log_probs(
    engine: &mut Engine,
    model: &Model,
    groups: &[RolloutGroup],
    temperature: f64,
) -> Result<Vec<f32>, TrainError> {
    with_micro_batches(engine, groups, |engine, batches| {
        engine.log_probs(model, batches, temperature)
    })
}

/// Hands out log-probabilities that lie end to end.
fn fill(
    groups: &mut [RolloutGroup],
    log_probs: &[f32],
    slot: impl Fn(&mut ScoredCompletion) -> &mut Option<Vec<f32>>,
) {
    let mut rest = log_probs;
    let all = groups.iter_mut().flat_map(|group| &mut group.rollouts);
    for scored in all.filter(|scored| scored.learns) {
        let (own, others) = rest.split_at(scored.completion.tokens.len());
        *slot(scored) = Some(own.to_vec());
        rest = others;
    }
}

/// Finite rewards can still be too large to be averaged or squared.
fn check_finite(
    scored: &crate::Scored,
    advantages: &Advantages,
    step: u32,
) -> Result<(), TrainError> {
    let finite = |values: &[f64]| values.iter().sum::<f64>().is_finite();
    let members = scored.members.iter().all(|m| finite(&m.scores.total));
    if members && finite(&advantages.rewards) && finite(&advantages.group_std) {
        return Ok(());
    }
    Err(TrainError::NonFinite {
        what: "the mean or spread of the rewards",
        step,
    })
}
