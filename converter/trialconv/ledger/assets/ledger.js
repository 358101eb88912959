// The page of a ledger: it unpacks its data, then shows the record beside a document, and the sums by field.

import { Linked, make } from "./linked.js";

const byId = (id) => document.getElementById(id);

async function unpacked() {
  const packed = Uint8Array.from(atob(byId("data").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function start(data) {
  if (data.ledger) startLinked(data.ledger);
  else byId("tab-linked").hidden = true;
  startCoverage(data.coverage);
  const tabs = [...document.querySelectorAll('[role="tab"]')].filter((tab) => !tab.hidden);
  tabs.forEach((tab, nth) => {
    tab.addEventListener("click", () => choose(tab, tabs));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { const next = tabs[(nth + step + tabs.length) % tabs.length]; choose(next, tabs); next.focus(); }
    });
  });
  choose(tabs[0], tabs);
  document.documentElement.dataset.ready = "true";
}

function choose(chosen, tabs) {
  for (const tab of tabs) {
    const on = tab === chosen;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
  }
}

function startLinked(ledger) {
  byId("panel-linked").hidden = false; // trees measure themselves
  const linked = new Linked(byId("source"), byId("target"), byId("teller"), ledger);
  const select = byId("document");
  ledger.documents.forEach((part, number) => select.append(new Option(part.title, number)));
  linked.onMarked = (tree, count) => {
    const counter = byId(tree === linked.source ? "linked-source" : "linked-target");
    counter.textContent = count ? `${count} linked` : "";
  };
  const show = () => {
    linked.show(ledger.documents[Number(select.value)]);
    byId("find-target").value = "";
    findIn(linked.target, "", byId("count-target"));
    if (byId("nowhere").checked) lost();
  };
  const lost = () => {
    const there = byId("nowhere").checked;
    const found = linked.source.search(there ? (_, number) => linked.source.dimmed.has(number) : null);
    byId("count-source").textContent = there ? `${found} values are not in this document` : "";
  };
  select.addEventListener("change", show);
  byId("nowhere").addEventListener("change", () => { byId("find-source").value = ""; lost(); });
  byId("find-source").addEventListener("input", (event) => {
    byId("nowhere").checked = false;
    findIn(linked.source, event.target.value, byId("count-source"));
  });
  byId("find-target").addEventListener("input", (event) => findIn(linked.target, event.target.value, byId("count-target")));
  show();
}

function findIn(tree, words, counter) {
  const wanted = words.trim().toLowerCase();
  const holds = (line) => `${line[1]} ${line[2]}`.toLowerCase().includes(wanted);
  const found = tree.search(wanted ? holds : null);
  counter.textContent = wanted ? `${found} lines` : "";
}

function startCoverage(coverages) {
  const select = byId("coverage-target");
  coverages.forEach((each, number) => select.append(new Option(each.title, number)));
  const show = () => showCoverage(coverages[Number(select.value)]);
  select.addEventListener("change", show);
  byId("coverage-all").addEventListener("change", show);
  show();
}

function showCoverage(coverage) {
  const everything = byId("coverage-all").checked;
  const head = make("tr");
  for (const name of ["field", "values", "native", "extension", "not placed", "coded", "where, or why not"]) {
    const cell = make("th", ["values", "native", "extension", "not placed", "coded"].includes(name) ? "number" : "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const rows = [rowOf("all", coverage.total, "")];
  for (const module of coverage.modules) {
    if (!module.values && !everything) continue;
    const fields = coverage.fields.filter((each) => each.field === module.path || each.field.startsWith(`${module.path}.`));
    if (fields[0].field !== module.path) rows.push(rowOf(module.path, module, ""));
    for (const field of fields) {
      if (!field.values && !everything) continue;
      const reasons = field.reasons.map((each) => `${each.reason} (${each.count})`);
      const name = field.field.slice(module.path.length + 1) || field.field;
      rows.push(rowOf(name, field, [...field.homes, ...reasons].join("; "), true));
    }
  }
  const body = make("tbody");
  body.append(...rows);
  const thead = make("thead");
  thead.append(head);
  byId("coverage").replaceChildren(thead, body);
}

function rowOf(name, counts, about, isField = false) {
  const row = make("tr", isField ? "field" : "module");
  const first = make("th", "", name);
  first.scope = "row";
  row.append(first);
  for (const key of ["values", "native", "extension", "notPlaced", "coded"]) {
    row.append(make("td", key === "notPlaced" && counts[key] ? "number bad" : "number", String(counts[key])));
  }
  row.append(make("td", "", about));
  return row;
}

unpacked().then(start, (error) => {
  byId("teller").textContent = `The page's data cannot be read: ${error.message}`;
});
