//! The chat template of a model, rendered as transformers' `apply_chat_template` renders it: a system message, a user message, and the
//! beginning of the assistant's turn.
//!
//! One thing differs on purpose: `strftime_now` tells the same day every day, so that a search continued tomorrow meets today's prompts.

use std::collections::BTreeMap;

use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use serde_json::Value as Json;

/// A template in a file of its own.
pub const TEMPLATE: &str = "chat_template.jinja";
/// Special tokens, and in older folders the template.
pub const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// The day templates are told: the one Llama 3's template falls back on.
const TODAY: [(&str, &str); 8] = [
    ("%d", "26"),
    ("%b", "Jul"),
    ("%B", "July"),
    ("%m", "07"),
    ("%Y", "2024"),
    ("%y", "24"),
    ("%A", "Friday"),
    ("%a", "Fri"),
];

/// A compiled chat template.
#[derive(Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, String>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// The template of a model folder: a file of its own before the entry in `tokenizer_config.json`; `None` if it has neither.
    pub fn of_folder(
        own: Option<&[u8]>,
        tokenizer_config: Option<&[u8]>,
    ) -> Result<Option<Self>, String> {
        let config: Json = match tokenizer_config {
            Some(json) => serde_json::from_slice(json).map_err(|error| error.to_string())?,
            None => Json::Null,
        };
        let source = match own {
            Some(text) => Some(std::str::from_utf8(text).map_err(|error| error.to_string())?),
            None => template_in(&config["chat_template"]),
        };
        source
            .map(|source| Self::new(source, special_tokens(&config)))
            .transpose()
    }

    /// Compiles a template.
    pub fn new(source: &str, special_tokens: BTreeMap<String, String>) -> Result<Self, String> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(|error| one_line(&error))?);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| format!("the chat template cannot be read: {}", one_line(&error)))?;
        Ok(Self {
            environment,
            special_tokens,
        })
    }

    /// The text of a conversation that begins with an optional system message and a question, up to where the answer begins.
    pub fn render(&self, system: Option<&str>, user: &str) -> Result<String, String> {
        let message = |role: &str, content: &str| context! { role => role, content => content };
        let mut messages: Vec<Value> = system.iter().map(|text| message("system", text)).collect();
        messages.push(message("user", user));
        let conversation = context! {
            messages => messages,
            tools => (),
            documents => (),
            add_generation_prompt => true,
        };
        let context = context! { ..conversation, ..Value::from(self.special_tokens.clone()) };
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(context))
            .map_err(|error| format!("the chat template fails: {}", one_line(&error)))
    }
}

/// The template in `tokenizer_config.json`: a text, or the default one of several.
fn template_in(entry: &Json) -> Option<&str> {
    match entry {
        Json::String(source) => Some(source),
        Json::Array(named) => named
            .iter()
            .find(|template| template["name"] == "default")
            .and_then(|template| template["template"].as_str()),
        _ => None,
    }
}

/// `bos_token`, `eos_token` and the like: texts, or objects with a text.
fn special_tokens(config: &Json) -> BTreeMap<String, String> {
    let entries = config.as_object().into_iter().flatten();
    entries
        .filter(|(key, _)| key.ends_with("_token"))
        .filter_map(|(key, value)| {
            let text = value.as_str().or_else(|| value["content"].as_str())?;
            Some((key.clone(), text.to_owned()))
        })
        .collect()
}

fn raise_exception(message: String) -> Result<String, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn strftime_now(format: String) -> Result<String, Error> {
    let text = TODAY.iter().fold(format.clone(), |text, (code, value)| {
        text.replace(code, value)
    });
    if text.contains('%') {
        let problem = format!("strftime_now cannot write {format:?}");
        return Err(Error::new(ErrorKind::InvalidOperation, problem));
    }
    Ok(text)
}

fn one_line(error: &Error) -> String {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{line}", detail.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source, BTreeMap::new()).unwrap()
    }

    #[test]
    fn blocks_are_trimmed_and_python_methods_work() {
        let source = "{% for m in messages %}\n  {% if loop.first %}\n[{{ m['content'].strip().upper() }}]\n  {% endif %}\n{% endfor %}\n";
        assert_eq!(template(source).render(None, " hi ").unwrap(), "[HI]\n");
    }

    #[test]
    fn what_a_template_refuses_is_said_in_one_line() {
        let source = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role\nhere') }}{% endif %}ok";
        assert_eq!(template(source).render(None, "x").unwrap(), "ok");
        let refusal = template(source).render(Some("s"), "x").unwrap_err();
        assert_eq!(refusal, "the chat template fails: no system role (line 1)");
        let error = ChatTemplate::new("{% if %}", BTreeMap::new())
            .err()
            .unwrap();
        assert!(error.contains("line 1") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn every_day_is_the_same_day() {
        let source = "{{ strftime_now('%d %b %Y') }}";
        assert_eq!(template(source).render(None, "x").unwrap(), "26 Jul 2024");
        assert!(
            template("{{ strftime_now('%H') }}")
                .render(None, "x")
                .is_err()
        );
    }

    #[test]
    fn a_file_of_its_own_comes_first_and_tokens_may_be_objects() {
        let config = br#"{"chat_template": [{"name": "tools", "template": "t"}, {"name": "default", "template": "{{ bos_token }}d"}],
            "bos_token": {"content": "<s>"}, "eos_token": null, "model_max_length": 3}"#;
        let rendered = |own: Option<&[u8]>| {
            let template = ChatTemplate::of_folder(own, Some(config)).unwrap().unwrap();
            template.render(None, "x").unwrap()
        };
        assert_eq!(rendered(None), "<s>d");
        assert_eq!(rendered(Some(b"{{ bos_token }}own")), "<s>own");
        assert!(
            ChatTemplate::of_folder(None, Some(b"{}"))
                .unwrap()
                .is_none()
        );
        assert!(ChatTemplate::of_folder(None, None).unwrap().is_none());
    }
}
