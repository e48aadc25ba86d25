// The page in a headless Chromium, from choice to picture: test.sh FOLDER, after build.mjs has made it.
// Screenshots are left beside the folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Chromium, Page } from "./chromium.mjs";

const FOLDER = resolve(process.env.IMPASTO_PAGE);
const PICTURES = join(dirname(FOLDER), "page-screenshots");
const PHOTO = fileURLToPath(new URL("../../../examples/content/rocket.jpg", import.meta.url));
/// Long enough to see the losses fall, short enough to wait for.
const ITERATIONS = 12;

/// Any plain server of files: Python's. What it is asked for is in `log`.
class Server {
  log = "";

  async start(folder) {
    const call = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder];
    this.process = spawn("python3", call, { stdio: ["ignore", "pipe", "pipe"] });
    this.process.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    this.address = await new Promise((found, none) => {
      this.process.stdout.setEncoding("utf8").on("data", (text) => {
        const port = /port (\d+)/.exec(text);
        if (port) found(`http://127.0.0.1:${port[1]}/`);
      });
      this.process.on("error", none).on("exit", () => none(new Error(`python3 -m http.server ended: ${this.log}`)));
    });
    return this;
  }

  stop() {
    this.process.kill();
  }
}

let browser, server;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  server = await new Server().start(FOLDER);
  browser = new Chromium();
});
after(async () => {
  await browser?.close();
  server?.stop();
});

const state = (name) => `document.body.dataset.state === ${JSON.stringify(name)}`;
const iterated = (least) => `Number(document.body.dataset.iteration ?? 0) >= ${least}`;
const ready = `!document.querySelector("#start").disabled`;

/// Calls `use` with a page whose pictures are read, set to few pixels and iterations; nothing may go wrong in it but what is `expected`,
/// and it may ask its own server alone.
async function opened(iterations, use, { address } = server, expected = /^$/) {
  const page = await Page.open(browser, address);
  try {
    await page.until(ready);
    await page.value(`document.querySelector("#size").value = "96"; document.querySelector("#iterations").value = ${iterations}`);
    await use(page);
    assert.deepEqual(page.problems.filter((problem) => !expected.test(problem)), []);
    for (const request of page.requests) {
      assert.ok([address, "blob:", "data:"].some((own) => request.startsWith(own)), `it asked for ${request}`);
    }
  } finally {
    await page.close();
  }
}

/// What the page shows, as numbers.
function look(page) {
  return page.value(`(() => {
    const copy = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
    const pixels = (id) => {
      copy.drawImage(document.getElementById(id), 0, 0);
      return Array.from(copy.getImageData(0, 0, 64, 64).data);
    };
    const rows = [...document.querySelectorAll("#terms tbody tr")];
    const { iteration, loss, state } = document.body.dataset;
    const { width, height } = document.getElementById("canvas");
    return {
      iteration: Number(iteration), loss: Number(loss), state, width, height,
      picture: pixels("canvas"), own: pixels("gram-own"), target: pixels("gram-target"), difference: pixels("gram-difference"),
      share: Number(document.getElementById("distance").dataset.share), layer: document.getElementById("distance").dataset.layer,
      weights: rows.map((row) => Number(row.dataset.weight)), lines: document.querySelectorAll("#plot polyline").length,
      broken: document.querySelectorAll("#plot polyline.off").length,
    };
  })()`);
}

/// The mean difference of two lists, in levels.
const apart = (a, b) => a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;

async function picture(page, name, width, scheme) {
  await page.resize(width, 1000);
  await page.scheme(scheme);
  await new Promise((done) => setTimeout(done, 300));
  writeFileSync(join(PICTURES, `${name}.png`), await page.screenshot());
}

test("from choice to picture: losses fall, Gram matrices approach, the weights are fetched once", async () => {
  await opened(ITERATIONS, async (page) => {
    await page.click("[data-role=photo] label:nth-child(4)");
    await page.click("[data-role=painting] label:nth-child(2)");
    await page.until(ready);
    await page.click("#start");
    await page.until(iterated(1));
    await page.until(`document.querySelector("#distance").dataset.share`);
    const early = await look(page);
    await page.until(state("ended"));
    const late = await look(page);
    assert.equal(late.iteration, ITERATIONS);
    assert.deepEqual([late.width, late.height], [96, 72]);
    assert.ok(late.loss < early.loss / 2, `the loss went from ${early.loss} to ${late.loss}`);
    assert.ok(apart(early.picture, late.picture) > 5, "the picture is much the same");
    assert.ok(apart(early.own, late.own) > 1, "the Gram matrix of the picture is much the same");
    assert.deepEqual(early.target, late.target);
    assert.ok(late.share < early.share, `|G - A| / |A| went from ${early.share} to ${late.share}`);
    assert.ok(apart(late.difference, late.own) > 1, "the difference is not drawn");
    // The total variation is off at first: its line is there, and broken.
    assert.deepEqual(late.weights.map((weight) => weight > 0), [true, true, true, true, true, true, false]);
    assert.deepEqual([late.lines, late.broken], [7, 1]);
    for (const [name, width, scheme] of [["wide", 1400, "light"], ["narrow", 390, "light"], ["wide-dark", 1400, "dark"], ["narrow-dark", 390, "dark"]]) {
      await picture(page, name, width, scheme);
      const over = await page.value("document.documentElement.scrollWidth - innerWidth");
      assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
    }
    // Another visit finds the weights in the browser.
    await page.call("Page.reload");
    await page.until(`document.body.dataset.state === "none" && ${ready}`);
    await page.value(`document.querySelector("#size").value = "96"`);
    await page.click("#start");
    await page.until(iterated(1));
    assert.equal(server.log.match(/GET \S*\.safetensors/g).length, 1, server.log);
  });
});

test("losses are switched off and on while it paints, layers looked at, runs paused and begun again", async () => {
  await opened(300, async (page) => {
    await page.click("#start");
    await page.until(iterated(3));
    const before = await look(page);
    await page.click("#terms tbody tr:nth-child(3) input");
    await page.click("#terms tbody tr:nth-child(7) input");
    await page.until(`document.querySelectorAll("#terms tbody tr")[2].dataset.weight === "0"`);
    await page.until(`Number(document.querySelectorAll("#terms tbody tr")[6].dataset.weight) > 0`);
    const switched = await look(page);
    assert.ok(switched.iteration > before.iteration && switched.state === "painting");
    await page.until(iterated(switched.iteration + 3));
    assert.ok((await look(page)).loss < switched.loss, "nothing is learnt of the new loss");
    await page.click("#terms tbody tr:nth-child(3) input");
    await page.until(`Number(document.querySelectorAll("#terms tbody tr")[2].dataset.weight) === ${before.weights[2]}`);
    assert.ok((await look(page)).broken >= 2);

    // Another layer, by the keyboard.
    await page.value(`document.querySelector(".layers input:checked").focus()`);
    await page.press("ArrowRight");
    await page.until(`document.querySelector("#distance").dataset.layer === "conv3_1"`);

    // Paused, it stands still, and can be looked at.
    await page.value(`document.querySelector("#pause").focus()`);
    await page.press("Enter");
    await page.until(state("paused"));
    await page.value(`document.querySelector(".layers input[value=conv1_1]").click()`);
    await page.until(`document.querySelector("#distance").dataset.layer === "conv1_1"`);
    const { iteration } = await look(page);
    // What is switched meanwhile is marked at once.
    const off = `document.querySelectorAll("#terms tbody tr")[3].classList.contains("off")`;
    assert.equal(await page.value(off), false);
    await page.click("#terms tbody tr:nth-child(4) input");
    assert.equal(await page.value(off), true);
    await page.click("#terms tbody tr:nth-child(4) input");
    assert.equal(await page.value(off), false);
    await new Promise((done) => setTimeout(done, 2000));
    assert.equal((await look(page)).iteration, iteration);
    await page.click("#pause");
    await page.until(iterated(iteration + 1));

    // With every loss off it says so, and goes on when one is back.
    const all = `[...document.querySelectorAll("#terms input:checked")].forEach((input) => input.click())`;
    await page.value(all);
    await page.until(`document.querySelector("#status").textContent.startsWith("Every loss is off")`);
    const still = await look(page);
    await page.click("#terms tbody tr:nth-child(2) input");
    await page.until(iterated(still.iteration + 1));
    assert.equal(await page.value(`document.querySelector("#status").textContent`), "Painting.");

    await page.value(`document.querySelector("#iterations").value = 2`);
    await page.click("#start");
    await page.until(state("ended"));
    assert.equal((await look(page)).iteration, 2);

    // After the end a switch is for the next run, and says so until that begins.
    const later = `document.querySelectorAll("#terms .later:not([hidden])").length`;
    const off3 = `document.querySelectorAll("#terms tbody tr")[2].classList.contains("off")`;
    const was = await page.value(off3);
    await page.click("#terms tbody tr:nth-child(3) input");
    assert.deepEqual(await page.value(`[${later}, ${off3}]`), [1, was]);
    await page.click("#start");
    await page.until(`${later} === 0 && ${state("ended")}`);
    assert.equal(await page.value(off3), !was);
  });
});

test("pictures of one's own are chosen or dropped, and the result is saved", async () => {
  await opened(2, async (page) => {
    const asked = page.requests.length;
    await page.file("#own-photo", PHOTO);
    await page.until(`document.querySelector("[data-role=photo] canvas")?.width === 192`);
    await page.value(`(async () => {
      const drawn = new OffscreenCanvas(150, 300);
      const context = drawn.getContext("2d");
      for (let y = 0; y < 300; y += 10) {
        context.fillStyle = y % 20 ? "#20409f" : "#f0c040";
        context.fillRect(0, y, 150, 10);
      }
      const carried = new DataTransfer();
      carried.items.add(new File([await drawn.convertToBlob()], "stripes.png"));
      document.querySelector("[data-role=painting]").dispatchEvent(new DragEvent("drop", { dataTransfer: carried, cancelable: true }));
    })()`);
    await page.until(`document.querySelector("[data-role=painting] canvas")?.height === 192`);
    await page.until(ready);
    // What would be written to the disk.
    await page.value(`(() => {
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => make(window.saved = blob);
      HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };
    })()`);
    await page.click("#start");
    await page.until(state("ended"));
    await page.click("#save");
    await page.until("window.savedAs", 60);
    const saved = await page.value(`createImageBitmap(saved).then(({ width, height }) => [savedAs, saved.type, width, height])`);
    assert.deepEqual(saved, ["impasto.png", "image/png", 96, 64]);
    // What the two pictures were turned into is nowhere asked for: the module and the network are all that was fetched.
    const fetched = page.requests.slice(asked).filter((request) => request.startsWith("http"));
    assert.ok(fetched.every((request) => /\.(wasm|safetensors)$/.test(request)), fetched.join());
  });
});

test("what is no picture is refused in a sentence, and the page goes on", async () => {
  await opened(1, async (page) => {
    await page.file("#own-photo", fileURLToPath(import.meta.url));
    await page.until(`!document.querySelector("[data-role=photo] .problem").hidden`);
    const said = await page.value(`document.querySelector("[data-role=photo] .problem").textContent`);
    assert.match(said, /test\.mjs is not a JPEG, PNG, WebP, TIFF, BMP or GIF picture/);
    assert.equal(await page.value(ready), false);
    await page.click("[data-role=photo] label:nth-child(1)");
    await page.until(ready);
    assert.equal(await page.value(`document.querySelector("[data-role=photo] .problem").hidden`), true);
  });
});

test("weights that cannot be fetched are told in a sentence", async () => {
  const folder = `${FOLDER}-without-weights`;
  rmSync(folder, { recursive: true, force: true });
  cpSync(FOLDER, folder, { recursive: true, filter: (path) => !path.endsWith(".safetensors") });
  const other = await new Server().start(folder);
  try {
    await opened(ITERATIONS, async (page) => {
      await page.click("#start");
      await page.until(state("failed"));
      const said = await page.value(`document.querySelector("#status").textContent`);
      assert.match(said, /^It did not work: vgg16-conv5_1-\w+\.safetensors cannot be fetched: the server says 404\.$/);
      // Once they are there, the button is enough.
      const weights = readdirSync(FOLDER).find((name) => name.endsWith(".safetensors"));
      cpSync(join(FOLDER, weights), join(folder, weights));
      await page.value(`document.querySelector("#iterations").value = 1`);
      await page.click("#start");
      await page.until(state("ended"));
    }, other, /status of 404/);
  } finally {
    other.stop();
    rmSync(folder, { recursive: true });
  }
});

test("what is served is small, and loads nothing from elsewhere", () => {
  const files = readdirSync(FOLDER, { recursive: true }).filter((name) => statSync(join(FOLDER, name)).isFile());
  const bytes = files.reduce((sum, name) => sum + statSync(join(FOLDER, name)).size, 0);
  assert.ok(bytes < 27e6, `${bytes} bytes`);
  for (const name of files.filter((name) => /\.(html|css|js)$/.test(name))) {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const loaded = text.match(/(src|import|url)[=( ]+["']?https?:/g) ?? [];
    assert.deepEqual(loaded, [], name);
  }
});
