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
        missing.to_string().contains("no function `long`"),
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
    let numpy = refused("import re\nimport numpy as np\n");
    assert!(
        numpy.starts_with("line 2: the module `numpy` is not there"),
        "{numpy}"
    );
    let syntax = refused("def reward(completions):\n    return [\n");
    assert!(
        syntax.starts_with("line 2: '[' was never closed"),
        "{syntax}"
    );
    let raised = refused("\n\nX = {}['key']\n");
    assert_eq!(raised, "fails while it is loaded: KeyError: 'key' (line 3)");
    let column = refused("def reward(completions, solution):\n    return []\n");
    assert!(
        column.contains("needs a parameter `solution`, which nobody passes"),
        "{column}"
    );
}

#[test]
fn a_source_too_large_is_refused_unread() {
    let Some(sandbox) = engine() else { return };
    let code = format!("# {}\n", "x".repeat(5 << 20));
    let refused = load(sandbox, &Source::python(code)).unwrap_err();
    assert!(matches!(refused, Rejection::TooLarge { .. }), "{refused}");
}
