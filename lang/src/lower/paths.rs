//! Paths: relative to the file, `<cairn/…>`, absolute.

use rnix::ast;
use rnix::{NodeOrToken, SyntaxKind};
use rowan::ast::AstNode;

use super::Lowerer;
use crate::builtins;
use crate::diagnostic::Diagnostic;
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, ExprKind, Part};

impl Lowerer<'_> {
    pub(super) fn path(&mut self, node: &ast::Expr, span: Span) -> ExprKind {
        let mut parts = Vec::new();
        for child in node.syntax().children_with_tokens() {
            match child {
                NodeOrToken::Token(token) if token.kind() == SyntaxKind::TOKEN_PATH_SEARCH => {
                    return self.search_path(token.text(), span);
                }
                NodeOrToken::Token(token) if token.kind().is_trivia() => {
                    let message = "a blank ends a path";
                    self.report(
                        Diagnostic::error("syntax::path", span, message)
                            .with_help("write `${…}` right after the path that it belongs to"),
                    );
                }
                NodeOrToken::Token(token) => parts.push(Part::Text(token.text().into())),
                NodeOrToken::Node(node) => {
                    if let Some(node) = ast::Interpol::cast(node) {
                        let whole = self.span(&node);
                        parts.push(Part::Expr(*self.part(node.expr(), whole)));
                    }
                }
            }
        }
        if let Some(Part::Text(text)) = parts.last()
            && text.ends_with('/')
        {
            self.report(
                Diagnostic::error("syntax::path", span, "this path ends in `/`")
                    .with_help("leave the last `/` out"),
            );
        }
        let base = match node {
            ast::Expr::PathHome(_) => {
                return fail(
                    Diagnostic::error("file::outside", span, "there is no home folder here")
                        .with_help("name the file relative to this one: `./file`"),
                );
            }
            ast::Expr::PathAbs(_) => VirtualPath { root: Root::Machine, path: String::new() },
            _ => match &self.folder {
                Some(folder) => folder.clone(),
                None => {
                    let message = "a relative path means nothing here: this text is in no file";
                    return fail(Diagnostic::error("file::relative", span, message));
                }
            },
        };
        if let [Part::Text(text)] = parts.as_slice() {
            let path = match base.root {
                Root::Machine => {
                    base.join(text).and_then(|path| self.world.locate(&format!("/{}", path.path)))
                }
                _ => base.join(text),
            };
            if let Some(path) = path {
                return ExprKind::Path(Box::new(path));
            }
        }
        ExprKind::PathInterpolation(Box::new(base), parts.into())
    }
}

impl Lowerer<'_> {
    /// `<name>`, which stands for `__findFile __nixPath "name"`.
    fn search_path(&mut self, text: &str, span: Span) -> ExprKind {
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        let finder = self.redefined("__findFile", span).or_else(|| {
            let global = ExprKind::Global(builtins::index("findFile")?);
            self.redefined("__nixPath", span)?;
            Some(Box::new(Expr { kind: global, span }))
        });
        if let Some(function) = finder {
            let path = self.resolve(Symbol::new("__nixPath"), span);
            let name = ExprKind::Str(inner.into());
            let args = [path, name].map(|kind| Expr { kind, span });
            return ExprKind::Apply(function, args.into());
        }
        let below =
            inner.strip_prefix("cairn").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match below.and_then(|below| VirtualPath::new(Root::Cairn, below)) {
            Some(path) => ExprKind::Path(Box::new(path)),
            None => fail(
                Diagnostic::error(
                    "name::search-path",
                    span,
                    format!("there is no search path {text}"),
                )
                .with_help(
                    "`<cairn/…>` is the only one: `import <cairn/lib>` is the library; copy other \
                     code into the fleet",
                ),
            ),
        }
    }
}

fn fail(error: Diagnostic) -> ExprKind {
    ExprKind::Fail(Box::new(error))
}
