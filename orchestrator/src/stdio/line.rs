//! Lines from an untrusted peer: read into a buffer that cannot grow past a limit, whatever the peer sends.

use std::io::{self, BufRead};

/// What a long buffer shrinks to once its line is dealt with, so that one huge request is not paid for ever after.
const KEPT_BYTES: usize = 1 << 20;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The bytes; not necessarily UTF-8.
    Whole(&'a [u8]),
    /// It was longer than the limit; all of it is skipped.
    TooLong,
}

/// Values a line holds at most, counted by the commas between them: every one of them takes far more memory than its text.
#[must_use]
pub fn values(line: &[u8]) -> usize {
    let (mut commas, mut in_text, mut is_escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b',' if !in_text => commas += 1,
            _ => {}
        }
    }
    commas + 1
}

/// Reads line after line.
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    limit: usize,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            limit,
        }
    }

    /// The next line; `None` at the end of the input. What follows the last line end counts as a line if it is not empty.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
        let (mut too_long, mut anything) = (false, false);
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (text, used, last) = match end {
                Some(end) => (&chunk[..end], end + 1, true),
                None => (chunk, chunk.len(), chunk.is_empty()),
            };
            anything |= used > 0;
            too_long |= self.buffer.len() + text.len() > self.limit;
            if !too_long {
                self.buffer.extend_from_slice(text);
            }
            self.input.consume(used);
            if last {
                break;
            }
        }
        Ok(match (anything, too_long) {
            (false, _) => None,
            (true, true) => Some(Line::TooLong),
            (true, false) => Some(Line::Whole(&self.buffer)),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::BufReader;

    fn read(text: &[u8], chunk: usize, limit: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(BufReader::with_capacity(chunk, text), limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(match line {
                Line::Whole(bytes) => Some(bytes.to_vec()),
                Line::TooLong => None,
            });
        }
        all
    }

    #[test]
    fn lines_are_cut_at_their_ends_whatever_the_chunks() {
        for chunk in [1, 2, 3, 100] {
            let whole = |text: &[u8]| Some(text.to_vec());
            assert_eq!(
                read(b"ab\n\nc\xff\0d\nlast", chunk, 4),
                [whole(b"ab"), whole(b""), whole(b"c\xff\0d"), whole(b"last")]
            );
            assert_eq!(read(b"", chunk, 4), []);
            assert_eq!(read(b"\n", chunk, 4), [whole(b"")]);
        }
    }

    #[test]
    fn commas_in_texts_are_no_values() {
        assert_eq!(values(br#"{"a": [1, 2, 3], "b": "x, \", y"}"#), 4);
        assert_eq!(values(b""), 1);
        assert_eq!(values(br#"["\\", 1]"#), 2);
    }

    #[test]
    fn a_line_past_the_limit_is_skipped_whole_and_the_next_one_read() {
        for chunk in [1, 3, 100] {
            assert_eq!(
                read(b"12345\n1234\n123456789", chunk, 4),
                [None, Some(b"1234".to_vec()), None]
            );
        }
        let mut lines = Lines::new(BufReader::new(&[b'x'; 1 << 20][..]), 1000);
        assert_eq!(lines.next_line().unwrap(), Some(Line::TooLong));
        assert!(lines.buffer.capacity() <= 2000, "the buffer is bounded");
    }
}
