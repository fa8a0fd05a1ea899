//! A head start for regular expressions: what the module's memory holds after a reward was tried on made-up completions.
//!
//! Compiling a pattern costs more than searching a batch with it, and every batch starts in a fresh instance. So the
//! reward is run once on texts that never change, and the pages that its patterns have left in the module's memory are put
//! back wherever an instance of the module is started for it. That is a function of the reward alone: no batch sees
//! anything of another, and a call takes the same fuel in every batch. A reward that fails on these texts has no head start.

use wasmtime::{AsContextMut, Memory};

use crate::abi::Breach;

const PAGE: usize = 4096;
const WASM_PAGE: usize = 65_536;
/// Bytes of pages that are kept; more would cost more than it saves.
const LIMIT: usize = 4 << 20;

/// The pages in which a used memory differs from a fresh one.
pub(crate) struct HeadStart {
    /// Size of the memory in bytes.
    size: usize,
    pages: Vec<(usize, Box<[u8]>)>,
}

impl HeadStart {
    /// What has to be written to a `fresh` memory to make it the `used` one; nothing if that is too much.
    pub(crate) fn difference(fresh: &[u8], used: &[u8]) -> Option<Self> {
        let nothing = [0; PAGE];
        let mut pages = Vec::new();
        for (number, page) in used.chunks(PAGE).enumerate() {
            let start = number * PAGE;
            if page != fresh.get(start..start + PAGE).unwrap_or(&nothing) {
                pages.push((start, page.into()));
            }
        }
        let size = used.len();
        (pages.len() * PAGE <= LIMIT).then_some(Self { size, pages })
    }

    /// Makes a fresh memory the used one.
    pub(crate) fn restore(
        &self,
        memory: Memory,
        mut store: impl AsContextMut,
    ) -> wasmtime::Result<()> {
        let missing = self.size.saturating_sub(memory.data_size(&store));
        memory.grow(&mut store, (missing / WASM_PAGE) as u64)?;
        let bytes = memory.data_mut(&mut store);
        for (start, page) in &self.pages {
            bytes
                .get_mut(*start..*start + page.len())
                .ok_or(Breach("a head start does not fit"))?
                .copy_from_slice(page);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_differ_are_kept() {
        let fresh = vec![1; 2 * PAGE];
        let mut used = vec![1; 2 * PAGE];
        used.extend([0; 2 * PAGE]);
        used[PAGE + 5] = 2;
        used[3 * PAGE] = 3;
        let head_start = HeadStart::difference(&fresh, &used);
        let starts: Vec<usize> = head_start
            .iter()
            .flat_map(|head_start| &head_start.pages)
            .map(|page| page.0)
            .collect();
        assert_eq!(starts, [PAGE, 3 * PAGE]);
        assert!(HeadStart::difference(&[], &vec![1; LIMIT + PAGE]).is_none());
    }
}
