//! The signs between the sides of an equation, an inequality or a membership.

/// How two sides are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Approximately,
    Element,
    NotElement,
}

impl Relation {
    /// The relation read from right to left.
    pub fn reversed(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    pub fn is_order(self) -> bool {
        !matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Approximately | Self::Element | Self::NotElement
        )
    }
}
