//! How other languages than English say what the answer is, and what takes a number back in them.

use super::{Found, formula, number, statement};

/// A language by the words that stand round an answer.
pub(super) struct Language {
    /// What is said to be something, in lower case where it is ASCII.
    nouns: &'static [&'static str],
    /// What may stand between the noun and the verb.
    between: &'static [&'static str],
    /// What the answer follows, beside a colon or a sign of equality.
    verbs: &'static [&'static str],
    /// Denials, alternatives, comparisons and multiples: with them a sentence does not state its number.
    taking_back: &'static [&'static str],
    /// What joins two answers to a list.
    joints: &'static [&'static str],
    /// Words stand apart, so that what takes back is a whole word.
    has_words: bool,
    /// Decimals stand behind a comma.
    has_decimal_comma: bool,
}

const LANGUAGES: [Language; 11] = [
    // Chinese.
    Language {
        nouns: &["答案", "答"],
        between: &["应该", "就"],
        verbs: &["是", "为", "為", "应为", "即"],
        taking_back: &[
            "不是",
            "并非",
            "不等于",
            "不为",
            "不选",
            "或",
            "至少",
            "至多",
            "以上",
            "以下",
            "超过",
            "少于",
            "多于",
            "不到",
            "不足",
            "大于",
            "小于",
            "一半",
            "两倍",
            "错误",
        ],
        joints: &["和", "与", "、", "，", "及"],
        has_words: false,
        has_decimal_comma: false,
    },
    // Japanese.
    Language {
        nouns: &["答え", "正解", "解答"],
        between: &[],
        verbs: &["は"],
        taking_back: &[
            "ではあ",
            "ではな",
            "じゃな",
            "または",
            "もしくは",
            "以上",
            "以下",
            "未満",
            "より",
            "半分",
        ],
        joints: &["と", "、"],
        has_words: false,
        has_decimal_comma: false,
    },
    // Korean.
    Language {
        nouns: &["정답", "답"],
        between: &[],
        verbs: &["은", "는", "이"],
        taking_back: &[
            "아닙", "아니", "또는", "이상", "이하", "미만", "초과", "절반",
        ],
        joints: &["와", "과", ","],
        has_words: false,
        has_decimal_comma: false,
    },
    // Arabic.
    Language {
        nouns: &["الجواب", "الإجابة"],
        between: &["النهائي", "النهائية", "الصحيح", "الصحيحة"],
        verbs: &["هو", "هي"],
        taking_back: &["ليس", "ليست", "أو", "أقل", "أكثر", "نصف", "ضعف"],
        joints: &["و"],
        has_words: true,
        has_decimal_comma: false,
    },
    // Hindi, whose verb stands at the end.
    Language {
        nouns: &["उत्तर"],
        between: &[],
        verbs: &["है", ""],
        taking_back: &["नहीं", "या", "कम", "अधिक", "ज्यादा", "आधा", "दोगुना"],
        joints: &["और"],
        has_words: true,
        has_decimal_comma: false,
    },
    // Spanish.
    Language {
        nouns: &["respuesta", "opción", "solución"],
        between: &["final", "correcta"],
        verbs: &["es"],
        taking_back: &[
            "no",
            "ni",
            "o",
            "u",
            "menos",
            "más",
            "mitad",
            "doble",
            "triple",
            "incorrecta",
        ],
        joints: &["y", "e"],
        has_words: true,
        has_decimal_comma: true,
    },
    // Portuguese.
    Language {
        nouns: &["resposta"],
        between: &["final", "correta", "certa"],
        verbs: &["é"],
        taking_back: &["não", "ou", "menos", "mais", "metade", "dobro", "triplo"],
        joints: &["e"],
        has_words: true,
        has_decimal_comma: true,
    },
    // Italian.
    Language {
        nouns: &["risposta"],
        between: &["finale", "corretta", "giusta"],
        verbs: &["è"],
        taking_back: &[
            "non", "o", "oppure", "meno", "più", "metà", "doppio", "triplo",
        ],
        joints: &["e"],
        has_words: true,
        has_decimal_comma: true,
    },
    // French.
    Language {
        nouns: &["réponse"],
        between: &["finale", "correcte"],
        verbs: &["est", "est donc"],
        taking_back: &[
            "pas", "ni", "ou", "moins", "plus", "moitié", "double", "triple",
        ],
        joints: &["et"],
        has_words: true,
        has_decimal_comma: true,
    },
    // German.
    Language {
        nouns: &["antwort", "ergebnis", "lösung"],
        between: &["also", "daher"],
        verbs: &["ist", "lautet", "beträgt"],
        taking_back: &[
            "nicht",
            "kein",
            "keine",
            "oder",
            "weniger",
            "mehr",
            "hälfte",
            "doppelte",
            "dreifache",
            "mindestens",
            "höchstens",
        ],
        joints: &["und"],
        has_words: true,
        has_decimal_comma: true,
    },
    // Russian.
    Language {
        nouns: &["ответ", "Ответ"],
        between: &[],
        verbs: &["равен", "—", "–", "это"],
        taking_back: &[
            "не",
            "или",
            "больше",
            "меньше",
            "более",
            "менее",
            "половина",
            "половины",
            "вдвое",
        ],
        joints: &["и"],
        has_words: true,
        has_decimal_comma: true,
    },
];

/// What stands behind the last mark of a language.
pub(super) struct Marked<'a> {
    language: &'static Language,
    /// All that follows.
    pub rest: &'a str,
    /// The verb is denied, or is none.
    is_denied: bool,
}

/// The last mark of any language; `lower` is the text with its ASCII letters in lower case.
pub(super) fn marked<'a>(text: &'a str, lower: &str) -> Option<Marked<'a>> {
    let is_ascii = text.is_ascii();
    let nouns = LANGUAGES.iter().flat_map(|language| {
        let nouns = language.nouns.iter();
        nouns.map(move |noun| (language, *noun))
    });
    // A noun beyond ASCII cannot be in a text that is ASCII.
    let possible = nouns.filter(|(_, noun)| !is_ascii || noun.is_ascii());
    let found = possible.filter_map(|(language, noun)| {
        let mut places = lower.rmatch_indices(noun);
        places.find_map(|(at, _)| language.behind_noun(&text[at + noun.len()..]))
    });
    // The last mark leaves the least behind it.
    found.min_by_key(|marked| marked.rest.len())
}

impl Language {
    fn behind_noun<'a>(&'static self, behind: &'a str) -> Option<Marked<'a>> {
        let marked = |rest: &'a str, is_denied| Marked {
            language: self,
            rest: rest.trim_start_matches([':', '：', '=', '*', '`', ',', ' ', '\u{a0}']),
            is_denied,
        };
        let trimmed = |text: &'a str| text.trim_start_matches(['*', ' ', '\u{a0}']);
        let mut text = trimmed(behind);
        while let Some(rest) = self.without(text, self.between) {
            text = trimmed(rest);
        }
        if text.starts_with([':', '：', '=']) {
            return Some(marked(text, false));
        }
        // `no es`, `n'est pas`
        if self.without(text, self.taking_back).is_some() || text.starts_with("n'") {
            return Some(marked(text, true));
        }
        let rest = self.without(text, self.verbs)?;
        Some(marked(rest, false))
    }

    /// The text behind one of the words that it begins with.
    fn without<'a>(&self, text: &'a str, words: &[&str]) -> Option<&'a str> {
        let behind = words.iter().filter_map(|word| {
            let rest = text.strip_prefix(word)?;
            let is_whole = !self.has_words || word.is_empty() || !rest.starts_with(is_letter);
            is_whole.then_some(rest)
        });
        // The longest word leaves the least.
        behind.min_by_key(|rest| rest.len())
    }

    /// Whether the sentence takes its number back, compares it or offers another.
    fn is_taken_back(&self, sentence: &str) -> bool {
        if !self.has_words {
            return self.taking_back.iter().any(|word| sentence.contains(word));
        }
        let plain = sentence.to_lowercase();
        plain
            .split(|c: char| !is_letter(c))
            .any(|word| self.taking_back.contains(&word))
    }
}

/// Letters with what is written above and below them.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(u32::from(c), 0x900..=0x963)
}

/// Whether a sentence in another script than ours takes its number back.
pub(super) fn is_taken_back(sentence: &str) -> bool {
    if sentence.is_ascii() {
        return false;
    }
    let is_of = |language: &&Language| {
        let script = language.nouns[0].chars().next().and_then(script_of);
        script.is_some() && sentence.chars().any(|c| script_of(c) == script)
    };
    LANGUAGES
        .iter()
        .filter(is_of)
        .any(|language| language.is_taken_back(sentence))
}

/// The first code point of the block of a script, for the scripts that are not ours.
fn script_of(c: char) -> Option<u32> {
    let code = u32::from(c);
    let blocks = [
        0x400..=0x52f,
        0x600..=0x6ff,
        0x900..=0x97f,
        0x3040..=0x30ff,
        0x3400..=0x9fff,
        0xac00..=0xd7af,
    ];
    let block = blocks.iter().find(|block| block.contains(&code))?;
    Some(*block.start())
}

/// What the sentence behind a mark states.
pub(super) fn stated(marked: &Marked<'_>) -> Found {
    let sentence = sentence(marked.rest);
    let language = marked.language;
    if marked.is_denied || language.is_taken_back(sentence) {
        return Found::Contradiction;
    }
    if let Some(formula) = formula::opening(marked.rest.trim_start()) {
        return Found::text(&formula);
    }
    match formula::last(sentence) {
        Found::Nothing => {}
        found => return found,
    }
    if let Some(choice) = marked_choice(sentence) {
        return Found::text(choice);
    }
    let sentence = &*if language.has_decimal_comma {
        with_decimal_points(sentence)
    } else {
        sentence.into()
    };
    if let Some(last) = number::last(sentence) {
        return match language.list(sentence, last) {
            Some(list) => Found::text(&list),
            None if is_only(sentence, last) => Found::text(statement::with_unit(sentence, last)),
            None => Found::text(sentence),
        };
    }
    let letters = lone_letters(sentence);
    if letters.is_empty() {
        Found::text(sentence)
    } else {
        Found::text(&letters.join(", "))
    }
}

/// Whether a sentence has no other number.
fn is_only(sentence: &str, number: &str) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    digits(sentence) == digits(number)
}

impl Language {
    /// Two numbers and what joins them, as a list.
    fn list(&self, sentence: &str, last: &str) -> Option<String> {
        let at = sentence.rfind(last)?;
        let before = sentence[..at].trim_end();
        let left = self
            .joints
            .iter()
            .find_map(|joint| before.strip_suffix(joint))?
            .trim_end();
        let first = number::last(left).filter(|first| left.ends_with(first))?;
        number::last(&left[..left.len() - first.len()])
            .is_none()
            .then(|| format!("{first}, {last}"))
    }
}

/// `B) 24` and what follows, where a choice is marked as one.
fn marked_choice(sentence: &str) -> Option<&str> {
    let marks = [')', '）', '.', '．', ':'];
    let at = sentence.char_indices().find(|(at, c)| {
        ('A'..='J').contains(c)
            && !sentence[..*at].ends_with(is_letter)
            && sentence[at + 1..].starts_with(marks)
    })?;
    Some(&sentence[at.0..])
}

/// The capitals from A to J that stand alone, each once.
pub(super) fn lone_letters(sentence: &str) -> Vec<&str> {
    let is_ascii_letter = |c: char| c.is_ascii_alphanumeric();
    let mut letters: Vec<&str> = Vec::new();
    for (at, letter) in sentence.match_indices(|c: char| ('A'..='J').contains(&c)) {
        let is_alone = !sentence[..at].ends_with(is_ascii_letter)
            && !sentence[at + 1..].starts_with(is_ascii_letter);
        if is_alone && !letters.contains(&letter) {
            letters.push(letter);
        }
    }
    letters
}

/// Up to the end of the line or the sentence, without marks of dress at its end.
fn sentence(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let is_end = |(at, c): &(usize, char)| match c {
        '。' | '।' | '۔' | '！' => true,
        '.' => line[at + 1..]
            .chars()
            .next()
            .is_none_or(char::is_whitespace),
        _ => false,
    };
    let end = line.char_indices().find(is_end).map(|(at, _)| at);
    line[..end.unwrap_or(line.len())].trim_end_matches(['*', '`', ' ', '．', '!'])
}

/// With a point for the comma between digits that parts no group of thousands: `2,5` is `2.5`, and `1,250` stays.
fn with_decimal_points(text: &str) -> std::borrow::Cow<'_, str> {
    let is_digit = |c: char| c.is_ascii_digit();
    let places = text.match_indices(',').filter(|(at, _)| {
        let behind = &text[at + 1..];
        let decimals = behind.len() - behind.trim_start_matches(is_digit).len();
        let before = &text[..*at];
        let whole = &before[before.trim_end_matches(is_digit).len()..];
        !whole.is_empty() && decimals > 0 && (decimals != 3 || whole == "0")
    });
    let places: Vec<usize> = places.map(|(at, _)| at).collect();
    match places[..] {
        // Two commas make a list.
        [at] => format!("{}.{}", &text[..at], &text[at + 1..]).into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(completion: &str) -> Found {
        let lower = completion.to_ascii_lowercase();
        marked(completion, &lower).map_or(Found::Nothing, |marked| stated(&marked))
    }

    #[test]
    fn the_answer_is_found_in_many_languages() {
        for (completion, expected) in [
            ("所以答案是18。", "18"),
            ("答えは18です。", "18"),
            ("정답은 B입니다.", "B"),
            ("الجواب النهائي هو 18", "18"),
            ("इसलिए, उत्तर 18 है।", "18"),
            ("La respuesta correcta es 2,5 metros.", "2.5"),
            ("La réponse est donc (B).", "B)"),
            ("Das Ergebnis lautet 1,250.", "1,250"),
            ("Ответ равен 3 и 4.", "3, 4"),
            ("答案是1和2。", "1, 2"),
        ] {
            assert_eq!(found(completion), Found::text(expected), "{completion}");
        }
    }

    #[test]
    fn what_is_denied_or_compared_is_no_answer() {
        for completion in [
            "答案不是18。",
            "答えは18ではありません。",
            "답은 18이 아닙니다.",
            "الجواب ليس 18",
            "उत्तर 18 नहीं है।",
            "La respuesta no es 18.",
            "La réponse n'est pas 18.",
            "Die Antwort ist die Hälfte von 18.",
            "Ответ: 18 или 19.",
        ] {
            assert_eq!(found(completion), Found::Contradiction, "{completion}");
        }
        assert_eq!(found("Il risponde."), Found::Nothing);
    }
}
