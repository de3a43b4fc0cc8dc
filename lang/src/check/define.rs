//! Definitions: values compared with the types of the options that they are for.

use crate::diagnostic::Diagnostic;
use crate::eval::AttrsBuilder;
use crate::modules::{Definition, Layer, Level, Node, OptionTy, Origin, Place as OptionPlace};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Expr, ExprKind};
use crate::value::Value;

use super::Checker;
use super::schema::OptionShape;
use super::scope::Cx;
use super::shape::Shape;
use super::ty::{Kinds, ListTy, Mode, Record, SetTy, Thunk, Ty};
use super::want::{VALUE, Want, is_property, no_set};
use super::watch::Seen;

impl<'a> Checker<'_, 'a> {
    /// A definition wrapped in `mkIf` and the like: what is inside of it is the definition. Says
    /// whether it is one.
    pub(super) fn check_property(
        &self,
        function: &'a Expr,
        args: &'a [Expr],
        cx: Cx<'a>,
        want: Want<'a>,
    ) -> bool {
        let Ty::Fun(super::ty::Fun::Sig(fun, [])) = self.infer(function, cx) else { return false };
        // A module in a property is its definitions.
        let want = match want {
            Want::Module(level, place) => Want::Level(level, place),
            want => want,
        };
        match (fun.name, args) {
            ("mkIf", [condition, content]) => {
                if let Some(cx) = self.condition(condition, cx).0 {
                    self.aside(|| self.check(content, cx, want));
                }
            }
            // Each is a definition of the whole: their numbers say nothing.
            ("mkMerge", [Expr { kind: ExprKind::List(contents), .. }]) => {
                for content in contents {
                    self.check(content, cx, want);
                }
            }
            ("mkMerge", [contents]) => {
                let each = self.eval.alloc(want);
                self.check(contents, cx, Want::List(each));
            }
            (name, [content]) if RANKS.contains(&name) => {
                self.check(content, cx, want);
            }
            ("mkOverride" | "mkOrder", [number, content]) => {
                let ty = self.infer(number, cx);
                self.expect(ty, Kinds::INT, "an integer", number.span);
                self.check(content, cx, want);
            }
            _ => return false,
        }
        true
    }

    /// A set that is written out.
    pub(super) fn check_attrs(
        &self,
        expr: &'a Expr,
        attrs: &'a AttrsExpr,
        cx: Cx<'a>,
        want: Want<'a>,
    ) -> Ty<'a> {
        self.saw_names(attrs, want);
        let is_property = attrs.entries.iter().any(|entry| entry.name.as_str() == "_type");
        match want {
            _ if is_property => self.infer(expr, cx),
            Want::Level(level, place) => {
                self.each_entry(attrs, cx, |name, key, value, cx| {
                    self.check_entry((level, place), name, key, value, cx);
                });
                Ty::Dyn
            }
            Want::Module(level, place) => {
                self.check_module_set(attrs, cx, (level, place));
                Ty::Dyn
            }
            Want::Declarations(level, place) => {
                self.each_entry(attrs, cx, |name, key, value, cx| {
                    self.saw(key, || Seen::Declaration(level, name));
                    self.check_declaration((level, place), name, value, cx);
                });
                Ty::Dyn
            }
            Want::Shape(Shape::Module) => match self.root {
                Some(level) => self.check(expr, cx, Want::Module(level, level.tree.place)),
                None => self.infer(expr, cx),
            },
            Want::Shape(shape @ (Shape::Fields(_) | Shape::Each(_))) => {
                self.each_entry(attrs, cx, |name, _, value, cx| {
                    match shape.field(name.as_str()) {
                        Some(shape) => self.check(value, cx, Want::Shape(shape)),
                        None => self.infer(value, cx),
                    };
                });
                Ty::Dyn
            }
            Want::Option(ty, place) => self.check_set_definition(expr, attrs, cx, ty, place),
            Want::Pair(sig, value) => {
                self.each_entry(attrs, cx, |name, _, entry, cx| {
                    let want = if name.as_str() == VALUE { *value } else { Want::Any };
                    self.check(entry, cx, want);
                });
                let ty = self.in_mode(Mode::Silent, || self.infer(expr, cx));
                self.compare_signature(ty, sig, expr.span);
                ty
            }
            want => match self.element_want(want, Kinds::SET) {
                Some(each) => {
                    self.each_entry(attrs, cx, |name, _, value, cx| {
                        self.check(value, cx, self.named_want(each, name));
                    });
                    self.in_mode(Mode::Silent, || self.infer(expr, cx))
                }
                None => self.check_leaf(expr, cx, want),
            },
        }
    }

    fn check_set_definition(
        &self,
        expr: &'a Expr,
        attrs: &'a AttrsExpr,
        cx: Cx<'a>,
        ty: OptionTy<'a>,
        place: OptionPlace<'a>,
    ) -> Ty<'a> {
        match self.shape(ty) {
            OptionShape::Null(inner) | OptionShape::Same(inner) => {
                return self.check_set_definition(expr, attrs, cx, inner, place);
            }
            OptionShape::Each(inner) => self.each_entry(attrs, cx, |name, _, value, cx| {
                self.check(value, cx, Want::Option(inner, place.name(self.eval, name)));
            }),
            OptionShape::Options(level) if !is_whole_module(attrs, level) => {
                self.each_entry(attrs, cx, |name, key, value, cx| {
                    self.check_entry((level, place), name, key, value, cx);
                });
            }
            _ => return self.check_leaf(expr, cx, Want::Option(ty, place)),
        }
        Ty::Dyn
    }

    /// Visits the entries of a set, computed names as `<name>`, each in its own context.
    pub(super) fn each_entry(
        &self,
        attrs: &'a AttrsExpr,
        cx: Cx<'a>,
        visit: impl Fn(Symbol, Span, &'a Expr, Cx<'a>),
    ) {
        let inner = self.bind(attrs, cx);
        for entry in &attrs.entries {
            let cx = if entry.outer { cx } else { inner };
            visit(entry.name, entry.span, &entry.value, cx);
        }
        for entry in &attrs.dynamic {
            let name = self.infer(&entry.name, inner);
            self.expect(name, Kinds::STR.or(Kinds::NULL), "a string", entry.name.span);
            visit(Symbol::new(COMPUTED), Span::NONE, &entry.value, inner);
        }
    }

    /// One definition among those of a set of options.
    pub(super) fn check_entry(
        &self,
        (level, place): (&'a Level<'a>, OptionPlace<'a>),
        name: Symbol,
        key: Span,
        value: &'a Expr,
        cx: Cx<'a>,
    ) {
        self.saw(key, || Seen::Entry(level, place, name));
        let want = match self.want_of(level, place, name) {
            Ok(want) => want,
            Err(()) => {
                self.regardless(|| self.report_unknown(level, place, name, key));
                Want::Any
            }
        };
        self.check(value, cx, want);
    }

    /// What a definition of this name should be; an error where there is no such option.
    fn want_of(
        &self,
        level: &'a Level<'a>,
        place: OptionPlace<'a>,
        name: Symbol,
    ) -> Result<Want<'a>, ()> {
        if name.as_str() == COMPUTED || name.as_str().starts_with('_') {
            return Ok(Want::Any);
        }
        let Some(child) = level.child(name) else {
            return if self.is_open(level.tree) { Ok(Want::Any) } else { Err(()) };
        };
        let place = place.name(self.eval, name);
        Ok(match child.node(self.eval) {
            Ok(Node::Level(level)) => Want::Level(level, place),
            Ok(Node::Option(option)) => match option.ty(self.eval) {
                Ok(_) if self.varies(option) => Want::Any,
                Ok(ty) => Want::Option(ty, OptionPlace { declared: option.span(), ..place }),
                Err(_) => Want::Any,
            },
            Err(_) => Want::Any,
        })
    }

    fn report_unknown(
        &self,
        level: &'a Level<'a>,
        place: OptionPlace<'a>,
        name: Symbol,
        key: Span,
    ) {
        let path = place.path;
        if let Ok(error) = crate::modules::unknown_option(self.eval, level, path, name, key) {
            self.report(error);
        }
    }

    /// A declaration: its default is a definition.
    fn check_declaration(
        &self,
        (level, place): (&'a Level<'a>, OptionPlace<'a>),
        name: Symbol,
        value: &'a Expr,
        cx: Cx<'a>,
    ) {
        let place = place.name(self.eval, name);
        let node = level.child(name).map(|child| child.node(self.eval));
        let option = match node {
            Some(Ok(Node::Level(level))) => {
                self.check(value, cx, Want::Declarations(level, place));
                return;
            }
            Some(Ok(Node::Option(option))) if !self.varies(option) => option,
            _ => {
                self.infer(value, cx);
                return;
            }
        };
        let (ExprKind::Apply(function, args), Ok(ty)) = (&value.kind, option.ty(self.eval)) else {
            self.infer(value, cx);
            return;
        };
        match (self.infer(function, cx), &args[..]) {
            (
                Ty::Fun(super::ty::Fun::Sig(fun, [])),
                [Expr { kind: ExprKind::Attrs(attrs), .. }],
            ) if fun.name == "mkOption" => {
                self.each_entry(attrs, cx, |name, _, value, cx| {
                    let want = match name.as_str() {
                        "default" => {
                            Want::Option(ty, OptionPlace { path: place.path, ..option.place() })
                        }
                        _ => Want::Any,
                    };
                    self.check(value, cx, want);
                    if name.as_str() == "type" {
                        self.check_type(value, cx, (ty, place));
                    }
                });
            }
            _ => {
                self.infer(value, cx);
            }
        }
    }

    /// What is written of an option's type: a submodule in it is a module of its options.
    fn check_type(&self, expr: &'a Expr, cx: Cx<'a>, (ty, place): (OptionTy<'a>, OptionPlace<'a>)) {
        self.inside((), || match &expr.kind {
            ExprKind::WithScope(scope, body) => {
                self.check_type(body, self.enter_with(scope, cx), (ty, place));
            }
            ExprKind::Let(bindings, body) => {
                self.check_type(body, self.bind(bindings, cx), (ty, place));
            }
            ExprKind::Var(..) => {
                if let Some(thunk) = named_thunk(expr, cx) {
                    self.check_type(thunk.expr, thunk.cx, (ty, place));
                }
            }
            ExprKind::Apply(_, args) => match self.shape(ty) {
                OptionShape::Options(level) => {
                    args.iter().for_each(|arg| self.check_submodule(arg, cx, (level, place)));
                }
                shape => {
                    let inside = match shape {
                        OptionShape::List(inner) => (inner, place.name(self.eval, "*".into())),
                        OptionShape::Each(inner) => (inner, place.name(self.eval, COMPUTED.into())),
                        OptionShape::Null(inner) | OptionShape::Same(inner) => (inner, place),
                        _ => return,
                    };
                    args.iter().for_each(|arg| self.check_type(arg, cx, inside));
                }
            },
            _ => {}
        });
    }

    /// What `submodule` or `submoduleWith` is given, where it is written as text.
    fn check_submodule(
        &self,
        given: &'a Expr,
        cx: Cx<'a>,
        options: (&'a Level<'a>, OptionPlace<'a>),
    ) {
        let modules = Symbol::new("modules");
        match &given.kind {
            ExprKind::Var(..) => {
                if let Some(thunk) = named_thunk(given, cx) {
                    self.inside((), || self.check_submodule(thunk.expr, thunk.cx, options));
                }
            }
            ExprKind::Attrs(set) if set.entries.iter().any(|entry| entry.name == modules) => {
                let listed = set.entries.iter().filter(|entry| entry.name == modules);
                for entry in listed {
                    let ExprKind::List(all) = &entry.value.kind else { continue };
                    all.iter().for_each(|module| self.check_submodule(module, cx, options));
                }
            }
            // One may be in itself.
            ExprKind::Lambda(_) | ExprKind::Attrs(_)
                if self.written.borrow_mut().insert(given.span) =>
            {
                self.check(given, cx, Want::Module(options.0, options.1));
            }
            _ => {}
        }
    }

    /// Compares a value with the options that it holds definitions of.
    pub(super) fn define_level(
        &self,
        ty: Ty<'a>,
        level: &'a Level<'a>,
        place: OptionPlace<'a>,
        at: Span,
    ) {
        let ty = self.force(ty);
        if ty.is_vague() {
            return;
        }
        if !ty.kinds().meets(Kinds::SET) {
            self.report(no_set(place, &ty, at));
            return;
        }
        let Ty::Set(set @ SetTy::Record(record)) = ty else { return };
        if is_property(self, set) {
            for content in self.contents(record) {
                self.inside((), || self.define_level(content, level, place, at));
            }
            return;
        }
        for field in record.fields.iter().filter(|field| !field.optional) {
            match self.want_of(level, place, field.name) {
                Ok(want) => self
                    .inside((), || self.compare(field.ty, want, place_of(field.ty, field.at, at))),
                Err(()) => self.report_unknown(level, place, field.name, field.key.or(at)),
            }
        }
    }

    /// Compares a value with the type of its option.
    pub(super) fn define(
        &self,
        ty: Ty<'a>,
        option: OptionTy<'a>,
        place: OptionPlace<'a>,
        at: Span,
    ) {
        let ty = self.force(ty);
        if ty.is_vague() {
            return;
        }
        if let (Ty::List(ListTy { items: Some(items), .. }), Some(inner)) =
            (ty, self.element_type(option))
            && !items.is_empty()
        {
            // The one at fault is named.
            for (number, item) in items.iter().enumerate() {
                let place = place.index(self.eval, number);
                self.inside((), || {
                    self.define(item.ty, inner, place, place_of(item.ty, item.at, at))
                });
            }
            return;
        }
        if !ty.members().iter().any(|member| self.accepted(*member, option)) {
            self.report_refused(ty, option, place, at);
            return;
        }
        if let Some(error) = self.refused_inside(ty, option, place, at) {
            self.report(error);
            return;
        }
        let Ty::Set(set @ SetTy::Record(record)) = ty else { return };
        if is_property(self, set) {
            for content in self.contents(record) {
                self.inside((), || self.define(content, option, place, at));
            }
            return;
        }
        self.inside((), || match self.shape(option) {
            OptionShape::Null(inner) | OptionShape::Same(inner) => {
                self.define(ty, inner, place, at);
            }
            OptionShape::Each(inner) => {
                for field in record.fields.iter().filter(|field| !field.optional) {
                    let place = place.name(self.eval, field.name);
                    self.define(field.ty, inner, place, place_of(field.ty, field.at, at));
                }
            }
            OptionShape::Options(level) => self.define_level(ty, level, place, at),
            _ => {}
        });
    }

    /// What is wrong inside a value that is known whole, where only its option's type looks into it.
    fn refused_inside(
        &self,
        ty: Ty<'a>,
        option: OptionTy<'a>,
        place: OptionPlace<'a>,
        at: Span,
    ) -> Option<Diagnostic> {
        let opaque = match self.shape(option) {
            OptionShape::Leaf(_) if option.name() == "flags" => true,
            OptionShape::Leaf(_) | OptionShape::Either(_) | OptionShape::Coerced(..) => {
                matches!(ty, Ty::List(_) | Ty::Set(_))
            }
            // An empty list: others were compared element by element.
            OptionShape::Same(_) => matches!(ty, Ty::List(_)),
            _ => false,
        };
        let value = if opaque { self.data(ty)? } else { return None };
        let definition = definition_of(value, at);
        if !option.accepts(self.eval, value).ok()? {
            return option.refuse(self.eval, place, &definition).ok().map(|error| *error);
        }
        let merged = option.merge(self.eval, place, &[definition]);
        let mut error = *merged.and_then(|value| self.eval.force_deep(value, at)).err()?;
        error.span = error.span.or(at);
        // For whom a flag is may depend on a value, which the definition's condition may ask for too.
        let fixed = error.code.starts_with("type::") || error.code == "flags::unknown";
        fixed.then_some(error)
    }

    /// The value that a type has, where it is plain data and known whole.
    fn data(&self, ty: Ty<'a>) -> Option<Value<'a>> {
        let ty = self.resolve(ty);
        match ty {
            Ty::List(ListTy { items: Some(items), .. }) => {
                let each = items.iter().map(|item| self.inside(None, || self.data(item.ty)));
                Some(self.eval.list(each.collect::<Option<Vec<_>>>()?))
            }
            Ty::Set(SetTy::Record(Record { fields, rest: None })) => {
                let mut set = AttrsBuilder::with_capacity(fields.len());
                for field in fields.iter().filter(|field| !field.optional) {
                    let value = self.inside(None, || self.data(field.ty))?;
                    set.insert(field.name, value, field.key);
                }
                let whole = fields.iter().all(|field| !field.optional);
                whole.then(|| set.finish(self.eval))
            }
            ty => self.literal(ty),
        }
    }

    /// The definitions in `mkMerge`, `mkForce` and the like.
    fn contents(&self, property: &Record<'a>) -> Vec<Ty<'a>> {
        let single = property.get(Symbol::new("content")).map(|field| field.ty);
        let many = property.get(Symbol::new("contents")).map(|field| self.resolve(field.ty));
        let many = match many {
            Some(Ty::List(ListTy { items: Some(items), .. })) => *items,
            _ => &[],
        };
        single.into_iter().chain(many.iter().map(|item| item.ty)).collect()
    }

    /// The type of a list's elements, where nothing but a list is taken.
    fn element_type(&self, option: OptionTy<'a>) -> Option<OptionTy<'a>> {
        match self.shape(option) {
            OptionShape::List(inner) => Some(inner),
            OptionShape::Null(inner) | OptionShape::Same(inner) => self.element_type(inner),
            _ => None,
        }
    }

    /// Whether an option may take a value.
    fn accepted(&self, ty: Ty<'a>, option: OptionTy<'a>) -> bool {
        if let Some(value) = self.literal(ty) {
            return option.accepts(self.eval, value).unwrap_or(true);
        }
        if !ty.kinds().meets(self.option_kinds(option)) {
            return matches!(ty, Ty::Set(set) if is_property(self, set));
        }
        match (ty, self.shape(option)) {
            (Ty::List(list), OptionShape::List(inner)) if list.non_empty => {
                let elem = self.resolve(list.elem);
                elem.is_vague() || elem.members().iter().any(|one| self.accepted(*one, inner))
            }
            (_, OptionShape::Null(inner) | OptionShape::Same(inner)) => {
                matches!(ty, Ty::Null) || self.accepted(ty, inner)
            }
            _ => true,
        }
    }

    /// The one value that a type has.
    fn literal(&self, ty: Ty<'a>) -> Option<Value<'a>> {
        match ty {
            Ty::Null => Some(Value::Null),
            Ty::Int(Some(value)) => Some(Value::Int(value)),
            Ty::Str(Some(text)) => Some(self.eval.str_in(text)),
            _ => None,
        }
    }

    fn report_refused(&self, ty: Ty<'a>, option: OptionTy<'a>, place: OptionPlace<'a>, at: Span) {
        if let Some(value) = self.literal(ty) {
            let definition = definition_of(value, at);
            if let Ok(error) = option.refuse(self.eval, place, &definition) {
                self.report(*error);
                return;
            }
        }
        let Ok(words) = option.alone().description(self.eval) else { return };
        let words = crate::modules::with_article(&words);
        let message = format!("`{}` takes {words}, found {}", place.path, ty.described());
        let error = super::report::plain(message, at);
        let error = error.with_related(place.declared, crate::modules::DECLARED);
        self.report(match ty.kinds() {
            Kinds::FUN => {
                error.with_help("an argument is missing: this is a function that was not called")
            }
            _ => error,
        });
    }
}

/// Functions that say how strong a definition is, or where among others, and nothing else.
pub(super) const RANKS: [&str; 7] = [
    "mkAfter",
    "mkBefore",
    "mkDefault",
    "mkForce",
    "mkImageMediaOverride",
    "mkOptionDefault",
    "mkVMOverride",
];

/// A value as a definition of its own.
fn definition_of(value: Value<'_>, at: Span) -> Definition<'_> {
    let definition = Definition::new(value, at, Origin { file: "", layer: Layer::Host });
    Definition { at, ..definition }
}

/// Where a part of a value is at fault: in the call that made it, or where it is written.
fn place_of(part: Ty<'_>, written: Span, whole: Span) -> Span {
    match part {
        Ty::Later(Thunk { site: Some(site), .. }) => site.at,
        _ => written.or(whole),
    }
}

/// What a variable was bound to.
fn named_thunk<'a>(expr: &Expr, cx: Cx<'a>) -> Option<&'a Thunk<'a>> {
    let ExprKind::Var(depth, slot) = &expr.kind else { return None };
    match cx.scope.outer(*depth)?.slots.get(*slot as usize)?.get() {
        Ty::Later(thunk) => Some(thunk),
        _ => None,
    }
}

/// What stands for a name that is computed.
const COMPUTED: &str = "<name>";

/// Whether a set that defines a submodule may be a whole module, with imports and options.
fn is_whole_module<'a>(attrs: &AttrsExpr, level: &'a Level<'a>) -> bool {
    let keys = ["config", "options", "imports"];
    attrs
        .entries
        .iter()
        .any(|entry| keys.contains(&entry.name.as_str()) && level.child(entry.name).is_none())
}
