// Painting in WebAssembly: node --test crates/wasm/test.mjs, after crates/wasm/build.sh.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { Network, Painter, Picture, initSync } from "./pkg/impasto.js";
import { cut } from "./weights.mjs";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const { memory } = initSync({ module: readFileSync(file("pkg/impasto_bg.wasm")) });

const PHOTO = file("../../examples/content/chelsea.png");
const PAINTING = file("../../examples/style/cafe_terrace.webp");
const SIZE = 64;
// The default losses at two sizes, few iterations at each.
const OPTIONS = { size: SIZE, scales: 2, "smallest-scale": 32, iterations: 4 };

const network = new Network(cut(readFileSync(file("../../weights/vgg16.safetensors")), "conv5_1"), "vgg16");
const photo = Picture.read(readFileSync(PHOTO), "photo.png", SIZE);
const painting = Picture.read(readFileSync(PAINTING), "painting.webp", SIZE);
const painter = (options, start) => new Painter(network, photo, painting, JSON.stringify(options), start);

/// All iterations, what they tell and the picture.
function paint(options, start) {
  const own = painter(options, start);
  const told = [];
  for (let step; (step = own.step()); ) told.push(step);
  const picture = own.picture();
  own.free();
  return { told, picture };
}

const first = paint(OPTIONS);
const bytes = memory.buffer.byteLength;

test("losses fall, term by term told", () => {
  const { told } = first;
  assert.deepEqual(told.map(({ iteration }) => iteration), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(told.map(({ scale }) => scale), [0, 0, 0, 0, 1, 1, 1, 1]);
  for (const scale of [0, 1]) {
    const losses = told.filter((step) => step.scale === scale).map(({ loss }) => loss);
    losses.slice(1).forEach((loss, index) => assert.ok(loss < losses[index], `${losses}`));
  }
  for (const { loss, terms, width, seconds } of told) {
    const layers = terms.map(({ kind, layer }) => `${kind} ${layer}`);
    assert.deepEqual(layers, ["content conv4_2", ...[1, 2, 3, 4, 5].map((block) => `style conv${block}_1`)]);
    const sum = terms.reduce((sum, term) => sum + term.weight * term.loss, 0);
    assert.ok(Math.abs(sum / loss - 1) < 1e-9, `${sum} is not ${loss}`);
    assert.ok((width === 32 || width === SIZE) && seconds > 0);
  }
});

test("a plan says beforehand what is told afterwards", () => {
  const own = painter(OPTIONS);
  const { width, height, iterations, scales, bytes } = own.plan();
  assert.deepEqual([width, height, iterations], [SIZE, first.picture.height, 8]);
  assert.deepEqual(scales.map((scale) => [scale.width, scale.iterations]), [[32, 4], [SIZE, 4]]);
  assert.ok(bytes > 1e7 && bytes < 1e9);
  own.free();
});

test("the same twice, in the same memory", () => {
  const second = paint(OPTIONS);
  assert.deepEqual(second.picture.rgba(), first.picture.rgba());
  assert.deepEqual(second.told.map(({ loss }) => loss), first.told.map(({ loss }) => loss));
  assert.ok(memory.buffer.byteLength <= bytes + 2 ** 24, `${bytes} became ${memory.buffer.byteLength}`);
  assert.ok(memory.buffer.byteLength < 640 * 2 ** 20, `${memory.buffer.byteLength} bytes`);
});

/// Calls `use` with a folder that is gone afterwards.
function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), "impasto-wasm-"));
  try {
    return use((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/// How far the native program's picture is from ours, in levels: at the most, and in the mean. Files are read by both.
function fromNative(options, files, instructionSet) {
  const [photo, painting] = files.map((path) => Picture.read(readFileSync(path), path, SIZE));
  const own = new Painter(network, photo, painting, JSON.stringify(options));
  while (own.step());
  const ours = own.picture().rgba();
  own.free();
  const native = inFolder((inside) => {
    const named = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const call = ["transfer", ...files, "-o", inside("out.png"), "-q", "--dither=none", ...named];
    execFileSync(program(), call, { env: { ...process.env, IMPASTO_ISA: instructionSet } });
    return Picture.read(readFileSync(inside("out.png")), "out.png").rgba();
  });
  assert.equal(native.length, ours.length);
  const differences = native.map((value, index) => Math.abs(value - ours[index]));
  return { most: Math.max(...differences), mean: differences.reduce((sum, value) => sum + value, 0) / native.length };
}

test("the native program's portable kernels paint the same, to the last level on x86-64", () => {
  inFolder((inside) => {
    // Without a profile: to convert colours the native program has instructions of its own.
    const files = [[photo, "photo.png"], [painting, "painting.png"]].map(([picture, name]) => {
      writeFileSync(inside(name), picture.png());
      return inside(name);
    });
    const { most, mean } = fromNative(OPTIONS, files, "portable");
    assert.ok(process.arch === "x64" ? most === 0 : mean < 2, `they differ by ${mean} levels, and ${most} at most`);
  });
});

test("its fast kernels and colour conversion paint the same within a few levels", () => {
  const { most, mean } = fromNative({ size: SIZE, scales: 1, iterations: 3 }, [PHOTO, PAINTING], "");
  assert.ok(most <= 6 && mean < 0.5, `they differ by ${mean} levels, and ${most} at most`);
});

/// The native program: IMPASTO, or what was built last.
function program() {
  if (process.env.IMPASTO) return process.env.IMPASTO;
  const builds = ["release", "debug"].map((profile) => file(`../../target/${profile}/impasto`));
  const age = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const [last] = builds.sort((a, b) => age(b) - age(a));
  assert.ok(age(last) > 0, "the native program is missing: run make build, or set IMPASTO to it");
  return last;
}

test("who stops has the picture so far", () => {
  const own = painter({ ...OPTIONS, scales: 1 });
  assert.throws(() => own.picture(), { name: "Error", message: /stopped before the first iteration was done/ });
  own.step();
  const early = own.picture().rgba();
  own.step();
  const later = own.picture();
  assert.deepEqual([later.width, later.rgba().length], [SIZE, early.length]);
  assert.notDeepEqual(later.rgba(), early);
  own.free();
});

test("another painter goes on from there with other layers", () => {
  const options = { size: SIZE, scales: 1, iterations: 3, "style-layers": "conv1_1,conv2_1" };
  const { told } = paint(options, Picture.fromRgba(first.picture.rgba(), SIZE, first.picture.height));
  assert.deepEqual(told.map(({ terms }) => terms.length), [3, 3, 3]);
  assert.ok(told[2].loss < told[0].loss);
});

test("a loss is switched off and on between two iterations, and the others fall", () => {
  const own = painter({ ...OPTIONS, scales: 1, iterations: 6 });
  const terms = own.terms();
  assert.deepEqual(terms[0], { kind: "content", layer: "conv4_2" });
  assert.equal(terms.length, 6);
  own.step();
  own.weigh("content", "conv4_2", 0);
  const off = [own.step(), own.step()];
  assert.deepEqual(off.map(({ iteration }) => iteration), [2, 3]);
  assert.ok(off[1].loss < off[0].loss);
  for (const { loss, terms } of off) {
    assert.equal(terms[0].weight, 0);
    assert.ok(terms[0].full > 0 && terms[1].full === terms[1].weight);
    const sum = terms.slice(1).reduce((sum, term) => sum + term.weight * term.loss, 0);
    assert.ok(Math.abs(sum / loss - 1) < 1e-9, `${sum} is not ${loss}`);
  }
  own.weigh("content", "conv4_2", 1);
  assert.equal(own.step().terms[0].weight, off[0].terms[0].full);
  for (const [kind, layer, factor, message] of [
    ["content", "conv1_1", 0, /this transfer has no content loss at conv1_1/],
    ["tv", undefined, 0, /there is no loss tv here, but content, style/],
    ["content", "conv4_2", -1, /not with -1/],
  ]) {
    assert.throws(() => own.weigh(kind, layer, factor), { name: "Error", message });
  }
  own.free();
});

test("the painting's Gram matrix is that of the painting at its size", () => {
  const own = painter({ ...OPTIONS, scales: 1 });
  assert.deepEqual(own.gramOfPainting("conv2_1"), own.gram(painting.within(SIZE), "conv2_1"));
  own.free();
});

test("a picture is brought within a size, and never beyond its own", () => {
  const large = Picture.fromRgba(new Uint8Array(4 * 30 * 20).fill(90), 30, 20);
  const small = large.within(15);
  assert.deepEqual([small.width, small.height, small.rgba()[0]], [15, 10, 90]);
  assert.deepEqual([large.within(31).width, large.within(30).height], [30, 20]);
});

test("Gram matrices of pictures, symmetric and positive on the diagonal", () => {
  const own = painter(OPTIONS);
  for (const picture of [photo, painting, first.picture]) {
    const gram = own.gram(picture, "conv1_1");
    assert.equal(gram.length, 64 * 64);
    for (let i = 0; i < 64; i++) {
      assert.ok(gram[65 * i] >= 0);
      for (let j = 0; j < i; j++) assert.equal(gram[64 * i + j], gram[64 * j + i]);
    }
  }
  assert.throws(() => own.gram(photo, "conv9_9"), { name: "Error", message: /conv9_9/ });
  own.free();
});

test("pixels of a canvas come back, and a file of them", () => {
  const pixels = Uint8Array.from({ length: 4 * 6 * 5 }, (_, index) => (index % 4 === 3 ? 255 : (7 * index) % 256));
  const picture = Picture.fromRgba(pixels, 6, 5);
  assert.deepEqual([picture.width, picture.height], [6, 5]);
  assert.deepEqual(picture.rgba(), pixels);
  assert.deepEqual(Picture.read(picture.png(), "own.png").rgba(), pixels);
});

test("what is broken is an error of one sentence, and nothing else is", () => {
  const bytes = readFileSync(PHOTO);
  const small = Picture.fromRgba(new Uint8Array(4 * 8 * 8), 8, 8);
  const refused = [
    [() => Picture.read(bytes.subarray(0, bytes.length / 2), "half.png"), /^half\.png is damaged or cut short: it ends too early$/],
    [() => Picture.read(new Uint8Array(0), "empty.png"), /empty\.png/],
    [() => Picture.read(Buffer.from("no picture"), "text.txt"), /text\.txt/],
    [() => Picture.fromRgba(new Uint8Array(15), 2, 2), /15/],
    [() => new Network(new Uint8Array(100), "zeros"), /zeros/],
    [() => painter({ sise: 64 }), /sise/],
    [() => painter({ size: "large" }), /size.*large/],
    [() => painter({ iterations: true }), /the options are no JSON object of texts and numbers/],
    [() => new Painter(network, small, painting, "{}"), /8 x 8 pixels is too small/],
  ];
  for (const [call, message] of refused) assert.throws(call, { name: "Error", message });
  assert.equal(paint({ size: 32, scales: 1, iterations: 1 }).told.length, 1);
});
