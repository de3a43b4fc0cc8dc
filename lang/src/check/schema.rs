//! From options and evaluated values to types, each when it is first looked at.

use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::literal::Literal;
use crate::modules::{Child, Level, ModuleTree, Node, OptionNode, OptionTy};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};

use super::signature;
use super::ty::{Field, Fun, Kinds, Mode, SetTy, Ty};
use super::{Checker, Pending};

/// The form of an option's type, as far as the checker knows it.
#[derive(Clone, Copy)]
pub(super) enum OptionShape<'a> {
    /// Values of these kinds, never looked into.
    Leaf(Kinds),
    /// A list of such elements.
    List(OptionTy<'a>),
    /// A set of such attributes.
    Each(OptionTy<'a>),
    /// A set with options of its own.
    Options(&'a Level<'a>),
    /// Null, or this.
    Null(OptionTy<'a>),
    /// What this takes.
    Same(OptionTy<'a>),
    /// One of these, by number.
    Either(OptionTy<'a>),
    /// The first, turned into the last.
    Coerced(OptionTy<'a>, OptionTy<'a>),
    /// Anything, for all that is known.
    Unknown,
}

impl<'a> Checker<'_, 'a> {
    /// The form of an option's type. One that the checker does not know takes anything.
    pub(super) fn shape(&self, ty: OptionTy<'a>) -> OptionShape<'a> {
        let inner = |number: usize| ty.inner(self.eval, number).ok();
        let wrap = |of: fn(OptionTy<'a>) -> OptionShape<'a>| inner(0).map(of);
        let shape = match ty.name() {
            "bool" | "boolByOr" => Some(OptionShape::Leaf(Kinds::BOOL)),
            "int" | "port" => Some(OptionShape::Leaf(Kinds::INT)),
            "float" | "number" | "numberBetween" | "numberNonnegative" | "numberPositive" => {
                Some(OptionShape::Leaf(Kinds::NUMBER))
            }
            "str" | "nonEmptyStr" | "singleLineStr" | "strMatching" | "lines" | "commas"
            | "envVar" | "separatedString" => Some(OptionShape::Leaf(Kinds::STR)),
            "path" | "pathInStore" | "externalPath" => {
                Some(OptionShape::Leaf(Kinds::STR.or(Kinds::PATH).or(Kinds::SET)))
            }
            "attrTag" | "optionType" => Some(OptionShape::Leaf(Kinds::SET)),
            "flags" => Some(OptionShape::Leaf(Kinds::STR.or(Kinds::LIST))),
            "deferredModule" => {
                Some(OptionShape::Leaf(Kinds::SET.or(Kinds::FUN).or(Kinds::PATH).or(Kinds::STR)))
            }
            "attrs" | crate::modules::SECRET => Some(OptionShape::Leaf(Kinds::SET)),
            "package" => Some(OptionShape::Leaf(Kinds::SET.or(Kinds::STR).or(Kinds::PATH))),
            "functionTo" => Some(OptionShape::Leaf(Kinds::FUN.or(Kinds::SET))),
            "enum" => Some(OptionShape::Leaf(self.enum_kinds(ty))),
            "listOf" => wrap(OptionShape::List),
            "attrsOf" | "lazyAttrsOf" => wrap(OptionShape::Each),
            "nullOr" => wrap(OptionShape::Null),
            "unique" | "addCheck" | "passwdEntry" => wrap(OptionShape::Same),
            "either" => Some(OptionShape::Either(ty)),
            "coercedTo" => inner(0).zip(inner(2)).map(|(from, to)| OptionShape::Coerced(from, to)),
            _ if ty.is_submodule() => self.submodule(ty).map(OptionShape::Options),
            name => Literal::ALL.iter().find(|literal| literal.name() == name).map(|literal| {
                OptionShape::Leaf(match literal {
                    Literal::PortRange => Kinds::STR.or(Kinds::SET),
                    _ => Kinds::STR,
                })
            }),
        };
        shape.unwrap_or(OptionShape::Unknown)
    }

    fn enum_kinds(&self, ty: OptionTy<'a>) -> Kinds {
        let list = ty.values.first().copied().unwrap_or(Value::Null);
        let Ok(list) = self.eval.expect_list(list, Span::NONE) else { return Kinds::ALL };
        list.iter().fold(Kinds::NONE, |all, item| match self.eval.force(item) {
            Ok(value) => all.or(Kinds::of_value(value)),
            Err(_) => Kinds::ALL,
        })
    }

    /// The kinds of values that an option may take.
    pub(super) fn option_kinds(&self, ty: OptionTy<'a>) -> Kinds {
        match self.shape(ty) {
            OptionShape::Leaf(kinds) => kinds,
            OptionShape::List(_) => Kinds::LIST,
            OptionShape::Each(_) => Kinds::SET,
            OptionShape::Options(_) => Kinds::SET.or(Kinds::FUN).or(Kinds::PATH),
            OptionShape::Null(inner) => self.option_kinds(inner).or(Kinds::NULL),
            OptionShape::Same(inner) => self.option_kinds(inner),
            OptionShape::Either(ty) => (0..ty.values.len())
                .filter_map(|number| ty.inner(self.eval, number).ok())
                .fold(Kinds::NONE, |all, inner| all.or(self.option_kinds(inner))),
            OptionShape::Coerced(from, to) => self.option_kinds(from).or(self.option_kinds(to)),
            OptionShape::Unknown => Kinds::ALL,
        }
    }

    /// Whether an option's type is another one where its submodule is defined.
    pub(super) fn varies(&self, option: &'a OptionNode<'a>) -> bool {
        self.varying.borrow().contains(&option.span())
    }

    /// What reading an option gives.
    pub(super) fn of_option_node(&self, option: &'a OptionNode<'a>) -> Ty<'a> {
        if option.field("apply").is_some() || self.varies(option) {
            return Ty::Dyn;
        }
        match option.ty(self.eval) {
            Ok(ty) => Ty::Value(ty),
            Err(_) => Ty::Dyn,
        }
    }

    /// What reading an option of this type gives, one level deep.
    pub(super) fn of_option(&self, ty: OptionTy<'a>) -> Ty<'a> {
        match self.shape(ty) {
            OptionShape::Leaf(_) => match ty.name() {
                "enum" => {
                    let list = ty.values.first().copied().unwrap_or(Value::Null);
                    match self.eval.expect_list(list, Span::NONE) {
                        Ok(list) => {
                            let each = list.iter().map(|item| self.of_value(item));
                            self.union(each.collect::<Vec<_>>())
                        }
                        Err(_) => Ty::Dyn,
                    }
                }
                crate::modules::SECRET => self.secret(),
                "path" | "pathInStore" | "externalPath" | "package" | "functionTo"
                | "portRange" | "attrs" | "attrTag" | "optionType" | "flags" | "deferredModule" => {
                    Ty::Dyn
                }
                _ => self.of_kinds(self.option_kinds(ty)),
            },
            OptionShape::List(inner) => self.list_of(Ty::Value(inner), false),
            OptionShape::Each(inner) => self.record(Vec::new(), Some(Ty::Value(inner))),
            OptionShape::Options(level) => {
                Ty::Set(SetTy::Config { level, open: self.is_open(level.tree) })
            }
            OptionShape::Null(inner) => self.union([Ty::Null, Ty::Value(inner)]),
            OptionShape::Same(inner) => self.of_option(inner),
            OptionShape::Either(ty) => {
                let each = (0..ty.values.len()).map(|number| match ty.inner(self.eval, number) {
                    Ok(inner) => Ty::Value(inner),
                    Err(_) => Ty::Dyn,
                });
                self.union(each.collect::<Vec<_>>())
            }
            OptionShape::Coerced(_, to) => self.of_option(to),
            OptionShape::Unknown => Ty::Dyn,
        }
    }

    /// The handle of a secret.
    pub(super) fn secret(&self) -> Ty<'a> {
        let field = |name: &str, ty| Field {
            name: name.into(),
            ty,
            optional: false,
            key: Span::NONE,
            at: Span::NONE,
        };
        let kind = Ty::Str(Some(crate::modules::SECRET));
        self.record(vec![field("_type", kind), field("name", Ty::Str(None))], None)
    }

    /// The options of a submodule.
    fn submodule(&self, ty: OptionTy<'a>) -> Option<&'a Level<'a>> {
        let key = ty.address();
        if let Some(known) = self.submodules.borrow().get(&key) {
            return *known;
        }
        // A type inside of itself is anything while it is being looked at.
        self.submodules.borrow_mut().insert(key, None);
        let level = crate::modules::options_of(self.eval, ty).ok();
        if let Some(level) = level {
            self.note_varying(ty, level);
        }
        self.submodules.borrow_mut().insert(key, level);
        level
    }

    /// Notes the options of a submodule whose types depend on its values: here nothing is defined.
    fn note_varying(&self, ty: OptionTy<'a>, level: &'a Level<'a>) {
        let again = || {
            let level = crate::modules::options_of(self.eval, ty).ok()?;
            Some((level.tree, options_in(self.eval, level)))
        };
        let mut fresh = again();
        for (number, known) in options_in(self.eval, level).into_iter().enumerate() {
            let Some((tree, options)) = &fresh else { return };
            let Some(option) = options.get(number) else { return };
            // In words, which takes all that it is made of.
            let words = option.ty(self.eval).and_then(|ty| ty.description(self.eval));
            if words.is_err() || tree.is_asked() {
                self.varying.borrow_mut().insert(known.span());
                fresh = again();
            }
        }
    }

    /// Whether there may be values without an option.
    pub(super) fn is_open(&self, tree: &'a ModuleTree<'a>) -> bool {
        let free = tree.freeform(self.eval);
        !matches!(free, Ok(None)) || !matches!(tree.checks(self.eval), Ok(true))
    }

    /// An argument that the caller of the modules gives, or that they define.
    pub(super) fn special_argument(&self, level: &'a Level<'a>, name: Symbol) -> Ty<'a> {
        let given = level.tree.special.iter().find(|(known, _)| *known == name);
        match (given, self.siblings.get()) {
            (Some((_, Value::Attrs(all))), Some((siblings, alike))) if siblings == name => {
                self.sibling_configurations(level, all, alike)
            }
            (Some((_, value)), _) => self.of_value(*value),
            (None, _) => Ty::Dyn,
        }
    }

    /// Other configurations by name, which are not computed for this.
    fn sibling_configurations(
        &self,
        level: &'a Level<'a>,
        all: &'a Attrs<'a>,
        alike: bool,
    ) -> Ty<'a> {
        let config = match alike {
            true => Ty::Set(SetTy::Config { level, open: self.is_open(level.tree) }),
            false => Ty::Dyn,
        };
        let field = |name, ty| Field { name, ty, optional: false, key: Span::NONE, at: Span::NONE };
        let known = vec![field("config".into(), config), field("name".into(), Ty::Str(None))];
        let one = self.record(known, None);
        self.record(all.iter().map(|attr| field(attr.name, one)).collect(), None)
    }

    /// The bound of values of these kinds.
    pub(super) fn of_kinds(&self, kinds: Kinds) -> Ty<'a> {
        if kinds == Kinds::ALL {
            return Ty::Dyn;
        }
        let all = [
            (Kinds::NULL, Ty::Null),
            (Kinds::BOOL, Ty::Bool),
            (Kinds::INT, Ty::Int(None)),
            (Kinds::FLOAT, Ty::Float),
            (Kinds::STR, Ty::Str(None)),
            (Kinds::PATH, Ty::Path(None)),
            (Kinds::LIST, self.list_of(Ty::Dyn, false)),
            (Kinds::SET, self.any_set()),
            (Kinds::FUN, Ty::Fun(Fun::Any)),
        ];
        self.union(all.into_iter().filter(|(kind, _)| kinds.meets(*kind)).map(|(_, ty)| ty))
    }

    /// The type of a value that was evaluated.
    pub(super) fn of_value(&self, value: Value<'a>) -> Ty<'a> {
        let Ok(value) = self.eval.force(value) else { return Ty::Dyn };
        match value {
            Value::Null => Ty::Null,
            Value::Bool(_) => Ty::Bool,
            Value::Int(value) => Ty::Int(Some(value)),
            Value::Float(_) => Ty::Float,
            Value::Str(text) => Ty::Str(Some(text)),
            Value::Path(_) => Ty::Path(None),
            Value::List(list) => self.list_of(Ty::Dyn, !list.is_empty()),
            Value::Attrs(attrs) => Ty::Set(SetTy::Known { attrs, open: false }),
            Value::Lambda(_) | Value::PrimOp(_) => {
                let known =
                    address(value).and_then(|at| self.signatures.borrow().get(&at).copied());
                Ty::Fun(known.map_or(Fun::Any, |fun| Fun::Sig(fun, &[])))
            }
            Value::Thunk(_) => Ty::Dyn,
        }
    }

    /// Learns which values are the functions that have signatures.
    pub(super) fn know_library(&self) {
        let library = match self.library() {
            Ty::Set(SetTy::Known { attrs, .. }) => Some(attrs),
            _ => None,
        };
        let builtins = match self.eval.builtin("builtins") {
            Some(Value::Attrs(attrs)) => Some(attrs),
            _ => None,
        };
        let sets: Vec<&'a Attrs<'a>> = library.into_iter().chain(builtins).collect();
        for fun in signature::all() {
            for set in &sets {
                let value = set.get_str(fun.name).map(|attr| self.eval.force_attr(attr));
                if let Some(at) = value.and_then(Result::ok).and_then(address) {
                    self.signatures.borrow_mut().insert(at, fun);
                }
            }
        }
    }

    pub(super) fn library(&self) -> Ty<'a> {
        self.of_value(crate::modules::library(self.eval))
    }

    /// The value of a file.
    pub(super) fn file(&self, path: &VirtualPath) -> Ty<'a> {
        let world = self.eval.world;
        let Ok(path) = world.module_path(path) else { return Ty::Dyn };
        if Some(&path) == crate::modules::library_path().as_ref() {
            return self.library();
        }
        if let Some(known) = self.files.borrow().get(&path) {
            return self.resolve(*known);
        }
        let Ok(tree) = world.tree(&path, Span::NONE) else { return Ty::Dyn };
        let tree = self.eval.hold_tree(tree);
        let cx = self.outermost();
        let thunk = self.thunk(&tree.root, cx, Mode::All);
        self.files.borrow_mut().insert(path, Ty::Later(thunk));
        self.pending.borrow_mut().push_back(Pending::Thunk(thunk));
        self.resolve(Ty::Later(thunk))
    }
}

/// The options at a level and below, in the order of their names.
fn options_in<'a>(eval: &Evaluator<'a>, level: &'a Level<'a>) -> Vec<&'a OptionNode<'a>> {
    let own = |child: &&Child<'a>| child.name.as_str() != "_module";
    let each = level.children().into_iter().filter(own).map(|child| match child.node(eval) {
        Ok(Node::Option(option)) => vec![option],
        Ok(Node::Level(level)) => options_in(eval, level),
        Err(_) => Vec::new(),
    });
    each.flatten().collect()
}

/// What tells one function from another.
fn address(value: Value<'_>) -> Option<*const ()> {
    match value {
        Value::Lambda(closure) => Some(std::ptr::from_ref(closure).cast()),
        Value::PrimOp(primop) => Some(std::ptr::from_ref(primop).cast()),
        _ => None,
    }
}
