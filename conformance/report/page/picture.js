/* The lanes as a picture. Every label gets a place of its own: rows are added until it fits. */

const SVG = "http://www.w3.org/2000/svg";
const WIDE_GUTTER = 188;
const NARROW_GUTTER = 112;
const NARROW = 560;
const PER_MOMENT = 22;
const WIDEST = 6000;
const MARGIN = 14;
const BAR = 17;
const ROW = 15;
const pen = document.createElement("canvas").getContext("2d");

function textWidth(text, weight = 400) {
  pen.font = `${weight} 11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`;
  return pen.measureText(text).width;
}

function node(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/* The first row in which from..to is free; rows are lists of what is taken. */
function placeIn(rows, from, to) {
  let row = rows.findIndex((taken) => taken.every(([a, b]) => to <= a || from >= b));
  if (row < 0) row = rows.push([]) - 1;
  rows[row].push([from, to]);
  return row;
}

/* Where in a bar its label can stand without a dot or a line going through it; null: nowhere. */
function roomInside(label, from, to, obstacles) {
  const need = textWidth(label, 600) + 8;
  const within = obstacles.filter((x) => x > from - 5 && x < to + 5).sort((a, b) => a - b);
  for (const start of [from + 5, ...within.map((x) => x + 8)]) {
    if (start + need <= to + 3 && !within.some((x) => x > start - 7 && x < start + need)) return start;
  }
  return null;
}

function layOut(lane, scale, right, lines) {
  const tracks = [];
  const rows = [];
  const labels = [];
  const obstacles = [...lines, ...lane.marks.map((mark) => scale.x(mark.at))];
  const bars = lane.bars.slice().sort((a, b) => a.from - b.from).map((bar) => {
    const x = scale.x(bar.from);
    const width = Math.max(5, scale.x(bar.to) - x);
    const inside = roomInside(bar.label, x, x + width, obstacles);
    if (inside === null) labels.push({ x: x + 2, text: bar.label, bad: bar.bad, of: "bar" });
    return { ...bar, x, width, inside, track: placeIn(tracks, x, x + width - 0.5) };
  });
  const marks = lane.marks.map((mark) => {
    const x = scale.x(mark.at);
    labels.push({ x, text: mark.label, bad: mark.bad, of: "mark" });
    return { ...mark, x };
  });
  labels.sort((a, b) => a.x - b.x);
  const seen = new Map();
  const placed = [];
  for (const label of labels) {
    const key = `${label.text}|${Math.round(label.x)}`;
    if (seen.has(key)) { seen.get(key).times += 1; continue; }
    label.times = 1;
    seen.set(key, label);
    placed.push(label);
  }
  for (const label of placed) {
    if (label.times > 1) label.text += ` ×${label.times}`;
    const width = textWidth(label.text, label.bad ? 600 : 400) + 10;
    const flip = label.x + width > right;
    label.end = flip;
    label.row = placeIn(rows, flip ? label.x - width : label.x, flip ? label.x : label.x + width);
  }
  const top = Math.max(1, tracks.length) * (BAR + 2);
  const height = Math.max(40, 8 + top + rows.length * ROW + 5);
  return { lane, bars, marks, labels: placed, top, height };
}

function drawPicture(host, events, finding, name) {
  const { lanes, swaps, end } = lanesOf(events);
  const at = finding && finding.at !== null && finding.at !== undefined ? finding.at : null;
  const moments = [0, end];
  for (const lane of lanes) {
    for (const bar of lane.bars) moments.push(bar.from, bar.to);
    for (const mark of lane.marks) moments.push(mark.at);
  }
  if (at !== null) moments.push(at);
  const narrow = host.clientWidth < NARROW;
  const gutter = narrow ? NARROW_GUTTER : WIDE_GUTTER;
  const crowded = Math.min(WIDEST, new Set(moments.map((moment) => moment.toFixed(2))).size * PER_MOMENT);
  const width = Math.max(760, crowded, host.clientWidth) - gutter;
  const right = width - MARGIN;
  const scale = timeScale(moments, 24, right - 54);
  const flags = flagsOf(swaps, at, scale, right);
  const lines = flags.list.map((flag) => flag.x);
  const laid = lanes.map((lane) => layOut(lane, scale, right, lines));
  const head = 24 + flags.rows * ROW + 4;
  const height = laid.reduce((sum, item) => sum + item.height, head) + 6;
  const names = node(host, "svg", { class: "gutter", width: gutter, height, "aria-hidden": "true" });
  const svg = node(host, "svg", { width, height, role: "img", "aria-label": summary(lanes, swaps, at, name) });
  const back = node(svg, "g", { "aria-hidden": "true" });
  let y = head;
  laid.forEach((item, index) => {
    const stripe = { class: index % 2 ? "lane-b" : "lane-a", x: 0, y, height: item.height };
    node(names, "rect", { ...stripe, width: gutter });
    node(back, "rect", { ...stripe, width });
    const [title, second] = narrow && item.lane.subject ? [item.lane.title.split(":")[0], item.lane.subject] : [item.lane.title, item.lane.hint];
    fitted(names, title, gutter - 18, { class: "lane-title", x: 12, y: y + 18 });
    if (!narrow || item.lane.subject) fitted(names, second, gutter - 14, { class: "soft", x: 12, y: y + 32 });
    y += item.height;
  });
  drawAxis(back, scale, head, height - 6);
  if (at !== null) node(back, "rect", { class: "wrong-band", x: scale.x(at) - 5, y: head - 2, width: 10, height: height - head - 4 });
  drawFlags(back, flags, head, height - 6);
  y = head;
  laid.forEach((item, index) => { drawLane(back, item, y, index % 2 ? "lane-odd" : "lane-even"); y += item.height; });
  return { swaps: swaps.length };
}

function drawAxis(parent, scale, top, bottom) {
  for (const tick of scale.ticks) {
    const x = scale.x(tick);
    node(parent, "line", { class: "grid", x1: x, x2: x, y1: 18, y2: bottom });
    node(parent, "text", { class: "soft", x, y: 13, "text-anchor": "middle" }, `${Number(tick.toFixed(2))} s`);
  }
  for (const gap of scale.breaks) {
    const middle = (scale.x(gap.from) + scale.x(gap.to)) / 2;
    node(parent, "text", { class: "soft", x: middle, y: 13, "text-anchor": "middle" }, `≈ ${(gap.to - gap.from).toFixed(1)} s ≈`);
  }
}

function drawLane(parent, { lane, bars, marks, labels, top }, y, stripe) {
  const group = node(parent, "g", { class: `h-${lane.hue} ${stripe}` });
  const base = y + 6;
  for (const label of labels) {
    const bottom = base + top + label.row * ROW + 5;
    if (label.row > 0 || label.of === "mark") {
      node(group, "line", { class: "lead", x1: label.x, x2: label.x, y1: base + BAR - 2, y2: bottom });
    }
  }
  for (const bar of bars) {
    const barY = base + bar.track * (BAR + 2);
    const box = node(group, "rect", { class: "bar", x: bar.x, y: barY, width: bar.width, height: BAR, rx: 3 });
    node(box, "title", {}, `${bar.label} (${seconds(bar.from)} to ${seconds(bar.to)})`);
    if (bar.cut) node(group, "line", { class: "cut", x1: bar.x + bar.width, x2: bar.x + bar.width, y1: barY - 1, y2: barY + BAR + 1 });
    if (bar.inside !== null) node(group, "text", { class: "bar-text", x: bar.inside, y: barY + 12.5 }, bar.label);
  }
  for (const mark of marks) {
    const dot = node(group, "circle", { class: mark.bad ? "mark bad" : "mark", cx: mark.x, cy: base + BAR / 2, r: 4.5 });
    node(dot, "title", {}, `${mark.label} (${seconds(mark.at)})`);
  }
  for (const label of labels) {
    const textY = base + top + label.row * ROW + 9;
    const gap = label.of === "mark" || label.row > 0 ? 4 : 0;
    const x = label.end ? label.x - gap : label.x + gap;
    node(group, "text", { class: label.bad ? "bad haloed" : "haloed", x, y: textY, "text-anchor": label.end ? "end" : "start" }, label.text);
  }
}

/* A title as long as there is room for; the whole of it as a tooltip. */
function fitted(parent, text, room, attributes) {
  let short = text;
  while (textWidth(short, 650) * 1.1 > room) short = `${short.slice(0, -2).trimEnd()}…`;
  const made = node(parent, "text", attributes, short);
  if (short !== text) node(made, "title", {}, text);
}

function flagsOf(swaps, at, scale, right) {
  const rows = [];
  const named = swaps.length <= 6;
  const wanted = swaps.map((swap) => ({ ...swap, kind: "swap" }));
  if (at !== null) wanted.push({ at, label: `it went wrong here, ${seconds(at)}`, kind: "wrong" });
  const list = wanted.map((flag) => {
    const x = scale.x(flag.at);
    if (flag.kind === "swap" && !named) return { ...flag, x, label: "" };
    const width = textWidth(flag.label, 700) + 12;
    const flip = x + width > right;
    return { ...flag, x, flip, row: placeIn(rows, flip ? x - width : x - 2, flip ? x + 2 : x + width) };
  });
  return { list, rows: rows.length };
}

function drawFlags(parent, flags, head, bottom) {
  for (const { kind, x, label, flip, row } of flags.list) {
    const top = label ? 22 + row * ROW : head;
    node(parent, "line", { class: kind, x1: x, x2: x, y1: top, y2: bottom });
    if (label) node(parent, "text", { class: `${kind}-text`, x: flip ? x - 5 : x + 5, y: top + 11, "text-anchor": flip ? "end" : "start" }, label);
  }
}

function summary(lanes, swaps, at, name) {
  const parts = [`Timeline of ${name}. Lanes: ${lanes.map((lane) => lane.title).join(", ")}.`];
  for (const swap of swaps.slice(0, 6)) parts.push(`${swap.label} at ${seconds(swap.at)}.`);
  if (at !== null) parts.push(`It went wrong at ${seconds(at)}.`);
  parts.push("The same events are in the table below.");
  return parts.join(" ");
}
