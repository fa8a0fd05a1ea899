//! Which functions cut all cycles of direct calls.

/// A function on whose entry something can be counted, for each cycle in `calls` (callees by caller) at least one: those
/// that a depth-first walk meets again while it is still inside them.
pub(super) fn cuts(calls: &[Vec<u32>]) -> Vec<bool> {
    let mut cuts = vec![false; calls.len()];
    let mut state = vec![State::New; calls.len()];
    for root in 0..calls.len() {
        if state[root] != State::New {
            continue;
        }
        state[root] = State::Open;
        let mut path = vec![(root, 0)];
        while let Some((function, next)) = path.last_mut() {
            let Some(callee) = calls[*function].get(*next) else {
                state[*function] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let callee = *callee as usize;
            match state[callee] {
                State::New => {
                    state[callee] = State::Open;
                    path.push((callee, 0));
                }
                State::Open => cuts[callee] = true,
                State::Done => {}
            }
        }
    }
    cuts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// The walk is inside.
    Open,
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cycle_is_cut_and_nothing_else() {
        // 0 -> 1 -> 2 -> 1, 2 -> 3, 3 -> 3, 0 -> 4 -> 3.
        let calls = [vec![1, 4], vec![2], vec![1, 3], vec![3], vec![3]];
        assert_eq!(cuts(&calls), [false, true, false, true, false]);
        assert_eq!(cuts(&[vec![1], vec![2], vec![]]), [false; 3]);
    }
}
