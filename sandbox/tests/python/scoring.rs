//! Scores: as TRL would call, with what the host passes, the same every time, and with faults that name the sample.

use sandbox::{Component, Fault, Limits, Sample, Sandbox, Source, Verdict};

use super::{engine, load, reward, sample};

#[test]
fn a_function_is_called_as_trl_calls_it() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(prompts, completions, answer, **kwargs):
    assert sorted(kwargs) == ['correct', 'extracted', 'ground_truth', 'label', 'solution', 'target'], kwargs
    assert kwargs['correct'] == [True, False] and kwargs['extracted'] == ['5', None]
    return [float(p == 'q→' and c == 'é' and a == '') + i for i, (p, c, a) in enumerate(zip(prompts, completions, answer))]";
    let verdict = Verdict {
        correct: true,
        extracted: Some("5".to_owned()),
    };
    let first = Sample {
        verdict: &verdict,
        ..sample("q→", "é", "")
    };
    let scores = reward(sandbox, code).score(&[first, sample("q→", "é", "")]);
    assert_eq!(scores, Ok(vec![1.0, 2.0]));
}

#[test]
fn a_function_gets_only_the_columns_it_names() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, *, answer, weight=2.0):
    return [weight * (c == a) for c, a in zip(completions, answer)]";
    let scores = reward(sandbox, code).score(&[sample("", "4", "4"), sample("", "5", "4")]);
    assert_eq!(scores, Ok(vec![2.0, 0.0]));
}

#[test]
fn the_answers_go_by_the_names_that_data_sets_give_them() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, solution, ground_truth, target=None, **kwargs):
    same = solution == ground_truth == target == kwargs.get('label') == kwargs['answer']
    return [float(same and c == s) for c, s in zip(completions, solution)]";
    let scores = reward(sandbox, code).score(&[sample("", "4", "4"), sample("", "5", "4")]);
    assert_eq!(scores, Ok(vec![1.0, 0.0]));
    let one = reward(
        sandbox,
        "def reward(completions, label):\n    return [float(c == x) for c, x in zip(completions, label)]",
    );
    assert_eq!(one.score(&[sample("", "4", "4")]), Ok(vec![1.0]));
}

#[test]
fn a_reward_of_conversations_is_given_them_unasked() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, **kwargs):
    return [float(len(completion[0]['content'])) for completion in completions]";
    let batch = [sample("q", "abc", ""), sample("q", "", "")];
    assert_eq!(reward(sandbox, code).score(&batch), Ok(vec![3.0, 0.0]));
    let plain = format!("# reward-search: completions=plain\n{code}");
    let fault = reward(sandbox, &plain)
        .score(&batch)
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("string indices") && fault.contains("completions=conversational"),
        "{fault}"
    );
}

#[test]
fn a_large_batch_costs_a_few_times_what_a_sample_may() {
    let Some(sandbox) = engine() else { return };
    let looping = reward(
        sandbox,
        "def reward(completions):\n    while 'loop' in completions:\n        pass\n    return [0.0] * len(completions)",
    );
    let mut batch = vec![sample("", "", ""); 512];
    batch[300] = sample("", "loop", "");
    let started = std::time::Instant::now();
    assert_eq!(
        looping.score(&batch),
        Err(Fault::out_of_fuel(300, sandbox::Language::Python))
    );
    // It was 160 seconds; this leaves room for a busy machine.
    assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
}

#[test]
fn conversational_completions_are_lists_of_messages() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(prompts, completions, **kwargs):
    assert all(p[0]['role'] == 'user' and c[0]['role'] == 'assistant' for p, c in zip(prompts, completions))
    return [float(len(completion[0]['content'])) for completion in completions]";
    let source = Source::python(code).conversational();
    let scores = load(sandbox, &source)
        .unwrap()
        .score(&[sample("q", "abc", "")]);
    assert_eq!(scores, Ok(vec![3.0]));
}

#[test]
fn components_are_summed_and_recorded_and_printing_is_kept() {
    let Some(sandbox) = engine() else { return };
    let code = "def graded(completions, **kwargs):
    print('scoring', len(completions))
    return {'length': [len(c) / 10 for c in completions], 'polite': [1 if 'please' in c else 0 for c in completions]}";
    let graded = reward(sandbox, code);
    let scores = graded
        .score_parts(&[sample("", "please", ""), sample("", "no", "")])
        .unwrap();
    assert_eq!(scores.total, [0.6 + 1.0, 0.2]);
    let component = |name: &str, values: [f64; 2]| Component {
        name: name.to_owned(),
        values: values.to_vec(),
    };
    assert_eq!(
        scores.components,
        [
            component("length", [0.6, 0.2]),
            component("polite", [1.0, 0.0])
        ]
    );
    assert_eq!(scores.printed, "scoring 2\n");
    let plain = reward(
        sandbox,
        "def plain(completions):\n    return [2] * len(completions)",
    );
    let scores = plain.score_parts(&[sample("", "", "")]).unwrap();
    assert_eq!(
        (scores.components[0].name.as_str(), scores.total),
        ("plain", vec![2.0])
    );
}

#[test]
fn what_is_printed_is_cut() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions):\n    print('é' * 1_000_000)\n    print('more')\n    return [0.0] * len(completions)";
    let scores = reward(sandbox, code)
        .score_parts(&[sample("", "", "")])
        .unwrap();
    assert!(
        scores.printed.starts_with("éé") && scores.printed.len() < 20_000,
        "{}",
        scores.printed.len()
    );
}

#[test]
fn an_empty_batch_is_an_empty_answer() {
    let Some(sandbox) = engine() else { return };
    let careless = reward(
        sandbox,
        "def reward(completions):\n    return [1 / len(completions)]",
    );
    assert_eq!(careless.score(&[]), Ok(vec![]));
}

#[test]
fn the_fault_names_the_sample() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, **kwargs):
    out = []
    for text in completions:
        if text == 'raise':
            raise ValueError('no number in ' + text)
        while text == 'loop':
            pass
        out.append(None if text == 'none' else float(text))
    return out";
    let careful = reward(sandbox, code);
    let batch = |last: &'static str| {
        careful.score(&[
            sample("", "1", ""),
            sample("", "2", ""),
            sample("", last, ""),
        ])
    };
    assert_eq!(batch("3"), Ok(vec![1.0, 2.0, 3.0]));
    assert_eq!(
        batch("loop"),
        Err(Fault::out_of_fuel(2, sandbox::Language::Python))
    );
    assert_eq!(batch("nan"), Err(Fault::NotFinite { index: 2 }));
    // As TRL adds rewards up: who abstains adds nothing.
    assert_eq!(batch("none"), Ok(vec![1.0, 2.0, 0.0]));
    let Err(Fault::Exception {
        index: 2,
        traceback,
    }) = batch("raise")
    else {
        panic!("no exception");
    };
    assert_eq!(
        traceback,
        "Traceback (most recent call last):\n  File \"reward.py\", line 5, in reward\n    raise ValueError('no number in ' + text)\nValueError: no number in raise"
    );
}

#[test]
fn a_fault_of_the_batch_alone_is_said_to_be_one() {
    let Some(sandbox) = engine() else { return };
    let lonely = reward(sandbox, "def reward(completions):\n    return [1.0]");
    let Err(Fault::Batch { samples: 2, fault }) = lonely.score(&[sample("", "", ""); 2]) else {
        panic!("no fault of the batch");
    };
    assert_eq!(
        *fault,
        Fault::WrongLength {
            index: 0,
            expected: 2,
            found: 1
        }
    );
}

#[test]
fn equal_calls_give_equal_bits_and_equal_fuel() {
    let Some(sandbox) = engine() else { return };
    let code = "import random\nSEEN = []\ndef reward(completions):\n    SEEN.extend(completions)\n    words = {w for c in SEEN for w in c.split()}\n    print(list(words), hash('word'), random.gauss(0, 1), len(SEEN))\n    return [sum(hash(w) % 7 / 3 for w in words) for _ in completions]";
    let batch = [
        sample("", "a few words here", ""),
        sample("", "and some there", ""),
    ];
    let dice = reward(sandbox, code);
    let first = dice.score_parts(&batch).unwrap();
    let other = Sandbox::new(Limits::default()).unwrap();
    for again in [
        dice.score_parts(&batch).unwrap(),
        reward(&other, code).score_parts(&batch).unwrap(),
    ] {
        assert_eq!(again, first);
    }
    assert_eq!(
        dice.measure(&batch[0]),
        reward(&other, code).measure(&batch[0])
    );
}

#[test]
fn limits_hold_for_python_too() {
    let Some(_) = engine() else { return };
    let small = Sandbox::new(Limits {
        python_fuel_per_call: 300_000_000,
        python_memory_mib: 64,
        sample_kib: 1,
        ..Limits::default()
    })
    .unwrap();
    let code = "def reward(completions):\n    return [float(sum(range(int(c))) + len(bytes(int(c) << 10))) for c in completions]";
    let greedy = reward(&small, code);
    assert!(greedy.score(&[sample("", "10", "")]).is_ok());
    assert_eq!(
        greedy.score(&[sample("", "1000000000", "")]),
        Err(Fault::out_of_fuel(0, sandbox::Language::Python))
    );
    let hoarding = reward(
        &small,
        "def reward(completions):\n    return [float(len(bytes(int(c) << 20))) for c in completions]",
    );
    assert_eq!(
        hoarding.score(&[sample("", "1", ""), sample("", "100", "")]),
        Err(Fault::out_of_memory(1, sandbox::Language::Python))
    );
    let long = "x".repeat(2000);
    assert!(matches!(
        greedy.score(&[sample("", "1", ""), sample("", &long, "")]),
        Err(Fault::SampleTooLarge { index: 1, .. })
    ));
}

#[test]
fn many_threads_score_at_once() {
    let Some(sandbox) = engine() else { return };
    let counting = reward(
        sandbox,
        "N = []\ndef reward(completions):\n    N.append(1)\n    print(len(N))\n    return [float(len(c)) for c in completions]",
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let scores = counting.score_parts(&[sample("", "abc", ""); 4]).unwrap();
                    assert_eq!((scores.total, &*scores.printed), (vec![3.0; 4], "1\n"));
                }
            });
        }
    });
}

#[test]
fn the_wall_clock_ends_what_fuel_does_not() {
    if engine().is_none() {
        return;
    }
    // As if fuel did not count at all.
    let limits = sandbox::Limits {
        python_fuel_per_call: 1 << 50,
        deadline_ms: 1000,
        ..sandbox::Limits::default()
    };
    let sandbox = sandbox::Sandbox::new(limits).unwrap();
    let code = "def reward(completions, **kwargs):\n    while len(completions) > 1:\n        pass\n    return [1.0] * len(completions)";
    let reward = reward(&sandbox, code);
    let batch = [sample("", "a", "1"), sample("", "b", "1")];
    let started = std::time::Instant::now();
    let fault = reward.score(&batch).unwrap_err();
    let late = Fault::Batch {
        samples: 2,
        fault: Box::new(Fault::Deadline { index: 0 }),
    };
    assert_eq!(fault, late);
    // Twice six times the deadline, for a batch has more fuel than one sample.
    let took = started.elapsed();
    assert!(
        took > std::time::Duration::from_secs(10) && took < std::time::Duration::from_secs(60),
        "{took:?}"
    );
    assert_eq!(reward.score(&batch[..1]), Ok(vec![1.0]));
}
