//! Wrong answers close to a right one, as a reviewer found them accepted, and the right ones that a careless cure
//! would refuse. Numbers with units have their own file, as has what is said around an answer.

use evaluator::{Answer, Outcome, verify};

struct Group {
    name: &'static str,
    /// Gold answer, and another one that looks or computes alike.
    different: &'static [(&'static str, &'static str)],
    /// Gold answer, and the same in another form.
    same: &'static [(&'static str, &'static str)],
}

const GROUPS: [Group; 14] = [
    Group {
        name: "constants too long for exact arithmetic, and those that only remainders confuse",
        different: &[
            ("2^{64}", "8"),
            ("2^{64}-1", "7"),
            ("2^{61}-1", "0"),
            ("2^{2018}", "32"),
            ("2^{100}", "2^{39}"),
            ("2^{2024}", "2^{11}"),
            ("4^{61}", "1"),
            ("5", "2305843009213693951+5"),
            ("5", "2305843009213691579+5"),
            ("3^{100}", "3^{2305843009213694050}"),
            ("2^{10001}", "2^{10001}+2305843009213691579"),
            ("2^{10001}", "2^{1152921504606856790}"),
        ],
        same: &[
            ("2^{64}", "4^{32}"),
            (r"9^{9^9}", r"3^{2 \cdot 9^9}"),
            (r"\frac{10^{2018}-1}{9}", r"\frac{1}{9}(10^{2018} - 1)"),
            ("2^{-3000}", r"\frac{1}{2^{3000}}"),
        ],
    },
    Group {
        name: "texts that are formulae",
        different: &[
            (r"\frac{1}{2}x", r"\frac{1}{2 x}"),
            (r"\sqrt{2}x", r"\sqrt{2 x}"),
            ("x^{2} y", "x^{2 y}"),
            (r"\frac{a}{b}", r"\frac{b}{a}"),
            (r"\frac{a}{2}", r"\frac{2}{a}"),
            (r"\frac{a+b}{a}", r"\frac{a}{a+b}"),
            ("3 a", "3"),
            (r"\frac{1}{2} a", r"\frac{1}{2}"),
            ("a + b", "+ b"),
            ("12", "the 12 a"),
            ("D", "A, D"),
            ("C", "a c"),
            (r"A \Rightarrow B", r"A \Leftarrow B"),
            (r"A \rightarrow B", r"A \leftarrow B"),
            (r"\Delta", r"\delta"),
            ("x^T", "x^t"),
        ],
        same: &[
            ("isosceles triangle", "an isosceles triangle"),
            (r"\text{Tuesday}", "tuesday."),
            (r"f \circ g", r"f\circ g"),
            (r"\left( 1, 2 \right)", "(1,2)"),
            ("ABC", r"$\text{ABC}$"),
        ],
    },
    Group {
        name: "letters that are no factors",
        different: &[
            ("BDAC", "ABCD"),
            ("HHT", "THH"),
            ("RLR", "LRR"),
            ("no", "on"),
            ("listen", "silent"),
            ("MATH", "HAMT"),
            ("H2O", "O2H"),
            ("CH4", "C4H"),
            ("C6H12O6", "C12H6O6"),
            ("NaCl", "ClNa"),
            ("3R2", "2R3"),
            ("3 R 2", "6R"),
            ("4 remainder 3", "3 remainder 4"),
            ("row 3 column 4", "row 4 column 3"),
            ("3 by 4", "4 by 3"),
            ("2 tens 3 ones", "3 tens 2 ones"),
            ("5 feet 6 inches", "6 feet 5 inches"),
            ("5 lb 3 oz", "3 lb 5 oz"),
            (r"f \circ g", r"g \circ f"),
            (r"A \setminus B", r"B \setminus A"),
            (r"A^{-1}B", r"BA^{-1}"),
            (r"A^{-1} B", r"B A^{-1}"),
            ("P D P^{-1}", "P^{-1} D P"),
            ("A B^T", "B^T A"),
            ("AB", "BA"),
            (r"\vec{AB}", r"\vec{BA}"),
            (r"\frac{dy}{dx}", r"\frac{y}{x}"),
        ],
        same: &[
            ("xyz", "zyx"),
            ("6abc", r"6 c \cdot a b"),
            (r"2 A^{-1} B", r"2 \cdot A^{-1}B"),
            ("x^{-1} y", "y x^{-1}"),
            (r"\bar{x}", r"\overline{x}"),
            ("x = 5 cm", "5"),
            ("1 kg", r"\left( 1 kg \right)"),
            ("n!", "n (n-1)!"),
            ("2sinxcosx", r"2\sin x\cos x"),
            ("2kpi", r"2k\pi"),
            ("AB + BC", "BC + AB"),
            (r"\frac{1}{2}bh", r"\frac{bh}{2}"),
            ("5 feet 6 inches", "66 inches"),
            ("1.5 hours", "1 hour 30 minutes"),
            ("Alice: 5, Bob: 7", "Bob: 7, Alice: 5"),
        ],
    },
    Group {
        name: "numbered parts",
        different: &[
            ("(a) 5 (b) 7", "(a) 7 (b) 5"),
            ("(a) 5 (b) 7", "35ab"),
            ("(1) 5 (2) 7", "(1) 7 (2) 5"),
            ("(1) 5 (2) 7", "70"),
            ("(i) 3 (ii) 4", "(i) 4 (ii) 3"),
            ("(1) true (2) false", "(1) false (2) true"),
        ],
        same: &[
            ("(a) 5 (b) 7", "(a) 5, (b) 7"),
            ("(1) 5 (2) 7", "5, 7"),
            ("(1) true (2) false", "(1) true (2) false"),
        ],
    },
    Group {
        name: "numbers side by side",
        different: &[
            ("30", "5 6"),
            ("12", "3 4"),
            ("391", "17 23"),
            ("120", "1 2 3 4 5"),
            ("30", r"5\,6"),
            ("30", r"5 \quad 6"),
            ("2 3", "6"),
            ("2 3", "3 2"),
        ],
        same: &[
            ("1000000", r"1\,000\,000"),
            ("7/2", r"3 \frac{1}{2}"),
            ("30", r"5 \cdot 6"),
            ("30", "(5)(6)"),
        ],
    },
    Group {
        name: "the question's equation for its solution",
        different: &[
            ("x=5", "2x+3=13"),
            ("t=4", "20-5t=0"),
            ("n=7", "4n=28"),
            ("x>5", "2x+3>13"),
            ("x>5", "2x-10>0"),
            ("x=2, y=3", "x+1=3, 2y=6"),
        ],
        same: &[
            ("x=5", "5=x"),
            ("x < 1", "-x > -1"),
            ("y = 2x + 3", "2x - y = -3"),
            ("x > 5", "5 < x"),
        ],
    },
    Group {
        name: "bars and arrows",
        different: &[
            ("3-4i", r"\overline{3-4i}"),
            (r"\overline{z}", "z"),
            (r"\overline{AB}", "AB"),
            (r"\overline{AB}", r"\overline{BA}"),
            (r"\vec{v}", "v"),
            (r"\overline{12}", "12"),
        ],
        same: &[
            ("3+4i", r"\overline{3-4i}"),
            (r"\overrightarrow{AB}", r"\vec{AB}"),
            (r"\vec{v} + \vec{w}", r"\vec{w}+\vec{v}"),
            (r"\vec{v} = (1,2)", "(1,2)"),
            (r"0.\overline{3}", r"\frac{1}{3}"),
        ],
    },
    Group {
        name: "remarks that hold a further answer",
        different: &[
            (r"5 \text{ if } x>0, -5 \text{ if } x<0", "5"),
            (
                r"5 \text{ if } x>0, -5 \text{ if } x<0",
                r"5 \text{ if } x>0, 7 \text{ if } x<0",
            ),
            (
                r"5 \text{ if } x>0, -5 \text{ if } x<0",
                r"-5 \text{ if } x>0, 5 \text{ if } x<0",
            ),
            (r"x=5 \text{ when } a=1, x=6 \text{ when } a=2", "5"),
            (r"5 \text{ apples and } 7 \text{ pears}", "5"),
            (
                r"5 \text{ in the first case and } 7 \text{ in the second}",
                "5",
            ),
            ("5", r"5 \text{ if } a, 6 \text{ otherwise}"),
            ("5", r"5 \text{ in case 1; } 6 \text{ in case 2}"),
            ("5", r"5 \text{ such as } 6"),
            ("5", r"5 \text{ with } 6"),
            ("5", r"5 \text{ as well as } 6"),
            ("5", r"5 \text{ for one, or } 6"),
            ("5", r"5 \text{ if true; otherwise } 6"),
        ],
        same: &[
            (r"x^2 \text{ for all } x > 0", "x^2"),
            (r"2k \text{ where } k \in \mathbb{Z}", "2k"),
            (r"x=3 \text{ is the only solution}", "3"),
            (
                r"5 \text{ if } x>0, -5 \text{ if } x<0",
                r"5\text{ if }x > 0, -5\text{ if }x < 0",
            ),
        ],
    },
    Group {
        name: "brackets of other kinds",
        different: &[
            ("[1,2]", r"\{1,2\}"),
            (r"\{1,2\}", "[1,2]"),
            (r"\{1,2\}", "(1,2)"),
            ("(1,2)", r"\{1,2\}"),
            ("[0,3]", "0 and 3"),
            ("[1,2]", "1, 2"),
        ],
        same: &[
            ("(1,2)", "1, 2"),
            (r"\{1,2\}", "2, 1"),
            ("x=1, y=2", "(1,2)"),
        ],
    },
    Group {
        name: "times and ratios",
        different: &[
            ("2:30", "1:15"),
            ("2:30 PM", "1:15 PM"),
            ("2:30 PM", "2:30 AM"),
            ("10:30", "1:3"),
            ("9:15", "3:5"),
            ("7:05", "1.4"),
            ("7:05", "7/5"),
            ("7:05", "7:50"),
            ("6:30", "1:05"),
            ("3 am", "3 pm"),
        ],
        same: &[
            ("3:2", "6:4"),
            ("3:2", r"\frac{3}{2}"),
            ("1:36", r"\frac{1}{36}"),
            ("14:30", "2:30 PM"),
            ("7:00 a.m.", "7 AM"),
            ("7:05", "7:05"),
        ],
    },
    Group {
        name: "dates, scores, ranges",
        different: &[
            ("2020-05-03", "2020-03-05"),
            ("2020-05-03", "2012"),
            ("2012", "2020-05-03"),
            ("1/2/2020", "2/4/2020"),
            ("10-15", "-5"),
            ("3-2", "1"),
        ],
        same: &[
            ("2020-05-03", "2020-05-03"),
            ("10-15", "10 - 15"),
            ("3-2", "3–2"),
            ("5", "10 - 5"),
            ("4-x", "-x+4"),
        ],
    },
    Group {
        name: "order of names and labels",
        different: &[
            ("Yes, No", "No, Yes"),
            ("true, false, true", "true, true, false"),
            ("increasing, decreasing", "decreasing, increasing"),
            ("north, east", "east, north"),
            ("x=1, y=2", "2, 1"),
            ("a=3, b=4", "4, 3"),
            ("a=3, b=4", r"\{4, 3\}"),
        ],
        same: &[
            ("Alice, Bob", "Bob and Alice"),
            ("x=1, y=2", "1, 2"),
            ("x=1, y=2", "y=2, x=1"),
            ("x_1=2, x_2=3", "3, 2"),
            ("x=2, x=3", r"\{3, 2\}"),
        ],
    },
    Group {
        name: "and, or, and where a variable comes from",
        different: &[
            (r"x<-2 \text{ or } x>2", r"x<-2 \text{ and } x>2"),
            (r"x<a \text{ or } x>b", r"x<a \text{ and } x>b"),
            (r"\{x\in\mathbb{Z}: 1<x<5\}", "(1,5)"),
            (r"x>0, x\in\mathbb{Z}", "x>0"),
            (r"n \ge 3, n \in \mathbb{N}", r"n\ge 3"),
        ],
        same: &[
            (r"x<-2 \text{ or } x>2", r"(-\infty,-2) \cup (2,\infty)"),
            (r"\emptyset", r"x<-2 \text{ and } x>2"),
            (
                r"\{x\in\mathbb{Z}: 1<x<5\}",
                r"\{ x \in \mathbb{Z} \mid 1 < x < 5 \}",
            ),
            (r"x>0, x\in\mathbb{R}", "x>0"),
            (r"x = 2k, k \in \mathbb{Z}", "x=2k"),
        ],
    },
    Group {
        name: "rounding errors, chains, thousands",
        different: &[
            (r"6.63 \times 10^{-34}", r"(10^7+\pi)-10^7-\pi"),
            (r"1.6\times 10^{-19}", r"\sin\pi"),
            (r"10^{-9}\sqrt{2}", r"(10^7+\pi)-10^7-\pi"),
            ("0", r"(10^7+\pi)-10^7-\pi+10^{-9}"),
            ("5", "6 = x = 5"),
            ("6", r"6 \approx 5"),
            (r"\frac{3}{5}", r"\frac{3}{5} \approx 0.7"),
            ("1,234", "(1,234)"),
            ("(1,234)", "1,234"),
            ("1,234", "1, 234"),
        ],
        same: &[
            (r"10^{-9}\sqrt{2}", r"\sqrt{2} \cdot 10^{-9}"),
            ("0", r"\sin \pi"),
            ("6", r"n = 2 \cdot 3 = 6"),
            (r"\frac{22}{7}", r"3\frac{1}{7} \approx 3.14"),
            (r"\frac{2}{3}", r"\frac{2}{3} \approx 0.67"),
            ("1,234", "1234"),
            ("2.74", "2,74"),
        ],
    },
];

#[test]
fn near_misses_are_wrong_and_their_neighbours_right() {
    let mut missed = Vec::new();
    for group in &GROUPS {
        let is_right = |pair: &&(&str, &str)| Answer::new(pair.0).matches(pair.1).is_some();
        let accepted = group.different.iter().filter(is_right);
        missed.extend(accepted.map(|pair| (group.name, "accepted", pair)));
        let refused = group.same.iter().filter(|pair| !is_right(pair));
        missed.extend(refused.map(|pair| (group.name, "refused", pair)));
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn completions_that_hold_more_than_the_answer_are_wrong() {
    for (gold, completion) in [
        ("x=5", "The equation is $2x+3=13$."),
        ("5", r"\boxed{5 \text{ if true; otherwise } 6}"),
        ("5", r"\boxed{\text{not } x = 5}"),
        ("B", "Answer: A, B"),
    ] {
        let outcome = verify(completion, &Answer::new(gold)).outcome;
        assert_ne!(outcome, Outcome::Correct, "{completion}");
    }
}
