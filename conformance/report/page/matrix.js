/* The matrix: arrow keys, filters, and the way into the panels. */

const form = document.getElementById("filter");
const tables = [...document.querySelectorAll('table[role="grid"]')];
const subjectOf = (button) => button.closest("td").dataset.subject;

function visibleCells(table) {
  return [...table.querySelectorAll("tbody tr:not(.family):not([hidden])")]
    .filter((row) => !row.parentElement.hidden)
    .map((row) => [...row.querySelectorAll("td:not([hidden])")].map((cell) => cell.querySelector("button")))
    .filter((row) => row.some(Boolean));
}

/* One cell of a table is in the tab order; the arrows move it. */
function setEntry(table, button) {
  for (const other of table.querySelectorAll('button[tabindex="0"]')) other.tabIndex = -1;
  if (button) button.tabIndex = 0;
}

function resetEntry(table) {
  const rows = visibleCells(table);
  setEntry(table, rows.length ? rows[0].find(Boolean) : null);
}

function moved(rows, row, column, key, whole) {
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[key];
  if (key === "Home") return (whole ? rows[0] : rows[row]).find(Boolean);
  if (key === "End") return (whole ? rows[rows.length - 1] : rows[row]).filter(Boolean).pop();
  if (!step) return undefined;
  for (let r = row + step[0], c = column + step[1]; rows[r] && c >= 0 && c < rows[r].length; r += step[0], c += step[1]) {
    if (rows[r][c]) return rows[r][c];
  }
  return rows[row][column];
}

function onKey(table, event) {
  const button = event.target.closest("td button");
  if (!button || event.altKey || event.metaKey) return;
  const rows = visibleCells(table);
  const row = rows.findIndex((cells) => cells.includes(button));
  const next = moved(rows, row, rows[row].indexOf(button), event.key, event.ctrlKey);
  if (!next) return;
  event.preventDefault();
  setEntry(table, next);
  next.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/* What was seen in a cell, for the free text. */
function wordsOf(subject, requirement) {
  return data.checks[subject][requirement].map((check) => {
    const finding = check.finding || {};
    return [check.id, check.reason, finding.observed, finding.expected].filter(Boolean).join(" ");
  }).join(" ").toLowerCase();
}

function applyFilter() {
  const chosen = new FormData(form);
  const states = new Set(chosen.getAll("state"));
  const { level, family, subject, text } = Object.fromEntries(["level", "family", "subject", "text"].map((name) => [name, chosen.get(name)]));
  const wanted = text.trim().toLowerCase();
  let shown = 0;
  let all = 0;
  for (const table of tables) {
    for (const cell of table.querySelectorAll("[data-subject]")) cell.hidden = Boolean(subject) && cell.dataset.subject !== subject;
    for (const body of table.tBodies) {
      let any = false;
      for (const row of body.querySelectorAll("tr:not(.family)")) {
        all += 1;
        const named = !wanted || row.dataset.text.includes(wanted);
        let hit = false;
        for (const cell of row.querySelectorAll("td")) {
          const button = cell.querySelector("button");
          const fits = Boolean(button) && !cell.hidden && (!states.size || states.has(cell.dataset.state))
            && (named || wordsOf(cell.dataset.subject, button.dataset.requirement).includes(wanted));
          cell.classList.toggle("faded", Boolean(button) && !fits);
          hit = hit || fits;
        }
        row.hidden = !hit || Boolean(level && row.dataset.level !== level) || Boolean(family && body.dataset.family !== family);
        if (!row.hidden) { shown += 1; any = true; }
      }
      body.hidden = !any;
    }
    table.closest(".scroll").hidden = !visibleCells(table).length;
    document.getElementById(table.getAttribute("aria-labelledby")).hidden = !visibleCells(table).length;
    resetEntry(table);
  }
  document.getElementById("shown").textContent = shown === all ? `${all} requirements` : `${shown} of ${all} requirements shown`;
}

function openFromAddress() {
  const id = decodeURIComponent((location.hash.match(/^#check=(.+)$/) || [])[1] || "");
  const [, subject, requirement] = id.match(/^(.+?)::([A-Z]+-\d+)/) || [];
  if (!subject || !data.checks[subject] || !data.checks[subject][requirement]) return;
  const cell = [...document.querySelectorAll(`button[data-requirement="${requirement}"]`)].find((button) => subjectOf(button) === subject);
  openPanel(subject, requirement, id, cell);
}

for (const table of tables) {
  resetEntry(table);
  table.addEventListener("keydown", (event) => onKey(table, event));
  table.addEventListener("click", (event) => {
    const button = event.target.closest("td button");
    if (!button) return;
    setEntry(table, button);
    openPanel(subjectOf(button), button.dataset.requirement, null, button);
  });
}
form.addEventListener("input", applyFilter);
form.addEventListener("reset", () => setTimeout(applyFilter));
form.addEventListener("submit", (event) => event.preventDefault());
for (const hint of document.querySelectorAll("[data-without-script]")) hint.hidden = true;
form.hidden = false;
document.getElementById("keys").hidden = false;
applyFilter();
openFromAddress();
window.addEventListener("hashchange", openFromAddress);
