pub fn reward(sample: &Sample) -> f64 {
    let text = sample.completion();
    let bytes = text.as_bytes();
    let is_end = |byte: u8| matches!(byte, b'.' | b'!' | b'?' | b'\n');
    let (mut sentences, mut words, mut start, mut at) = (0_usize, 0_usize, 0, 0);
    let mut close = |sentence: &str| {
        let length = sentence.split_ascii_whitespace().count();
        words += length;
        sentences += usize::from(length > 0);
    };
    while at < bytes.len() {
        if !is_end(bytes[at]) {
            at += 1;
            continue;
        }
        let first = at;
        while at < bytes.len() && is_end(bytes[at]) {
            at += 1;
        }
        // A line break may close the run as the space after it.
        let spaced = bytes.get(at).is_none_or(u8::is_ascii_whitespace);
        let end = if spaced { Some(at) } else { bytes[first + 1..at].iter().rposition(|byte| *byte == b'\n').map(|place| first + 1 + place) };
        if let Some(end) = end {
            close(&text[start..first]);
            start = (end + 1).min(bytes.len());
            at = at.max(start);
        }
    }
    close(&text[start..]);
    if sentences == 0 {
        return 0.0;
    }
    let mean = words as f64 / sentences as f64;
    if (4.0..=25.0).contains(&mean) { 1.0 } else { (1.0 - (mean - 14.0).abs() / 30.0).max(0.0) }
}
