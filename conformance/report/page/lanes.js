/* From the events of a check to lanes with bars and marks: who did what, from when to when. */

const AUDIO = "lk.audio_stream";
const OF_METHOD = (method) => method.replace(/^lk\./, "");

function lanesOf(events) {
  const over = events.findIndex((event) => event.lane === "check" && event.kind === "over");
  const shown = over < 0 ? events : events.slice(0, over + 1);
  const end = shown.length ? shown[shown.length - 1].at : 0;
  const story = new Story(end);
  for (const event of shown) story.take(event);
  return story.finish();
}

class Story {
  constructor(end) {
    this.end = end;
    this.lanes = new Map();
    this.open = new Map();
    this.joinedAt = new Map();
    this.hues = new Map();
    this.avatars = 0;
    this.swaps = [];
    this.tail = null;
  }

  lane(group, subject, title, hint, hue) {
    const key = `${group}|${subject}`;
    if (!this.lanes.has(key)) {
      this.lanes.set(key, { key, group, subject, title, hint, hue, bars: [], marks: [] });
    }
    return this.lanes.get(key);
  }

  /* Old and new keep a colour of their own, the tail and its worker the same one. */
  hue(subject) {
    for (const [label, hue] of this.hues) {
      if (subject === label || subject.startsWith(`${label}-`)) return hue;
    }
    const hue = 1 + (this.hues.size % 4);
    this.hues.set(subject, hue);
    return hue;
  }

  begin(key, lane, at, label) { this.open.set(key, { lane, at, label }); }

  close(key, at, label, options = {}) {
    const begun = this.open.get(key);
    if (!begun) return false;
    this.open.delete(key);
    const text = typeof label === "function" ? label(begun) : label;
    begun.lane.bars.push({ from: begun.at, to: at, label: text, ...options });
    return true;
  }

  mark(lane, at, label, options = {}) { lane.marks.push({ at, label, ...options }); }

  swap(at, label) { this.swaps.push({ at, label }); }

  take(event) {
    const handler = this[`take_${event.lane}`];
    if (handler) handler.call(this, event);
  }

  take_check({ at, kind, subject, detail }) {
    const lane = this.lane("check", "", "Check", "what the test does", 5);
    const key = (what) => `check ${what} ${subject}`;
    if (kind === "start") { this.hue(subject); this.begin(key("start"), lane, at, `start ${subject}`); }
    else if (kind === "close") this.begin(key("close"), lane, at, `close ${subject}`);
    else if (kind === "started") {
      this.close(key("start"), at, (begun) => begun.label);
      this.avatars += 1;
      if (this.avatars > 1) this.swap(at, `swap to ${subject}`);
    } else if (kind === "start failed") {
      this.close(key("start"), at, (begun) => `${begun.label} failed: ${detail.error || ""}`);
    } else if (kind === "closed") this.close(key("close"), at, (begun) => begun.label);
    else if (kind === "swap" || kind === "bind") this.swap(at, detail.tail ? `bind ${detail.tail}` : kind);
    else if (kind !== "over") this.mark(lane, at, [kind, subject].filter(Boolean).join(" "));
  }

  take_agent({ at, kind, detail }) {
    const lane = this.lane("agent", "", "Agent", "what it says", 0);
    if (kind === "say") {
      const pace = detail.paced ? "at speaking pace" : "all at once";
      const to = detail.paced ? at + detail.seconds : at;
      lane.bars.push({ from: at, to, label: `say ${detail.seconds} s, ${pace}` });
    } else if (kind === "playback_started" || kind === "playback_finished") {
      this.take_wrappers({ at, kind, detail });
    } else if (kind === "stream-opened" || kind === "stream-closed") this.stream(at, kind, detail);
    else if (kind === "rpc") this.mark(lane, at, `RPC ${OF_METHOD(detail.method)}`);
    else if (kind === "rpc-failed") this.mark(lane, at, `RPC ${OF_METHOD(detail.method)} failed`, { bad: true });
    else this.mark(lane, at, kind);
  }

  take_wrappers({ at, kind, detail }) {
    const lane = this.lane("wrappers", "", "Wrappers", "as the session hears it", 5);
    if (kind === "playback_started") {
      if (this.open.has("segment")) this.mark(lane, at, "started again");
      else this.begin("segment", lane, at, "");
    } else if (kind === "playback_finished") {
      const how = detail.interrupted ? "interrupted" : "to its end";
      const text = `finished at ${seconds(detail.position)}, ${how}`;
      if (!this.close("segment", at, text)) this.mark(lane, at, text);
    } else if (kind === "chain") {
      const tail = detail.outputs.split(" -> ").pop();
      if (tail !== this.tail) this.mark(lane, at, `tail: ${tail}`);
      this.tail = tail;
    } else if (kind !== "playback_progressed") this.mark(lane, at, kind);
  }

  take_tail({ at, kind, subject, detail }) {
    const lane = this.lane("tail", subject, `Tail: ${subject}`, "audio it is given", this.hue(subject));
    const key = `tail ${subject}`;
    const given = detail.seconds === undefined ? "" : `${seconds(detail.seconds)} `;
    if (kind === "captured" || kind === "capture") this.begin(key, lane, at, "");
    else if (kind === "left open") this.close(key, at, `${given}never ended`, { cut: true });
    else if (kind === "flushed" || kind === "flush") this.close(key, at, `${given}flushed`);
    else if (kind === "cleared" || kind === "clear") {
      if (!this.close(key, at, `${given}cleared`, { cut: true })) this.mark(lane, at, "clear");
    } else this.mark(lane, at, kind);
  }

  take_worker({ at, kind, subject, detail }) {
    const lane = this.lane("worker", subject, `Worker: ${subject}`, "what users hear", this.hue(subject));
    const key = `worker ${subject}`;
    if (kind === "playing") this.begin(key, lane, at, "");
    else if (kind === "played") {
      const how = detail.interrupted ? "played, interrupted" : "played";
      this.close(key, at, `${seconds(detail.position)} ${how}`, { cut: detail.interrupted });
    } else if (kind === "rpc") this.mark(lane, at, `RPC ${OF_METHOD(detail.method)}`);
    else if (kind === "rpc-failed") this.mark(lane, at, `RPC ${OF_METHOD(detail.method)} failed`, { bad: true });
    else if (kind === "refused") this.mark(lane, at, "refused by the room", { bad: true });
    else if (kind !== "joined") this.mark(lane, at, kind);
  }

  take_room({ at, kind, subject, detail }) {
    if (kind === "text") {
      this.mark(this.lane("text", "", "Transcript", "text that reaches the room", 0), at, detail.text.trim());
      return;
    }
    const lane = this.lane("room", "", "Room", "who is in it, what is sent", 5);
    if (kind === "left") {
      const key = `worker ${subject}`;
      this.close(key, at, (begun) => `${seconds(at - begun.at)} played, cut off: it left the room`, { cut: true });
      const removed = lane.marks.find((mark) => mark.at === at && mark.label === `${subject} removed`);
      if (!removed) this.mark(lane, at, `${subject} left`);
    } else if (kind === "remove") {
      this.mark(lane, at, detail.found ? `${subject} removed` : `remove ${subject}: not there`);
    } else if (kind === "rpc") this.mark(lane, at, `${subject}: RPC ${OF_METHOD(detail.method)}`);
    else if (kind === "published") {
      // at once as a rule; what is worth a word is a picture that comes late
      if (at > this.joinedAt.get(subject)) this.mark(lane, at, `${subject} shows its ${detail.media}`);
    } else if (kind !== "unpublished") this.mark(lane, at, `${subject} ${kind}`);
    if (kind === "joined") this.joinedAt.set(subject, at);
  }

  take_backend({ at, kind, subject, detail }) {
    const lane = this.lane("backend", "", "Vendor's API", "requests and answers", 4);
    const key = `backend ${subject}`;
    if (kind === "request") this.begin(key, lane, at, subject);
    else if (kind === "answer") this.close(key, at, `${subject} ${detail.status}`, { bad: detail.status >= 400 });
    else if (kind === "fault") this.mark(lane, at, `fault: ${detail.what}`, { bad: true });
    else if (kind === "undeclared contact") this.mark(lane, at, `undeclared contact ${subject}`, { bad: true });
    else this.mark(lane, at, kind.startsWith("socket") ? kind : `${subject} ${kind}`);
  }

  stream(at, kind, { topic, to, bytes }) {
    if (topic !== AUDIO) return;
    const lane = this.lane("room", "", "Room", "who is in it, what is sent", 5);
    const key = `stream ${to}`;
    if (kind === "stream-opened") this.begin(key, lane, at, "");
    else this.close(key, at, `audio to ${to}, ${Math.round(bytes / 1000)} kB`);
  }

  finish() {
    for (const [key, begun] of this.open) {
      const text = { check: `${begun.label}: never returned`, segment: "never finished", backend: `${begun.label}: no answer`,
        tail: "never ended", worker: "still playing", stream: "never closed" }[key.split(" ")[0]];
      begun.lane.bars.push({ from: begun.at, to: this.end, label: text, cut: true });
    }
    const order = ["check", "agent", "wrappers", "tail", "worker", "text", "room", "backend"];
    const lanes = [...this.lanes.values()].filter((lane) => lane.bars.length || lane.marks.length);
    lanes.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
    return { lanes, swaps: this.swaps, end: this.end };
  }
}
