//! TensorBoard's files: records of a length, a message in protocol buffers, and checksums of both.
//!
//! Written here and not by a crate: those there are stand on older generations of `protobuf`, `prost` or `image`, and four kinds of field are all
//! that is needed.

/// A message under way.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

/// How a field is written.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Bytes = 2,
    Four = 5,
}

impl Message {
    fn key(&mut self, field: u64, wire: Wire) {
        self.varint((field << 3) | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value);
        self
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, Wire::Eight);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, Wire::Four);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, Wire::Bytes);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }
}

/// What an event tells beside its time and step.
pub(super) enum Told<'a> {
    /// The first record of every file.
    Begins,
    /// Whatever was told of this step and later ones before is void: a training goes on from an earlier step.
    GoesOn,
    /// Figures by their names.
    Figures(&'a [(String, f64)]),
}

/// An event as a record of a file. `time` is in seconds since 1970.
pub(super) fn record(time: f64, step: u32, told: &Told<'_>) -> Vec<u8> {
    let event = Message::default()
        .double(1, time)
        .number(2, u64::from(step));
    let event = match told {
        Told::Begins => event.bytes(3, b"brain.Event:2"),
        Told::GoesOn => event.bytes(7, &Message::default().number(1, 1).0),
        Told::Figures(figures) => {
            let summary = figures
                .iter()
                .fold(Message::default(), |summary, (tag, value)| {
                    let value = Message::default()
                        .bytes(1, tag.as_bytes())
                        .float(2, *value as f32);
                    summary.bytes(1, &value.0)
                });
            event.bytes(5, &summary.0)
        }
    };
    framed(&event.0)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(message.len() + 16);
    record.extend(length);
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(message);
    record.extend(masked(crc32c(message)).to_le_bytes());
    record
}

/// A checksum of what may hold checksums.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's checksum, bit by bit: a few hundred bytes a step.
fn crc32c(bytes: &[u8]) -> u32 {
    let of_byte = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(!0, of_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_record_is_framed_as_tensorboard_reads_it() {
        let bytes = record(1.5, 300, &Told::Figures(&[("a/b".to_owned(), 0.25)]));
        let length = bytes.len() as u64 - 16;
        assert_eq!(bytes[..8], length.to_le_bytes());
        let message = &bytes[12..bytes.len() - 4];
        // wall_time, step, summary { value { tag, simple_value } }
        let wanted = [
            &[0x09][..],
            &1.5f64.to_le_bytes(),
            &[0x10, 0xac, 0x02, 0x2a, 12, 0x0a, 10, 0x0a, 3],
            b"a/b",
            &[0x15],
            &0.25f32.to_le_bytes(),
        ];
        assert_eq!(message, wanted.concat());
    }
}
