/* The panel of one cell: what was expected and observed, and the picture of what happened. */

const data = JSON.parse(document.getElementById("data").textContent);
const panel = document.getElementById("panel");
let opener = null;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* Text with what is in backticks as code. */
function withCode(text) {
  return text.split("`").map((piece, index) => (index % 2 ? element("code", {}, piece) : piece));
}

function iconOf(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon s-${state}`);
  svg.setAttribute("aria-hidden", "true");
  node(svg, "use", { href: `#i-${state}` });
  return svg;
}

function eventsOf(check) {
  return (check.events || []).map(([at, lane, kind, subject, detail]) => ({
    at, lane: data.strings[lane], kind: data.strings[kind], subject: data.strings[subject], detail: data.details[detail],
  }));
}

const GRAVEST = ["error", "failed", "not-run", "blocked", "should", "expected-failure", "passed", "not-applicable"];

function openPanel(subject, requirement, id, from) {
  const checks = data.checks[subject][requirement];
  const chosen = checks.find((check) => check.id === id)
    || checks.slice().sort((a, b) => GRAVEST.indexOf(a.state) - GRAVEST.indexOf(b.state))[0];
  opener = from || opener;
  const facts = data.requirements[requirement];
  const close = element("button", { type: "button" }, "Close");
  close.addEventListener("click", () => panel.close());
  const title = element("h2", { id: "panel-title", tabindex: "-1" }, `${subject} · ${requirement}`);
  const level = element("span", { class: "small" }, `${facts.level}${facts.scored ? "" : ", not scored in this revision"}`);
  const body = element("div", { class: "panel-body" });
  panel.replaceChildren(element("div", { class: "panel-head" }, element("div", {}, title, level), close), body);
  body.append(element("p", { class: "requirement" }, ...withCode(facts.text)));
  if (facts.why) body.append(element("p", { class: "why" }, ...withCode(facts.why)));
  const result = element("div", { id: "result" });
  if (checks.length > 1) body.append(variantButtons(checks, chosen, result, facts));
  body.append(result);
  if (!panel.open) panel.showModal();
  title.focus();
  showCheck(result, chosen, facts);
}

function variantButtons(checks, chosen, result, facts) {
  const group = element("fieldset", { class: "variants", "aria-label": "Variants" });
  for (const check of checks) {
    const button = element("button", { type: "button", class: `s-${check.state}`, "aria-pressed": String(check === chosen) },
      iconOf(check.state), check.variant || check.id, element("span", { class: "unseen" }, `: ${data.words[check.state]}`));
    button.addEventListener("click", () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      showCheck(result, check, facts);
    });
    group.append(button);
  }
  return group;
}

function box(title, text, state) {
  return element("section", { class: `box${state ? ` s-${state}` : ""}` }, element("h3", {}, title), element("p", {}, ...withCode(text)));
}

function showCheck(result, check, facts) {
  history.replaceState(null, "", `#check=${encodeURIComponent(check.id)}`);
  const { finding } = check;
  const parts = [element("p", { class: `state s-${check.state}` }, iconOf(check.state), data.words[check.state])];
  const judged = finding ? [box("Expected", finding.expected, "passed"), box("Observed", finding.observed, check.state)] : [];
  const fix = finding ? finding.hint || facts.hint : "";
  const around = [
    check.reason ? box(check.state === "passed" ? "Note" : "Reason", check.reason, check.state) : null,
    fix ? box("Likely fix", fix) : null,
    check.reference ? box("See", check.reference) : null,
  ].filter(Boolean);
  for (const boxes of [judged, around]) {
    if (boxes.length) parts.push(element("div", { class: "pair" }, ...boxes));
  }
  result.replaceChildren(...parts);
  showEvents(result, check);
  result.append(element("h3", {}, "Run it again"), element("code", { class: "repeat" }, check.repeat));
  if (facts.source) result.append(element("p", { class: "small" }, "The requirement follows from ", element("code", {}, facts.source)));
}

function showEvents(result, check) {
  const events = eventsOf(check);
  result.append(element("h3", {}, "What happened"));
  if (!events.length) {
    const why = check.state === "not-run" ? "It did not run." : check.events ? "Nothing was recorded: it ended before anything happened."
      : "The timeline of this check is left out, as it passed.";
    result.append(element("p", { class: "small" }, why));
    return;
  }
  const picture = element("div", { class: "picture", tabindex: "0", role: "group", "aria-label": "Picture of the timeline, may be scrolled sideways" });
  result.append(picture);
  const { swaps } = drawPicture(picture, events, check.finding, check.id);
  const key = ["A bar is audio, or a call from its begin to its return", "A dot is an event or an RPC", "A red end: cut off, or never ended"];
  if (swaps) key.push(swaps > 1 ? "Dashed lines: the swaps" : "Dashed line: the swap");
  if (check.finding && typeof check.finding.at === "number") key.push("Red line: what went wrong");
  else if (check.finding) key.push("No single moment is to blame: it is judged over the whole run");
  result.append(element("ul", { class: "key" }, ...key.map((text) => element("li", {}, text))));
  result.append(eventTable(events, check));
}

function eventTable(events, check) {
  const at = check.finding ? check.finding.at : null;
  const rows = events.map((event) => {
    const detail = Object.entries(event.detail).map(([name, value]) => `${name}=${value}`).join(" ");
    return element("tr", event.at === at ? { class: "near" } : {}, element("td", {}, seconds(event.at)), element("td", {}, event.lane),
      element("td", {}, event.subject), element("td", {}, `${event.kind} ${detail}`.trim()));
  });
  const head = element("tr", {}, ...["Time", "Lane", "Who", "What"].map((text) => element("th", { scope: "col" }, text)));
  const table = element("table", { class: "events" }, element("caption", { class: "unseen" }, `Events of ${check.id}`), element("thead", {}, head), element("tbody", {}, ...rows));
  return element("details", {}, element("summary", {}, `The same in words: ${events.length} events`), table);
}

panel.addEventListener("close", () => {
  history.replaceState(null, "", location.pathname + location.search);
  if (opener) opener.focus();
});
panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
