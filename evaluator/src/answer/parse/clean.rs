//! Makes one spelling of many: Unicode, HTML and LaTeX variants become plain LaTeX.
//!
//! Only what does not change the meaning is touched here. The result is still text; [`super::token`]
//! takes it from there.

use crate::answer::parse::respelled;

/// What stands between two formulas that nothing else separates, for the lexer.
pub(crate) const GAP_MARK: char = '\u{2}';
const GAP: &str = "\u{2}";

/// Unicode characters and what they are in LaTeX.
const CHARACTERS: [(char, &str); 75] = [
    ('∶', ":"),
    ('≡', r"\equiv "),
    ('⅓', r"\frac{1}{3}"),
    ('⅔', r"\frac{2}{3}"),
    ('⅕', r"\frac{1}{5}"),
    ('⅖', r"\frac{2}{5}"),
    ('⅗', r"\frac{3}{5}"),
    ('⅘', r"\frac{4}{5}"),
    ('⅙', r"\frac{1}{6}"),
    ('⅚', r"\frac{5}{6}"),
    ('⅛', r"\frac{1}{8}"),
    ('⅜', r"\frac{3}{8}"),
    ('⅝', r"\frac{5}{8}"),
    ('⅞', r"\frac{7}{8}"),
    ('ℏ', r"\hbar "),
    ('ε', r"\epsilon "),
    ('π', r"\pi "),
    ('∞', r"\infty "),
    ('×', r"\times "),
    ('·', r"\cdot "),
    ('⋅', r"\cdot "),
    ('÷', "/"),
    ('⁄', "/"),
    ('∕', "/"),
    ('∉', r"\notin "),
    ('±', r"\pm "),
    ('∓', r"\mp "),
    ('−', "-"),
    ('–', "-"),
    ('﹣', "-"),
    ('≤', r"\le "),
    ('⩽', r"\le "),
    ('≦', r"\le "),
    ('≥', r"\ge "),
    ('⩾', r"\ge "),
    ('≧', r"\ge "),
    ('≠', r"\ne "),
    ('≈', r"\approx "),
    ('∈', r"\in "),
    ('∪', r"\cup "),
    ('∩', r"\cap "),
    ('∅', r"\emptyset "),
    ('∀', r"\forall "),
    ('∃', r"\exists "),
    ('°', r"^\circ "),
    ('′', "'"),
    ('’', "'"),
    ('∣', "|"),
    ('∠', r"\angle "),
    ('△', r"\triangle "),
    ('→', r"\to "),
    ('⌊', r"\lfloor "),
    ('⌋', r"\rfloor "),
    ('⌈', r"\lceil "),
    ('⌉', r"\rceil "),
    ('⟨', r"\langle "),
    ('⟩', r"\rangle "),
    ('α', r"\alpha "),
    ('β', r"\beta "),
    ('γ', r"\gamma "),
    ('θ', r"\theta "),
    ('λ', r"\lambda "),
    ('μ', r"\mu "),
    ('µ', r"\mu "),
    ('φ', r"\phi "),
    ('ω', r"\omega "),
    ('ℝ', r"\mathbb{R}"),
    ('ℤ', r"\mathbb{Z}"),
    ('ℕ', r"\mathbb{N}"),
    ('½', r"\frac{1}{2}"),
    ('¼', r"\frac{1}{4}"),
    ('¾', r"\frac{3}{4}"),
    ('、', ","),
    ('，', ","),
    ('。', "."),
];

/// Text replaced by text, in this order.
const SPELLINGS: [(&str, &str); 80] = [
    (r"\colon", ":"),
    (r"\text{ to }", " to "),
    (r"\text{ to}", " to "),
    (r"\bmod", r"\pmod"),
    (r"\mod", r"\pmod"),
    (r"\hat{\imath}", r"\unitvectori "),
    (r"\hat{\jmath}", r"\unitvectorj "),
    (r"\vec{k}", r"\unitvectork "),
    (r",\! ", ","),
    (r",\!", ","),
    (r#"\""#, ""),
    ("\"", ""),
    (r"\$", ""),
    (r"\!", ""),
    ("{,}", ","),
    (r"\,", " "),
    (r"\;", " "),
    (r"\:", " "),
    (r"\ ", " "),
    (r"\boxed", " "),
    (r"\(", " "),
    (r"\)", " "),
    (r"\[", " "),
    (r"\]", " "),
    ("<sup>", "^{"),
    ("</sup>", "}"),
    ("<sub>", "_{"),
    ("</sub>", "}"),
    ("<br>", GAP),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
    (r"^{\text{th}}", "th"),
    (r"^{\text{st}}", "st"),
    (r"^{\text{nd}}", "nd"),
    (r"^{\text{rd}}", "rd"),
    (r"^\text{th}", "th"),
    (r"^{th}", "th"),
    (r"\mathbf{i}", r"\unitvectori "),
    (r"\mathbf{j}", r"\unitvectorj "),
    (r"\mathbf{k}", r"\unitvectork "),
    (r"\hat{i}", r"\unitvectori "),
    (r"\hat{j}", r"\unitvectorj "),
    (r"\hat{k}", r"\unitvectork "),
    (r"\overrightarrow", r"\vec"),
    ("+/-", r"\pm "),
    (r"\not\in", r"\notin"),
    (r"\dbinom", r"\binom"),
    (r"\tbinom", r"\binom"),
    (r"\dfrac", r"\frac"),
    (r"\tfrac", r"\frac"),
    (r"\cfrac", r"\frac"),
    (r"\mbox", r"\text"),
    (r"\textbf", r"\text"),
    (r"\textrm", r"\text"),
    (r"\textit", r"\text"),
    (r"\textnormal", r"\text"),
    (r"\textcirc", r"\circ"),
    (r"\degree", r"^\circ"),
    (r"^{\circ}", r"^\circ"),
    (r"^\prime", "'"),
    (r"\varnothing", r"\emptyset "),
    (r"\{\}", r"\emptyset "),
    (r"\backslash", r"\setminus "),
    (r"\text{infinitely many}", r"\infty "),
    (r"\text{no solution}", r"\emptyset "),
    (r"\text{no solutions}", r"\emptyset "),
    (r"\text{all real numbers except }", r"\mathbb{R} \setminus "),
    (r"\text{all real numbers}", r"\mathbb{R}"),
    ("all real numbers except", r"\mathbb{R} \setminus "),
    ("all real numbers", r"\mathbb{R}"),
    ("~", " "),
    (r"\displaystyle", " "),
    (r"\limits", " "),
    (r"\cupdot", r"\cup"),
    (r"\dots", r"\ldots"),
    ("**", "^"),
    ("\u{200b}", ""),
    ("\u{a0}", " "),
];

/// Signs of roots.
const ROOTS: [(char, &str); 3] = [('√', r"\sqrt "), ('∛', r"\sqrt[3] "), ('∜', r"\sqrt[4] ")];

/// Raised and lowered characters and what they are on the line.
const RAISED: [(char, char); 13] = [
    ('⁰', '0'),
    ('¹', '1'),
    ('²', '2'),
    ('³', '3'),
    ('⁴', '4'),
    ('⁵', '5'),
    ('⁶', '6'),
    ('⁷', '7'),
    ('⁸', '8'),
    ('⁹', '9'),
    ('⁺', '+'),
    ('⁻', '-'),
    ('ⁿ', 'n'),
];
const LOWERED: [(char, char); 11] = [
    ('₀', '0'),
    ('₁', '1'),
    ('₂', '2'),
    ('₃', '3'),
    ('₄', '4'),
    ('₅', '5'),
    ('₆', '6'),
    ('₇', '7'),
    ('₈', '8'),
    ('₉', '9'),
    ('ₙ', 'n'),
];

/// The beginnings of commands that a careless reader of escapes turns into control characters: `\text`
/// into a tab and `ext`, and so on.
const DAMAGED: [(char, &str, &[&str]); 5] = [
    (
        '\t',
        "t",
        &["ext", "imes", "heta", "an", "frac", "riangle", "au", "o "],
    ),
    ('\u{c}', "f", &["rac", "orall"]),
    ('\u{8}', "b", &["oxed", "egin", "eta", "inom", "mod"]),
    ('\r', "r", &["ight", "angle", "ceil", "floor", "ho"]),
    ('\n', "n", &["eq", "e ", "u ", "abla"]),
];

/// The characters that each of [`SPELLINGS`] is made of.
const NEEDED: [u128; SPELLINGS.len()] = {
    let (mut needed, mut at) = ([0; SPELLINGS.len()], 0);
    while at < SPELLINGS.len() {
        needed[at] = signs(SPELLINGS[at].0);
        at += 1;
    }
    needed
};

/// The one spelling of `text`.
pub(crate) fn clean(text: &str) -> String {
    let text = text.trim();
    let bold = text
        .strip_prefix("**")
        .and_then(|inner| inner.strip_suffix("**"));
    let mut clean = with_slashes(&repair(bold.unwrap_or(text)));
    if clean.contains(['\n', '\r']) {
        clean = clean.replace(['\n', '\r'], GAP);
    }
    if !clean.is_ascii() {
        clean = plain_characters(&clean);
    }
    // Escaped once too often, as happens between JSON and its readers.
    if !clean.contains("begin{") && clean.contains(r"\\") {
        clean = clean
            .replace(&format!(r"\\{GAP}"), GAP)
            .replace(r"\\ ", GAP)
            .replace(r"\\", r"\");
    }
    // Rows of a matrix are no escaped space or bracket: keep them out of the replacements.
    clean = clean.replace(r"\\", "\u{1}");
    clean = without_sizes(&clean);
    let mut present = signs(&clean);
    for ((from, to), needed) in std::iter::zip(SPELLINGS, NEEDED) {
        // Most texts have few signs, and most spellings need one that is not there.
        if needed & !present == 0 && clean.contains(from) {
            clean = clean.replace(from, to);
            present = signs(&clean);
        }
    }
    clean = respelled::with_commands(&clean);
    clean = without_dollars(&clean).replace('\u{1}', r"\\ ");
    let clean = clean
        .trim()
        .trim_end_matches(['.', ',', ';', ':', ' ', '^']);
    if let Some(sign) = respelled::sign_of(clean) {
        return sign.to_owned();
    }
    if let Some(respelled) = respelled::ratio(clean)
        .or_else(|| respelled::in_base(clean))
        .or_else(|| respelled::chosen(clean))
    {
        return respelled;
    }
    balanced(clean)
}

/// The ASCII characters of a text, a bit each.
const fn signs(text: &str) -> u128 {
    let (bytes, mut at) = (text.as_bytes(), 0);
    // By halves, which a processor shifts at once.
    let mut halves = [0_u64; 2];
    while at < bytes.len() {
        if bytes[at] < 128 {
            halves[(bytes[at] / 64) as usize] |= 1 << (bytes[at] % 64);
        }
        at += 1;
    }
    halves[0] as u128 | (halves[1] as u128) << 64
}

/// Without the dollars round formulas; between two formulas with nothing but white space between them stays a gap.
fn without_dollars(text: &str) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let text = text.replace("$$", "$");
    let mut plain = String::with_capacity(text.len());
    let mut is_inside = false;
    let mut pieces = text.split('$').peekable();
    let mut is_first = true;
    while let Some(piece) = pieces.next() {
        let joins = !is_inside && !is_first && pieces.peek().is_some() && is_blank(piece);
        if joins {
            plain.push_str(GAP);
        } else {
            plain.push_str(piece);
            plain.push(' ');
        }
        is_inside = !is_inside;
        is_first = false;
    }
    plain
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == GAP_MARK)
}

/// Without `\left` and `\right` before a delimiter; `\leftarrow` is another command.
pub(crate) fn without_sizes(text: &str) -> String {
    let mut plain = text.to_owned();
    for size in [r"\left", r"\right"] {
        if !plain.contains(size) {
            continue;
        }
        let mut pieces = plain.split(size);
        let mut kept = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let is_longer = piece.starts_with(|c: char| c.is_ascii_alphabetic());
            kept.push_str(if is_longer { size } else { " " });
            // A point stands for a delimiter that is none.
            kept.push_str(piece.strip_prefix('.').unwrap_or(piece));
        }
        plain = kept;
    }
    plain
}

/// With the backslash that `frac{1}{2}` has lost.
fn with_slashes(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("frac{") {
        whole.push_str(before);
        let stem = before.strip_suffix(['d', 't', 'c']).unwrap_or(before);
        let is_bare = !stem.ends_with(|c: char| c == '\\' || c.is_ascii_alphabetic());
        if is_bare {
            whole.truncate(whole.len() - (before.len() - stem.len()));
            whole.push('\\');
        }
        whole.push_str("frac{");
        rest = after;
    }
    whole + rest
}

/// With every brace closed and none closed that is not open. A brace at the very beginning that nothing closes
/// is what a cut left of a box, and goes.
fn balanced(text: &str) -> String {
    let mut balanced = String::with_capacity(text.len());
    let (mut open, mut escaped) = (0usize, false);
    for c in text.chars() {
        match c {
            '{' if !escaped => open += 1,
            '}' if !escaped && open == 0 => continue,
            '}' if !escaped => open -= 1,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        balanced.push(c);
    }
    if open > 0 && balanced.starts_with('{') {
        balanced.remove(0);
        open -= 1;
    }
    balanced.extend(std::iter::repeat_n('}', open));
    balanced.trim_start().to_owned()
}

/// Restores commands whose first letter an escape sequence has swallowed.
fn repair(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let damaged = DAMAGED
            .iter()
            .find(|(control, _, rests)| *control == c && rests.iter().any(|r| rest.starts_with(r)));
        match damaged {
            Some((_, letter, _)) => {
                repaired.push('\\');
                repaired.push_str(letter);
            }
            None => repaired.push(c),
        }
    }
    repaired
}

/// Characters beyond ASCII as what they are in LaTeX; raised and lowered ones in a row as one power or index.
fn plain_characters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if let Some((_, root)) = ROOTS.iter().find(|(sign, _)| *sign == c) {
            plain.push_str(root);
            // All digits stand under the sign.
            let is_digit = |c: &char| c.is_ascii_digit();
            if chars.peek().is_some_and(is_digit) {
                plain.push('{');
                while let Some(digit) = chars.next_if(is_digit) {
                    plain.push(digit);
                }
                plain.push('}');
            }
            continue;
        }
        let shifted = [('^', &RAISED[..]), ('_', &LOWERED[..])]
            .into_iter()
            .find_map(|(mark, table)| Some((mark, table, on_the_line(table, c)?)));
        let Some((mark, table, first)) = shifted else {
            push_plain(&mut plain, c);
            continue;
        };
        plain.extend([mark, '{', first]);
        while let Some(next) = chars.peek().and_then(|c| on_the_line(table, *c)) {
            plain.push(next);
            chars.next();
        }
        plain.push('}');
    }
    plain
}

/// What a raised or lowered character is on the line.
fn on_the_line(table: &[(char, char)], c: char) -> Option<char> {
    table.iter().find(|(from, _)| *from == c).map(|(_, to)| *to)
}

fn push_plain(out: &mut String, c: char) {
    match c {
        // Full-width forms mirror ASCII.
        '\u{ff01}'..='\u{ff5e}' if !matches!(c, '，') => {
            out.extend(char::from_u32(u32::from(c) - 0xfee0));
        }
        // Circled numbers name statements; several in a row are a list.
        '①'..='⑨' => {
            let number = u32::from(c) - u32::from('①') + 1;
            if out.ends_with(|c: char| c.is_ascii_digit()) {
                out.push(',');
            }
            out.extend(char::from_digit(number, 10));
        }
        c if c.is_whitespace() => out.push(' '),
        c => match CHARACTERS.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => out.push_str(to),
            None => out.push(c),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet() {
        let cases = [
            ("$\\dfrac{1}{2}$", r"\frac{1}{2}"),
            ("60^\textcirc 42'", r"60^\circ 42'"),
            ("90^\n", "90"),
            ("3<sup>x</sup>＞2", "3^{x}>2"),
            ("②③", "2,3"),
            (r"14{,}916.", "14,916"),
            ("√18", r"\sqrt {18}"),
            (r"\left( 1,\ 2 \right)", r"( 1, 2  )"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text}");
        }
    }
}
