//! Several groups of sequences laid end to end, without padding: each prompt once, followed by the completions that share it.

use std::{ops::Range, sync::Arc};

/// A prompt and the completions sampled for it (or, in supervised training, written for it).
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// Token ids of the prompt, at least one.
    pub prompt: &'a [u32],
    /// Token ids of each completion, at least one each.
    pub completions: &'a [&'a [u32]],
}

/// Where one group's rows lie.
#[derive(Debug, Clone)]
pub struct GroupRows {
    /// Rows of the prompt.
    pub prompt: Range<usize>,
    /// Rows of each completion; its last token is no input and has none.
    pub completions: Vec<Range<usize>>,
}

/// A batch of token rows with the structure that attention needs.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Input token of each row.
    pub tokens: Vec<u32>,
    /// Position of each row within its own sequence.
    pub positions: Arc<[u32]>,
    /// The groups, in order.
    pub groups: Arc<[GroupRows]>,
    /// Rows whose hidden state predicts a completion token: completion after completion. A prompt's last row stands here once for
    /// each of its completions.
    pub predicting: Vec<u32>,
    /// The token each of `predicting` predicts.
    pub targets: Arc<[u32]>,
}

impl Pack {
    /// Lays the groups end to end.
    pub fn new(groups: &[Group<'_>]) -> Self {
        let mut tokens = Vec::new();
        let mut positions = Vec::new();
        let mut predicting = Vec::new();
        let mut targets = Vec::new();
        let mut rows = Vec::with_capacity(groups.len());
        for group in groups {
            let start = tokens.len();
            tokens.extend_from_slice(group.prompt);
            positions.extend(0..group.prompt.len() as u32);
            let prompt = start..tokens.len();
            let completions = group.completions.iter().map(|completion| {
                let start = tokens.len();
                let inputs = &completion[..completion.len().saturating_sub(1)];
                tokens.extend_from_slice(inputs);
                positions.extend((group.prompt.len()..).take(inputs.len()).map(|p| p as u32));
                predicting.push(prompt.end as u32 - 1);
                predicting.extend((start..tokens.len()).map(|row| row as u32));
                targets.extend_from_slice(completion);
                start..tokens.len()
            });
            let completions = completions.collect();
            rows.push(GroupRows {
                prompt: prompt.clone(),
                completions,
            });
        }
        Self {
            tokens,
            positions: positions.into(),
            groups: rows.into(),
            predicting,
            targets: targets.into(),
        }
    }

    /// Prompts alone: what sampling starts from. The hidden state of each prompt's last row is at `groups[i].prompt.end - 1`.
    pub fn prompts(prompts: &[&[u32]]) -> Self {
        let groups: Vec<Group<'_>> = prompts
            .iter()
            .map(|prompt| Group {
                prompt,
                completions: &[],
            })
            .collect();
        Self::new(&groups)
    }
}

impl GroupRows {
    /// Every sequence of the group as (rows of its prefix, rows of its own): the prompt first, without a prefix.
    pub fn sequences(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
        let prompt = (0..0, self.prompt.clone());
        std::iter::once(prompt).chain(
            self.completions
                .iter()
                .map(|own| (self.prompt.clone(), own.clone())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_stands_once_and_predicts_for_each_completion() {
        let completions: [&[u32]; 2] = [&[7, 8, 9], &[5]];
        let pack = Pack::new(&[Group {
            prompt: &[1, 2],
            completions: &completions,
        }]);
        assert_eq!(pack.tokens, [1, 2, 7, 8]);
        assert_eq!(*pack.positions, [0, 1, 2, 3]);
        assert_eq!(pack.predicting, [1, 2, 3, 1]);
        assert_eq!(*pack.targets, [7, 8, 9, 5]);
        let sequences: Vec<_> = pack.groups[0].sequences().collect();
        assert_eq!(sequences, [(0..0, 0..2), (0..2, 2..4), (0..2, 4..4)]);
    }
}
