//! Classes of residues: `7 \\pmod 9` against `9k + 7`.

use num_bigint::BigInt;
use num_integer::Integer;

use crate::answer::{
    evaluate::exact_integer,
    read::{conditions::WHOLE, special::CLASS},
    value::{expr::Expr, fuel::Fuel},
};

/// Whether one is the class of a residue, and the other its members as steps of one whole number.
pub(super) fn same_class(a: &Expr, b: &Expr, fuel: &Fuel) -> bool {
    is_class_of(a, b, fuel) || is_class_of(b, a, fuel)
}

fn is_class_of(class: &Expr, members: &Expr, fuel: &Fuel) -> bool {
    let Expr::Apply(name, residues) = class else {
        return false;
    };
    let ([residue], Some(modulus)) = (&residues[..], name.strip_prefix(CLASS)) else {
        return false;
    };
    let (Ok(modulus), Some(residue)) = (modulus.parse::<BigInt>(), exact_integer(residue, fuel))
    else {
        return false;
    };
    let [index] = members.symbols()[..] else {
        return false;
    };
    // A counter that is said to be positive leaves members out.
    if index.starts_with(WHOLE) && index != WHOLE {
        return false;
    }
    let at = |value: i64| exact_integer(&members.with_value(index, &Expr::integer(value)), fuel);
    let (Some(first), Some(second), Some(third)) = (at(0), at(1), at(2)) else {
        return false;
    };
    let step = &second - &first;
    let is_straight = third - second == step;
    is_straight && (step == modulus || step == -&modulus) && first.mod_floor(&modulus) == residue
}
