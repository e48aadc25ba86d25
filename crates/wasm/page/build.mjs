// The folder of the page, to be served as it is: node build.mjs OUT, after ../build.sh. It holds the page, the module, the weights as far
// as they are used, and the examples, reduced.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Picture, initSync } from "../pkg/impasto.js";
import { cut } from "../weights.mjs";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
/// The deepest layer that the page has a loss at.
const DEEPEST = "conv5_1";
/// The longest side of an example.
const LONGEST = 192;
const PAGE = ["index.html", "page.css", "page.js", "choice.js", "heatmap.js", "plot.js", "worker.js"];
const MODULE = ["impasto.js", "impasto_bg.wasm"];

const VAN_GOGH = "by Vincent van Gogh, public domain";
const PHOTOS = [
  ["chelsea.png", "Cat", "Chelsea, by Stefan van der Walt, CC0"],
  ["astronaut.png", "Astronaut", "Eileen Collins, NASA, public domain"],
  ["coffee.png", "Coffee", "by Rachel Michetti, CC0"],
  ["mountains.jpg", "Mountains", "by Aitzol Berasategi, CC BY 4.0"],
  ["rocket.jpg", "Rocket", "Falcon 9, SpaceX, CC0"],
];
const PAINTINGS = [
  ["cafe_terrace.webp", "Cafe Terrace at Night", `1888, ${VAN_GOGH}`],
  ["church_at_auvers.webp", "The Church at Auvers", `1890, ${VAN_GOGH}`],
  ["harvest_at_la_crau.webp", "Harvest at La Crau", `1888, ${VAN_GOGH}`],
  ["langlois_bridge.webp", "The Langlois Bridge at Arles", `1888, ${VAN_GOGH}`],
  ["night_cafe.webp", "The Night Cafe", `1888, ${VAN_GOGH}`],
];

const [out] = process.argv.slice(2);
if (!out) throw new Error("node build.mjs OUT");
rmSync(out, { recursive: true, force: true });
for (const folder of ["pkg", "examples"]) mkdirSync(join(out, folder), { recursive: true });
PAGE.forEach((name) => cpSync(file(name), join(out, name)));
MODULE.forEach((name) => cpSync(file(`../pkg/${name}`), join(out, "pkg", name)));

initSync({ module: readFileSync(file("../pkg/impasto_bg.wasm")) });
/// Writes the picture small, as PNG, and says where it is.
function example(folder, [name, title, credit]) {
  const bytes = readFileSync(file(`../../../examples/${folder}/${name}`));
  const small = Picture.read(bytes, name, LONGEST).within(LONGEST);
  const reduced = `examples/${name.replace(/\.\w+$/, ".png")}`;
  writeFileSync(join(out, reduced), small.png());
  return { file: reduced, title, credit };
}

// Named by its content: a browser may keep it for good.
const weights = cut(readFileSync(file("../../../weights/vgg16.safetensors")), DEEPEST);
const hash = createHash("sha256").update(weights).digest("hex").slice(0, 12);
const named = `vgg16-${DEEPEST}-${hash}.safetensors`;
writeFileSync(join(out, named), weights);
const shared = {
  weights: { file: named, bytes: weights.length },
  photos: PHOTOS.map((photo) => example("content", photo)),
  paintings: PAINTINGS.map((painting) => example("style", painting)),
};
writeFileSync(join(out, "page.json"), JSON.stringify(shared));
