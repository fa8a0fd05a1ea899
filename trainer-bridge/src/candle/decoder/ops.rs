//! The operations that a decoder is made of, and the way back of each. [`super::pass`] puts them together once; the processor's buffers
//! (`cpu`) and the tensor library's tensors (`device`) implement them.
//!
//! Weights are named by their index among the model's parameters. Results are written into buffers of the caller's, so that an implementation
//! on plain memory can use the same memory again and again: what a buffer held before does not matter unless an operation says that it
//! adds to it.

/// What a projection's result is added to.
pub enum Onto<'a, R> {
    /// Nothing.
    Nothing,
    /// The vector at this index, in every row.
    Bias(usize),
    /// Rows of the result's shape.
    Rows(&'a R),
}

/// The way forward.
pub trait Ops {
    /// A matrix with a row for each token.
    type Rows: Default;
    /// What can go wrong while something is computed.
    type Error;

    /// Writes the embedding of every token.
    fn embed(&mut self, tokens: &[u32], out: &mut Self::Rows) -> Result<(), Self::Error>;

    /// Copies chosen rows of the residual stream.
    fn select(
        &mut self,
        rows: &Self::Rows,
        chosen: &[u32],
        out: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// Normalises every row by its root mean square and multiplies it by the gain at an index.
    fn norm(
        &mut self,
        gain: usize,
        x: &Self::Rows,
        out: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// Computes `x W^T`, with what an adapter adds to it, on top of something.
    fn project(
        &mut self,
        weight: usize,
        x: &Self::Rows,
        onto: Onto<'_, Self::Rows>,
        out: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// Turns the query and key heads of fused rows to the rows' positions, in place.
    fn turn(&mut self, fused: &mut Self::Rows) -> Result<(), Self::Error>;

    /// Normalises the query and key heads of fused rows by two gains, and turns them.
    fn norm_and_turn(
        &mut self,
        gains: [usize; 2],
        plain: &Self::Rows,
        fused: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// Computes a layer's attention from fused rows whose heads are turned. What a row may see is the implementation's to know.
    fn attend(
        &mut self,
        layer: usize,
        fused: &Self::Rows,
        out: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// Computes `silu(gate) * up` of fused gates and ups.
    fn gate(&mut self, gate_up: &Self::Rows, out: &mut Self::Rows) -> Result<(), Self::Error>;

    /// Appends the log-probability of one target for each row of logits, divided by the temperature before.
    fn log_probs(
        &mut self,
        logits: &Self::Rows,
        targets: &Targets<'_>,
        out: &mut Vec<f32>,
    ) -> Result<(), Self::Error>;
}

/// The tokens whose log-probabilities are asked for, one a row of logits.
pub struct Targets<'a> {
    /// Token ids.
    pub tokens: &'a [u32],
    /// 1 / temperature.
    pub inverse_temperature: f64,
}

/// The way back of [`Ops`] over the rows of a pack: gradients of what went in from those of what came out. Gradients of weights are added up
/// by the implementation, of those that are trained.
pub trait WayBack: Ops {
    /// Writes zeros in the shape of some rows.
    fn zeros(&mut self, like: &Self::Rows, out: &mut Self::Rows) -> Result<(), Self::Error>;

    /// The way back of [`Ops::log_probs`].
    fn log_probs_back(
        &mut self,
        logits: &Self::Rows,
        targets: &Targets<'_>,
        dlog_probs: &[f32],
        dlogits: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::select`]: adds to the chosen rows of `drows`.
    fn select_back(
        &mut self,
        chosen: &[u32],
        dout: &Self::Rows,
        drows: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::project`] with regard to `x`.
    fn project_back(
        &mut self,
        weight: usize,
        x: &Self::Rows,
        dy: &Self::Rows,
        dx: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The gradient of a projection's bias.
    fn bias_back(&mut self, bias: usize, dy: &Self::Rows) -> Result<(), Self::Error>;

    /// The way back of [`Ops::norm`]: adds to `dx`; what `dy` holds afterwards is of no use.
    fn norm_back(
        &mut self,
        gain: usize,
        x: &Self::Rows,
        dy: &mut Self::Rows,
        dx: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::gate`].
    fn gate_back(
        &mut self,
        gate_up: &Self::Rows,
        dout: &Self::Rows,
        dgate_up: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::attend`]; `out` is what came of it.
    fn attend_back(
        &mut self,
        fused: &Self::Rows,
        out: &Self::Rows,
        dout: &Self::Rows,
        dfused: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::turn`], in place.
    fn turn_back(&mut self, dfused: &mut Self::Rows) -> Result<(), Self::Error>;

    /// The way back of [`Ops::norm_and_turn`], in place.
    fn norm_and_turn_back(
        &mut self,
        gains: [usize; 2],
        plain: &Self::Rows,
        dfused: &mut Self::Rows,
    ) -> Result<(), Self::Error>;

    /// The way back of [`Ops::embed`].
    fn embed_back(&mut self, tokens: &[u32], dout: &Self::Rows) -> Result<(), Self::Error>;
}
