//! The chat template of a model, rendered as transformers' `apply_chat_template` renders it: a system message, a user message, and the
//! beginning of the assistant's turn.
//!
//! One thing differs on purpose: `strftime_now` tells the same day every day, so that a search continued tomorrow meets today's prompts.

use std::collections::BTreeMap;

use minijinja::{Environment, Error, ErrorKind, Value, context, syntax::SyntaxConfig};
use serde_json::Value as Json;

use crate::candle::files::tokenizer_config::TokenizerConfig;

/// A template in a file of its own.
pub const TEMPLATE: &str = "chat_template.jinja";

/// What a template is told in any case; nobody may set these.
pub const OWN_VARIABLES: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

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
    kwargs: BTreeMap<String, Value>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// The template of a model folder: a file of its own before the entry in `tokenizer_config.json`; `None` if it has neither.
    pub fn of_folder(own: Option<&[u8]>, config: &TokenizerConfig) -> Result<Option<Self>, String> {
        let source = match own {
            Some(text) => Some(std::str::from_utf8(text).map_err(|error| error.to_string())?),
            None => config.chat_template()?,
        };
        source
            .map(|source| Self::new(source, config.special_tokens().clone()))
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
            .add_template_owned(NAME, without_generation_tags(source))
            .map_err(|error| format!("the chat template cannot be read: {}", one_line(&error)))?;
        Ok(Self {
            environment,
            special_tokens,
            kwargs: BTreeMap::new(),
        })
    }

    /// The same template, told more: transformers' `chat_template_kwargs`.
    pub fn with_kwargs(self, kwargs: &BTreeMap<String, Json>) -> Self {
        let kwargs = kwargs.iter().map(|(key, json)| (key.clone(), value(json)));
        Self {
            kwargs: kwargs.collect(),
            ..self
        }
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
        let context = context! {
            ..conversation,
            ..Value::from(self.kwargs.clone()),
            ..Value::from(self.special_tokens.clone()),
        };
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(context))
            .map_err(|error| format!("the chat template fails: {}", one_line(&error)))
    }
}

/// A value as templates have it.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, float) => Value::from(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, field)| (key.clone(), value(field)));
            Value::from(fields.collect::<BTreeMap<_, _>>())
        }
    }
}

/// The template with the tags `generation` and `endgeneration` replaced by ones that do nothing. In transformers they mark what the
/// assistant said, for masks that are not made here; the dashes beside them keep their meaning.
fn without_generation_tags(source: &str) -> String {
    let mut pieces = source.split("{%");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (tag, rest) = piece.split_once("%}").unwrap_or((piece, ""));
        let name = tag.trim_matches(|c: char| c.is_whitespace() || "-+".contains(c));
        let tag = match name {
            "generation" => tag.replace(name, "if true"),
            "endgeneration" => tag.replace(name, "endif"),
            _ => tag.to_owned(),
        };
        let end = if piece.contains("%}") { "%}" } else { "" };
        text.extend(["{%", &tag, end, rest]);
    }
    text
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
    fn a_file_of_its_own_comes_first() {
        let config = br#"{"chat_template": "{{ bos_token }}d", "bos_token": {"content": "<s>"}}"#;
        let config = TokenizerConfig::parse(config).unwrap();
        let rendered = |own: Option<&[u8]>| {
            let template = ChatTemplate::of_folder(own, &config).unwrap().unwrap();
            template.render(None, "x").unwrap()
        };
        assert_eq!(rendered(None), "<s>d");
        assert_eq!(rendered(Some(b"{{ bos_token }}own")), "<s>own");
        let none = ChatTemplate::of_folder(None, &TokenizerConfig::default()).unwrap();
        assert!(none.is_none());
    }

    #[test]
    fn marks_of_what_the_assistant_said_change_nothing() {
        let source = "{% for m in messages %}\n a {%- generation -%} b {{ m.content }} {%- endgeneration %} c\n{% endfor %}{% set x = '%}' %}.";
        let plain = "{% for m in messages %}\n a {%- if true -%} b {{ m.content }} {%- endif %} c\n{% endfor %}{% set x = '%}' %}.";
        assert_eq!(without_generation_tags(source), plain);
        assert_eq!(template(source).render(None, "x").unwrap(), " ab x c\n.");
        assert_eq!(without_generation_tags("{% generation"), "{% if true");
    }

    #[test]
    fn settings_reach_the_template_and_may_replace_special_tokens() {
        let source = "{% if enable_thinking is defined and not enable_thinking %}short{% endif %}{{ bos_token }}{{ budget.tokens if budget }}";
        let tokens = [("bos_token".to_owned(), "<s>".to_owned())];
        let template = ChatTemplate::new(source, tokens.into()).unwrap();
        assert_eq!(template.render(None, "x").unwrap(), "<s>");
        let kwargs = serde_json::json!({"enable_thinking": false, "bos_token": "<b>", "budget": {"tokens": 5}});
        let template = template.with_kwargs(&serde_json::from_value(kwargs).unwrap());
        assert_eq!(template.render(None, "x").unwrap(), "short<b>5");
    }
}
