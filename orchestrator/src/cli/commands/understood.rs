//! How Python rewards were understood, for people: whose signature it is, what of the file is not run, what is not as it is elsewhere.

use sandbox::About;
use trainer_bridge::LoadedReward;

use crate::text::one_line;

/// Says it on standard error: what may matter to the scores always, all of it where it is asked for.
#[expect(clippy::print_stderr, reason = "what a program says of its input")]
pub(super) fn say(rewards: &[LoadedReward], all: bool) {
    for member in rewards {
        if let Some(about) = member.reward.about() {
            for line in lines(&member.name, about, all) {
                eprintln!("{line}");
            }
        }
    }
}

fn lines(name: &str, about: &About, all: bool) -> Vec<String> {
    let name = one_line(name, 200);
    let mut lines = Vec::new();
    if all || about.signature != "trl" {
        let messages = if about.conversational {
            ", completions as lists of messages"
        } else {
            ""
        };
        lines.push(format!("{name}: called as {}{messages}", about.words));
    }
    lines.extend(about.notes.iter().map(|note| format!("{name}: {note}")));
    if all {
        for statement in &about.left_out {
            lines.push(format!("{name}: not run: {statement}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_said_and_the_rest_on_request() {
        let about = About {
            function: "f".to_owned(),
            signature: "trl".to_owned(),
            words: "TRL's".to_owned(),
            conversational: true,
            notes: vec!["line 2: `time`: there is no clock".to_owned()],
            left_out: vec!["line 9: trainer.train()".to_owned()],
        };
        assert_eq!(
            lines("f", &about, false),
            ["f: line 2: `time`: there is no clock"]
        );
        assert_eq!(
            lines("f", &about, true),
            [
                "f: called as TRL's, completions as lists of messages",
                "f: line 2: `time`: there is no clock",
                "f: not run: line 9: trainer.train()"
            ]
        );
        let verl = About {
            signature: "verl".to_owned(),
            ..About::default()
        };
        assert_eq!(lines("f", &verl, false).len(), 1);
    }
}
