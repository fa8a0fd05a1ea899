//! One tiny request, to see that address, key and model are right before anything is built on them.

use super::{AskError, Endpoint, EndpointConfig, Exchange, Messages};

/// What is asked.
pub const CHECKING: &str = "This only checks the connection. Answer with the word OK.";
/// Tokens the reply may have: the fewest that every service takes.
const TOKENS: u32 = 16;

impl Endpoint {
    /// Asks for a word; `on_exchange` is told of every request. What the word is does not matter, nor whether there is room for one.
    ///
    /// # Errors
    /// As [`Endpoint::ask`]. A request that is refused for its length alone is none: others are longer.
    pub async fn check(
        &self,
        on_exchange: &mut (dyn FnMut(Exchange) + Send),
    ) -> Result<(), AskError> {
        let small = EndpointConfig {
            max_tokens: TOKENS,
            ..self.config.clone()
        };
        let endpoint = Self::new(small, self.key.clone()).map_err(AskError::Setup)?;
        let messages = Messages {
            system: None,
            user: CHECKING.to_owned(),
        };
        match endpoint.ask(&messages, 0, on_exchange).await {
            Ok(_) => Ok(()),
            Err(AskError::Refused(why)) if why.contains("token") => Ok(()),
            Err(error) => Err(error),
        }
    }
}
