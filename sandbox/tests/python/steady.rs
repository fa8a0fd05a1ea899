//! Rewards whose scores depend on chance, or on what was scored before: refused with the line to blame. Those that only log so are not.

use sandbox::{CompileError, Rejection, Source};

use super::{engine, load, reward, sample};

/// How a file is refused when it is loaded: rule, line, message.
fn refused(code: &str) -> Option<(String, usize, String)> {
    match load(engine()?, &Source::python(code)) {
        Err(Rejection::Forbidden { rule, what, line }) => Some((rule, line, what)),
        Err(other) => panic!("{other}\n{code}"),
        Ok(_) => None,
    }
}

#[test]
fn chance_and_memory_are_refused_with_their_line() {
    if engine().is_none() {
        return;
    }
    let batch = "completions, **kwargs";
    for (rule, line, name, code) in [
        ("random", 3, "random.random", format!("import random\ndef f({batch}):\n    return [random.random() for _ in completions]\n")),
        ("random", 3, "gauss", "from random import gauss\ndef f(solution_str, ground_truth):\n    return len(solution_str) + gauss(0, 1)\n".to_owned()),
        ("random", 4, "RNG.random", format!("import random\nRNG = random.Random()\ndef f({batch}):\n    return [RNG.random() for _ in completions]\n")),
        ("state", 4, "random.random", format!("import random\nrandom.seed(4)\ndef f({batch}):\n    return [random.random() for _ in completions]\n")),
        ("state", 4, "n", format!("n = 0\ndef f({batch}):\n    global n\n    n += 1\n    return [float(n)] * len(completions)\n")),
        ("state", 4, "SEEN", format!("SEEN = set()\ndef new(text):\n    found = text in SEEN\n    SEEN.add(text)\n    return float(found)\ndef f({batch}):\n    return [new(text) for text in completions]\n")),
        ("state", 2, "seen", "def f(completions, seen=[], **kwargs):\n    seen.extend(completions)\n    return [float(len(seen))] * len(completions)\n".to_owned()),
        ("state", 4, "F.calls", format!("class F:\n    calls = 0\n    def __call__(self, {batch}):\n        F.calls += 1\n        return [float(self.calls)] * len(completions)\n")),
        ("state", 5, "self.best", format!("class F:\n    def __init__(self):\n        self.best = 0\n    def __call__(self, {batch}):\n        self.best = max(self.best, *map(len, completions)) + 1\n        return [float(self.best)] * len(completions)\n")),
        ("state", 5, "n", format!("def make():\n    n = 0\n    def f({batch}):\n        nonlocal n\n        n += 1\n        return [float(n)] * len(completions)\n    return f\n# reward-search: function=make()\n")),
        ("state", 4, "IDS", format!("import itertools\nIDS = itertools.count()\ndef f({batch}):\n    return [float(next(IDS)) for _ in completions]\n")),
        ("state", 4, "calls", "calls = 0\ndef f(solution_str, ground_truth):\n    global calls\n    calls += 1\n    return float(calls % 2)\n".to_owned()),
        ("state", 3, "S", format!("S = {{}}\ndef f({batch}):\n    s = S\n    s['n'] = s.get('n', 0) + 1\n    return [float(s['n'])] * len(completions)\n")),
        ("state", 2, "f.calls", format!("def f({batch}):\n    f.calls = getattr(f, 'calls', 0) + 1\n    return [float(f.calls)] * len(completions)\n")),
    ] {
        let (found, at, what) = refused(&code).unwrap_or_else(|| panic!("accepted: {code}"));
        assert_eq!((&*found, at), (rule, line), "{what}\n{code}");
        assert!(what.starts_with(&format!("`{name}`")), "{what}\n{code}");
    }
}

#[test]
fn what_moves_no_score_is_left_alone() {
    if engine().is_none() {
        return;
    }
    for code in [
        "import random\ndef f(completions, **kwargs):\n    if random.random() < 0.5:\n        print(completions)\n    return [float(len(c)) for c in completions]\n",
        "import random\ndef f(solution_str, ground_truth):\n    if random.randint(1, 2) == 1:\n        print(solution_str)\n    return float(solution_str == ground_truth)\n",
        "import random\ndef f(completions, **kwargs):\n    return [random.Random(c).random() for c in completions]\n",
        "n = 0\ndef f(completions, **kwargs):\n    global n\n    n += 1\n    if n % 10 == 0:\n        print(n)\n    return [1.0] * len(completions)\n",
        "KNOWN = {}\ndef f(completions, **kwargs):\n    return [KNOWN.setdefault(c, float(len(c))) for c in completions]\n",
        "import functools\n@functools.lru_cache\ndef length(text):\n    return float(len(text))\ndef f(completions, **kwargs):\n    return [length(c) for c in completions]\n",
        "def f(completions, **kwargs):\n    best = max(map(len, completions))\n    return [len(c) - best for c in completions]\n",
    ] {
        assert_eq!(refused(code), None, "{code}");
    }
}

#[test]
fn its_own_samples_show_what_made_up_ones_do_not() {
    let Some(sandbox) = engine() else { return };
    let code = "import random\ndef f(completions, nums, **kwargs):\n    return [random.random() if n else 0.0 for n in nums]\n";
    let random = reward(sandbox, code);
    let row = |row| sandbox::Sample {
        row,
        ..sample("", "four", "")
    };
    let plain = [row(r#"{"nums": []}"#)];
    let telling = [row(r#"{"nums": []}"#), row(r#"{"nums": [1]}"#)];
    assert!(random.check_steady(&plain).is_ok());
    let Err(CompileError::Rejected(rejection)) = random.check_steady(&telling) else {
        panic!("accepted");
    };
    assert!(
        rejection
            .to_string()
            .starts_with("line 3: `random.random` decides the score"),
        "{rejection}"
    );
}
