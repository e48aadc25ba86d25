//! Checkpoints as somebody would change them who knows the checksum.

use serde_json::Value;

/// The same bytes with the checksum of what stands before it.
pub(crate) fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len().saturating_sub(4);
    let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&sum);
    bytes
}

/// The checkpoint with another header, under the right checksum.
pub(crate) fn with_header(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (start, rest) = bytes.split_at(16);
    let length = u32::from_le_bytes(start[12..].try_into().unwrap());
    let (json, body) = rest.split_at(length as usize);
    let mut header = serde_json::from_slice(json).unwrap();
    change(&mut header);
    let json = serde_json::to_vec(&header).unwrap();
    let length = (json.len() as u32).to_le_bytes();
    summed([&start[..12], &length, &json, body].concat())
}
