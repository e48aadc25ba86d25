// A headless Chromium that is told what to do over a pipe, by the Chrome DevTools Protocol: no package is needed for it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/// What the browser is called where it is not called CHROMIUM.
const PROGRAM = process.env.CHROMIUM || "chromium";

export class Chromium {
  #process;
  #folder;
  #last = 0;
  #answers = new Map();
  #listeners = [];

  /// Starts it with a fresh profile, that is without a cache.
  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "impasto-chromium-"));
    const flags = ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${this.#folder}`, "--no-first-run",
      "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    // Its sandbox refuses to be started by root.
    if (process.getuid?.() === 0) flags.push("--no-sandbox");
    this.#process = spawn(PROGRAM, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.#process.on("error", (error) => this.#end(`${PROGRAM} cannot be started: ${error.message}`));
    this.#process.on("exit", (code) => this.#end(`${PROGRAM} ended with ${code}`));
    // Messages are JSON, each with a zero behind it.
    let rest = "";
    this.#process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      messages.forEach((message) => this.#hear(JSON.parse(message)));
    });
    this.#process.stdio[3].on("error", () => {});
  }

  #hear({ id, error, result, method, params, sessionId }) {
    if (method) {
      this.#listeners.forEach((listener) => listener(method, params, sessionId));
      return;
    }
    const { kept, broken } = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) broken(new Error(error.message));
    else kept(result);
  }

  #end(message) {
    this.#answers.forEach(({ broken }) => broken(new Error(message)));
    this.#answers.clear();
  }

  /// A call of the protocol, in a page's or worker's session if there is one.
  call(method, params = {}, sessionId = undefined) {
    this.#last += 1;
    this.#process.stdio[3].write(`${JSON.stringify({ id: this.#last, method, params, sessionId })}\0`);
    return new Promise((kept, broken) => this.#answers.set(this.#last, { kept, broken }));
  }

  listen(listener) {
    this.#listeners.push(listener);
  }

  async close() {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.call("Browser.close").catch(() => {});
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/// A page that is open, and what went on in it and its workers.
export class Page {
  /// Addresses that were asked for.
  requests = [];
  /// What the console calls an error or a warning, and exceptions.
  problems = [];
  #browser;
  #session;

  static async open(browser, address, { width = 1400, height = 1000 } = {}) {
    const page = new Page();
    page.#browser = browser;
    const sessions = new Set();
    browser.listen((method, params, session) => {
      if (!sessions.has(session)) return;
      if (method === "Target.attachedToTarget") page.#begin(params.sessionId, sessions);
      if (method === "Network.requestWillBeSent") page.requests.push(params.request.url);
      if (method === "Runtime.exceptionThrown") page.problems.push(params.exceptionDetails.exception?.description);
      if (method === "Log.entryAdded" && params.entry.level !== "info" && params.entry.level !== "verbose") {
        page.problems.push(`${params.entry.text} ${params.entry.url ?? ""}`);
      }
      if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) {
        page.problems.push(params.args.map(({ value, description }) => value ?? description).join(" "));
      }
    });
    const { targetId } = await browser.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.call("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId;
    await page.#begin(sessionId, sessions);
    await page.call("Page.enable");
    await page.resize(width, height);
    await page.scheme("light");
    await page.call("Page.navigate", { url: address });
    return page;
  }

  /// Listens to a page or a worker, which waits until then.
  async #begin(sessionId, sessions) {
    sessions.add(sessionId);
    const call = (method, params) => this.#browser.call(method, params, sessionId).catch(() => {});
    await Promise.all([
      call("Network.enable"),
      call("Runtime.enable"),
      call("Log.enable"),
      call("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }),
    ]);
    await call("Runtime.runIfWaitingForDebugger");
  }

  call(method, params) {
    return this.#browser.call(method, params, this.#session);
  }

  /// The value of an expression of JavaScript in the page.
  async value(expression) {
    const call = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", call);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /// Waits until an expression is true, and returns it.
  async until(expression, seconds = 300) {
    const end = Date.now() + 1000 * seconds;
    for (;;) {
      const value = await this.value(expression).catch(() => undefined);
      if (value) return value;
      if (Date.now() > end) throw new Error(`${expression} did not come true; ${await this.value("document.body.innerText")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /// Clicks in the middle of an element with the mouse.
  async click(selector) {
    const at = await this.value(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.call("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
    }
  }

  async press(key) {
    const text = { Enter: "\r", " ": " " }[key];
    const code = { Enter: 13, " ": 32, Tab: 9, ArrowRight: 39 }[key];
    const event = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: code };
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", ...event, text });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /// Chooses a file in an <input type=file>.
  async file(selector, path) {
    const { root } = await this.call("DOM.getDocument");
    const { nodeId } = await this.call("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.call("DOM.setFileInputFiles", { nodeId, files: [path] });
  }

  resize(width, height) {
    return this.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  }

  /// Light or dark; nothing glides, so that clicks hit what they are meant for.
  scheme(name) {
    const features = [["prefers-color-scheme", name], ["prefers-reduced-motion", "reduce"]];
    return this.call("Emulation.setEmulatedMedia", { features: features.map(([name, value]) => ({ name, value })) });
  }

  /// The whole page as a PNG.
  async screenshot() {
    const { cssContentSize } = await this.call("Page.getLayoutMetrics");
    const clip = { ...cssContentSize, x: 0, y: 0, scale: 1 };
    const { data } = await this.call("Page.captureScreenshot", { captureBeyondViewport: true, clip });
    return Buffer.from(data, "base64");
  }

  close() {
    return this.call("Page.close");
  }
}
