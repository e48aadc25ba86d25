//! Python pickles, read as data: the opcodes that PyTorch and NumPy write build a graph of [`Node`]s, and nothing is ever
//! called. A name that is not on the list is refused, and so is every other opcode.
//! <https://docs.python.org/3/library/pickletools.html>

use std::io::{self, BufReader, Read};

use super::input::Cursor;
use super::{Format, Input};
use crate::Problem;

/// Classes and functions that weight files mention, as module and name. What they mean is decided by who reads the graph.
const ALLOWED: [(&str, &str); 30] = [
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("torch", "BFloat16Storage"),
    ("torch", "BoolStorage"),
    ("torch", "ByteStorage"),
    ("torch", "CharStorage"),
    ("torch", "DoubleStorage"),
    ("torch", "FloatStorage"),
    ("torch", "HalfStorage"),
    ("torch", "IntStorage"),
    ("torch", "LongStorage"),
    ("torch", "ShortStorage"),
    ("torch.cuda", "BFloat16Storage"),
    ("torch.cuda", "BoolStorage"),
    ("torch.cuda", "ByteStorage"),
    ("torch.cuda", "CharStorage"),
    ("torch.cuda", "DoubleStorage"),
    ("torch.cuda", "FloatStorage"),
    ("torch.cuda", "HalfStorage"),
    ("torch.cuda", "IntStorage"),
    ("torch.cuda", "LongStorage"),
    ("torch.cuda", "ShortStorage"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch.nn.parameter", "Parameter"),
];

/// A pickle of 32 tensors has some thousand opcodes. None makes more than one object, so that memory is limited too.
const MAX_OPCODES: usize = 1 << 19;
/// Longer texts and byte strings stay in the file.
const MAX_TEXT: u64 = 4096;
/// All short texts together.
const MAX_TEXTS: u64 = 8 << 20;

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
    /// Reads one pickle from `offset` on.
    pub(crate) fn read(input: &Input, offset: u64, format: Format) -> Result<Self, Problem> {
        let part = input.part(offset, input.len().saturating_sub(offset))?;
        let mut machine = Machine {
            stream: part.stream(),
            left: part.len(),
            end: input.len(),
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            texts: 0,
            format,
        };
        let root = machine.run()?;
        Ok(Self { nodes: machine.nodes, root, end: input.len() - machine.left })
    }

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

struct Machine {
    stream: BufReader<Cursor>,
    left: u64,
    end: u64,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    /// Bytes of short texts so far.
    texts: u64,
    format: Format,
}

impl Machine {
    fn run(&mut self) -> Result<Id, Problem> {
        for _ in 0..MAX_OPCODES {
            let [opcode] = self.take()?;
            if opcode == b'.' {
                return self.pop();
            }
            let known = self.atom(opcode)?
                || self.text_or_bytes(opcode)?
                || self.container(opcode)?
                || self.object(opcode)?
                || self.memo(opcode)?;
            if !known {
                return Err(self.malformed(format!("the opcode 0x{opcode:02x} has no place in weights")));
            }
        }
        Err(self.malformed("more objects than weights need"))
    }

    /// Framing, the stack, and numbers. Whether the opcode was one of these, as for the others.
    fn atom(&mut self, opcode: u8) -> Result<bool, Problem> {
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.take::<1>()?),
            0x95 => drop(self.take::<8>()?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'I' | b'L' => self.decimal()?,
            b'J' => {
                let number = i32::from_le_bytes(self.take()?);
                self.push(Node::Int(number.into()));
            }
            b'K' => {
                let [number] = self.take()?;
                self.push(Node::Int(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.take()?);
                self.push(Node::Int(number.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                self.take::<8>()?;
                self.push(Node::Number);
            }
            b'F' => {
                self.line()?;
                self.push(Node::Number);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Text and byte strings of every protocol.
    fn text_or_bytes(&mut self, opcode: u8) -> Result<bool, Problem> {
        let len = match opcode {
            // A text in quotes on a line of its own (protocol 0).
            b'S' | b'V' => {
                let line = self.line()?;
                self.push(Node::Text(line.trim_matches(['\'', '"']).to_owned()));
                return Ok(true);
            }
            b'T' | b'B' | b'X' => u32::from_le_bytes(self.take()?).into(),
            b'U' | b'C' | 0x8c => u8::from_le_bytes(self.take()?).into(),
            0x8d | 0x8e => u64::from_le_bytes(self.take()?),
            _ => return Ok(false),
        };
        self.bytes(len, matches!(opcode, b'X' | 0x8c | 0x8d))?;
        Ok(true)
    }

    /// Tuples, lists and dictionaries.
    fn container(&mut self, opcode: u8) -> Result<bool, Problem> {
        match opcode {
            b')' => self.push(Node::Tuple(Vec::new())),
            b']' => self.push(Node::List(Vec::new())),
            b'}' => self.push(Node::Dict(Vec::new())),
            b't' => {
                let elements = self.pop_mark()?;
                self.push(Node::Tuple(elements));
            }
            b'l' => {
                let elements = self.pop_mark()?;
                self.push(Node::List(elements));
            }
            b'd' => {
                let items = pairs(&self.pop_mark()?);
                self.push(Node::Dict(items));
            }
            0x85..=0x87 => {
                let mut elements = Vec::new();
                for _ in 0x84..opcode {
                    elements.push(self.pop()?);
                }
                elements.reverse();
                self.push(Node::Tuple(elements));
            }
            b'a' => {
                let element = self.pop()?;
                self.append(vec![element])?;
            }
            b'e' => {
                let elements = self.pop_mark()?;
                self.append(elements)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(vec![(key, value)])?;
            }
            b'u' => {
                let items = pairs(&self.pop_mark()?);
                self.set_items(items)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Globals, and what would be calls.
    fn object(&mut self, opcode: u8) -> Result<bool, Problem> {
        match opcode {
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.push_global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(module), Node::Text(name)) = (&self.nodes[module], &self.nodes[name]) else {
                    return Err(self.malformed("a global without a name"));
                };
                let (module, name) = (module.clone(), name.clone());
                self.push_global(&module, &name)?;
            }
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                if !matches!(self.nodes[function], Node::Global(..)) {
                    return Err(self.malformed("a call of what is no function"));
                }
                self.push(Node::Call { function, arguments, state: None, items: Vec::new() });
            }
            b'b' => {
                let new = self.pop()?;
                let object = self.top()?;
                let Node::Call { state, .. } = &mut self.nodes[object] else {
                    return Err(self.malformed("a state for what is no object"));
                };
                *state = Some(new);
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The memo.
    fn memo(&mut self, opcode: u8) -> Result<bool, Problem> {
        let slot = match opcode {
            0x94 => self.memo.len(),
            b'q' | b'h' => u8::from_le_bytes(self.take()?).into(),
            b'r' | b'j' => u32::from_le_bytes(self.take()?) as usize,
            b'p' | b'g' => self.line()?.parse().unwrap_or(usize::MAX),
            _ => return Ok(false),
        };
        if matches!(opcode, b'h' | b'j' | b'g') {
            let id = self.memo.get(slot).copied().flatten();
            self.stack.push(id.ok_or_else(|| self.malformed("an empty memo slot"))?);
            return Ok(true);
        }
        // Slots are numbered as objects are remembered: there are no more of them than objects.
        let top = self.top()?;
        if slot > self.nodes.len() + 256 {
            return Err(self.malformed("a memo slot out of order"));
        }
        if slot >= self.memo.len() {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = Some(top);
        Ok(true)
    }

    fn malformed(&self, detail: impl AsRef<str>) -> Problem {
        self.format.malformed(format!("its pickle: {}", detail.as_ref()))
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        self.left -= N as u64;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String, Problem> {
        let mut line = Vec::new();
        loop {
            match self.take()? {
                [b'\n'] => return Ok(String::from_utf8_lossy(&line).into_owned()),
                [byte] => line.push(byte),
            }
            if line.len() as u64 > MAX_TEXT {
                return Err(self.malformed("a line without an end"));
            }
        }
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// The stack above the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, Problem> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.floor() => Ok(top),
            _ => Err(self.malformed("its stack runs empty")),
        }
    }

    fn pop(&mut self) -> Result<Id, Problem> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, new: Vec<Id>) -> Result<(), Problem> {
        let list = self.top()?;
        let Node::List(elements) = &mut self.nodes[list] else {
            return Err(self.malformed("elements for what is no list"));
        };
        elements.extend(new);
        Ok(())
    }

    fn set_items(&mut self, new: Vec<(Id, Id)>) -> Result<(), Problem> {
        let dict = self.top()?;
        let (Node::Dict(items) | Node::Call { items, .. }) = &mut self.nodes[dict] else {
            return Err(self.malformed("items for what is no dictionary"));
        };
        items.extend(new);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), Problem> {
        // Python 2's name of the same module.
        let module = if module == "copy_reg" { "copyreg" } else { module };
        let known = ALLOWED.iter().find(|known| **known == (module, name));
        let Some(&(module, name)) = known else {
            let whole_model = ["torch.nn.", "torchvision.", "__main__"];
            let hint = if whole_model.iter().any(|prefix| module.starts_with(prefix)) {
                "; it holds a whole model: save its state_dict() instead"
            } else {
                ""
            };
            return Err(self.malformed(format!(
                "it asks for {module}.{name}, which weights do not need, and nothing in it was run{hint}"
            )));
        };
        self.push(Node::Global(module, name));
        Ok(())
    }

    fn bytes(&mut self, len: u64, is_text: bool) -> Result<(), Problem> {
        if len > self.left {
            return Err(Problem::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        let blob = Node::Blob { offset: self.end - self.left, len, latin1: is_text };
        self.left -= len;
        if len > MAX_TEXT {
            self.stream.seek_relative(i64::try_from(len).map_err(io::Error::other)?)?;
            self.push(blob);
            return Ok(());
        }
        self.texts += len;
        if self.texts > MAX_TEXTS {
            return Err(self.malformed("more names than weights need"));
        }
        let mut bytes = vec![0; len as usize];
        self.stream.read_exact(&mut bytes)?;
        // What is no plain text may be a short array, whose place is enough.
        self.push(match String::from_utf8(bytes) {
            Ok(text) if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => Node::Text(text),
            _ => blob,
        });
        Ok(())
    }

    /// An integer in decimal on a line of its own (protocol 0), with an L at the end of a long one.
    fn decimal(&mut self) -> Result<(), Problem> {
        let line = self.line()?;
        let node = match line.as_str() {
            "00" => Node::Bool(false),
            "01" => Node::Bool(true),
            text => text.trim_end_matches('L').parse().map_or(Node::Number, Node::Int),
        };
        self.push(node);
        Ok(())
    }

    /// A little-endian integer in two's complement.
    fn long(&mut self) -> Result<(), Problem> {
        let [len] = self.take()?;
        let mut bytes = vec![0; len.into()];
        self.stream.read_exact(&mut bytes)?;
        self.left -= u64::from(len);
        let node = if bytes.len() <= 8 {
            let fill = if bytes.last().is_some_and(|&last| last & 0x80 != 0) { 0xff } else { 0 };
            let mut number = [fill; 8];
            number[..bytes.len()].copy_from_slice(&bytes);
            Node::Int(i64::from_le_bytes(number))
        } else {
            Node::Number
        };
        self.push(node);
        Ok(())
    }
}

fn pairs(elements: &[Id]) -> Vec<(Id, Id)> {
    elements.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}
