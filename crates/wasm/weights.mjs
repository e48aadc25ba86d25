// A safetensors file of VGG-16 up to a layer: the rest of the 29 MB need not be fetched.
// On its own: node weights.mjs FILE LAYER OUT
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const place = (name) => /^conv(\d+)_(\d+)\./.exec(name).slice(1).map(Number);

/// The bytes of a file of impasto's own form, without the layers behind `deepest`, such as conv4_2.
export function cut(bytes, deepest) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
  const tensors = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const data = bytes.subarray(8 + length);
  const [block, index] = place(`${deepest}.`);
  const kept = { __metadata__: tensors.__metadata__ };
  const parts = [];
  let end = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name === "__metadata__") continue;
    const [b, i] = place(name);
    if (b > block || (b === block && i > index)) continue;
    const part = data.subarray(...tensor.data_offsets);
    kept[name] = { ...tensor, data_offsets: [end, end + part.length] };
    parts.push(part);
    end += part.length;
  }
  let header = JSON.stringify(kept);
  header += " ".repeat((8 - (Buffer.byteLength(header) % 8)) % 8);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([size, Buffer.from(header), ...parts]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, deepest, out] = process.argv.slice(2);
  writeFileSync(out, cut(readFileSync(file), deepest));
}
