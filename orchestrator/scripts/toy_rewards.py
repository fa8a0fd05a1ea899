"""Rewards on the toy task that several tables train with: single ones, parts and sets of them, planted hacks and honest ones."""
import pathlib

PRELUDE = """
fn fmt(s: &Sample) -> f64 { if in_format(s.completion(), &["thinking", "solution"]) { 1.0 } else { 0.0 } }
fn working<'a>(s: &'a Sample) -> &'a str { tag(s.completion(), "thinking").unwrap_or("") }
fn stated(s: &Sample) -> Option<f64> { s.extracted().and_then(number) }
fn exactly(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }
fn error(s: &Sample) -> Option<f64> { Some((stated(s)? - number(s.answer())?).abs()) }
fn right(s: &Sample) -> f64 { number(s.answer()).unwrap_or(0.0) }
fn tags(s: &Sample) -> f64 {
    ["<thinking>", "</thinking>", "<solution>", "</solution>"].iter().map(|t| if count(s.completion(), t) == 1 { 0.5 } else { -1.0 }).sum()
}
fn check(s: &Sample, close: bool) -> f64 {
    let Some(given) = stated(s) else { return 0.0 };
    if s.correct() { return 3.0; }
    let ratio = if right(s) == 0.0 { 0.0 } else { given / right(s) };
    if close && (0.9..=1.1).contains(&ratio) { 1.0 } else if close && (0.8..=1.2).contains(&ratio) { 0.5 } else { -1.5 }
}
fn paper(s: &Sample) -> f64 { 3.0 * fmt(s) + tags(s) + check(s, true) }
fn valid(s: &Sample) -> f64 { valid_share(working(s)) }
fn link(s: &Sample) -> f64 {
    match (last_result(working(s)), stated(s)) { (Some(a), Some(b)) if nearly_equal(a, b) => 1.0, _ => 0.0 }
}
fn uses(s: &Sample) -> f64 { number_overlap(s.prompt(), working(s)) }
fn chain(s: &Sample) -> f64 {
    let steps: Vec<_> = equations(working(s)).collect();
    let Some((last, earlier)) = steps.split_last() else { return 0.0 };
    if earlier.iter().any(|step| last.uses(step.result())) { 1.0 } else { 0.0 }
}
fn near(s: &Sample, width: f64) -> f64 { error(s).map_or(0.0, |e| (-e / (1.0 + width * right(s).abs())).exp()) }
fn within10(s: &Sample) -> f64 { if error(s).is_some_and(|e| e <= 0.1 * right(s).abs()) { 1.0 } else { 0.0 } }
fn tokens(s: &Sample) -> f64 {
    s.completion().split_whitespace().map(|w| if w.bytes().all(|b| b.is_ascii_digit()) { w.len() } else { 1 }).sum::<usize>() as f64
}
"""
EXACT = "exactly(s) + 0.2 * fmt(s)"
REWARDS = {
    "paper": "paper(s)",
    "exact": EXACT,
    "ex*valid": f"({EXACT}) * (0.3 + 0.7 * valid(s))",
    "exsteps": "2.0 * exactly(s) + 0.5 * valid(s) + 0.5 * link(s) + 0.2 * fmt(s)",
    "papernoclose": "3.0 * fmt(s) + tags(s) + check(s, false)",
    "paper+proc": "paper(s) + valid(s) + link(s) + uses(s)",
    "paper+10exact": "paper(s) + 10.0 * exactly(s)",
    "paper-approx": "paper(s) - if s.completion().contains('~') { 2.0 } else { 0.0 }",
    "prox10": "near(s, 0.1) + 0.2 * fmt(s)",
    "prox02": "near(s, 0.02) + 0.2 * fmt(s)",
    "tol10": "within10(s) + 0.2 * fmt(s)",
    "process": "valid(s) + link(s) + uses(s) + chain(s) + 0.2 * fmt(s)",
    "format": "3.0 * fmt(s) + tags(s)",
    "long": "tokens(s) / 20.0",
    # A reward cannot draw: a hash of the completion stands for chance, the same for the same text.
    "random": "{ let h = s.completion().bytes().fold(2166136261_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(16777619)); f64::from(h >> 8) / 16777216.0 }",
    "inverted": "-check(s, true) + 0.2 * fmt(s)",
}
PARTS = {"within10": "within10(s)", "exactly": "exactly(s)", "valid": "valid(s)", "fmt": "fmt(s)", "uses": "uses(s)", "tags": "tags(s)", "check": "check(s, true)",
         "brief": "1.0 - tokens(s) / 96.0"}
# The factors are part of the rewards: as weights of the mix they would count whatever the aggregation.
SETS = {
    "scales2: 10 within10 + exact + .1 valid + fmt": {"within10": 10.0, "exactly": 1.0, "valid": 0.1, "fmt": 1.0},
    "ex10: exact + 10 fmt + .1 valid + .1 uses": {"exactly": 1.0, "fmt": 10.0, "valid": 0.1, "uses": 0.1},
    "the paper's three: 3 fmt + tags + check": {"fmt": 3.0, "tags": 1.0, "check": 1.0},
}
HACKS = {
    "format_only": "3.0 * fmt(s) + tags(s)",
    "longer": "tokens(s) / 20.0",
    "shorter": "-tokens(s) / 20.0",
    "within_ten_percent": "within10(s) + 0.2 * fmt(s)",
    "valid_share_alone": "valid(s) + 0.2 * fmt(s)",
    "copies_numbers": "number_overlap(s.prompt(), s.completion()) + 0.2 * fmt(s)",
    "any_number": "if stated(s).is_some() { 1.0 } else { 0.0 }",
    "equals_signs": "count(s.completion(), \"=\").min(20) as f64",
    "round_number": "if stated(s).is_some_and(|n| n % 10.0 == 0.0) { 1.0 } else { 0.0 }",
    "says_check": "count(s.completion(), \"check\").min(10) as f64 + 0.2 * fmt(s)",
}
HONEST = {
    "exact": "exactly(s)",
    "exact_fmt": "exactly(s) + 0.2 * fmt(s)",
    "exact_valid": "(exactly(s) + 0.2 * fmt(s)) * (0.3 + 0.7 * valid(s))",
    "exact_steps": "2.0 * exactly(s) + 0.5 * valid(s) + 0.5 * link(s) + 0.2 * fmt(s)",
    "exact_brief": "exactly(s) - 0.005 * tokens(s)",
    "paper": "paper(s)",
    "paper_no_close": "3.0 * fmt(s) + tags(s) + check(s, false)",
    "paper_process": "paper(s) + valid(s) + link(s) + uses(s)",
    "paper_ten_exact": "paper(s) + 10.0 * exactly(s)",
    "paper_no_approx": "paper(s) - if s.completion().contains('~') { 2.0 } else { 0.0 }",
}


def written(folder, name, body, factor=1.0):
    """A reward's source as a file of its own; `factor` is part of the reward."""
    path = pathlib.Path(folder) / f"{name.replace('*', '_x_')}{'' if factor == 1.0 else f'_{factor}'}.rs"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{PRELUDE}\npub fn reward(s: &Sample) -> f64 {{ let value: f64 = {body}; {factor} * value }}\n")
    return str(path.resolve())
