//! The pickle machine: opcodes that push objects, gather them, and remember them.

use super::globals;
use super::graph::{Id, Node, Pickle};
use super::stream::Stream;
use crate::Problem;
use crate::formats::{Format, Input};

/// A pickle of 32 tensors has some thousand opcodes. None makes more than one object, so that memory is limited too.
const MAX_OPCODES: usize = 1 << 19;

/// What has been read so far.
struct Machine {
    stream: Stream,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
}

impl Pickle {
    /// Reads one pickle from `offset` on.
    pub(crate) fn read(input: &Input, offset: u64, format: Format) -> Result<Self, Problem> {
        let mut machine = Machine {
            stream: Stream::new(input, offset, format)?,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
        };
        let root = machine.run()?;
        Ok(Self { nodes: machine.nodes, root, end: machine.stream.position() })
    }
}

impl Machine {
    fn run(&mut self) -> Result<Id, Problem> {
        for _ in 0..MAX_OPCODES {
            let [opcode] = self.stream.take()?;
            if opcode == b'.' {
                return self.pop();
            }
            let known = self.atom(opcode)?
                || self.text_or_bytes(opcode)?
                || self.container(opcode)?
                || self.object(opcode)?
                || self.memo(opcode)?;
            if !known {
                return Err(self
                    .stream
                    .malformed(format!("the opcode 0x{opcode:02x} has no place in weights")));
            }
        }
        Err(self.stream.malformed("more objects than weights need"))
    }

    /// Framing, the stack, and numbers. Whether the opcode was one of these, as for the others.
    fn atom(&mut self, opcode: u8) -> Result<bool, Problem> {
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.stream.take::<1>()?),
            0x95 => drop(self.stream.take::<8>()?),
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
            b'I' | b'L' => {
                let number = self.stream.decimal()?;
                self.push(number);
            }
            b'J' => {
                let number = i32::from_le_bytes(self.stream.take()?);
                self.push(Node::Int(number.into()));
            }
            b'K' => {
                let [number] = self.stream.take()?;
                self.push(Node::Int(number.into()));
            }
            b'M' => {
                let number = u16::from_le_bytes(self.stream.take()?);
                self.push(Node::Int(number.into()));
            }
            0x8a => {
                let number = self.stream.long()?;
                self.push(number);
            }
            b'G' => {
                self.stream.take::<8>()?;
                self.push(Node::Number);
            }
            b'F' => {
                self.stream.line()?;
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
                let line = self.stream.line()?;
                self.push(Node::Text(line.trim_matches(['\'', '"']).to_owned()));
                return Ok(true);
            }
            b'T' | b'B' | b'X' => u32::from_le_bytes(self.stream.take()?).into(),
            b'U' | b'C' | 0x8c => u8::from_le_bytes(self.stream.take()?).into(),
            0x8d | 0x8e => u64::from_le_bytes(self.stream.take()?),
            _ => return Ok(false),
        };
        let node = self.stream.bytes(len, matches!(opcode, b'X' | 0x8c | 0x8d))?;
        self.push(node);
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
                let module = self.stream.line()?;
                let name = self.stream.line()?;
                self.push_global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(module), Node::Text(name)) = (&self.nodes[module], &self.nodes[name]) else {
                    return Err(self.stream.malformed("a global without a name"));
                };
                let (module, name) = (module.clone(), name.clone());
                self.push_global(&module, &name)?;
            }
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                if !matches!(self.nodes[function], Node::Global(..)) {
                    return Err(self.stream.malformed("a call of what is no function"));
                }
                self.push(Node::Call { function, arguments, state: None, items: Vec::new() });
            }
            b'b' => {
                let new = self.pop()?;
                let object = self.top()?;
                let Node::Call { state, .. } = &mut self.nodes[object] else {
                    return Err(self.stream.malformed("a state for what is no object"));
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
            b'q' | b'h' => u8::from_le_bytes(self.stream.take()?).into(),
            b'r' | b'j' => u32::from_le_bytes(self.stream.take()?) as usize,
            b'p' | b'g' => self.stream.line()?.parse().unwrap_or(usize::MAX),
            _ => return Ok(false),
        };
        if matches!(opcode, b'h' | b'j' | b'g') {
            let id = self.memo.get(slot).copied().flatten();
            self.stack.push(id.ok_or_else(|| self.stream.malformed("an empty memo slot"))?);
            return Ok(true);
        }
        // Slots are numbered as objects are remembered: there are no more of them than objects.
        let top = self.top()?;
        if slot > self.nodes.len() + 256 {
            return Err(self.stream.malformed("a memo slot out of order"));
        }
        if slot >= self.memo.len() {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = Some(top);
        Ok(true)
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
            _ => Err(self.stream.malformed("its stack runs empty")),
        }
    }

    fn pop(&mut self) -> Result<Id, Problem> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, Problem> {
        let mark = self.marks.pop().ok_or_else(|| self.stream.malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, new: Vec<Id>) -> Result<(), Problem> {
        let list = self.top()?;
        let Node::List(elements) = &mut self.nodes[list] else {
            return Err(self.stream.malformed("elements for what is no list"));
        };
        elements.extend(new);
        Ok(())
    }

    fn set_items(&mut self, new: Vec<(Id, Id)>) -> Result<(), Problem> {
        let dict = self.top()?;
        let (Node::Dict(items) | Node::Call { items, .. }) = &mut self.nodes[dict] else {
            return Err(self.stream.malformed("items for what is no dictionary"));
        };
        items.extend(new);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), Problem> {
        let (module, name) = globals::find(module, name).map_err(|detail| self.stream.malformed(detail))?;
        self.push(Node::Global(module, name));
        Ok(())
    }
}

/// Keys and values, one after the other.
fn pairs(elements: &[Id]) -> Vec<(Id, Id)> {
    elements.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}
