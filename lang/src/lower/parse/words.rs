//! Syntax errors in words, and how to mend each so that the next one can be found.

use rnix::{Parse, ParseError, Root, SyntaxKind, TextRange};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// A change of a text.
pub(super) struct Edit {
    at: usize,
    removed: usize,
    inserted: &'static str,
}

impl Edit {
    fn insert(at: usize, inserted: &'static str) -> Option<Edit> {
        Some(Edit { at, removed: 0, inserted })
    }

    fn replace(at: usize, removed: usize, inserted: &'static str) -> Option<Edit> {
        Some(Edit { at, removed, inserted })
    }

    pub(super) fn apply(&self, text: &mut String) {
        text.replace_range(self.at..self.at + self.removed, self.inserted);
    }

    /// Where a place of the changed text was before.
    pub(super) fn before(&self, place: u32) -> u32 {
        let (at, inserted) = (self.at as u32, self.inserted.len() as u32);
        if place >= at + inserted { place - inserted + self.removed as u32 } else { place.min(at) }
    }
}

/// A diagnostic, and how to mend what it says.
type Said = (Diagnostic, Option<Edit>);

/// Where an error is; `None` for the end of the file.
pub(super) fn start(error: &ParseError) -> Option<usize> {
    Some(match error {
        ParseError::Unexpected(range)
        | ParseError::UnexpectedExtra(range)
        | ParseError::UnexpectedWanted(_, range, _)
        | ParseError::UnexpectedDoubleBind(range)
        | ParseError::DuplicatedArgs(range, _) => range.start().into(),
        _ => return None,
    })
}

/// Says what is wrong in a text.
pub(super) struct Words<'t> {
    pub(super) file: FileId,
    pub(super) text: &'t str,
    pub(super) parsed: &'t Parse<Root>,
}

/// A token and where it is.
#[derive(Clone, Copy)]
struct Token<'t> {
    kind: SyntaxKind,
    start: usize,
    end: usize,
    text: &'t str,
}

impl<'t> Words<'t> {
    pub(super) fn diagnostic(&self, error: &ParseError) -> Said {
        match error {
            ParseError::UnexpectedWanted(_, range, wanted) => self.unexpected(*range, wanted),
            ParseError::UnexpectedEOFWanted(wanted) => self.ended(wanted),
            ParseError::UnexpectedEOF => self.ended(&[]),
            ParseError::UnexpectedExtra(range) => self.extra(*range),
            ParseError::UnexpectedDoubleBind(range) => {
                let (start, end) = (range.start().into(), range.end().into());
                let error = self.error(start, end, "the argument set is named twice");
                (error.with_help("write the name before or after the braces, not both"), None)
            }
            ParseError::DuplicatedArgs(range, name) => {
                let (start, end) = (range.start().into(), range.end().into());
                let message = format!("the argument `{name}` is declared twice");
                (self.error(start, end, message), None)
            }
            ParseError::Unexpected(range) => {
                let token = self.token_at(range.start().into());
                (self.at(token, "this is not understood here"), None)
            }
            ParseError::RecursionLimitExceeded => {
                let message = "expressions nest more than 512 deep here";
                let mut error = self.at(self.given_up(), message);
                error.code = "syntax::too-deep".to_owned();
                (error, None)
            }
            _ => (self.error(0, 0, "the file is no expression"), None),
        }
    }

    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error("syntax::error", self.span(start, end), message)
    }

    /// Where the parser gave up: it puts all that is left into one error.
    fn given_up(&self) -> Token<'t> {
        let nodes = self.parsed.syntax().descendants();
        let errors = nodes.filter(|node| node.kind() == SyntaxKind::NODE_ERROR);
        let largest = errors.max_by_key(|node| node.text_range().len());
        let start = largest.map_or(0, |node| node.text_range().start().into());
        self.token_at(start)
    }

    fn at(&self, token: Token<'_>, message: impl Into<String>) -> Diagnostic {
        self.error(token.start, token.end, message)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: start as u32, end: end as u32 }
    }

    fn extra(&self, range: TextRange) -> Said {
        let token = self.token_at(range.start().into());
        let found = token.text;
        let error = self.at(token, format!("unexpected `{found}` after the expression"));
        if let Some(said) = self.slashes(token) {
            return said;
        }
        let help = match found {
            ";" => "a file is one expression, and nothing ends it: leave the `;` out",
            "=" => "an attribute is `name = value;` inside `{ }`; to compare, write `==`",
            "," => "lists are separated by blanks: `[ 1 2 ]`",
            _ => "a file is one expression; are brackets closed too early?",
        };
        (error.with_help(help), None)
    }

    fn unexpected(&self, range: TextRange, wanted: &[SyntaxKind]) -> Said {
        let token = self.token_at(range.start().into());
        if wanted.contains(&SyntaxKind::TOKEN_STRING_END)
            && let Some(open) = self.unclosed(token.start)
        {
            return self.unclosed_string(self.runaway(token.start).unwrap_or(open));
        }
        // A string that goes on to another line makes nonsense of what follows it.
        if let Some(quote) = self.runaway(token.start) {
            return self.unclosed_string(quote);
        }
        if let Some(said) = self.slashes(token).or_else(|| self.punctuation(token, wanted)) {
            return said;
        }
        if let Some(said) = self.let_without_in(token, wanted) {
            return said;
        }
        if let [SyntaxKind::TOKEN_THEN | SyntaxKind::TOKEN_ELSE] = wanted {
            return self.unfinished_if(token, wanted[0]);
        }
        if wanted == [SyntaxKind::TOKEN_SEMICOLON] {
            return self.missing_semicolon(token);
        }
        if let Some(said) = self.unclosed_bracket(token) {
            return said;
        }
        if let Some(said) = self.definition_without_value(token, wanted) {
            return said;
        }
        let found = token.text;
        let error = self.at(token, format!("unexpected `{found}`, expected {}", described(wanted)));
        let error = match found {
            "inherit" => {
                error.with_help("`inherit` stands among the definitions of `{ }` or `let`")
            }
            _ => error,
        };
        (error, None)
    }

    /// `{ a }`, `{ a = }`, `{ a = ; }`, `{ ; }`
    fn definition_without_value(&self, token: Token<'t>, wanted: &[SyntaxKind]) -> Option<Said> {
        let previous = self.before(token.start)?;
        if token.text == ";" && matches!(previous.text, ";" | "{" | "let") {
            let error = self.at(token, "this `;` ends nothing").with_help("leave it out");
            return Some((error, Edit::replace(token.start, 1, " ")));
        }
        if wanted.contains(&SyntaxKind::TOKEN_ASSIGN) {
            let name = self.text.get(self.name_before(token.start)..previous.end)?;
            let error = self.error(previous.end - name.len(), previous.end, "this has no value");
            let help = format!("write `{name} = …;`, or `inherit {name};` to take it from around");
            return match token.text {
                "}" => Some((error.with_help(help), Edit::insert(token.start, " = null; "))),
                ";" => Some((error.with_help(help), Edit::insert(token.start, " = null "))),
                _ => None,
            };
        }
        let edit = match token.text {
            ";" => " null ",
            "}" => " null; ",
            _ => return None,
        };
        let error = self.at(token, format!("a value is missing before this `{}`", token.text));
        Some((
            error.with_help("something before it is unfinished"),
            Edit::insert(token.start, edit),
        ))
    }

    /// Where the last definition ends without a `;`.
    fn missing_semicolon(&self, token: Token<'t>) -> Said {
        // Before `name =`, it is missing where the value before the name ends.
        let place = if token.text == "=" {
            let name = self.name_before(token.start);
            self.before(name).map_or(name, |before| before.end)
        } else {
            self.before(token.start).map_or(token.start, |before| before.end)
        };
        let last = self.text[..place].chars().next_back().map_or(0, char::len_utf8);
        let error = self.error(place - last, place, "a `;` is missing after this");
        (error.with_help("every definition ends in `;`"), Edit::insert(place, ";"))
    }

    /// Signs that mean something else in other languages.
    fn punctuation(&self, token: Token<'t>, wanted: &[SyntaxKind]) -> Option<Said> {
        let error = |message: &str| self.at(token, format!("unexpected `{}`{message}", token.text));
        let open = self.unclosed(token.start);
        Some(match (token.text, open.map(|open| open.text)) {
            ("=", _) if self.compares(token, wanted) => {
                (error("").with_help("to compare, write `==`"), Edit::insert(token.end, "="))
            }
            (",", Some("[")) => (
                error(" in a list").with_help("elements are separated by blanks: `[ 1 2 ]`"),
                Edit::replace(token.start, 1, " "),
            ),
            (",", Some("(")) => (
                error("").with_help("arguments are separated by blanks: `f a b`, not `f(a, b)`"),
                Edit::replace(token.start, 1, " "),
            ),
            (",", _) if self.after_inherit(token) => (
                error("").with_help("names are separated by blanks: `inherit a b;`"),
                Edit::replace(token.start, 1, " "),
            ),
            (",", _) if wanted == [SyntaxKind::TOKEN_SEMICOLON] => (
                error("").with_help("definitions end in `;`: `{ a = 1; b = 2; }`"),
                Edit::replace(token.start, 1, ";"),
            ),
            (":", Some("{")) if wanted.contains(&SyntaxKind::TOKEN_ASSIGN) => (
                error("").with_help("an attribute is `name = value;`"),
                Edit::replace(token.start, 1, "="),
            ),
            ("'", _) => (
                error("").with_help("a string is between `\"`, or between `''` over several lines"),
                self.quotes(token),
            ),
            _ => return None,
        })
    }

    /// A comment of other languages.
    fn slashes(&self, token: Token<'t>) -> Option<Said> {
        let before = self.before(token.start)?;
        // After a value it is the operator.
        if token.text != "//" && before.text != "//" {
            return None;
        }
        let slashes = if token.text == "//" { token } else { before };
        let previous = self.before(slashes.start);
        if previous.is_some_and(|previous| ends_a_value(previous.kind))
            && slashes.text == token.text
        {
            return None;
        }
        let error = self
            .at(slashes, "unexpected `//`")
            .with_help("a comment starts with `#`; `//` lays one set over another");
        Some((error, Edit::replace(slashes.start, 2, "# ")))
    }

    /// Whether a `=` stands where only `==` can be meant.
    fn compares(&self, token: Token<'t>, wanted: &[SyntaxKind]) -> bool {
        if wanted == [SyntaxKind::TOKEN_SEMICOLON] {
            // `assert a = b;`, `c = a = b;`: no value ends before the name.
            let before = self.before(self.name_before(token.start));
            return before.is_some_and(|before| !ends_a_value(before.kind));
        }
        wanted.contains(&SyntaxKind::TOKEN_THEN)
            || wanted.contains(&SyntaxKind::TOKEN_ELSE)
            || wanted.contains(&SyntaxKind::TOKEN_R_PAREN)
    }

    /// Single quotes made double ones.
    fn quotes(&self, token: Token<'t>) -> Option<Edit> {
        let rest = &self.text[token.end..];
        let line = rest.lines().next().unwrap_or_default();
        let close = line.find('\'')?;
        // The two quotes and what they hold become a value that needs none of it.
        Edit::replace(token.start, close + 2, "null")
    }

    fn after_inherit(&self, token: Token<'t>) -> bool {
        let tokens = self.tokens();
        let before = tokens.iter().rev().filter(|one| one.end <= token.start);
        let before = before.filter(|one| !one.kind.is_trivia());
        before
            .skip_while(|one| one.kind == SyntaxKind::TOKEN_IDENT)
            .take(1)
            .any(|one| matches!(one.kind, SyntaxKind::TOKEN_INHERIT | SyntaxKind::TOKEN_R_PAREN))
    }

    /// A `let` whose definitions go over into its expression.
    fn let_without_in(&self, token: Token<'t>, wanted: &[SyntaxKind]) -> Option<Said> {
        let open = self.open(token.start).pop()?;
        let wants_name =
            wanted.contains(&SyntaxKind::TOKEN_IDENT) || wanted.contains(&SyntaxKind::TOKEN_ASSIGN);
        if open.kind != SyntaxKind::TOKEN_LET || !wants_name {
            return None;
        }
        let starts = if wanted.contains(&SyntaxKind::TOKEN_ASSIGN) {
            self.name_before(token.start)
        } else {
            token.start
        };
        let first = self.token_at(starts);
        let error = self
            .at(first, "an `in` is missing before this")
            .with_related(self.span(open.start, open.end), "the `in` of this `let`")
            .with_help("after the definitions of a `let` comes `in` and an expression");
        Some((error, Edit::insert(starts, " in ")))
    }

    fn unfinished_if(&self, token: Token<'t>, wanted: SyntaxKind) -> Said {
        let (word, edit) = match wanted {
            SyntaxKind::TOKEN_THEN if token.text == "else" => ("then", " then null "),
            SyntaxKind::TOKEN_THEN => ("then", " then "),
            _ => ("else", " else null "),
        };
        let place = self.before(token.start).map_or(token.start, |before| before.end);
        let last = self.text[..place].chars().next_back().map_or(0, char::len_utf8);
        let mut error = self
            .error(place - last, place, format!("`{word}` is missing after this"))
            .with_help("an `if` is a value, and has both: `if … then … else …`");
        if let Some(of) = self.open_if(token.start) {
            error = error.with_related(self.span(of.start, of.end), "this `if`");
        }
        (error, Edit::insert(token.start, edit))
    }

    /// The last `if` before a place that has no `else`.
    fn open_if(&self, at: usize) -> Option<Token<'t>> {
        let mut open = Vec::new();
        for token in self.tokens().into_iter().take_while(|token| token.start < at) {
            match token.kind {
                SyntaxKind::TOKEN_IF => open.push(token),
                SyntaxKind::TOKEN_ELSE => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }

    /// Something that ends a bracket's surroundings, before the bracket is closed.
    fn unclosed_bracket(&self, token: Token<'t>) -> Option<Said> {
        if !matches!(token.text, ";" | "}" | ")" | "]" | "in" | "then" | "else") {
            return None;
        }
        let open = self.unclosed(token.start)?;
        let close = match open.text {
            "[" => "]",
            "(" => ")",
            "${" => "}",
            _ => return None,
        };
        if token.text == close {
            return None;
        }
        let error = self.at(token, format!("unexpected `{}`, expected `{close}`", token.text));
        Some((self.with_unclosed(error, open), Edit::insert(token.start, close)))
    }

    fn unclosed_string(&self, quote: Token<'t>) -> Said {
        let error = self
            .at(quote, "this string is not closed")
            .with_help(format!("end it with `{}`", quote.text));
        let line = self.text[quote.end..].lines().next().unwrap_or_default();
        if quote.text != "\"" || line.len() == self.text.len() - quote.end {
            return (error, None);
        }
        let inside = line.trim_end().trim_end_matches([';', ')', ']', '}', ' ']);
        (error, Edit::insert(quote.end + inside.len(), "\""))
    }

    fn ended(&self, wanted: &[SyntaxKind]) -> Said {
        let end = self.text.trim_end().len();
        let start = self.text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        if let Some(quote) = self.runaway(self.text.len()) {
            return self.unclosed_string(quote);
        }
        if let [SyntaxKind::TOKEN_THEN | SyntaxKind::TOKEN_ELSE] = wanted {
            let nothing = Token { kind: SyntaxKind::TOKEN_ERROR, start: end, end, text: "" };
            return (self.unfinished_if(nothing, wanted[0]).0, None);
        }
        let mut message = "the file ends too early".to_owned();
        let open = self.open(self.text.len()).pop();
        if let Some(of) = open.filter(|open| open.kind == SyntaxKind::TOKEN_LET) {
            let error = self
                .error(start, end, message)
                .with_related(self.span(of.start, of.end), "this `let` has no `in`")
                .with_help("after its definitions comes `in` and an expression");
            return (error, None);
        }
        if let Some(bracket) = self.misaligned().or(open) {
            return (self.with_unclosed(self.error(start, end, message), bracket), None);
        }
        if !wanted.is_empty() {
            message = format!("{message}, expected {}", described(wanted));
        }
        (self.error(start, end, message), None)
    }

    fn with_unclosed(&self, error: Diagnostic, open: Token<'_>) -> Diagnostic {
        error
            .with_related(
                self.span(open.start, open.end),
                format!("this `{}` is not closed", open.text),
            )
            .with_help(format!("close the `{}`", open.text))
    }

    /// The bracket that is closed by one which, by its indentation, belongs to another: where the
    /// closing one is missing is between these two.
    fn misaligned(&self) -> Option<Token<'t>> {
        let mut open: Vec<Token<'t>> = Vec::new();
        for token in self.tokens() {
            if opens(token.kind) {
                open.push(token);
            } else if closes(token.kind) {
                let of = open.pop()?;
                let starts_line = self.line(token.start).trim_start().starts_with(token.text);
                let same_line = !self.text[of.start..token.start].contains('\n');
                let ends_line = self.text[of.end..].lines().next().is_none_or(str::is_empty);
                if starts_line
                    && !same_line
                    && ends_line
                    && self.indentation(of.start) > self.indentation(token.start)
                {
                    return Some(of);
                }
            }
        }
        None
    }

    fn line(&self, at: usize) -> &'t str {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[start..].lines().next().unwrap_or_default()
    }

    fn indentation(&self, at: usize) -> usize {
        let line = self.line(at);
        line.len() - line.trim_start().len()
    }

    fn tokens(&self) -> Vec<Token<'t>> {
        let mut at = 0;
        let tokens = rnix::tokenize(self.text).map(|(kind, text)| {
            at += text.len();
            Token { kind, start: at - text.len(), end: at, text }
        });
        tokens.collect()
    }

    /// The token at or after a place, without blanks and comments.
    fn token_at(&self, at: usize) -> Token<'t> {
        let mut tokens = self.tokens().into_iter();
        let nothing = Token { kind: SyntaxKind::TOKEN_ERROR, start: at, end: at, text: "" };
        tokens.find(|token| !token.kind.is_trivia() && token.end > at).unwrap_or(nothing)
    }

    /// The last token that ends before a place.
    fn before(&self, at: usize) -> Option<Token<'t>> {
        let mut tokens = self.tokens().into_iter().rev();
        tokens.find(|token| !token.kind.is_trivia() && token.end <= at)
    }

    /// Where the attribute path that ends at a place starts.
    fn name_before(&self, at: usize) -> usize {
        let tokens = self.tokens();
        let mut start = at;
        let mut name = false;
        for token in tokens.iter().rev().filter(|token| !token.kind.is_trivia() && token.end <= at)
        {
            match (token.kind, name) {
                (SyntaxKind::TOKEN_IDENT, false) => (name, start) = (true, token.start),
                (SyntaxKind::TOKEN_DOT, true) => name = false,
                _ => break,
            }
        }
        start
    }

    /// The quote of the first `"` string before a place that goes on to another line and swallows
    /// what looks like code there.
    fn runaway(&self, at: usize) -> Option<Token<'t>> {
        let mut open = Vec::new();
        for token in self.tokens().into_iter().take_while(|token| token.start < at) {
            match token.kind {
                SyntaxKind::TOKEN_STRING_START => open.push(token),
                SyntaxKind::TOKEN_STRING_END => drop(open.pop()),
                SyntaxKind::TOKEN_STRING_CONTENT if swallows_code(token.text) => {
                    if let Some(quote) = open.last().filter(|quote| quote.text == "\"") {
                        return Some(*quote);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The brackets, quotes and `let`s that are open at a place, innermost last.
    fn open(&self, at: usize) -> Vec<Token<'t>> {
        let mut open = Vec::new();
        for token in self.tokens().into_iter().take_while(|token| token.start < at) {
            match token.kind {
                SyntaxKind::TOKEN_IN if open.last().is_some_and(is_let) => drop(open.pop()),
                kind if opens(kind) || kind == SyntaxKind::TOKEN_LET => open.push(token),
                kind if closes(kind) => {
                    // A `let` ends where the bracket around it does.
                    while open.pop().is_some_and(|open| open.kind == SyntaxKind::TOKEN_LET) {}
                }
                _ => {}
            }
        }
        open
    }

    /// The innermost bracket or quote that is open at a place.
    fn unclosed(&self, at: usize) -> Option<Token<'t>> {
        self.open(at).into_iter().rfind(|open| open.kind != SyntaxKind::TOKEN_LET)
    }
}

fn is_let(token: &Token<'_>) -> bool {
    token.kind == SyntaxKind::TOKEN_LET
}

fn opens(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TOKEN_L_BRACE
            | SyntaxKind::TOKEN_L_BRACK
            | SyntaxKind::TOKEN_L_PAREN
            | SyntaxKind::TOKEN_INTERPOL_START
            | SyntaxKind::TOKEN_STRING_START
    )
}

fn closes(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TOKEN_R_BRACE
            | SyntaxKind::TOKEN_R_BRACK
            | SyntaxKind::TOKEN_R_PAREN
            | SyntaxKind::TOKEN_INTERPOL_END
            | SyntaxKind::TOKEN_STRING_END
    )
}

/// Whether an expression may end in such a token.
fn ends_a_value(kind: SyntaxKind) -> bool {
    closes(kind)
        || matches!(
            kind,
            SyntaxKind::TOKEN_IDENT
                | SyntaxKind::TOKEN_INTEGER
                | SyntaxKind::TOKEN_FLOAT
                | SyntaxKind::TOKEN_URI
                | SyntaxKind::TOKEN_PATH_ABS
                | SyntaxKind::TOKEN_PATH_REL
                | SyntaxKind::TOKEN_PATH_HOME
                | SyntaxKind::TOKEN_PATH_SEARCH
        )
}

/// Whether a string's text holds what ends a definition and starts the next one on another line.
fn swallows_code(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else { return false };
    let ends = first.trim_end().ends_with([';', ']', '}', ')']) || first.trim().is_empty();
    let next = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    ends && (next.contains('=') || next.starts_with(['}', ']', ')']) || next == "in")
}

fn described(wanted: &[SyntaxKind]) -> String {
    let mut words: Vec<&str> = wanted.iter().map(|kind| word(*kind)).collect();
    words.dedup();
    if words.len() > 3 {
        return "an expression".to_owned();
    }
    words.join(" or ")
}

fn word(kind: SyntaxKind) -> &'static str {
    match kind {
        SyntaxKind::TOKEN_SEMICOLON => "`;`",
        SyntaxKind::TOKEN_ASSIGN => "`=`",
        SyntaxKind::TOKEN_COLON => "`:`",
        SyntaxKind::TOKEN_COMMA => "`,`",
        SyntaxKind::TOKEN_R_BRACE | SyntaxKind::TOKEN_INTERPOL_END => "`}`",
        SyntaxKind::TOKEN_L_BRACE => "`{`",
        SyntaxKind::TOKEN_R_PAREN => "`)`",
        SyntaxKind::TOKEN_R_BRACK => "`]`",
        SyntaxKind::TOKEN_THEN => "`then`",
        SyntaxKind::TOKEN_ELSE => "`else`",
        SyntaxKind::TOKEN_IN => "`in`",
        SyntaxKind::TOKEN_ELLIPSIS => "`...`",
        SyntaxKind::TOKEN_STRING_END => "the closing quote",
        SyntaxKind::TOKEN_STRING_CONTENT => "text",
        SyntaxKind::TOKEN_INTERPOL_START => "`${`",
        SyntaxKind::TOKEN_IDENT | SyntaxKind::TOKEN_OR | SyntaxKind::TOKEN_CUR_POS => "a name",
        _ => "something else",
    }
}
