// The page: what is chosen goes to the worker, and what that tells is shown.
import { Choice } from "./choice.js";
import { distance, draw, order } from "./heatmap.js";
import { plot } from "./plot.js";

const byId = (id) => document.getElementById(id);

const STYLE_LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];
/// Weighs about as much as the style when it is switched on.
const TV_WEIGHT = 3;
/// The losses in the order of the worker's: what they are called, and whether they are on at first.
const TERMS = [
  { kind: "content", layer: "conv4_2", name: "content conv4_2", short: "content", on: true },
  ...STYLE_LAYERS.map((layer) => ({ kind: "style", layer, name: `style ${layer}`, short: layer, on: true })),
  { kind: "tv", layer: null, name: "total variation", short: "variation", on: false },
];

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const ask = (type, asked, moved) => worker.postMessage({ type, ...asked }, moved ?? []);
/// Where weights and examples are.
const shared = await fetch("page.json").then((response) => response.json()).catch(() => {
  byId("status").textContent = "page.json, the list of pictures, cannot be fetched: was this folder made by make page?";
  byId("status").classList.add("problem");
  throw new Error("no page.json");
});

const choices = {};
/// The number of the last request of each picture, and whether it was read.
const requests = { photo: 0, painting: 0 };
const read = { photo: false, painting: false };
/// `none`, `starting`, `painting`, `paused`, `ended` or `failed`.
let state = "none";
let lines = [];
let plan;

function become(next, sentence) {
  state = next;
  byId("status").textContent = sentence;
  byId("status").classList.toggle("problem", state === "failed");
  document.body.dataset.state = state;
  const both = read.photo && read.painting;
  byId("start").disabled = !both || state === "starting";
  byId("start").textContent = state === "none" || state === "starting" ? "Paint" : "Start again";
  byId("pause").disabled = state !== "painting" && state !== "paused";
  byId("pause").textContent = state === "paused" ? "Go on" : "Pause";
}

for (const field of document.querySelectorAll(".pictures")) {
  const { role } = field.dataset;
  const examples = role === "photo" ? shared.photos : shared.paintings;
  choices[role] = new Choice(field, examples, async (name, bytes) => {
    read[role] = false;
    byId("start").disabled = true;
    requests[role] += 1;
    const request = requests[role];
    try {
      const own = await bytes();
      ask("read", { role, bytes: own, name, request }, [own]);
    } catch ({ message }) {
      told.unread({ role, request, message });
    }
  });
}

for (const { title, credit } of [...shared.photos, ...shared.paintings]) {
  const item = document.createElement("li");
  item.textContent = `${title}: ${credit}`;
  byId("credits").append(item);
}

/// Whether the run there is takes no more switches.
const over = () => state === "ended" || state === "failed";

/// Shows in its row whether a loss is on: at once, also of a run that is paused. After the end it says that a switch is for the next run.
function mark({ row, input, later }) {
  if (!over()) row.classList.toggle("off", !input.checked);
  later.hidden = input.checked !== row.classList.contains("off");
}

/// Tells the worker whether a loss is on.
function switched(index) {
  const { kind, layer } = TERMS[index];
  mark(rows[index]);
  if (!over()) ask("switch", { term: { kind, layer }, on: rows[index].input.checked });
}

const rows = TERMS.map((term, index) => {
  const row = byId("terms").tBodies[0].insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "checkbox", checked: term.on });
  input.addEventListener("change", () => switched(index));
  const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  key.setAttribute("width", 22);
  key.setAttribute("height", 6);
  key.setAttribute("aria-hidden", "true");
  key.innerHTML = `<line x1="0" x2="22" y1="3" y2="3" stroke-width="4" class="term-${index}" />`;
  const later = document.createElement("span");
  Object.assign(later, { className: "later", hidden: true, textContent: "takes effect with Start again" });
  label.append(input, key, term.name, later);
  head.append(label);
  row.append(head);
  row.insertCell().textContent = "–";
  row.insertCell().textContent = "–";
  row.classList.toggle("off", !term.on);
  return { row, input, later };
});

for (const layer of STYLE_LAYERS) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "layer", value: layer, checked: layer === "conv2_1" });
  input.addEventListener("change", () => ask("layer", { layer }));
  const name = document.createElement("span");
  name.textContent = layer;
  label.append(input, name);
  document.querySelector(".layers").append(label);
}
const layer = () => document.querySelector(".layers input:checked").value;

byId("choice").addEventListener("submit", (event) => {
  event.preventDefault();
  const options = {
    size: Number(byId("size").value),
    scales: 1,
    iterations: Number(byId("iterations").value),
    init: byId("init").value,
    preset: byId("preset").value,
    "tv-weight": TV_WEIGHT,
  };
  const off = TERMS.filter((_, index) => !rows[index].input.checked).map(({ kind, layer }) => `${kind} ${layer ?? ""}`.trim());
  lines = TERMS.map(({ short }) => ({ name: short, points: [] }));
  become("starting", "Getting ready…");
  rows.forEach(mark);
  // On a phone it is below what was chosen.
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
  document.querySelector(".picture").scrollIntoView({ block: "nearest", behavior });
  ask("start", { options, off, layer: layer(), file: shared.weights });
});

byId("pause").addEventListener("click", () => {
  if (state === "paused") {
    ask("go");
    become("painting", "Painting.");
  } else {
    ask("pause");
    become("paused", "Paused. Losses can be switched meanwhile.");
  }
});

byId("save").addEventListener("click", () => ask("save"));

function show(canvas, { width, height, rgba }) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
}

/// A number with three digits, such as 1.23e+7.
const digits = (value) => (value === 0 ? "0" : value.toExponential(2));

/// The losses of an iteration: in the table, and in the plot.
function showLosses({ iteration, terms }) {
  terms.forEach(({ loss, weight, full }, index) => {
    const { row, input } = rows[index];
    const { points } = lines[index];
    const on = weight > 0;
    points.push({ iteration, value: full * loss, on });
    const highest = Math.max(...points.map(({ value }) => value));
    // A switch that was made while this iteration was on its way is newer.
    row.classList.toggle("off", !input.checked);
    row.dataset.weight = weight;
    row.cells[1].textContent = digits(full * loss);
    row.cells[2].textContent = highest > 0 ? `${((100 * full * loss) / highest).toFixed(1)} %` : "–";
  });
  plot(byId("plot"), lines, plan.iterations);
}

addEventListener("resize", () => {
  if (plan) plot(byId("plot"), lines, plan.iterations);
});

const told = {
  read({ role, request, ...picture }) {
    if (request !== requests[role]) return;
    read[role] = true;
    choices[role].show(picture);
    become(state, state === "none" && read.photo && read.painting ? "Ready to paint." : byId("status").textContent);
  },

  unread({ role, request, message }) {
    if (request === requests[role]) choices[role].refuse(message);
  },

  fetching({ share }) {
    byId("status").textContent = `Fetching the network, once: ${Math.round(100 * share)} %`;
    byId("progress").value = share;
  },

  begun({ plan: made }) {
    plan = made;
    byId("progress").value = 0;
    become("painting", "Painting.");
    // What was switched since the button was pressed.
    TERMS.forEach((_, index) => switched(index));
    byId("figures").textContent = `${plan.width} × ${plan.height} pixels; measuring the first iteration…`;
  },

  step({ told, ...picture }) {
    // One of the run before.
    if (state === "starting") return;
    // An answer that was on its way when Pause was pressed leaves the state alone.
    if (state === "painting" && byId("status").dataset.idle) become("painting", "Painting.");
    delete byId("status").dataset.idle;
    show(byId("canvas"), picture);
    byId("save").disabled = false;
    byId("progress").value = told.iteration / plan.iterations;
    const each = (told.seconds / told.iteration).toFixed(2);
    byId("figures").textContent = `${plan.width} × ${plan.height} pixels, iteration ${told.iteration} of ${plan.iterations}, ` +
      `${told.evaluations} evaluations, ${each} s each iteration; total loss ${digits(told.loss)}`;
    document.body.dataset.iteration = told.iteration;
    document.body.dataset.loss = told.loss;
    showLosses(told);
  },

  grams({ layer, iteration, own, target }) {
    if (state === "starting") return;
    const n = Math.sqrt(target.length);
    const by = order(target, n);
    const largest = target.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
    draw(byId("gram-own"), (at) => own[at], by, largest);
    draw(byId("gram-target"), (at) => target[at], by, largest);
    draw(byId("gram-difference"), (at) => own[at] - target[at], by, largest);
    const far = distance(own, target);
    byId("distance").textContent = `${layer}, ${n} filters, iteration ${iteration}: |G − A| is ${(100 * far).toFixed(1)} % of |A|`;
    byId("distance").dataset.layer = layer;
    byId("distance").dataset.share = far;
  },

  idle() {
    byId("status").dataset.idle = true;
    byId("status").textContent = "Every loss is off, so nothing pulls at the picture: switch one on.";
  },

  ended() {
    become("ended", "Done. Save the picture, or start again with other choices and losses.");
  },

  saved({ png }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    link.download = "impasto.png";
    link.click();
    // The browser takes the bytes after the click.
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  },

  failed({ message }) {
    become("failed", `It did not work: ${message.replaceAll("`", "")}.`);
  },
};

worker.onmessage = ({ data }) => told[data.type](data);
worker.onerror = () => become("failed", "It did not work: this browser cannot start what computes (a worker with WebAssembly).");

become("none", "Choose a photo and a painting.");
choices.photo.choose(0);
choices.painting.choose(0);
