//! Walks the syntax tree and applies the rules to each part.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, File, GenericArgument, Ident, ImplItem, Item, Signature, TraitItem, Type,
};

use super::constants::{self, Constants, METHODS};
use super::expansion::{self, Budget};
use super::macros::{self, Arguments};
use super::own_macros::OwnMacros;
use super::{Finding, attributes, paths};

/// Refuses a file for the first thing in it that is not allowed.
pub(crate) fn check(file: &File) -> Result<(), Finding> {
    let constants = Constants::of(file);
    let own_macros = OwnMacros::of(file)?;
    let mut walk = Walk {
        constants: &constants,
        own_macros: &own_macros,
        budget: Budget::new(),
        repeated: 1,
        elements: 0,
        in_macro: false,
        found: None,
    };
    walk.visit_file(file);
    walk.found.map_or(Ok(()), Err)
}

struct Walk<'a> {
    constants: &'a Constants<'a>,
    own_macros: &'a OwnMacros,
    /// What calls of the author's own macros may still become.
    budget: Budget,
    /// Elements of the arrays around the current one.
    repeated: u64,
    /// Elements of all arrays so far.
    elements: u64,
    /// In the arguments of a macro.
    in_macro: bool,
    found: Option<Finding>,
}

impl Walk<'_> {
    fn apply<T>(&mut self, result: Result<T, Finding>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(finding) => {
                self.found.get_or_insert(finding);
                None
            }
        }
    }

    fn refuse(&mut self, rule: &'static str, span: Span, what: &str) {
        self.apply::<()>(Err(Finding::new(rule, span, what)));
    }

    /// An expression that rustc evaluates; its parts are walked by the caller as any others are.
    fn constant(&mut self, expression: &Expr) {
        let result = constants::check(expression);
        self.apply(result);
    }

    /// The name of an item that the author defines.
    fn defines(&mut self, name: &Ident) {
        let result = paths::check_name(name);
        self.apply(result);
    }

    /// Walks what a call becomes, if it is one of a macro of the author's own. Such a call holds no other.
    fn is_own_call(&mut self, call: &syn::Macro) -> bool {
        let Some(rules) = self.own_macros.rules(&call.path) else {
            return false;
        };
        let expanded = expansion::expand(call, rules, &mut self.budget);
        let outside = std::mem::replace(&mut self.in_macro, true);
        for statements in self.apply(expanded).unwrap_or_default() {
            statements.iter().for_each(|it| self.visit_stmt(it));
        }
        self.in_macro = outside;
        true
    }

    /// An array of `length`, whose elements `inside` walks.
    fn array(&mut self, length: &Expr, inside: impl FnOnce(&mut Self)) {
        self.constant(length);
        let size = constants::check_length(length, self.repeated, self.constants);
        if let Ok(elements) = size {
            self.elements = self.elements.saturating_add(elements);
            if self.elements > constants::MOST_ELEMENTS_TOGETHER {
                self.refuse(
                    "array",
                    length.span(),
                    "the arrays of this source have too many elements together; use a `Vec`",
                );
            }
        }
        let before = self.repeated;
        self.repeated = self.apply(size).unwrap_or(before);
        inside(self);
        self.repeated = before;
        self.visit_expr(length);
    }

    /// A const argument must be small where it is a number: it may become a length.
    fn const_argument(&mut self, value: &Expr) {
        self.constant(value);
        let size = constants::check_length(value, 1, self.constants);
        let is_number =
            !matches!(value, Expr::Lit(literal) if !matches!(literal.lit, syn::Lit::Int(_)));
        if is_number {
            self.apply(size);
        }
    }
}

fn has_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(attributes::is_test_only)
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let result = attributes::check(attribute);
        self.apply(result);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        let unavailable = match item {
            // The values of constants are collected beforehand, and macro arguments are not yet parsed then.
            Item::Const(_) if self.in_macro => Some("a constant inside a macro call"),
            Item::Macro(item) if item.mac.path.is_ident("macro_rules") => {
                let name = item.ident.clone().map(syn::Path::from);
                let is_known = name.is_some_and(|name| self.own_macros.rules(&name).is_some());
                item.attrs
                    .iter()
                    .for_each(|attribute| self.visit_attribute(attribute));
                if is_known && !self.in_macro {
                    return;
                }
                Some("a macro inside a macro call")
            }
            Item::Fn(_) | Item::Use(_) | Item::Const(_) | Item::Impl(_) | Item::Macro(_) => None,
            Item::Struct(item) => {
                self.defines(&item.ident);
                None
            }
            Item::Enum(item) => {
                self.defines(&item.ident);
                None
            }
            Item::Trait(item) => {
                self.defines(&item.ident);
                item.modifiers
                    .auto_token
                    .is_some()
                    .then_some("an auto trait")
            }
            Item::Type(item) => {
                self.defines(&item.ident);
                None
            }
            // Left out of what is compiled, so it may hold anything that parses.
            Item::Mod(item) if has_test_only(&item.attrs) && item.content.is_some() => {
                let others = item.attrs.iter().filter(|a| !attributes::is_test_only(a));
                others.for_each(|attribute| self.visit_attribute(attribute));
                return;
            }
            Item::Mod(item) if item.content.is_none() => Some("a module in another file"),
            Item::Mod(item) => {
                self.defines(&item.ident);
                None
            }
            Item::Static(item) => {
                matches!(item.mutability, syn::StaticMutability::Mut(_)).then_some("`static mut`")
            }
            Item::ExternCrate(_) => Some("`extern crate`"),
            Item::ForeignMod(_) => Some("an `extern` block"),
            Item::Union(_) => Some("a union"),
            Item::TraitAlias(_) => Some("a trait alias"),
            _ => Some("this kind of item"),
        };
        match unavailable {
            Some(what) => self.refuse(
                "item",
                item.span(),
                &format!("{what} is not available in a reward"),
            ),
            None => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        item.attrs
            .iter()
            .for_each(|attribute| self.visit_attribute(attribute));
        let result = paths::check_use(&item.tree);
        self.apply(result);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(&item.expr);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(&item.expr);
        visit::visit_item_static(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Const(constant) => self.constant(&constant.expr),
            ImplItem::Verbatim(_) => self.refuse(
                "item",
                item.span(),
                "this kind of item is not available in a reward",
            ),
            _ => {}
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if let TraitItem::Const(syn::TraitItemConst {
            default: Some((_, value)),
            ..
        }) = item
        {
            self.constant(value);
        }
        visit::visit_trait_item(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if let Some((_, value)) = &variant.discriminant {
            self.constant(value);
        }
        visit::visit_variant(self, variant);
    }

    fn visit_const_param(&mut self, parameter: &'ast syn::ConstParam) {
        if let Some((_, value)) = &parameter.default {
            self.const_argument(value);
        }
        visit::visit_const_param(self, parameter);
    }

    fn visit_generic_argument(&mut self, argument: &'ast GenericArgument) {
        match argument {
            GenericArgument::Const(value) => self.const_argument(value),
            GenericArgument::AssocConst(constant) => self.const_argument(&constant.value),
            // A lone name may be a type or a constant.
            GenericArgument::Type(Type::Path(path)) => {
                let value = path
                    .path
                    .get_ident()
                    .and_then(|name| self.constants.value(&name.to_string()));
                if value
                    .flatten()
                    .is_some_and(|value| value > u64::from(u16::MAX) + 1)
                {
                    self.refuse(
                        "array",
                        path.span(),
                        "this constant is too large for a const argument",
                    );
                }
            }
            _ => {}
        }
        visit::visit_generic_argument(self, argument);
    }

    fn visit_signature(&mut self, signature: &'ast Signature) {
        let name = &signature.ident;
        let plain = name.to_string();
        let refused = if signature.asyncness.is_some() {
            Some("`async`")
        } else if matches!(
            signature.safety,
            syn::Safety::Unsafe(_) | syn::Safety::Safe(_)
        ) {
            Some("`unsafe`")
        } else if signature.abi.is_some() || signature.variadic.is_some() {
            Some("an `extern` function")
        } else {
            None
        };
        if let Some(what) = refused {
            self.refuse(
                "function",
                signature.span(),
                &format!("{what} is not available in a reward"),
            );
        }
        // Constants may call what looks like a constructor or one of these methods; functions must not look so.
        if plain
            .trim_start_matches("r#")
            .starts_with(char::is_uppercase)
        {
            self.refuse(
                "name",
                name.span(),
                "function names start with a small letter",
            );
        }
        if signature.constness.is_some() && METHODS.contains(&plain.trim_start_matches("r#")) {
            self.refuse(
                "name",
                name.span(),
                &format!("`{plain}` may not be a `const fn`"),
            );
        }
        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if item.unsafety.is_some() || item.modifiers.polarity.is_some() {
            self.refuse(
                "item",
                item.impl_token.span,
                "`unsafe impl` is not available in a reward",
            );
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if item.unsafety.is_some() {
            self.refuse(
                "item",
                item.trait_token.span,
                "`unsafe trait` is not available in a reward",
            );
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        let unavailable = match expression {
            Expr::Unsafe(_) => "`unsafe`",
            Expr::Async(_) | Expr::Await(_) => "`async`",
            Expr::Const(_) => "a `const` block",
            Expr::RawAddr(_) => "a raw address",
            Expr::TryBlock(_) | Expr::Yield(_) | Expr::Verbatim(_) => "this syntax",
            Expr::Closure(closure)
                if closure.asyncness.is_some() || closure.constness.is_some() =>
            {
                "this kind of closure"
            }
            Expr::Repeat(repeat) => {
                repeat
                    .attrs
                    .iter()
                    .for_each(|attribute| self.visit_attribute(attribute));
                return self.array(&repeat.len, |walk| walk.visit_expr(&repeat.expr));
            }
            _ => return visit::visit_expr(self, expression),
        };
        self.refuse(
            "expression",
            expression.span(),
            &format!("{unavailable} is not available in a reward"),
        );
    }

    fn visit_expr_const(&mut self, block: &'ast syn::ExprConst) {
        self.refuse(
            "expression",
            block.const_token.span,
            "a `const` block is not available in a reward",
        );
    }

    fn visit_type(&mut self, of: &'ast Type) {
        let unavailable = match of {
            Type::Macro(_) | Type::Verbatim(_) => "this kind of type",
            Type::Ptr(_) => "a raw pointer",
            Type::FnPtr(function) if function.unsafety.is_some() || function.abi.is_some() => {
                "an `extern` function"
            }
            Type::Array(array) => {
                return self.array(&array.len, |walk| walk.visit_type(&array.elem));
            }
            _ => return visit::visit_type(self, of),
        };
        self.refuse(
            "type",
            of.span(),
            &format!("{unavailable} is not available in a reward"),
        );
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let result = paths::check(path);
        self.apply(result);
        visit::visit_path(self, path);
    }

    fn visit_type_param(&mut self, parameter: &'ast syn::TypeParam) {
        self.defines(&parameter.ident);
        visit::visit_type_param(self, parameter);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(in path)` names a module of the author's own.
    }

    fn visit_expr_macro(&mut self, expression: &'ast syn::ExprMacro) {
        if self.is_own_call(&expression.mac) {
            expression
                .attrs
                .iter()
                .for_each(|attribute| self.visit_attribute(attribute));
        } else {
            visit::visit_expr_macro(self, expression);
        }
    }

    fn visit_stmt_macro(&mut self, statement: &'ast syn::StmtMacro) {
        if self.is_own_call(&statement.mac) {
            statement
                .attrs
                .iter()
                .for_each(|attribute| self.visit_attribute(attribute));
        } else {
            visit::visit_stmt_macro(self, statement);
        }
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        match pattern {
            // To the visitor it is an expression.
            syn::Pat::Macro(call) => self.visit_macro(&call.mac),
            _ => visit::visit_pat(self, pattern),
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if self.own_macros.rules(&call.path).is_some() {
            return self.refuse(
                "macro",
                call.path.span(),
                "a macro of your own can be called where an expression or a statement stands, and nowhere else",
            );
        }
        let Some(arguments) = self.apply(macros::arguments(call)) else {
            return;
        };
        let outside = std::mem::replace(&mut self.in_macro, true);
        match &arguments {
            Arguments::Expressions(all) => all
                .iter()
                .for_each(|expression| self.visit_expr(expression)),
            Arguments::Repeat { element, length } => {
                self.visit_expr(element);
                self.visit_expr(length);
            }
            Arguments::Matches {
                value,
                pattern,
                guard,
            } => {
                self.visit_expr(value);
                self.visit_pat(pattern);
                guard.iter().for_each(|guard| self.visit_expr(guard));
            }
            Arguments::ThreadLocals(all) => {
                for variable in all {
                    variable
                        .attributes
                        .iter()
                        .for_each(|attribute| self.visit_attribute(attribute));
                    self.visit_type(&variable.of);
                    self.visit_expr(&variable.initial);
                }
            }
        }
        self.in_macro = outside;
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        // Whatever the parser kept as bare tokens and no rule above took apart.
        self.refuse(
            "syntax",
            tokens.span(),
            "this syntax is not available in a reward",
        );
    }
}
