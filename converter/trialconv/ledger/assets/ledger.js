// The page of a ledger: it unpacks its data, then shows the record beside a document, and the sums by field.

import { make } from "./linked.js";
import { byId, startLinked, startTabs } from "./views.js";

async function unpacked() {
  const packed = Uint8Array.from(atob(byId("data").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function start(data) {
  if (data.ledger) startLinked(data.ledger.documents.map((part) => [part.title, async () => ({ ...data.ledger, documents: [part] })]));
  else byId("tab-linked").hidden = true;
  startCoverage(data.coverage);
  startTabs(document.querySelector('[role="tablist"]'));
  document.documentElement.dataset.ready = "true";
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
