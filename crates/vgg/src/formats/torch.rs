//! PyTorch's `torch.save` of a state dictionary: the zip archive of 1.6 and later, and what was written before.
//!
//! Both hold a pickle that names storages, and the storages: members `data/KEY` of the archive, or, in the old form, one
//! after the other behind the pickles, each with its number of elements in front.

use std::collections::HashMap;
use std::io;

use byteorder::{ByteOrder, LittleEndian};

use super::pickle::{Id, Node, Pickle};
use super::strides::gather;
use super::zipped::Archive;
use super::{Collected, Dtype, Format, Input, Layout, MAX_NUMBERS, MAX_TENSORS, RawFile};
use crate::Problem;

/// A pickle of protocol 2 with the number 0x1950a86a20f9469cfc6c, which starts every old file.
pub(crate) const LEGACY_MAGIC: [u8; 15] =
    [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// Items of dictionaries, counted as often as they are seen.
const MAX_ITEMS: usize = 1 << 17;

/// A tensor of the pickle: a view of a storage.
struct View {
    name: String,
    storage: String,
    dtype: Dtype,
    /// Elements of the storage before the first of the tensor.
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// Reads the archive whose members start with `root`.
pub(crate) fn read_zip(archive: &mut Archive, root: &str) -> Result<RawFile, Problem> {
    let format = Format::TorchZip;
    let little = archive.small_member(&format!("{root}byteorder"))?.is_none_or(|order| order != b"big");
    let pickle = archive
        .small_member(&format!("{root}data.pkl"))?
        .ok_or_else(|| format.malformed("it has no data.pkl"))?;
    let pickle = Pickle::read(&Input::memory(pickle), 0, format)?;
    read_views(&pickle, format, little, |key| archive.stored(&format!("{root}data/{key}"), format))
}

pub(crate) fn read_legacy(input: &Input) -> Result<RawFile, Problem> {
    let format = Format::TorchLegacy;
    let version = Pickle::read(input, LEGACY_MAGIC.len() as u64, format)?;
    let system = Pickle::read(input, version.end, format)?;
    let objects = Pickle::read(input, system.end, format)?;
    let keys = Pickle::read(input, objects.end, format)?;
    let says_big = |&(key, value): &(Id, Id)| {
        system.text(key) == Some("little_endian") && *system.node(value) == Node::Bool(false)
    };
    let little = !system.items(system.root).unwrap_or_default().iter().any(says_big);

    let sizes = element_sizes(&objects);
    let mut places = HashMap::new();
    let mut offset = keys.end;
    let keys_list = keys.elements(keys.root).ok_or_else(|| format.malformed("it has no list of storages"))?;
    for &key in keys_list.iter().take(MAX_TENSORS) {
        let key = keys.text(key).ok_or_else(|| format.malformed("a storage without a key"))?;
        let size = sizes.get(key).copied().ok_or_else(|| format.malformed("a storage of no known type"))?;
        let count = LittleEndian::read_u64(&input.bytes_at(offset, 8)?);
        let len = count.checked_mul(size).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        places.insert(key, input.part(offset + 8, len)?);
        offset += 8 + len;
    }
    read_views(&objects, format, little, |key| {
        places.get(key).cloned().ok_or_else(|| format.malformed(format!("the storage {key} is missing")))
    })
}

/// The number type of a storage class, and the bytes of an element.
fn storage_type(class: &str) -> Option<(Dtype, u64)> {
    Some(match class {
        "FloatStorage" => (Dtype::F32, 4),
        "HalfStorage" => (Dtype::F16, 2),
        "BFloat16Storage" => (Dtype::Bf16, 2),
        "DoubleStorage" => (Dtype::F64, 8),
        "LongStorage" => (Dtype::Other, 8),
        "IntStorage" => (Dtype::Other, 4),
        "ShortStorage" => (Dtype::Other, 2),
        "BoolStorage" | "ByteStorage" | "CharStorage" => (Dtype::Other, 1),
        _ => return None,
    })
}

/// The key and type of a persistent id ("storage", class, key, device, number of elements, ...).
fn storage(pickle: &Pickle, id: Id) -> Option<(&str, Dtype, u64)> {
    let Node::Persistent(id) = *pickle.node(id) else { return None };
    let [tag, class, key, ..] = *pickle.elements(id)? else { return None };
    let (dtype, size) = storage_type(pickle.global(class)?)?;
    (pickle.text(tag) == Some("storage")).then_some((pickle.text(key)?, dtype, size))
}

fn element_sizes(pickle: &Pickle) -> HashMap<&str, u64> {
    let storages = (0..pickle.nodes.len()).filter_map(|id| storage(pickle, id));
    storages.map(|(key, _, size)| (key, size)).collect()
}

/// Reads every wanted tensor of the dictionary from its storage.
fn read_views(
    pickle: &Pickle,
    format: Format,
    little: bool,
    mut storage: impl FnMut(&str) -> Result<Input, Problem>,
) -> Result<RawFile, Problem> {
    let mut views = Vec::new();
    let mut visited = 0;
    collect_views(pickle, pickle.root, "", 0, &mut visited, &mut views);
    if views.is_empty() {
        return Err(format.malformed("it holds no dictionary of tensors"));
    }
    let mut found = Collected::new(format);
    for view in views {
        found.add(view.name.clone(), view.shape.clone(), view.dtype, |_, _| {
            view.read(&storage(&view.storage)?, little, format)
        })?;
    }
    Ok(found.into_file(Layout::Oihw))
}

/// Walks dictionaries, also those inside (`state_dict` in a checkpoint), for tensors.
fn collect_views(
    pickle: &Pickle,
    id: Id,
    prefix: &str,
    depth: usize,
    visited: &mut usize,
    views: &mut Vec<View>,
) {
    for (key, value) in pickle.items(id).unwrap_or_default() {
        // One dictionary may be the value of many keys of another.
        *visited += 1;
        if *visited > MAX_ITEMS || views.len() > MAX_TENSORS {
            return;
        }
        let Some(key) = pickle.text(key) else { continue };
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        if let Some(view) = view(pickle, value, name.clone(), 0) {
            views.push(view);
        } else if depth < 2 {
            collect_views(pickle, value, &name, depth + 1, visited, views);
        }
    }
}

/// A call of `_rebuild_tensor_v2(storage, offset, shape, strides, ...)`, or of `_rebuild_parameter` around one.
fn view(pickle: &Pickle, id: Id, name: String, depth: usize) -> Option<View> {
    let Node::Call { function, arguments, .. } = *pickle.node(id) else { return None };
    let arguments = pickle.elements(arguments)?;
    match (pickle.global(function)?, arguments) {
        ("_rebuild_tensor_v2" | "_rebuild_tensor", &[place, offset, shape, strides, ..]) => {
            let (key, dtype, _) = storage(pickle, place)?;
            let shape = pickle.integers(shape)?;
            let strides = pickle.integers(strides)?;
            (shape.len() == strides.len()).then_some(())?;
            Some(View {
                name,
                storage: key.to_owned(),
                dtype,
                offset: pickle.integer(offset)?,
                shape,
                strides,
            })
        }
        ("_rebuild_parameter" | "Parameter", &[data, ..]) if depth < 2 => view(pickle, data, name, depth + 1),
        _ => None,
    }
}

impl View {
    /// The elements in the order of the shape, whatever the strides (a kernel may have been saved channels last).
    fn read(&self, storage: &Input, little: bool, format: Format) -> Result<Vec<f32>, Problem> {
        let count: usize = self.shape.iter().product();
        let mut sides = self.shape.iter().zip(&self.strides);
        let last = sides.try_fold(0_usize, |last, (&side, &stride)| {
            last.checked_add(side.saturating_sub(1).checked_mul(stride)?)
        });
        let (Some(last), Some(offset)) =
            (last.filter(|&last| last < MAX_NUMBERS), (self.offset as u64).checked_mul(self.dtype.bytes()))
        else {
            return Err(format.malformed(format!("{} lies in its storage with gaps", self.name)));
        };
        if count == 0 {
            return Ok(Vec::new());
        }
        let stored = storage.numbers_at(offset, last + 1, self.dtype, little)?;
        Ok(gather(stored, &self.shape, &self.strides))
    }
}
