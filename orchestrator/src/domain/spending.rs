//! What language models have cost a search.

use serde::Serialize;

use super::draft::Exchange;

/// What the exchanges of a search add up to; failed ones count, where they can have been billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spending {
    /// Requests made.
    pub requests: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Requests whose tokens are guessed from the length of the texts, because the server counted none.
    pub estimated: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Tokens of replies.
    pub completion_tokens: u64,
    /// Dollars, as far as prices are configured.
    pub cost_usd: f64,
}

impl Spending {
    /// Counts one more exchange.
    pub fn add(&mut self, exchange: &Exchange) {
        self.requests += 1;
        self.failed += u64::from(exchange.error.is_some());
        self.estimated += u64::from(exchange.is_estimate);
        self.prompt_tokens += exchange.prompt_tokens.unwrap_or(0);
        self.completion_tokens += exchange.completion_tokens.unwrap_or(0);
        self.cost_usd += exchange.cost_usd.unwrap_or(0.0);
    }

    /// Tokens of prompts and replies.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }
}

impl std::fmt::Display for Spending {
    /// One line: `5 requests (1 failed), 12000 tokens, 0.0310 dollars (2 estimated: the server did not count them)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let requests = match self.requests {
            1 => "1 request".to_owned(),
            n => format!("{n} requests"),
        };
        write!(f, "{requests}")?;
        if self.failed > 0 {
            write!(f, " ({} failed)", self.failed)?;
        }
        write!(f, ", {} tokens", self.tokens())?;
        if self.cost_usd > 0.0 {
            write!(f, ", {:.4} dollars", self.cost_usd)?;
        }
        if self.estimated > 0 {
            write!(
                f,
                " (those of {} estimated: the server did not count them)",
                self.estimated
            )?;
        }
        Ok(())
    }
}
