//! Values for people: laid out over lines, and no deeper than was asked for.

use cairn_lang::{Diagnostic, Evaluator, Result, Span, Value, is_identifier};

/// What is shorter than this stays on one line.
const WIDTH: usize = 72;

/// A value as text. Beyond `depth` levels, what is inside of sets and lists is left out; parts that
/// cannot be computed say so.
///
/// # Errors
/// When somebody or a limit stops it, or the value itself cannot be computed.
pub(super) fn shown<'a>(
    eval: &Evaluator<'a>,
    value: Value<'a>,
    depth: Option<usize>,
) -> Result<String> {
    let value = eval.force(value)?;
    let whole = Printer { eval, around: Vec::new() }.value(value, depth)?;
    Ok(whole.laid_out(0))
}

/// A piece of output, not yet laid out.
enum Piece {
    Text(String),
    /// Brackets around pieces.
    Group(char, Vec<Piece>, char),
    /// `name = piece;`
    Named(String, Box<Piece>),
}

impl Piece {
    fn flat(&self) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Group(open, pieces, close) => {
                let inside = pieces.iter().map(|piece| piece.flat() + " ").collect::<String>();
                format!("{open} {inside}{close}")
            }
            Piece::Named(name, piece) => format!("{name} = {};", piece.flat()),
        }
    }

    fn laid_out(&self, indent: usize) -> String {
        let flat = self.flat();
        if indent + flat.chars().count() <= WIDTH {
            return flat;
        }
        match self {
            Piece::Text(_) => flat,
            Piece::Named(name, piece) => format!("{name} = {};", piece.laid_out(indent)),
            Piece::Group(open, pieces, close) => {
                let margin = " ".repeat(indent + 2);
                let lines: String = pieces
                    .iter()
                    .map(|piece| format!("{margin}{}\n", piece.laid_out(indent + 2)))
                    .collect();
                format!("{open}\n{lines}{}{close}", " ".repeat(indent))
            }
        }
    }
}

struct Printer<'e, 'a> {
    eval: &'e Evaluator<'a>,
    /// What contains the value at hand: it may contain itself.
    around: Vec<*const ()>,
}

impl<'a> Printer<'_, 'a> {
    fn value(&mut self, value: Value<'a>, depth: Option<usize>) -> Result<Piece> {
        let text = |text: &str| Ok(Piece::Text(text.to_owned()));
        match value {
            Value::List(list) if list.is_empty() => text("[ ]"),
            Value::Attrs(set) if set.is_empty() => text("{ }"),
            Value::List(_) if depth == Some(0) => text("[ … ]"),
            Value::Attrs(_) if depth == Some(0) => text("{ … }"),
            Value::List(list) => self.within(std::ptr::from_ref(list).cast(), |this| {
                let mut pieces = Vec::new();
                for cell in list.cells() {
                    let item = this.eval.force_cell(cell, Span::NONE);
                    pieces.push(this.part(item, depth)?);
                }
                Ok(Piece::Group('[', pieces, ']'))
            }),
            Value::Attrs(set) => self.within(std::ptr::from_ref(set).cast(), |this| {
                let mut pieces = Vec::new();
                for attr in set.sorted() {
                    let name = match is_identifier(attr.name.as_str()) {
                        true => attr.name.to_string(),
                        false => this.eval.print(this.eval.str(attr.name.as_str()))?,
                    };
                    let value = this.eval.force_attr(attr);
                    let piece = this.part(value, depth)?;
                    pieces.push(Piece::Named(name, Box::new(piece)));
                }
                Ok(Piece::Group('{', pieces, '}'))
            }),
            Value::Lambda(_) => {
                let place = self.eval.world.sources.place(self.eval.function_span(value));
                Ok(Piece::Text(match place {
                    Some(at) => {
                        format!("«lambda @ {}:{}:{}»", at.file, at.start.line, at.start.column)
                    }
                    None => "«lambda»".to_owned(),
                }))
            }
            Value::PrimOp(primop) => Ok(Piece::Text(format!("«primop {}»", primop.name()))),
            value => Ok(Piece::Text(self.eval.print(value)?)),
        }
    }

    /// A part of a set or list: one that fails says why in its place.
    fn part(&mut self, value: Result<Value<'a>>, depth: Option<usize>) -> Result<Piece> {
        match value {
            Ok(value) => self.value(value, depth.map(|depth| depth.saturating_sub(1))),
            Err(error) if is_stopped(&error) => Err(error),
            Err(error) => Ok(Piece::Text(format!("«error: {}»", error.message))),
        }
    }

    fn within(
        &mut self,
        address: *const (),
        work: impl FnOnce(&mut Self) -> Result<Piece>,
    ) -> Result<Piece> {
        if self.around.contains(&address) {
            return Ok(Piece::Text("«repeated»".to_owned()));
        }
        self.around.push(address);
        let eval = self.eval;
        let piece = eval.deeper(Span::NONE, || work(self));
        self.around.pop();
        piece
    }
}

/// Whether an evaluation was stopped, rather than failed.
fn is_stopped(error: &Diagnostic) -> bool {
    ["eval::interrupted", "eval::time", "eval::memory"].contains(&error.code.as_str())
}
