//! Templates of prompts: minijinja's language with a fixed set of variables, checked when a template is loaded.
//!
//! What is put in is never searched for variables itself, and nothing is escaped: prompts are plain text.

use std::{collections::HashSet, fmt};

use minijinja::{
    AutoEscape, Environment, Error, UndefinedBehavior, Value, context, syntax::SyntaxConfig,
};

use super::nearest;

/// A compiled template.
#[derive(Clone)]
pub(crate) struct Template {
    environment: Environment<'static>,
    variables: HashSet<String>,
}

/// The only template of its environment. The name shows in errors of rendering alone, which the check at loading leaves no room for.
const NAME: &str = "template";

impl Template {
    /// Compiles a template that may use the `known` variables.
    ///
    /// # Errors
    /// One line that says where the syntax is wrong, or which variable there is not.
    pub(crate) fn new(source: &str, known: &[&str]) -> Result<Self, String> {
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        let mut environment = Environment::new();
        environment.set_syntax(syntax.map_err(|error| explained(&error))?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| explained(&error))?;
        let template = environment.get_template(NAME).expect("it was just added");
        let variables = template.undeclared_variables(false);
        // The functions of the language count as variables, too.
        let mut unknown: Vec<&String> = variables
            .iter()
            .filter(|name| !known.contains(&name.as_str()))
            .filter(|name| environment.globals().all(|(global, _)| global != *name))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.first() {
            return Err(format!(
                "there is no {{{{{name}}}}}; there are {}.{}",
                known.join(", "),
                nearest::hint(name, known.iter().copied())
            ));
        }
        Ok(Self {
            environment,
            variables,
        })
    }

    /// Compiles a template in which `{name}` may stand for `{{ name }}`, if `name` is a known variable.
    ///
    /// # Errors
    /// As [`Template::new`].
    pub(crate) fn with_single_braces(source: &str, known: &[&str]) -> Result<Self, String> {
        Self::new(&with_double_braces(source, known), known)
    }

    /// Whether the template uses a variable.
    pub(crate) fn uses(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// The text with the values put in.
    ///
    /// # Errors
    /// One line, if an expression of the template cannot be computed or a variable has no value.
    pub(crate) fn render(&self, values: Value) -> Result<String, String> {
        self.environment
            .get_template(NAME)
            .and_then(|template| template.render(values))
            .map_err(|error| explained(&error))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.environment.get_template(NAME);
        f.debug_tuple("Template")
            .field(&source.map(|template| template.source().to_owned()))
            .finish()
    }
}

/// The source with each `{name}` of a known variable written `{{ name }}`; braces that already stand doubled are left alone.
fn with_double_braces(source: &str, known: &[&str]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let (before, opened) = rest.split_at(at);
        text.push_str(before);
        let name = known.iter().find(|name| {
            let after = opened[1..].strip_prefix(**name);
            after.is_some_and(|after| after.starts_with('}') && !after.starts_with("}}"))
        });
        match name {
            Some(name) if !text.ends_with('{') => {
                text.push_str(&format!("{{{{ {name} }}}}"));
                rest = &opened[name.len() + 2..];
            }
            _ => {
                text.push('{');
                rest = &opened[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// The prompt of a task: what stands around the question. The template is rendered once, when it is loaded, so that no question can make
/// it fail.
#[derive(Debug, Clone)]
pub(crate) struct TaskPrompt {
    around: Vec<String>,
}

impl TaskPrompt {
    /// Compiles a template in which `{question}` or `{{ question }}` stands for the question.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        // No text of a data set holds this character.
        const MARK: &str = "\0";
        let template = Template::with_single_braces(source, &["question"])?;
        let text = template.render(context! { question => MARK })?;
        let around: Vec<String> = text.split(MARK).map(str::to_owned).collect();
        match around.len() {
            1 => Err("it must contain {question}".to_owned()),
            _ => Ok(Self { around }),
        }
    }

    /// The prompt that asks a question.
    pub(crate) fn render(&self, question: &str) -> String {
        self.around.join(question)
    }
}

/// An error of the template engine in one line, with the line of the template.
fn explained(error: &Error) -> String {
    let what = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    let what = what.replace('\n', " ");
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KNOWN: [&str; 2] = ["question", "answer"];

    fn rendered(source: &str) -> String {
        let template = Template::with_single_braces(source, &KNOWN).unwrap();
        let values = context! { question => "{answer} {{ answer }} <b>", answer => "3" };
        template.render(values).unwrap()
    }

    #[test]
    fn both_spellings_of_a_variable_are_read_and_what_is_put_in_is_not() {
        assert_eq!(
            rendered("{question}|{{question}}|{{ answer }}\n"),
            "{answer} {{ answer }} <b>|{answer} {{ answer }} <b>|3\n"
        );
        assert_eq!(
            rendered("\\boxed{x} {} { {answer"),
            "\\boxed{x} {} { {answer"
        );
        assert_eq!(
            rendered(
                "{% if answer %}{{ answer | upper }}{% endif %}{% for i in range(2) %}{{ i }}{% endfor %}"
            ),
            "301"
        );
    }

    #[test]
    fn what_a_template_uses_is_known() {
        let template =
            Template::with_single_braces("{% if answer %}yes{% endif %}", &KNOWN).unwrap();
        assert!(template.uses("answer") && !template.uses("question"));
    }

    #[test]
    fn a_task_s_prompt_is_put_around_any_question() {
        let prompt = TaskPrompt::new("Solve: {question}\nEnd with {x}.").unwrap();
        let asked = prompt.render("{question} {{ 1 }}?");
        assert_eq!(asked, "Solve: {question} {{ 1 }}?\nEnd with {x}.");
        let twice = TaskPrompt::new("{question} {{ question }}").unwrap();
        assert_eq!(twice.render("1"), "1 1");
        for (bad, says) in [
            ("Solve.", "{question}"),
            ("{question} {{ qestion }}", "`question`?"),
        ] {
            let why = TaskPrompt::new(bad).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn what_cannot_be_rendered_is_refused_when_it_is_loaded() {
        let why = |source| Template::new(source, &KNOWN).unwrap_err();
        let unknown = why("{{ qestion }}");
        assert!(
            unknown.contains("{{qestion}}") && unknown.ends_with("Did you mean `question`?"),
            "{unknown}"
        );
        let unclosed = why("one\ntwo {{ question");
        assert!(unclosed.starts_with("line 2: syntax error"), "{unclosed}");
    }
}
