//! The tables of `docs/configuration.md`: which section, where its keys are defined.

/// A table of the page.
pub struct Section {
    pub heading: &'static str,
    /// What must stand in a file so that the section is there, beside a name and a task.
    pub base: &'static str,
    /// Where in the file it is.
    pub path: &'static [&'static str],
    /// Where its keys are defined.
    pub file: &'static str,
    pub name: &'static str,
    pub about: &'static str,
}

const fn section(
    heading: &'static str,
    base: &'static str,
    path: &'static [&'static str],
    of: (&'static str, &'static str, &'static str),
) -> Section {
    let (file, name, about) = of;
    Section {
        heading,
        base,
        path,
        file,
        name,
        about,
    }
}

pub const CONFIG: &str = "orchestrator/src/config/mod.rs";
const MIXES: &str = "orchestrator/src/config/ensemble.rs";
const LADDER: &str = "orchestrator/src/config/ladder.rs";
const CHAT: &str = "orchestrator/src/proposer/chat/config.rs";
const JUDGE: &str = "orchestrator/src/judge/config.rs";
const ENDPOINT: &str = "orchestrator/src/judge/endpoint/config.rs";
const TASK: &str = "orchestrator/src/data/config.rs";
const CANDLE: &str = "trainer-bridge/src/candle/base.rs";
const BACKEND: &str = "trainer-bridge/src/candle/decoder/backend.rs";
const TRL: &str = "trainer-bridge/src/worker/config.rs";
const LORA: &str = "trainer-bridge/src/candle/model/lora.rs";
const GRPO: &str = "trainer-bridge/src/grpo/config.rs";
const ADVANTAGE: &str = "trainer-bridge/src/grpo/advantage.rs";
const RATE: &str = "trainer-bridge/src/grpo/learning_rate.rs";
const SAMPLING: &str = "trainer-bridge/src/seam/sampling.rs";
const CONVENTIONS: &str = "evaluator/src/conventions.rs";

/// Where the words are defined that keys may have as values.
pub const WORDS: &[&str] = &[
    JUDGE,
    ENDPOINT,
    GRPO,
    ADVANTAGE,
    RATE,
    TRL,
    CANDLE,
    BACKEND,
    CONVENTIONS,
    CONFIG,
    MIXES,
    LADDER,
    "orchestrator/src/domain/protocol.rs",
    "sandbox/src/source.rs",
    "trainer-bridge/src/candle/base_settings.rs",
    "evaluator/src/toy/world.rs",
];

pub const SECTIONS: &[Section] = &[
    section(
        "`[search]`",
        "",
        &["search"],
        (CONFIG, "SearchConfig", "The loop."),
    ),
    section(
        "`[task]` `kind = \"toy\"`",
        "",
        &["task"],
        (
            TASK,
            "ToyConfig",
            "The built-in word problems of the tiny models: [toy-task.md](toy-task.md), [worlds.md](worlds.md). `kind` has no default.",
        ),
    ),
    section(
        "`[task]` `kind = \"gsm8k\"`",
        "task = { kind = 'gsm8k' }",
        &["task"],
        (
            TASK,
            "Gsm8kConfig",
            "GSM8K, or anything in its format: `train.jsonl` and `test.jsonl`.",
        ),
    ),
    section(
        "`[task]` `kind = \"jsonl\"`",
        "task = { kind = 'jsonl', file = 'x.jsonl' }",
        &["task"],
        (
            TASK,
            "JsonlConfig",
            "Your own questions, in whatever columns they come: [tasks.md](tasks.md).",
        ),
    ),
    section(
        "`[proposer]` `kind = \"grammar\"`",
        "proposer = { kind = 'grammar' }",
        &["proposer"],
        (
            "orchestrator/src/proposer/grammar/config.rs",
            "GrammarConfig",
            "The default: works offline. [proposing.md](proposing.md)",
        ),
    ),
    section(
        "`[proposer]` `kind = \"chat\"`",
        "proposer = { kind = 'chat' }",
        &["proposer"],
        (
            CHAT,
            "ChatConfig",
            "A language model behind an endpoint. [proposing.md](proposing.md)",
        ),
    ),
    section(
        "`[[proposer.models]]`",
        "proposer = { kind = 'chat', models = [{ model = 'm' }] }",
        &["proposer", "models"],
        (
            CHAT,
            "ModelConfig",
            "One of several models. What is not said is as in `[proposer]`; only the key is not handed on to another address.",
        ),
    ),
    section(
        "`[proposer.moves]`",
        "proposer = { kind = 'chat', moves = {} }",
        &["proposer", "moves"],
        (
            CHAT,
            "Moves",
            "Weights of the kinds of request, from the second round on.",
        ),
    ),
    section(
        "`[proposer]` `kind = \"replay\"`",
        "proposer = { kind = 'replay', path = 'x.db' }",
        &["proposer"],
        (
            "orchestrator/src/proposer/replay.rs",
            "ReplayConfig",
            "Drafts written down before.",
        ),
    ),
    section(
        "`[verifier]` `kind = \"tinyv\"`, `\"xverify\"`, `\"llm\"`",
        "verifier = { kind = 'llm' }",
        &["verifier"],
        (
            JUDGE,
            "ModelConfig",
            "A model is asked whether an answer is right: [verifiers.md](verifiers.md). The default is `kind = \"rule\"`, which takes `conventions` only.",
        ),
    ),
    section(
        "`[verifier.conventions]`",
        "verifier = { kind = 'llm', conventions = {} }",
        &["verifier", "conventions"],
        (
            CONVENTIONS,
            "Conventions",
            "How a notation is read where usage differs: [verification.md](verification.md).",
        ),
    ),
    section(
        "`[trainer]` `kind = \"candle\"`",
        "trainer = { kind = 'candle' }",
        &["trainer"],
        (
            CANDLE,
            "CandleConfig",
            "The embedded trainer, the default: [trainer.md](trainer.md), [checkpoints.md](checkpoints.md), [gpu.md](gpu.md).",
        ),
    ),
    section(
        "`[trainer]` `kind = \"trl\"`, `\"ray\"`",
        "trainer = { kind = 'trl' }",
        &["trainer"],
        (
            TRL,
            "TrlConfig",
            "TRL in Python, a process a trial ([trl.md](trl.md)) or a job of a Ray cluster a trial ([ray.md](ray.md)).",
        ),
    ),
    section(
        "`[trainer.cluster]`",
        "trainer = { kind = 'ray', cluster = {} }",
        &["trainer", "cluster"],
        (
            "trainer-bridge/src/worker/cluster.rs",
            "ClusterConfig",
            "The Ray cluster of `kind = \"ray\"`: [ray.md](ray.md).",
        ),
    ),
    section(
        "`[trainer.lora]`",
        "trainer = { kind = 'candle', lora = {} }",
        &["trainer", "lora"],
        (
            LORA,
            "LoraConfig",
            "Train a low-rank adapter instead of all weights. An empty section takes the defaults; without the section there is no adapter.",
        ),
    ),
    section(
        "`[grpo]`",
        "",
        &["grpo"],
        (
            GRPO,
            "GrpoConfig",
            "GRPO, under TRL's names where it has them: [trainer.md](trainer.md).",
        ),
    ),
    section(
        "`[evaluation]`",
        "",
        &["evaluation"],
        (
            SAMPLING,
            "SamplingConfig",
            "How held-out completions are drawn.",
        ),
    ),
    section(
        "`[screen]`",
        "",
        &["screen"],
        (
            CONFIG,
            "ScreenConfig",
            "The short run that ranks a candidate on Dev.",
        ),
    ),
    section(
        "`[screen] rungs`",
        "screen = { rungs = [{ steps = 1, problems = 10 }] }",
        &["screen", "rungs"],
        (
            LADDER,
            "Rung",
            "One budget of several: [searches.md](searches.md).",
        ),
    ),
    section(
        "`[screen.gate]`",
        "screen = { gate = {} }",
        &["screen", "gate"],
        (
            "orchestrator/src/config/gate.rs",
            "GateConfig",
            "Which candidates are refused before any training: [searches.md](searches.md), [probe.md](probe.md).",
        ),
    ),
    section(
        "`[screen.race]`",
        "verifier = { kind = 'llm' }\nscreen = { race = {} }",
        &["screen", "race"],
        (
            "orchestrator/src/config/race.rs",
            "RaceConfig",
            "Where a model judges: a candidate that is losing against the best of the rounds before is judged no further. Without the section \
             every question is judged.",
        ),
    ),
    section(
        "`[ensemble]`",
        "",
        &["ensemble"],
        (MIXES, "EnsembleConfig", "Mixes of the best candidates."),
    ),
    section(
        "`[ensemble.greedy]`",
        "ensemble = { greedy = { trials = 4 } }",
        &["ensemble", "greedy"],
        (
            MIXES,
            "GreedyConfig",
            "A mix is searched for on Dev, member by member; without the section none is.",
        ),
    ),
    section(
        "`[confirm]`",
        "",
        &["confirm"],
        (
            CONFIG,
            "ConfirmConfig",
            "Longer runs of the finalists, judged on Test with several seeds.",
        ),
    ),
    section(
        "`[limits]`",
        "",
        &["limits"],
        (
            "sandbox/src/limits.rs",
            "Limits",
            "What a reward may use up.",
        ),
    ),
    section(
        "`[log]`",
        "",
        &["log"],
        (
            "orchestrator/src/config/log.rs",
            "LogConfig",
            "What else is written beside the database.",
        ),
    ),
];
