//! What editors ask, and what syntax alone answers.

use std::collections::{BTreeSet, HashMap};

use cairn_lang::check::Use;
use lsp_server::ErrorCode;
use lsp_types::{
    CompletionParams, DocumentHighlight, GotoDefinitionParams, HoverParams, Location, Position,
    PrepareRenameResponse, ReferenceParams, RenameParams, TextDocumentPositionParams, TextEdit,
    Uri, WorkspaceEdit,
};
use serde_json::{Value as Json, json};

use crate::analyst::{Ask, Spot};
use crate::documents::Document;
use crate::names::{Kind, Names, Refusal};
use crate::server::{Server, read};
use crate::text::Encoding;

/// What becomes of a request.
pub(crate) enum Answer {
    Now(Json),
    Ask(Ask),
    Refused(ErrorCode, String),
}

/// What the server can do, for the editor to know.
pub(crate) fn capabilities(encoding: Encoding) -> Json {
    let encoding = match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16 => "utf-16",
    };
    json!({
        "capabilities": {
            "positionEncoding": encoding,
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": ["."] },
            "definitionProvider": true,
            "declarationProvider": true,
            "implementationProvider": true,
            "referencesProvider": true,
            "documentHighlightProvider": true,
            "renameProvider": { "prepareProvider": true },
        },
        "serverInfo": { "name": "cairn", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// A document, and a byte of it.
struct Asked<'s> {
    document: &'s Document,
    offset: u32,
}

impl<'s> Asked<'s> {
    fn spot(&self) -> Spot {
        let (path, text) = (self.document.path.clone(), self.document.text.clone());
        Spot { path, text, offset: self.offset }
    }

    fn names(&self) -> Names {
        Names::of(&self.document.text.text)
    }

    fn location(&self, place: (u32, u32)) -> Location {
        Location { uri: self.document.uri.clone(), range: self.document.text.range(place) }
    }
}

/// Answers a request, or says who can.
pub(crate) fn answer(server: &Server, method: &str, params: Json) -> Answer {
    let answer = match method {
        "textDocument/hover" => read(params).map(|params: HoverParams| {
            let at = params.text_document_position_params;
            ask(server, &at, Ask::Hover)
        }),
        "textDocument/completion" => read(params).map(|params: CompletionParams| {
            ask(server, &params.text_document_position, Ask::Complete)
        }),
        "textDocument/definition" | "textDocument/declaration" => {
            read(params).map(|params: GotoDefinitionParams| {
                let at = params.text_document_position_params;
                asked(server, &at).map_or(Answer::Now(Json::Null), definition)
            })
        }
        "textDocument/implementation" => read(params).map(|params: GotoDefinitionParams| {
            let at = params.text_document_position_params;
            ask(server, &at, |spot| Ask::Mentions(spot, [Use::Definition].into()))
        }),
        "textDocument/references" => read(params).map(|params: ReferenceParams| {
            let asked = asked(server, &params.text_document_position);
            let own = params.context.include_declaration;
            asked.map_or(Answer::Now(Json::Null), |asked| references(asked, own))
        }),
        "textDocument/documentHighlight" => {
            read(params).map(|params: lsp_types::DocumentHighlightParams| {
                let asked = asked(server, &params.text_document_position_params);
                Answer::Now(asked.map_or(Json::Null, highlights))
            })
        }
        "textDocument/prepareRename" => read(params).map(|at: TextDocumentPositionParams| {
            asked(server, &at).map_or(Answer::Now(Json::Null), prepare)
        }),
        "textDocument/rename" => read(params).map(|params: RenameParams| {
            let asked = asked(server, &params.text_document_position);
            asked.map_or(Answer::Now(Json::Null), |asked| rename(&asked, &params.new_name))
        }),
        _ => {
            let why = format!("`{method}` is nothing that cairn does");
            return Answer::Refused(ErrorCode::MethodNotFound, why);
        }
    };
    answer.unwrap_or_else(|why| Answer::Refused(ErrorCode::InvalidParams, why))
}

fn asked<'s>(server: &'s Server, at: &TextDocumentPositionParams) -> Option<Asked<'s>> {
    let document = server.documents.get(at.text_document.uri.as_str())?;
    let offset = document.text.offset(at.position);
    (!document.is_large()).then_some(Asked { document, offset })
}

fn ask(
    server: &Server,
    at: &TextDocumentPositionParams,
    question: impl FnOnce(Spot) -> Ask,
) -> Answer {
    asked(server, at).map_or(Answer::Now(Json::Null), |asked| Answer::Ask(question(asked.spot())))
}

/// A name of the text's own is bound in it; anything else, an analyst knows.
fn definition(asked: Asked<'_>) -> Answer {
    let names = asked.names();
    match names.at(asked.offset) {
        // What a `let` inherits is declared somewhere else.
        Some((binding, place)) if binding.kind != Kind::Let || !binding.places.contains(&place) => {
            let places = binding.places.iter().map(|place| asked.location(*place));
            Answer::Now(json!(places.collect::<Vec<_>>()))
        }
        _ => Answer::Ask(Ask::Declaration(asked.spot())),
    }
}

fn references(asked: Asked<'_>, own: bool) -> Answer {
    let names = asked.names();
    match names.at(asked.offset) {
        Some((binding, _)) if binding.kind != Kind::Attribute => {
            let places = names.places(binding).into_iter();
            let wanted = places.filter(|place| own || !binding.places.contains(place));
            let wanted: Vec<_> = wanted.map(|place| asked.location(place)).collect();
            Answer::Now(json!(wanted))
        }
        _ => {
            let mut uses = BTreeSet::from([Use::Definition, Use::Read]);
            uses.extend(own.then_some(Use::Declaration));
            Answer::Ask(Ask::Mentions(asked.spot(), uses))
        }
    }
}

fn highlights(asked: Asked<'_>) -> Json {
    let names = asked.names();
    let Some((binding, _)) = names.at(asked.offset) else { return Json::Null };
    let range = |place| asked.document.text.range(place);
    let places = names.places(binding).into_iter();
    let each = places.map(|place| DocumentHighlight { range: range(place), kind: None });
    json!(each.collect::<Vec<_>>())
}

fn prepare(asked: Asked<'_>) -> Answer {
    match asked.names().can_rename(asked.offset) {
        Ok((binding, place)) => Answer::Now(json!(PrepareRenameResponse::RangeWithPlaceholder {
            range: asked.document.text.range(place),
            placeholder: binding.name.clone(),
        })),
        Err(refusal) => refused(&asked, refusal),
    }
}

fn rename(asked: &Asked<'_>, new: &str) -> Answer {
    match asked.names().rename(asked.offset, new) {
        Ok(edits) => {
            let edits = edits.into_iter().map(|(place, new_text)| TextEdit {
                range: asked.document.text.range(place),
                new_text,
            });
            #[allow(clippy::mutable_key_type, reason = "the protocol's type has it so")]
            let changes: HashMap<Uri, Vec<TextEdit>> =
                [(asked.document.uri.clone(), edits.collect())].into();
            Answer::Now(json!(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }))
        }
        Err(refusal) => refused(asked, refusal),
    }
}

fn refused(asked: &Asked<'_>, refusal: Refusal) -> Answer {
    let mut why = refusal.message;
    if let Some(place) = refusal.place {
        let Position { line, .. } = asked.document.text.position(place.0);
        why.push_str(&format!(" (line {})", line + 1));
    }
    Answer::Refused(ErrorCode::RequestFailed, why)
}
