//! From a file to a callable: which function is meant, what it may import, what is said where it cannot be used.

use sandbox::{Language, Module, Rejection, Source};

use super::{engine, load, reward, sample};

const TWO: &str = "import math\n\ndef close(completions, answer):\n    return [-abs(len(c) - float(a)) for c, a in zip(completions, answer)]\n\ndef _hidden(completions):\n    return []\n\ndef helper(text):\n    return text\n\ndef short(prompts, completions, **kwargs):\n    return [math.exp(-len(helper(c))) for c in completions]\n";

#[test]
fn the_functions_of_a_file_are_listed_and_loaded_by_name() {
    let Some(sandbox) = engine() else { return };
    assert_eq!(sandbox.functions(TWO).unwrap(), ["close", "short"]);
    let source = Source::python(TWO).with_function("short");
    let short = load(sandbox, &source).unwrap();
    assert_eq!(short.score(&[sample("", "", "")]), Ok(vec![1.0]));
    let unnamed = load(sandbox, &Source::python(TWO)).unwrap_err();
    assert!(
        unnamed
            .to_string()
            .contains("several reward functions (close, short)"),
        "{unnamed}"
    );
    let missing = load(sandbox, &Source::python(TWO).with_function("long")).unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("no function `long`; there is close, short"),
        "{missing}"
    );
}

#[test]
fn a_module_survives_the_way_through_a_database() {
    let Some(sandbox) = engine() else { return };
    let module = Module::python(&Source::python(TWO).with_function("close").code);
    let bytes = module.bytes().to_vec();
    let again = Module::from_bytes(bytes);
    assert_eq!((&again, again.language()), (&module, Language::Python));
    let close = sandbox.load(&again).unwrap();
    assert_eq!(close.score(&[sample("", "abc", "5")]), Ok(vec![-2.0]));
}

#[test]
fn the_modules_people_use_are_there() {
    let Some(sandbox) = engine() else { return };
    let code = "import re, math, json, statistics, collections, itertools, functools, fractions, decimal, string, random
from typing import Any, Optional
from dataclasses import dataclass
from collections import Counter, defaultdict
from __future__ import annotations
" .replace("from __future__ import annotations\n", "") + "
@dataclass
class Part:
    name: str
    weight: float = 0.5

@functools.lru_cache(maxsize=None)
def primes(n: int) -> int:
    return sum(all(k % d for d in range(2, k)) for k in range(2, n))

def reward(completions: list[str], **kwargs: Any) -> list[float]:
    part = Part('x')
    assert json.loads(json.dumps({'a': [1.5]})) == {'a': [1.5]}
    assert fractions.Fraction(1, 3) + fractions.Fraction(1, 6) == fractions.Fraction(1, 2)
    assert decimal.Decimal('0.1') * 3 == decimal.Decimal('0.3')
    assert Counter('abca').most_common(1) == [('a', 2)] and string.digits == '0123456789'
    assert statistics.median([3, 1, 2]) == 2 and list(itertools.accumulate([1, 2])) == [1, 3]
    assert re.sub(r'(?P<x>\\d+)', r'<\\g<x>>', 'a1') == 'a<1>'
    random.shuffle(order := list(range(5)))
    return [part.weight + math.gcd(12, 18) + primes(20) for _ in completions]
";
    let scores = reward(sandbox, &code).score(&[sample("", "", ""); 3]);
    assert_eq!(scores, Ok(vec![14.5; 3]));
}

#[test]
fn refusals_name_line_and_module() {
    let Some(sandbox) = engine() else { return };
    let refused = |code: &str| {
        load(sandbox, &Source::python(code))
            .unwrap_err()
            .to_string()
    };
    let several = refused(
        "import re\nimport sympy\nfrom openai import OpenAI\nclient = OpenAI()\ndef a(completions, **kwargs):\n    return [float(sympy.sympify(client.ask(c))) for c in completions]\ndef b(completions, **kwargs):\n    return [0.0]\n# reward-search: function=a\n",
    );
    assert_eq!(
        several,
        "line 2: the module `sympy` is not there in the sandbox; line 3: `openai` is not there: the sandbox has no network. Without them work b (FILE.py::NAME)"
    );
    let syntax = refused("def reward(completions):\n    return [\n");
    assert!(
        syntax.starts_with("line 2: '[' was never closed"),
        "{syntax}"
    );
    let raised = refused("\n\nX = {}['key']\ndef reward(completions):\n    return X\n");
    assert_eq!(raised, "fails while it is loaded: KeyError: 'key' (line 3)");
    let factory = refused(
        "def make(weight):\n    def f(completions, **kwargs):\n        return [weight]\n    return f\n",
    );
    assert!(factory.contains("FILE.py::make(weight=…)"), "{factory}");
    let shape = refused("def f(a, b):\n    return a\n# reward-search: function=f\n");
    assert!(
        shape.contains("signature that no trainer here is known to call: (a, b)"),
        "{shape}"
    );
}

#[test]
fn the_name_of_a_function_moves_no_line() {
    let Some(sandbox) = engine() else { return };
    let named = |code: &str| load(sandbox, &Source::python(code).with_function("f"));
    let code = "\u{feff}import math\ndef f(completions):\n    return [1 / 0]";
    let fault = named(code).unwrap().score(&[sample("", "", "")]);
    assert!(fault.unwrap_err().to_string().ends_with("(line 3)"));
    for (code, says) in [
        (
            "import re\nimport sympy\ndef f(completions): sympy.pi",
            "line 2: ",
        ),
        ("def f(completions):\n    return [\n", "line 2: "),
    ] {
        let refused = named(code).unwrap_err().to_string();
        assert!(refused.starts_with(says), "{refused}");
    }
}

#[test]
fn whatever_can_be_called_can_be_named() {
    let Some(sandbox) = engine() else { return };
    let code = "import functools
class Judge:
    def __call__(self, completions, **kwargs):
        return [1.0] * len(completions)
def _base(weight, completions, **kwargs):
    return [weight] * len(completions)
judge, partial = Judge(), functools.partial(_base, 2.0)
short = lambda completions, **kwargs: [3.0] * len(completions)
async def later(completions):
    return []
";
    for (name, score) in [("judge", 1.0), ("partial", 2.0), ("short", 3.0)] {
        let named = load(sandbox, &Source::python(code).with_function(name)).unwrap();
        assert_eq!(
            named.score(&[sample("", "", "")]),
            Ok(vec![score]),
            "{name}"
        );
    }
}

#[test]
fn what_was_understood_can_be_asked_for() {
    let Some(sandbox) = engine() else { return };
    let code = "import time\nimport torch\nmodel = torch.load('x')\nasync def compute_score(data_source, solution_str, ground_truth, extra_info):\n    time.sleep(1)\n    return {'score': float(solution_str == ground_truth), 'acc': 7}\nprint(model)\n";
    let reward = reward(sandbox, code);
    let about = reward.about().unwrap();
    assert_eq!(
        (about.signature.as_str(), about.conversational),
        ("verl", false)
    );
    assert!(about.notes[0].starts_with("line 1: `time`"), "{about:?}");
    assert_eq!(
        about.left_out,
        [
            "line 2: import torch",
            "line 3: model = torch.load('x')",
            "line 7: print(model)"
        ]
    );
    let scores = reward.score(&[sample("", "4", "4"), sample("", "5", "4")]);
    assert_eq!(scores, Ok(vec![1.0, 0.0]));
}

#[test]
fn a_signature_can_be_said() {
    let Some(sandbox) = engine() else { return };
    let code = "# reward-search: signature=pair\ndef f(a, b):\n    return float(a == b)\n# reward-search: function=f\n";
    let scores = reward(sandbox, code).score(&[sample("", "4", "4"), sample("", "5", "4")]);
    assert_eq!(scores, Ok(vec![1.0, 0.0]));
}

#[test]
fn columns_of_the_data_set_reach_a_reward_by_their_names() {
    let Some(sandbox) = engine() else { return };
    let code = "def f(completions, target, level, **kwargs):\n    return [float(len(c) == t) * n for c, t, n in zip(completions, target, level)]\n";
    let f = reward(sandbox, code);
    let row = |row| sandbox::Sample {
        row,
        ..sample("", "four", "")
    };
    let scores = f.score(&[
        row(r#"{"target": 4, "level": 3}"#),
        row(r#"{"target": 5, "level": 3}"#),
    ]);
    assert_eq!(scores, Ok(vec![3.0, 0.0]));
    let fault = f.score(&[row(r#"{"target": 4}"#)]).unwrap_err();
    assert_eq!(fault.kind(), "not_there");
    assert!(
        fault.to_string().contains(
            "needs `level`, a column that the samples do not have; there are answer, completions"
        ),
        "{fault}"
    );
}

#[test]
fn logging_prints_and_imports_that_nobody_asks_for_are_left_alone() {
    let Some(sandbox) = engine() else { return };
    let code = "import logging
import datetime
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import numpy
logger = logging.getLogger(__name__)
def reward(completions, **kwargs):
    logger.warning('%d to score', len(completions))
    logger.debug('nobody hears this')
    return [float(datetime.date(2024, 2, 29).year)] * len(completions)
if __name__ == '__main__':
    import torch
";
    let scores = reward(sandbox, code)
        .score_parts(&[sample("", "", "")])
        .unwrap();
    assert_eq!(scores.total, [2024.0]);
    assert_eq!(scores.printed, "WARNING:reward:1 to score\n");
}

#[test]
fn a_source_too_large_is_refused_unread() {
    let Some(sandbox) = engine() else { return };
    let code = format!("# {}\n", "x".repeat(5 << 20));
    let refused = load(sandbox, &Source::python(code)).unwrap_err();
    assert!(matches!(refused, Rejection::TooLarge { .. }), "{refused}");
}
