//! How sure a figure is: intervals, paired tests, sequential tests and the best of many.
//!
//! [`law`] holds the distributions, [`paired`] compares two evaluations of the same questions, [`interval`]
//! estimates figures with their uncertainty, [`sequential`] tests after every question, and [`selection`] corrects
//! the figure of a winner. Each imports only those named before it.

pub(crate) mod interval;
pub(crate) mod law;
pub(crate) mod paired;
pub(crate) mod selection;
pub(crate) mod sequential;
