//! The arithmetic of the CPU path on plain slices: safe code in fixed-width lanes, compiled for the widest instruction set found at
//! run time.
//!
//! Every kernel adds in one fixed order and calls no libm function inside its loops, so a result depends neither on the number of
//! threads, nor on which other rows share a batch, nor on the machine. Each operation stands beside its own way back; which ones make a
//! decoder is the business of `decoder::cpu`.

/// Defines a function whose body is compiled for the widest vector instructions this machine has (AVX-512, or AVX2 + FMA, on x86-64, the
/// baseline elsewhere); a kernel that writes its vectors out names the token and the type of the instruction set behind the lifetime.
/// What it calls must be `#[inline(always)]`, or it stays at the baseline.
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$life:lifetime>$rest:tt $body:block) => {
        $crate::candle::kernels::vectorized! { $(#[$meta])* $vis fn $name<$life, _simd: S>$rest $body }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$life:lifetime, $simd:ident: $set:ident>($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name<$life>($($arg: $ty),*) {
            struct Work<$life> {
                $($arg: $ty),*
            }
            impl<$life> pulp::WithSimd for Work<$life> {
                type Output = ();
                #[inline(always)]
                fn with_simd<$set: pulp::Simd>(self, $simd: $set) {
                    let Self { $($arg),* } = self;
                    $body
                }
            }
            pulp::Arch::new().dispatch(Work { $($arg),* });
        }
    };
}
pub(crate) use vectorized;

pub mod attention;
pub mod bias;
pub mod choose;
pub mod gemm;
pub mod lanes;
pub mod log_probs;
pub mod rms_norm;
pub mod swiglu;
