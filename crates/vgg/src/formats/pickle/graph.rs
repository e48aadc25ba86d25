//! A pickle as a graph of Python objects, and how its readers ask it.

/// An index into [`Pickle::nodes`].
pub(crate) type Id = usize;

/// A Python object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// A float, or an integer of more than 64 bits; weights need neither.
    Number,
    Text(String),
    /// A long text or byte string, left in the file; `latin1` if it is UTF-8 text that stands for bytes.
    Blob {
        offset: u64,
        len: u64,
        latin1: bool,
    },
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(&'static str, &'static str),
    /// What a function would have been called with, the state that would have been set, and items.
    Call {
        function: Id,
        arguments: Id,
        state: Option<Id>,
        items: Vec<(Id, Id)>,
    },
    /// A persistent id: PyTorch's storages.
    Persistent(Id),
}

/// A pickle as a graph.
#[derive(Debug)]
pub(crate) struct Pickle {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Id,
    /// Where the next pickle or the data start.
    pub(crate) end: u64,
}

impl Pickle {
    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The items of a dictionary or an `OrderedDict`; Python 2 gives the latter its items as an argument.
    pub(crate) fn items(&self, id: Id) -> Option<Vec<(Id, Id)>> {
        match self.node(id) {
            Node::Dict(items) => Some(items.clone()),
            Node::Call { function, items, arguments, .. }
                if *self.node(*function) == Node::Global("collections", "OrderedDict") =>
            {
                let listed = self.elements(*arguments)?.first().and_then(|&list| self.elements(list));
                let pair = |&pair: &Id| match *self.elements(pair)? {
                    [key, value] => Some((key, value)),
                    _ => None,
                };
                Some(
                    listed.unwrap_or_default().iter().filter_map(pair).chain(items.iter().copied()).collect(),
                )
            }
            _ => None,
        }
    }

    /// The elements of a tuple or a list.
    pub(crate) fn elements(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(elements) | Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, id: Id) -> Option<usize> {
        match self.node(id) {
            Node::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A tuple of integers, such as a shape.
    pub(crate) fn integers(&self, id: Id) -> Option<Vec<usize>> {
        self.elements(id)?.iter().map(|&element| self.integer(element)).collect()
    }

    /// The name of a global, for whatever module.
    pub(crate) fn global(&self, id: Id) -> Option<&'static str> {
        match self.node(id) {
            Node::Global(_, name) => Some(name),
            _ => None,
        }
    }
}
