//! Twelve rewards, each in Python and in Rust, give equal scores: in CPython and in the sandbox.

use super::cpython::{Python, REWARDS, difference, recorded, samples, source, tagged};
use super::reward;

const NUMBER: usize = 500;

#[test]
fn python_and_rust_give_equal_scores() {
    let mut texts = recorded(NUMBER / 2).unwrap_or_else(|| {
        eprintln!("skipped: GSM8K's recorded solutions are not there; made-up completions only");
        Vec::new()
    });
    texts.extend(tagged(NUMBER - texts.len()));
    let Some(mut python) = Python::start(&texts) else {
        eprintln!("skipped: no python3 to compare with");
        return;
    };
    let samples = samples(&texts);
    let mut wrong = Vec::new();
    for (name, scan_agrees) in REWARDS {
        let (_, theirs) = python.score(name);
        assert_eq!(theirs.len(), NUMBER);
        assert!(theirs.iter().any(|score| *score != theirs[0]), "{name} is constant");
        for form in ["regex", "scan"] {
            let ours = reward(&source(name, form)).score(&samples).unwrap();
            let place = difference(&ours, &theirs);
            if form == "scan" && !scan_agrees {
                assert!(place.is_some(), "{name}.{form} agrees after all");
                continue;
            }
            if let Some(place) = place {
                wrong.push(format!(
                    "{name}.{form}: {} in the sandbox and {} in CPython for {:?}",
                    ours[place], theirs[place], texts[place].completion
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
