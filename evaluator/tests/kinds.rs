//! Kinds of near misses and of right answers in other words, each with several pairs of our own and their neighbours.

#![allow(clippy::unwrap_used)]

use evaluator::{Answer, Outcome, verify};

/// Kind, reference, answer.
type Pair = (&'static str, &'static str, &'static str);

const REFUSED: &[Pair] = &[
    ("several formulas", r"x=2 \quad y=3", r"x=5 \quad y=3"),
    ("several formulas", r"x=2 \quad y=3", "3"),
    ("several formulas", "$a=2$\n$b=3$", "$a=7$\n$b=3$"),
    ("several formulas", "3", "x=1\nx=3"),
    ("several formulas", "3", "x=1\nx=2\nx=3"),
    ("several formulas", "3", r"x=1 \\ x=3"),
    ("several formulas", "3", "$x=1$ $x=3$"),
    ("several formulas", "3", "x=1 y=3"),
    ("several formulas", "x=2 y=3", "3"),
    ("logarithms", r"x=\ln 3", r"x=\log 3"),
    ("logarithms", r"\log x", r"\ln x"),
    ("a false step", "7", "x=9=7"),
    ("a false step", r"\ln 2", r"x=\ln 3=\ln 2"),
    ("a false step", "7", "x = 3 + 5 = 7"),
    ("a false step", "x^2", "y = x^3 = x^2"),
    ("one per cent", r"\frac13", "0.334"),
    ("one per cent", r"\sqrt2", "1.42"),
    ("one per cent", r"\frac{999}{1000}", "1.0"),
    ("one per cent", "0.998", "1"),
    ("one per cent", "25.81", "26"),
    ("one per cent", r"7.44\times10^{-4}", r"7.43\times10^{-4}"),
    ("one per cent", r"2.5\times10^{3}", "2510"),
    ("one per cent", r"2\pi", r"1.99\pi"),
    (
        "equations between numbers",
        r"\log 0.01=-2",
        r"\log 0.01=-3",
    ),
    ("equations between numbers", "1+1=3", "2+2=5"),
    ("equations between numbers", r"\sqrt2=1.5", r"\sqrt3=1.2"),
    ("identities", "(x+1)^2=x^2+2x+1", "(x+1)^2=x^2+3x+1"),
    ("identities", "y^2+6y+5=(y+5)(y+1)", "y^2+6y+5=(y+1)(y+4)"),
    ("identities", "a^2-b^2=(a-b)(a+b)", "a^2-b^2=(a-b)^2"),
    ("identities", r"\sin^2 t+\cos^2 t=1", r"\sin^2 t-\cos^2 t=1"),
    (
        "behind an approximation",
        r"P=\frac{2000}{e^{.1}} \approx 1809.67",
        r"P=\frac{2000}{e^{.1}} \approx 1809.6",
    ),
    (
        "conditions",
        r"f(x)=x \text{ for } x>2",
        r"f(x)=x \text{ for } x>3",
    ),
    (
        "conditions",
        r"f(x)=x \text{ for } x>2",
        r"f(x)=x \text{ for } x<2",
    ),
    (
        "conditions",
        r"x=2k, k\in\mathbb{Z}",
        r"x=2k, k\in\mathbb{N}",
    ),
    ("conditions", "y>0", "y<0"),
    ("decimal commas", "41,23", "41"),
    ("decimal commas", "10,20", "10.2"),
    ("decimal commas", "0,245", "245"),
    ("points", "|x-100|", "100-x"),
    ("points", r"\sqrt{(x-3)^2}", "3-x"),
    ("points", r"\sqrt{x^2}", "x"),
    ("points", r"\lfloor n/100\rfloor", "0"),
    (
        "points",
        r"\lfloor\sqrt{n-1}\rfloor",
        r"\lfloor\sqrt{n-2}\rfloor",
    ),
    ("points", r"\lfloor x \rfloor", "x"),
    ("points", r"\max(x, 1)", "x"),
    ("units", "-48*g", "-48"),
    ("units", "-48", "-48*g"),
    ("units", "5", "5*m"),
    ("units", "9", "9*h"),
    ("units", "2", "2*L"),
    ("units", "10", "10*K"),
    (
        "determinants",
        r"\begin{vmatrix}1&2\\3&4\end{vmatrix}",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    ),
    ("determinants", r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "2"),
    ("signs and names", r"y=1\pm\sqrt2", r"x=1\pm\sqrt2"),
    (
        "signs and names",
        r"x=2, x=1\pm\sqrt2",
        r"w=2, x=1\pm\sqrt2",
    ),
    ("signs and names", "p=5,q=2;p=7,q=2", "p=5,q=2;p=7,w=2"),
    (
        "counted things",
        "3,5",
        r"5 \text{ red pens and } 3 \text{ blue pens}",
    ),
    (
        "words",
        "increasing, decreasing",
        "decreasing and increasing",
    ),
    ("dates", "March 4, 2020", "April 3, 2020"),
    ("dates", "March 4, 2020", "March 4, 2021"),
    ("residues", r"3 \pmod 4", r"1 \pmod 4"),
    ("residues", r"3 \pmod 4", r"3 \pmod 5"),
    (
        "unit vectors",
        r"\mathbf{i}+2\mathbf{j}",
        r"\langle 2,1\rangle",
    ),
    ("temperatures", "21.4°C", "21.4°F"),
    ("remarks", "17", "17 (or 18)"),
    ("ratios", "5 to 2", "2:5"),
    ("products", "30", "5 6"),
    ("binomials", r"\binom{9}{4}", r"\binom{9}{3}"),
    ("binomials", r"\binom{9}{4}", r"\binom{8}{4}"),
    ("binomials", r"\binom{9}{4}", "125"),
    ("products", r"2^3 3^2", "2^3 3"),
];

const ACCEPTED: &[Pair] = &[
    ("binomials", r"\binom{9}{4}", r"\binom{9}{5}"),
    ("binomials", r"\binom{9}{4}", "126"),
    ("several formulas", r"x=2 \quad y=3", "x=2, y=3"),
    ("several formulas", "$a=2$\n$b=3$", "a=2, b=3"),
    ("several formulas", r"x=2,\quad y=3", "x=2, y=3"),
    (
        "several formulas",
        r"x=1 \quad \text{or} \quad x=3",
        "x=3, x=1",
    ),
    ("several formulas", "x =\n5", "5"),
    ("logarithms", r"\log 100", "2"),
    ("logarithms", r"\log_2 8", "3"),
    ("logarithms", r"\ln(x^2)", r"2\ln x"),
    ("a true step", "7", "x = 3 + 4 = 7"),
    (
        "a true step",
        "6",
        r"A = \frac{1}{2}bh = \frac{1}{2}(3)(4) = 6",
    ),
    ("a true step", r"\frac{10}{3}", r"x = \frac{10}{3} = 3.33"),
    ("rounding", r"\frac13", "0.333"),
    ("rounding", r"\sqrt2", "1.414"),
    ("rounding", "0.125", r"\frac18"),
    ("rounding", r"7.44\times10^{-4}", r"7.444\times10^{-4}"),
    ("rounding", "97.66°C", "97.7°C"),
    ("rounding", "117.95%", "118%"),
    ("identities", "(x+1)^2=x^2+2x+1", "x^2+2x+1=(1+x)^2"),
    ("conditions", r"f(x)=x \text{ for } x>2", "f(x)=x"),
    (
        "conditions",
        r"f(x)=x \text{ for } x>2",
        r"f(x)=x \text{ if } x>2",
    ),
    ("decimal commas", "0,75", "0.75"),
    ("decimal commas", "2.74", "2,74"),
    ("points", r"\lceil m/2\rceil", r"\lfloor (m+1)/2\rfloor"),
    ("points", r"\lceil n/2\rceil", r"\lfloor (n+1)/2\rfloor"),
    ("points", r"\sqrt{4x}", r"2\sqrt{x}"),
    ("points", r"\sqrt[3]{x-2}", "(x-2)^{1/3}"),
    ("points", "(-1)^n", "(-1)^{n+2}"),
    (
        "determinants",
        r"\begin{vmatrix}1&2\\3&4\end{vmatrix}",
        "-2",
    ),
    (
        "signs and names",
        r"x=1\pm\sqrt2",
        r"x=1+\sqrt2, x=1-\sqrt2",
    ),
    ("signs that meet", "14-i", "14 + -i"),
    ("signs that meet", "7", "5 - -2"),
    ("products", r"\frac{10!}{4!\,6!}", "210"),
    ("products", "3!4!5!", "17280"),
    ("products", r"2^{n}3^{n}", "6^n"),
    ("infinity", "(2,\\infty)", "(2, infinity)"),
    ("infinity", "(-\\infty,5)", "(-inf, 5)"),
    ("times", r"6.3\times10^{-7}", "6.3x10^-7"),
    ("temperatures", "72°F", "72 degrees Fahrenheit"),
    ("temperatures", r"21^\circ\text{C}", "21°C"),
    ("ordinals", "9", "9^{th}"),
    ("ordinals", "3rd day", "3"),
    (
        "counted things",
        "3,5",
        r"3 \text{ red pens and } 5 \text{ blue pens}",
    ),
    ("words", "circle, square", "square and circle"),
    ("ratios", "1:9", "1 to 9"),
    ("ratios", r"\frac16", "1 in 6"),
    ("dates", "14 March", "March 14"),
    ("dates", "March 4, 2020", "2020-03-04"),
    ("numbers", "1234567", "12,34,567"),
    ("numbers", "2500", "2'500"),
    ("numbers", "1234567.89", "1.234.567,89"),
    ("numbers", "45", "٤٥"),
    ("numbers", "42", "2A_{16}"),
    ("residues", r"-1 \pmod 4", r"3 \pmod 4"),
    (
        "unit vectors",
        r"\mathbf{i}+2\mathbf{j}",
        r"\langle 1,2\rangle",
    ),
    ("marks", "17", "`17`"),
    ("marks", "17", "17 (since 8+9=17)"),
    ("solved", "y-1=x^2", "x^2+1"),
];

/// Completion, reference, whether it is right.
const COMPLETIONS: &[(&str, &str, bool)] = &[
    ("The result is \u{2212}40", "40", false),
    ("The result is \u{2212}40", "-40", true),
    ("The result is – 40", "40", false),
    ("The result is - 40", "-40", true),
    ("Net: -$40", "40", false),
    ("Net: -$40", "-40", true),
    ("that leaves 7-3", "3", true),
    ("it is 50 - 10 so we get 40", "40", true),
    ("The result is √18", "18", false),
    ("The result is 18²", "18", false),
    ("The result is 18!", "18", false),
    ("The result is 2×18", "18", false),
    ("The result is 18π", "18", false),
    ("It holds 18k people", "18", false),
    ("It is less than 18", "18", false),
    ("It is half of 18", "18", false),
    ("The result is 18 km", "18", true),
    ("The answer is 18!", "18", true),
    ("18</s>", "18", true),
    ("18<|im_end|>", "18", true),
    ("<answer>The answer is 18</answer>", "18", true),
    ("<answer>The answer is 19</answer>", "18", false),
    ("所以答案是18。", "18", true),
    ("答案：18", "18", true),
    ("所以总共是18。", "18", true),
    ("答えは18です。", "18", true),
    ("정답은 18입니다.", "18", true),
    ("الجواب هو ١٨", "18", true),
    ("उत्तर है १८", "18", true),
    ("La respuesta es 18.", "18", true),
    ("La réponse est 18.", "18", true),
    ("Die Antwort ist 18.", "18", true),
    ("Ответ: 18", "18", true),
    ("Ответ: 19", "18", false),
    ("The answer is\n$$\n\\frac{1}{2}\n$$", r"\frac12", true),
];

#[test]
fn near_misses_are_refused() {
    let accepted: Vec<_> = REFUSED
        .iter()
        .filter(|(_, gold, given)| Answer::new(gold).matches(given).is_some())
        .collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn other_words_are_accepted() {
    let refused: Vec<_> = ACCEPTED
        .iter()
        .filter(|(_, gold, given)| Answer::new(gold).matches(given).is_none())
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn completions_are_judged_by_what_they_say() {
    let missed: Vec<_> = COMPLETIONS
        .iter()
        .filter(|(completion, gold, label)| {
            (verify(completion, &Answer::new(gold)).outcome == Outcome::Correct) != *label
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// A verdict does not depend on what a variable is called.
#[test]
fn letters_are_alike() {
    for letter in ["x", "t", "a", "b", "s", "u", "v"] {
        let judged = |gold: &str, given: &str| {
            let named = |text: &str| text.replace('x', letter);
            Answer::new(&named(gold)).matches(&named(given)).is_some()
        };
        for (gold, given, label) in [
            ("(x+1)^2=x^2+2x+1", "(x+1)^2=x^2+3x+1", false),
            ("|x-100|", "100-x", false),
            (r"\sqrt{(x-3)^2}", "|x-3|", true),
            (r"\lceil x/2\rceil", r"\lfloor (x+1)/2\rfloor", false),
            (r"\sqrt[3]{x-2}", "(x-2)^{1/3}", true),
        ] {
            assert_eq!(judged(gold, given), label, "{letter}: {gold} ~ {given}");
        }
    }
}
