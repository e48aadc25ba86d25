// What computes: the module, the weights, the pictures and the painter. The page asks by messages and is told by messages.
import init, { Network, Painter, Picture } from "./pkg/impasto.js";

/// The most pixels on a picture's longest side.
const LONGEST = 192;
/// A look at the Gram matrices may take this part of the time of painting.
const SHARE_OF_LOOKS = 0.2;
/// The cache of the weights in this browser; their file is named by its content, so that an old one is never taken for a new one.
const CACHE = "impasto-weights";

const tell = (type, told, moved) => postMessage({ type, ...told }, moved ?? []);

let module;
let network;
const pictures = {};
/// `{painter, layer, on: names of losses that are on, target: A at the layer, told: the last iteration, looked: when, cost: how long, paused,
/// ended}`.
let run;
let due = false;

/// The module, once.
function loaded() {
  module ??= bytesOf("pkg/impasto_bg.wasm")
    .then((bytes) => init({ module_or_path: bytes }))
    .catch((error) => {
      module = undefined;
      throw error;
    });
  return module;
}

/// The bytes of a file beside this one; `arrived` is told how many there are so far.
async function bytesOf(path, arrived = () => {}, fetching = fetch) {
  const url = new URL(path, import.meta.url);
  let response;
  try {
    response = await fetching(url);
  } catch {
    throw new Error(`${path} cannot be fetched: is the server still there?`);
  }
  if (!response.ok) throw new Error(`${path} cannot be fetched: the server says ${response.status}`);
  const parts = [];
  let bytes = 0;
  try {
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.length;
      arrived(bytes);
    }
  } catch {
    throw new Error(`${path} was cut short on its way: try again`);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/// A response out of the cache of this browser, or of the server, and then kept. Where there is no cache, as on a server without
/// https, the browser's own rules hold.
async function kept(url) {
  if (!globalThis.caches) return fetch(url);
  const cache = await caches.open(CACHE);
  const known = await cache.match(url);
  if (known) return known;
  const response = await fetch(url);
  if (response.ok) {
    for (const old of await cache.keys()) await cache.delete(old);
    // A full disk is no reason not to paint.
    await cache.put(url, response.clone()).catch(() => {});
  }
  return response;
}

/// The network, once.
async function weights({ file, bytes }) {
  if (!network) {
    const arrived = (now) => tell("fetching", { share: now / bytes });
    const own = await bytesOf(file, arrived, kept);
    if (own.length !== bytes) {
      await globalThis.caches?.delete(CACHE);
      throw new Error(`${file} was cut short on its way: try again`);
    }
    network = new Network(own, file);
  }
  return network;
}

const nameOf = ({ kind, layer }) => `${kind} ${layer ?? ""}`.trim();

const asked = {
  /// Reads a picture; `request` comes back, so that the page knows an older answer.
  async read({ role, bytes, name, request }) {
    try {
      await loaded();
      const read = Picture.read(new Uint8Array(bytes), name, LONGEST);
      const picture = read.within(LONGEST);
      read.free();
      pictures[role]?.free();
      pictures[role] = picture;
      tell("read", { role, request, ...shown(picture) });
    } catch (error) {
      tell("unread", { role, request, message: error.message });
    }
  },

  /// Begins a run with what was read last.
  async start({ options, off, layer, file }) {
    await loaded();
    const network = await weights(file);
    run?.painter.free();
    run = undefined;
    const painter = new Painter(network, pictures.photo, pictures.painting, JSON.stringify(options));
    const terms = painter.terms();
    run = { painter, layer, on: new Set(), told: undefined, looked: 0, cost: 0 };
    for (const term of terms) weigh(term, !off.includes(nameOf(term)));
    tell("begun", { plan: painter.plan(), terms });
    schedule();
  },

  pause() {
    if (run) run.paused = true;
    look();
  },

  go() {
    if (run) run.paused = false;
    schedule();
  },

  switch({ term, on }) {
    if (!run) return;
    weigh(term, on);
    schedule();
  },

  layer({ layer }) {
    if (!run) return;
    run.layer = layer;
    run.target = undefined;
    look();
  },

  save() {
    const picture = run.painter.picture();
    const png = picture.png();
    picture.free();
    tell("saved", { png }, [png.buffer]);
  },
};

function weigh(term, on) {
  run.painter.weigh(term.kind, term.layer, on ? 1 : 0);
  run.on[on ? "add" : "delete"](nameOf(term));
}

/// The pixels of a picture, for a canvas.
function shown(picture) {
  return { width: picture.width, height: picture.height, rgba: picture.rgba() };
}

/// One iteration, and messages in between.
function schedule() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    guarded(turn);
  });
}

function turn() {
  if (!run || run.paused || run.ended) return;
  if (run.on.size === 0) {
    tell("idle");
    return;
  }
  const told = run.painter.step();
  if (!told) {
    run.ended = true;
    look();
    tell("ended");
    return;
  }
  run.told = told;
  const picture = run.painter.picture();
  tell("step", { told, ...shown(picture) });
  picture.free();
  if (performance.now() - run.looked > run.cost / SHARE_OF_LOOKS) look();
  schedule();
}

/// Measures the Gram matrices of the picture and, once a layer, of the painting.
function look() {
  if (!run?.told) return;
  const before = performance.now();
  const { painter, layer } = run;
  run.target ??= painter.gramOfPainting(layer);
  const picture = painter.picture();
  const own = painter.gram(picture, layer);
  picture.free();
  tell("grams", { layer, iteration: run.told.iteration, own, target: run.target });
  run.looked = performance.now();
  run.cost = run.looked - before;
}

async function guarded(act) {
  try {
    await act();
  } catch (error) {
    if (run) run.ended = true;
    // What Rust refuses is a sentence; a module that broke down cannot be used again.
    const broken = error instanceof WebAssembly.RuntimeError;
    tell("failed", { message: broken ? "the computation broke down: load the page again" : error.message });
  }
}

onmessage = ({ data }) => guarded(() => asked[data.type](data));
