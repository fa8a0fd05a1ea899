//! Makes one spelling of many: Unicode, HTML and LaTeX variants become plain LaTeX.
//!
//! Only what does not change the meaning is touched here. The result is still text; [`super::token`]
//! takes it from there.

/// Unicode characters and what they are in LaTeX.
const CHARACTERS: [(char, &str); 62] = [
    ('π', r"\pi "),
    ('∞', r"\infty "),
    ('√', r"\sqrt "),
    ('×', r"\times "),
    ('·', r"\cdot "),
    ('⋅', r"\cdot "),
    ('÷', "/"),
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
    ('⁰', "^{0}"),
    ('¹', "^{1}"),
    ('²', "^{2}"),
    ('³', "^{3}"),
    ('⁴', "^{4}"),
    ('₁', "_{1}"),
];

/// Text replaced by text, in this order.
const SPELLINGS: [(&str, &str); 55] = [
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
    (r"\left", " "),
    (r"\right", " "),
    (r"\(", " "),
    (r"\)", " "),
    (r"\[", " "),
    (r"\]", " "),
    ("<sup>", "^{"),
    ("</sup>", "}"),
    ("<sub>", "_{"),
    ("</sub>", "}"),
    ("<br>", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
    (r"\overrightarrow", r"\vec"),
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
    (r"\text{all real numbers}", r"\mathbb{R}"),
    ("all real numbers", r"\mathbb{R}"),
    ("~", " "),
    (r"\displaystyle", " "),
    (r"\limits", " "),
    (r"\cupdot", r"\cup"),
    (r"\dots", r"\ldots"),
    ("**", "^"),
    ("\u{200b}", ""),
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

/// The one spelling of `text`.
pub(super) fn clean(text: &str) -> String {
    let mut clean = repair(text);
    let needs_characters = !clean.is_ascii();
    if needs_characters {
        clean = clean
            .chars()
            .fold(String::with_capacity(clean.len()), |mut out, c| {
                push_plain(&mut out, c);
                out
            });
    }
    // Escaped once too often, as happens between JSON and its readers.
    if !clean.contains("begin{") {
        clean = clean.replace(r"\\", r"\");
    }
    // Rows of a matrix are no escaped space or bracket: keep them out of the replacements.
    clean = clean.replace(r"\\", "\u{1}");
    for (from, to) in SPELLINGS {
        if clean.contains(from) {
            clean = clean.replace(from, to);
        }
    }
    clean = clean.replace('$', " ").replace('\u{1}', r"\\ ");
    let clean = clean
        .trim()
        .trim_end_matches(['.', ',', ';', ':', ' ', '^']);
    // The box was cut off before its end.
    let braces = |brace| clean.matches(brace).count();
    let cut_off = clean.starts_with('{') && braces('{') > braces('}');
    clean[usize::from(cut_off)..].trim_start().to_owned()
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
            (r"\left( 1,\ 2 \right)", r"( 1, 2  )"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text}");
        }
    }
}
