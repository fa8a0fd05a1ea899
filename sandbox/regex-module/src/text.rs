//! Texts to search, and the little that has to be known of UTF-8.

use std::ops::Range;

/// A text to search: valid UTF-8.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    bytes: &'t [u8],
    is_ascii: bool,
}

impl<'t> Text<'t> {
    pub const fn bytes(self) -> &'t [u8] {
        self.bytes
    }

    pub const fn is_ascii(self) -> bool {
        self.is_ascii
    }

    /// Nothing if it is not UTF-8.
    pub fn new(bytes: &'t [u8]) -> Option<Self> {
        let is_ascii = bytes.is_ascii();
        (is_ascii || std::str::from_utf8(bytes).is_ok()).then_some(Self { bytes, is_ascii })
    }

    /// A part of it; nothing if there is no such part, or its borders divide a character.
    pub fn part(self, range: Range<usize>) -> Option<Self> {
        let bytes = self.bytes.get(range.clone())?;
        (self.is_boundary(range.start) && self.is_boundary(range.end))
            .then_some(Self { bytes, ..self })
    }

    /// Whether a character begins or the text ends here.
    pub fn is_boundary(self, at: usize) -> bool {
        match self.bytes.get(at) {
            Some(byte) => byte & 0xc0 != 0x80,
            None => at == self.bytes.len(),
        }
    }

    /// Where the character ends that begins at a place; nothing at the end.
    pub fn after_character(self, at: usize) -> Option<usize> {
        (at + 1..=self.bytes.len()).find(|next| self.is_boundary(*next))
    }
}

/// The texts of the sample under judgement.
pub struct Sample {
    bytes: Vec<u8>,
    is_ascii: bool,
}

impl Sample {
    pub const EMPTY: Self = Self {
        bytes: Vec::new(),
        is_ascii: true,
    };

    /// Takes what the room holds, and leaves the room to be filled again; takes nothing that is not UTF-8.
    pub fn adopt(&mut self, room: &mut Vec<u8>) {
        std::mem::swap(&mut self.bytes, room);
        match Text::new(&self.bytes) {
            Some(text) => self.is_ascii = text.is_ascii,
            None => self.bytes.clear(),
        }
    }

    pub fn text(&self) -> Text<'_> {
        Text {
            bytes: &self.bytes,
            is_ascii: self.is_ascii,
        }
    }
}
