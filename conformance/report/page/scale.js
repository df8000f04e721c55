"use strict";

/* From seconds to pixels. A pause in which nothing happens for long is drawn short, and marked. */

const LONG_PAUSE = 2.5;
const SHORT_PAUSE = 1.0;
const seconds = (value) => `${value.toFixed(3)} s`;

function timeScale(moments, left, width) {
  const times = [...new Set(moments)].sort((a, b) => a - b);
  const first = times.length ? times[0] : 0;
  const points = [{ at: first, offset: 0 }];
  const breaks = [];
  for (const at of times.slice(1)) {
    const before = points[points.length - 1];
    const gap = at - before.at;
    if (gap > LONG_PAUSE) breaks.push({ from: before.at, to: at });
    points.push({ at, offset: before.offset + (gap > LONG_PAUSE ? SHORT_PAUSE : gap) });
  }
  const total = points[points.length - 1].offset || 1;
  const perSecond = width / total;
  const x = (at) => {
    const next = points.findIndex((point) => point.at >= at);
    if (next === 0) return left;
    if (next < 0) return left + total * perSecond;
    const [a, b] = [points[next - 1], points[next]];
    const part = (at - a.at) / (b.at - a.at);
    return left + (a.offset + part * (b.offset - a.offset)) * perSecond;
  };
  const step = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10].find((size) => size * perSecond >= 64) || 20;
  const ticks = [];
  const last = points[points.length - 1].at;
  for (let n = Math.ceil(first / step - 1e-9); n * step <= last + 1e-9; n += 1) {
    const at = n * step;
    if (!breaks.some((gap) => at > gap.from + 1e-9 && at < gap.to - 1e-9)) ticks.push(at);
  }
  return { x, ticks, step, breaks, first, last };
}
