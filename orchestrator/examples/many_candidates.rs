//! Makes a database as a very long search would leave it, to see how long the commands take that read it:
//!
//! ```text
//! cargo run --release --example many_candidates -- many.db 10000 110   # steps of each: a million events
//! time reward-search leaderboard --database many.db > /dev/null
//! time reward-search show reward-5000 --database many.db > /dev/null
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use evaluator::{Evaluation, Split};
use orchestrator::{
    config::Ladder,
    domain::{
        candidate::{NewCandidate, Origin, Refusal, Status},
        decider::Decider,
        draft::{Draft, Exchange},
        figures::{Figures, bootstrap_of},
        traces::{Move, Traces},
        trial::Arm,
        verdict::Evaluated,
    },
    search::ladder::next,
    store::{Begun, Judged, Proposed, Store},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sandbox::Source;
use trainer_bridge::StepMetrics;

const SEED: u64 = 1;
const A_ROUND: usize = 100;
const QUESTIONS: usize = 500;
const STEPS: u32 = 25;
/// Bytes of a guest, of a completion, lines of a source, and sentences of a prompt.
const WASM: usize = 20_000;
const COMPLETION: usize = 60;
const LINES: usize = 30;
const PROMPT: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let candidates: usize = arguments.next().ok_or("how many candidates?")?.parse()?;
    let (store, _lock) = Store::create_or_open(path.as_ref()).await?;
    let Begun::New(search) = store
        .begin("many", &serde_json::json!({}), "", SEED)
        .await?
    else {
        return Err(format!("{path} holds a search").into());
    };
    let steps: u32 = arguments.next().map_or(Ok(STEPS), |steps| steps.parse())?;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let ladder = Ladder::flat(steps, QUESTIONS);
    for round in 1..=candidates.div_ceil(A_ROUND) {
        let first = (round - 1) * A_ROUND + 1;
        let numbers = first..(first + A_ROUND).min(candidates + 1);
        let drafts: Vec<NewCandidate> = numbers.map(|number| draft(number, round)).collect();
        let proposed = Proposed {
            round: u32::try_from(round)?,
            candidates: &drafts,
            first_trial: &|id| ladder.first_trial(id, SEED),
        };
        store.record_round(search.id, proposed).await?;
        let exchange = Exchange {
            step: "propose".to_owned(),
            model: "a-model".to_owned(),
            prompt: "Propose a reward. ".repeat(PROMPT),
            reply: "Here is one. ".repeat(PROMPT),
            ..Exchange::default()
        };
        store
            .record_exchanges(
                search.id,
                u32::try_from(round)?,
                &vec![exchange; A_ROUND / 2],
            )
            .await?;
    }
    let references = next(&store.snapshot().await?, &ladder);
    store.plan_trials(search.id, &references).await?;
    let completions = vec!["x".repeat(COMPLETION); QUESTIONS];
    for trial in store.waiting_trials(search.id).await? {
        store.start_trial(trial.id, 0).await?;
        for step in 1..=trial.steps {
            let metrics = StepMetrics {
                step,
                reward: rng.random(),
                ..StepMetrics::default()
            };
            store.record_step(trial.id, &metrics).await?;
        }
        let skill: f64 = rng.random_range(0.2..0.8);
        let outcomes: Vec<u8> = (0..QUESTIONS)
            .map(|_| if rng.random_bool(skill) { b'c' } else { b'w' })
            .collect();
        let evaluation = Evaluation::from_bytes(&outcomes)?;
        let figures = Figures::of(&evaluation, &bootstrap_of(SEED));
        let evaluated = Evaluated {
            evaluation,
            deciders: vec![Decider::Rule; QUESTIONS],
        };
        let judged = Judged {
            split: Split::Dev,
            evaluated: &evaluated,
            figures: &figures,
            completions: &completions,
            seconds: 1.0,
        };
        store.complete_trial(trial.id, judged).await?;
        if trial.arm != Arm::Untouched {
            store.keep_traces(trial.id, &traces(&mut rng)).await?;
        }
    }
    store.close().await;
    println!("{path}: {candidates} candidates");
    Ok(())
}

/// What the audit keeps of a training, with numbers as long as real ones.
fn traces(rng: &mut ChaCha8Rng) -> Traces {
    let mut moved = || Move {
        from: rng.random(),
        to: rng.random(),
        z: rng.random(),
    };
    Traces {
        steps: 25,
        reward: moved(),
        spread: moved(),
        flat: moved(),
        correct: moved(),
        length: moved(),
        entropy: moved(),
        ..Traces::default()
    }
}

/// Every tenth is refused; all but those of the first round are made from two earlier ones.
fn draft(number: usize, round: usize) -> NewCandidate {
    let line = format!(
        "    // {number}: a line of a source of the usual length, so that lists meet its weight\n"
    );
    let refused = number.is_multiple_of(10);
    NewCandidate {
        origin: Origin::Round(u32::try_from(round).unwrap()),
        draft: Draft {
            name: format!("reward-{number}"),
            source: Source::rust(format!(
                "pub fn reward(sample: &Sample) -> f64 {{\n{}    0.0\n}}\n",
                line.repeat(LINES)
            )),
            rationale: "Pays for what is right, and a little for what is near.".to_owned(),
            parents: match number.checked_sub(A_ROUND + 1) {
                None => Vec::new(),
                Some(earlier) => vec![
                    format!("reward-{}", earlier + 1),
                    format!("reward-{}", earlier / 2 + 1),
                ],
            },
        },
        sha256: format!("{number:064x}"),
        status: match refused {
            true => Status::Rejected(Refusal::Told {
                message: "does not compile: error[E0599]: no method named `nonsense` found"
                    .to_owned(),
            }),
            false => Status::Accepted,
        },
        wasm: (!refused).then(|| vec![7; WASM]),
        probe: Some(format!("{{\"note\":\"{}\"}}", "p".repeat(600))),
    }
}
