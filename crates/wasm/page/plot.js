// Losses over iterations, on a logarithmic scale, as SVG.

const SVG = "http://www.w3.org/2000/svg";
/// Units are pixels of the page, so that text is as large on a phone.
const [LEAST_WIDTH, HEIGHT] = [280, 340];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 88, 10, 28];
/// Decades below the largest loss that are shown at most.
const DECADES = 6;
/// Pixels between two names at the right.
const LINE = 13;

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/// Powers of ten around all losses that can be drawn: the lowest and the highest exponent.
function range(values) {
  const drawn = values.filter((value) => value > 0);
  if (drawn.length === 0) return [0, 1];
  const highest = Math.ceil(Math.log10(Math.max(...drawn)));
  const lowest = Math.floor(Math.log10(Math.min(...drawn)));
  return [Math.max(Math.min(lowest, highest - 1), highest - DECADES), highest];
}

/// Names side by side are moved down as far as they need to be readable.
function apart(labels) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, index) => {
    if (index > 0) label.y = Math.max(label.y, labels[index - 1].y + LINE);
  });
  labels.reverse().forEach((label, index) => {
    const below = index > 0 ? labels[index - 1].y - LINE : HEIGHT - BOTTOM;
    label.y = Math.min(label.y, below);
  });
  return labels;
}

/// A line in pieces: one for each stretch in which the loss was on, or off.
function pieces(points) {
  const made = [];
  for (const point of points) {
    const last = made.at(-1);
    if (last && last.on === point.on) {
      last.points.push(point);
    } else {
      // The step between them belongs to the later one.
      made.push({ on: point.on, points: last ? [last.points.at(-1), point] : [point] });
    }
  }
  return made;
}

/// Draws lines `{name, points: [{iteration, value, on}]}` into `place`; `iterations` is where the axis ends.
export function plot(place, lines, iterations) {
  const width = Math.max(place.clientWidth, LEAST_WIDTH);
  const svg = element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", "Weight times loss over iterations, on a logarithmic scale; the table below has the numbers");
  const [lowest, highest] = range(lines.flatMap(({ points }) => points.map(({ value }) => value)));
  const x = (iteration) => LEFT + ((width - LEFT - RIGHT) * (iteration - 1)) / Math.max(iterations - 1, 1);
  const y = (value) => {
    const share = (Math.log10(Math.max(value, Number.MIN_VALUE)) - lowest) / (highest - lowest);
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.max(share, 0);
  };
  for (let exponent = lowest; exponent <= highest; exponent++) {
    const at = y(10 ** exponent);
    svg.append(element("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: at, y2: at }));
    const label = element("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, "10");
    label.append(element("tspan", { dy: -5, "font-size": 9 }, exponent));
    svg.append(label);
  }
  for (const iteration of [1, Math.round(iterations / 2), iterations]) {
    svg.append(element("text", { x: x(iteration), y: HEIGHT - 8, "text-anchor": "middle" }, iteration));
  }
  const labels = [];
  lines.forEach(({ name, points }, index) => {
    if (points.length === 0) return;
    for (const { on, points: own } of pieces(points)) {
      const path = own.map(({ iteration, value }) => `${x(iteration).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
      svg.append(element("polyline", { class: `term-${index}${on ? "" : " off"}`, points: path }));
    }
    labels.push({ name, index, y: y(points.at(-1).value) });
  });
  const last = Math.max(1, ...lines.map(({ points }) => points.at(-1)?.iteration ?? 1));
  for (const label of apart(labels)) {
    svg.append(element("text", { class: `term-${label.index}`, x: x(last) + 6, y: label.y + 4 }, label.name));
  }
  place.replaceChildren(svg);
}
