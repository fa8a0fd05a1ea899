//! What is said where a reward asks for something that is not there: its name, its line, and what takes its place.

use sandbox::{CompileError, Source, probe};

use super::{engine, load, reward, sample};

/// The refusal of a file when it is loaded, or the fault of a completion.
fn said(code: &str) -> String {
    let Some(sandbox) = engine() else {
        return String::new();
    };
    match load(sandbox, &Source::python(code)) {
        Err(rejection) => rejection.to_string(),
        Ok(reward) => reward
            .score(&[sample("q", "it is 4", "4")])
            .unwrap_err()
            .to_string(),
    }
}

/// The body of a reward that does something in line 5.
fn doing(import: &str, what: &str) -> String {
    format!(
        "{import}\n\n\ndef reward(completions, **kwargs):\n    {what}\n    return [0.0] * len(completions)\n"
    )
}

#[test]
fn what_is_called_is_named_with_its_line() {
    if engine().is_none() {
        return;
    }
    for (import, what, says) in [
        (
            "import os",
            "os.open('/etc/passwd', 0)",
            &["line 5: `os.open` is not there"][..],
        ),
        (
            "import random",
            "random._os.open('/etc/passwd', 0)",
            &["`os.open` is not there", "(line 5)"],
        ),
        (
            "import random",
            "random._os._exit(1)",
            &["`os._exit` is not there", "(line 5)"],
        ),
        (
            "import random",
            "random.SystemRandom().random()",
            &["`os.urandom` is not there", "(line 5)"],
        ),
        (
            "",
            "open('/etc/passwd').read()",
            &[
                "`open` is not there in the sandbox (for '/etc/passwd')",
                "(line 5)",
            ],
        ),
        (
            "",
            "input('score? ')",
            &["`input` is not there", "(line 5)"],
        ),
        (
            "",
            "breakpoint()",
            &["`breakpoint` is not there", "(line 5)"],
        ),
        (
            "import subprocess",
            "subprocess.run(['ls'])",
            &["line 1: `subprocess` is not there: the sandbox has no files and no processes"],
        ),
        (
            "import socket",
            "socket.socket()",
            &["line 1: `socket` is not there: the sandbox has no network"],
        ),
        (
            "",
            "__import__('_thread').start_new_thread(print, ())",
            &["_thread", "(line 5)"],
        ),
        (
            "import statistics",
            "statistics.sys.modules['time'].monotonic()",
            &["`time.monotonic` is not there", "(line 5)"],
        ),
        (
            "import time",
            "time.tzset()",
            &["line 5: `time.tzset` is not there"],
        ),
        (
            "import threading",
            "threading.setprofile(None)",
            &["line 5: `threading.setprofile` is not there"],
        ),
    ] {
        let said = said(&doing(import, what));
        for word in says {
            assert!(said.contains(word), "{what}: {word}: {said}");
        }
    }
}

#[test]
fn threads_clocks_and_coroutines_go_on_and_what_differs_is_noted() {
    let Some(sandbox) = engine() else { return };
    let code = "import asyncio\nimport threading\nimport time\nimport random\n\n\nasync def judged(text):\n    await asyncio.sleep(1)\n    return len(text)\n\n\n\
                async def reward(completions, **kwargs):\n    started = time.time()\n    thread = threading.Thread(target=print, args=(random.random(),))\n    thread.start()\n    \
                thread.join()\n    lengths = await asyncio.gather(*map(judged, completions))\n    return [n + time.time() - started for n in lengths]\n";
    let loaded = reward(sandbox, code);
    assert_eq!(loaded.score(&[sample("", "abc", "")]), Ok(vec![3.0]));
    let notes = &loaded.about().unwrap().notes;
    for (line, word) in [(2, "no threads"), (3, "no clock"), (4, "random")] {
        let start = format!("line {line}: ");
        assert!(
            notes
                .iter()
                .any(|note| note.starts_with(&start) && note.contains(word)),
            "{notes:?}"
        );
    }
}

#[test]
fn a_reference_that_is_a_text_is_no_conversation() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, answer, **kwargs):\n    return [float(a.get('value') == c) for c, a in zip(completions, answer)]\n";
    let fault = reward(sandbox, code)
        .score(&[sample("", "abc", "4")])
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("'str' object has no attribute 'get'"),
        "{fault}"
    );
    assert!(!fault.contains("conversational"), "{fault}");
}

#[test]
fn a_reward_that_trips_over_an_empty_completion_is_told_so() {
    let Some(sandbox) = engine() else { return };
    let code = "def reward(completions, **kwargs):\n    return [float(text.split()[-1] == '4') for text in completions]\n";
    let good = [sample("", "it is 4", "4")];
    let Err(CompileError::Rejected(rejection)) = probe(&reward(sandbox, code), &good) else {
        panic!("accepted");
    };
    let said = rejection.to_string();
    assert!(
        said.starts_with("fails on an empty completion")
            || said.starts_with("fails on nothing but empty texts"),
        "{said}"
    );
    assert!(
        said.contains("IndexError") && said.contains("(line 2)"),
        "{said}"
    );
}
