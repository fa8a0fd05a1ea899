//! Twelve rewards, each in Python and in Rust, give equal scores: in CPython, in the Python guest and in Rust guests.

use sandbox::{RewardFn, Source, guest_status};

use super::cpython::{
    Python, REWARDS, difference, python_source, recorded, samples, source, tagged,
};
use super::skipping::skip;
use super::{compiler, engine, reward};

const NUMBER: usize = 500;

#[test]
fn python_and_rust_give_equal_scores() {
    let mut texts = recorded(NUMBER / 2).unwrap_or_else(|| {
        skip("GSM8K's recorded solutions are not there; made-up completions only");
        Vec::new()
    });
    // Made-up completions do not show every difference that is meant to be there.
    let has_recorded = !texts.is_empty();
    texts.extend(tagged(NUMBER - texts.len()));
    let Some(mut python) = Python::start(&texts) else {
        skip("there is no python3 to compare with");
        return;
    };
    let samples = samples(&texts);
    let mut wrong = Vec::new();
    for (name, scan_agrees) in REWARDS {
        let (_, theirs) = python.score(name);
        assert_eq!(theirs.len(), NUMBER);
        assert!(
            !has_recorded || theirs.iter().any(|score| *score != theirs[0]),
            "{name} is constant"
        );
        let rust = ["regex", "scan"].map(|form| (form, Some(reward(&source(name, form)))));
        for (form, reward) in rust.into_iter().chain([("py", in_guest(name))]) {
            let Some(reward) = reward else { continue };
            let ours = reward.score(&samples).unwrap();
            let place = difference(&ours, &theirs);
            if form == "scan" && !scan_agrees {
                assert!(
                    place.is_some() || !has_recorded,
                    "{name}.{form} agrees after all"
                );
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

/// The Python reward in the Python guest, if that is built.
fn in_guest(name: &str) -> Option<RewardFn> {
    if !guest_status().is_ok_and(|status| status.ready) {
        skip("the Python guest is not built (`reward-search guest build`)");
        return None;
    }
    let code = std::fs::read_to_string(python_source()).unwrap();
    let source = Source::python(code).with_function(name);
    let module = compiler().compile(&source).unwrap();
    Some(engine().load(&module).unwrap())
}
