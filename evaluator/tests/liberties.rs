//! What may differ between two answers that are the same, and what looks as harmless and is not: names, signs of
//! percent and degrees, ways to write a number, a unit or a choice.

use evaluator::Answer;

struct Group {
    name: &'static str,
    /// Gold answer, and another one.
    different: &'static [(&'static str, &'static str)],
    /// Gold answer, and the same in another form.
    same: &'static [(&'static str, &'static str)],
}

const GROUPS: [Group; 9] = [
    Group {
        name: "names of points, vectors, sets and variables",
        different: &[
            ("A(1,2), B(3,4)", "A(3,4), B(1,2)"),
            ("P(2,3)", "Q(2,3)"),
            (r"\vec u=(1,2), \vec v=(3,4)", r"\vec u=(3,4), \vec v=(1,2)"),
            ("Domain: [0,1], Range: [2,3]", "Domain: [2,3], Range: [0,1]"),
            ("Domain: [0,1]", "Range: [0,1]"),
            ("0<x<1, 2<y<3", "0<y<1, 2<x<3"),
            ("m>1, n<2", "n>1, m<2"),
            ("7,-2", r"\max=-2, \min=7"),
            ("3,5", "x=5,y=3"),
        ],
        same: &[
            ("A(1,2), B(3,4)", "B(3,4), A(1,2)"),
            ("Domain: [0,1], Range: [2,3]", "Range: [2,3], Domain: [0,1]"),
            ("0<x<1, 2<y<3", "2<y<3, 0<x<1"),
            ("x>1", "t>1"),
            (r"x \in (0,1)", r"a \in (0,1)"),
            (r"A=\{1,2\}", r"B=\{1,2\}"),
            ("x<1, x>3", "t<1, t>3"),
            ("7,-2", r"\max=7, \min=-2"),
            ("3,5", "x=3,y=5"),
            ("3,5", "x_1=5,x_2=3"),
        ],
    },
    Group {
        name: "percent, degrees and radians are units",
        different: &[
            ("$5", "5%"),
            ("20 people", "20%"),
            ("20%", "20 people"),
            ("20 cm", r"20^\circ"),
            ("30 minutes", r"30^\circ"),
            (r"30^\circ", "30 minutes"),
            (r"90^\circ", "90 radians"),
            ("90 radians", r"90^\circ"),
            (r"5\%", r"5^\circ"),
            ("20 degrees Celsius", "20 degrees Fahrenheit"),
            ("20 Celsius", "20 F"),
        ],
        same: &[
            ("20", "20%"),
            ("20%", "0.2"),
            (r"20^\circ", "20"),
            (r"20^\circ", "20 degrees"),
            ("20 degrees Celsius", "20 C"),
            ("20 degrees Celsius", r"20^\circ"),
            (r"90^\circ", r"\frac{\pi}{2}"),
            (r"90^\circ", r"\frac{\pi}{2} \text{ radians}"),
            (r"\frac{\pi}{3} \text{ rad}", r"60^\circ"),
            (r"\pi \text{ radians}", r"\pi"),
        ],
    },
    Group {
        name: "mixed numbers",
        different: &[
            (r"\frac{22}{7}", "3 2/7"),
            (r"\frac{3}{7}", "3 1/7"),
            ("3/7", "3, 1/7"),
            (r"-\frac72", "3 1/2"),
            ("(3, 1/2)", "3 1/2"),
        ],
        same: &[
            (r"\frac{22}{7}", "3 1/7"),
            (r"1\frac{2}{3}", "1 2/3"),
            (r"(\frac53,2)", "(1 2/3,2)"),
            (r"-\frac72", "-3 1/2"),
            ("x = 3 1/2", "3.5"),
        ],
    },
    Group {
        name: "units of several parts",
        different: &[
            (r"5 \mathrm{~km} / \mathrm{h}", "5 m/s"),
            (r"60 \frac{\text{km}}{\text{h}}", "60 m/s"),
            ("2 h 30 min", "2 h 20 min"),
            (r"3 \times 10^8 m/s", r"3 \times 10^7"),
            (r"5 \mathrm{~m} / \mathrm{s}^{2}", "5 m/s"),
        ],
        same: &[
            (r"5 \mathrm{~km} / \mathrm{h}", "5 km/h"),
            (r"5 \mathrm{~km} / \mathrm{h}", "5"),
            (r"5 \mathrm{~m} / \mathrm{s}^{2}", "5 m/s^2"),
            (r"60 \frac{\text{km}}{\text{h}}", "60 km/h"),
            ("2 h 30 min", "150 min"),
            ("2 h 30 min", r"2.5 \text{ h}"),
            (r"3 \times 10^8 m/s", r"3\times10^8"),
            (r"3\times10^8", "3 x 10^8"),
        ],
    },
    Group {
        name: "several choices",
        different: &[
            ("AC", "A, D"),
            ("AC", "A"),
            ("BD", "B and C"),
            ("A, B, C", "AB"),
            ("BD", "DB"),
            ("B", r"\text{Option } C"),
        ],
        same: &[
            ("AC", "A, C"),
            ("A, C", "AC"),
            ("BD", "B and D"),
            ("BD", "D, B"),
            ("ABD", "(A), (B), (D)"),
            ("B", r"\text{Option } B"),
        ],
    },
    Group {
        name: "answers in words",
        different: &[
            ("no solution", "0"),
            ("no solution", "There are two solutions."),
            (r"\infty", r"-\infty"),
            ("Yes", "No, the series diverges."),
            ("Yes", "Yes, but not always."),
            ("Yes", "Yes, no"),
            ("Yes, Yes", "Yes"),
            ("even", "The function is odd."),
            ("even", "The function is not even."),
            ("even", "Neither is even."),
            ("even", "odd or it is even"),
        ],
        same: &[
            ("no solution", "No solutions exist."),
            (r"\text{no solution}", "There are no solutions"),
            ("no solution", "none"),
            (r"\infty", "infinity"),
            ("infinitely many", "infinite"),
            ("all integers", r"\mathbb{Z}"),
            ("Yes", "Yes, the series converges."),
            ("No, it is not possible.", "no"),
            ("even", "The function is even."),
            ("parallel", r"\text{the lines are parallel}"),
        ],
    },
    Group {
        name: "commands between their arguments, and dress",
        different: &[
            (r"{3\over 4}", r"\frac43"),
            (r"{5 \choose 2}", "5"),
            (r"C_5^2", "20"),
            ("C_1^2", "0"),
            (r"\sqrt{-4}", "2"),
            (r"p \vee q", "p, q"),
            (r"\boldsymbol{7}", "77"),
            (r"5 \text{ sec}", r"5 \sec"),
        ],
        same: &[
            (r"{3\over 4}", r"\frac34"),
            (r"1 \over 2", "1/2"),
            (r"{1 + {1 \over 2} \over 3}", "1/2"),
            (r"{10 \choose 3}", "120"),
            (r"\mathrm{C}_{5}^{2}", "10"),
            (r"\sqrt{-4}", "2i"),
            (r"\boldsymbol{7}", "7"),
            (r"\underline{12}", "12"),
            (r"\color{red}{12}", "12"),
            (r"\left(\frac{1}{2}, 3\right.)", r"(\frac12,3)"),
            (r"\operatorname{arctan} 2", r"\arctan 2"),
            (r"x < 2 \vee x > 3", r"(-\infty,2)\cup(3,\infty)"),
            ("(-3,-1] U [2,5)", r"(-3,-1]\cup[2,5)"),
        ],
    },
    Group {
        name: "equations that leave nothing to solve, and constants that are free",
        different: &[
            (r"\sin\theta = \frac35", r"\frac45"),
            (r"\frac{\pi}{2}", r"\sin x = 1"),
            ("1", r"\sin x = 1"),
            ("f(2)+f(3)=12", "13"),
            ("12", "2x=12"),
            ("f(x)+1=12", "12"),
            ("y=Ce^{3x}", "y=Ce^{2x}"),
            ("C", "K"),
            ("y=ae^{3x}", "y=be^{3x}"),
        ],
        same: &[
            (r"\sin\theta = \frac35", r"\frac35"),
            (r"\frac{1}{3}", r"\cos A=\frac{1}{3}"),
            ("f(2)+f(3)=12", "12"),
            ("y=Ce^{3x}", "y=Ae^{3x}"),
            ("x^2+C", "x^2+K"),
        ],
    },
    Group {
        name: "what a reference says again",
        different: &[
            ("5 (five)", "5 (six)"),
            ("5 (mod 7)", "5"),
            ("about 35", "36"),
            ("5 (not six)", "6"),
            (r"\sqrt{5} (\text{or } 2.24)", "2.34"),
            ("5", "5 (or 6)"),
        ],
        same: &[
            ("5 (five)", "5"),
            (r"$\frac{2}{3}$ (or equivalent)", r"\frac23"),
            (r"\sqrt{5} (\text{or } 2.24)", r"\sqrt5"),
            ("about 35", "35"),
            ("4.2 (approx)", "4.2"),
        ],
    },
];

#[test]
fn liberties_have_limits() {
    let judged = |gold: &str, given: &str| Answer::new(gold).matches(given);
    let mut missed = Vec::new();
    for group in &GROUPS {
        let accepted = group
            .different
            .iter()
            .filter(|p| judged(p.0, p.1).is_some());
        missed.extend(accepted.map(|pair| (group.name, "accepted", pair)));
        let rejected = group.same.iter().filter(|p| judged(p.0, p.1).is_none());
        missed.extend(rejected.map(|pair| (group.name, "rejected", pair)));
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
