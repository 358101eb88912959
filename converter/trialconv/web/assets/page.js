// The page of the server: it takes a record, shows the study, and the documents beside it.

import { armsDiagram, timeline } from "./figures.js";
import { make } from "./linked.js";
import { byId, startLinked, startTabs } from "./views.js";

let record = null; // what was given: its bytes and their media type

const TYPES = [[/^\s*[{[]/, "application/json"], [/^\s*</, "application/xml"], [/^/, "text/plain"]];
const PACKED = { gz: "application/gzip", zip: "application/zip" };

function typed(text) { return { body: text, type: TYPES.find(([pattern]) => pattern.test(text))[1] }; }

async function ofFile(file) {
  const packed = PACKED[file.name.split(".").pop().toLowerCase()];
  return packed ? { body: file, type: packed } : typed(await file.text());
}

// The record of the registry with a number, which the server asks for it.
async function ofNumber(number) {
  const answer = await fetch(`/page/record/${encodeURIComponent(number)}`);
  if (!answer.ok) throw new Error(await told(answer));
  return { body: await answer.blob(), type: "application/json" };
}

async function ask(path, given = record) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": given.type }, body: given.body });
  if (answer.ok) return answer;
  throw new Error(await told(answer));
}

// What an answer that is no document says of itself.
async function told(answer) {
  try {
    const { issue } = await answer.json();
    return issue.map((each) => [each.details?.text, each.diagnostics].filter(Boolean).join(" — ")).join("\n");
  } catch {
    return `The server answered with ${answer.status}.`;
  }
}

function trouble(error) {
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
  byId("state").textContent = "";
}

async function show(given) {
  byId("trouble").hidden = true;
  byId("study").hidden = true;
  byId("go").disabled = true;
  byId("state").textContent = "Reading and converting …";
  try {
    record = await given;
    const targets = (await (await fetch("/targets")).json()).targets;
    const first = await (await ask(`/page/study/${targets[0].name}`)).json();
    byId("study").hidden = false;
    showStudy(first.study);
    await showDocuments(targets, first);
    byId("state").textContent = "";
    byId("title").focus();
    document.documentElement.dataset.shown = first.study.nctId;
  } catch (error) {
    trouble(error);
  } finally {
    byId("go").disabled = false;
  }
}

function showStudy(study) {
  byId("title").textContent = `${study.nctId}: ${study.title}`;
  document.title = `${study.nctId} - trialconv`;
  byId("official").textContent = study.officialTitle ?? "";
  byId("status").textContent = study.status ?? "status not stated";
  byId("why").textContent = study.whyStopped ?? "";
  byId("facts").replaceChildren(...study.facts.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  byId("timeline").replaceChildren(timeline(study.days) ?? make("p", "note", "The record has no dates."));
  byId("summary").textContent = study.summary ?? "The record has none.";
  byId("arms").replaceChildren(armsDiagram(study) ?? make("p", "note", "The record names no arms and no interventions."));
  byId("treatments").replaceChildren(...described("Arms", study.arms), ...described("Interventions", study.interventions));
  byId("whole").hidden = !study.criteriaAreWhole;
  byId("criteria").replaceChildren(study.criteria.length ? criteria(study.criteria) : make("p", "note", "The record has none."));
  showSites(study.countries);
  startTabs(document.querySelector('[role="tablist"]'));
}

function described(title, items) {
  const told = items.filter((each) => each.description);
  if (!told.length) return [];
  return [make("h3", "", title), ...told.map((each) => folded(`${each.name}${each.type ? ` (${each.type})` : ""}`, make("p", "text", each.description)))];
}

function folded(title, content) {
  const made = make("details");
  made.append(make("summary", "", title), content);
  return made;
}

function criteria(nodes) {
  const list = make("ul", "criteria");
  for (const node of nodes) {
    const item = make("li");
    const heading = node.role === "section" || node.role === "heading";
    if (!heading && node.kind) item.append(make("span", "note", node.kind === "inclusion" ? "+ " : "− "));
    item.append(make("span", heading ? "kind" : "", node.text || node.kind || ""));
    if (node.children.length) item.append(criteria(node.children));
    list.append(item);
  }
  return list;
}

function showSites(countries) {
  const sites = countries.reduce((sum, each) => sum + each.sites.length, 0);
  const head = make("p", "", sites ? `${sites} sites in ${countries.length} ${countries.length === 1 ? "country" : "countries"}` : "The record names no sites.");
  byId("sites").replaceChildren(head, ...countries.map(ofCountry));
}

// The sites of a country are put into the page when they are asked for: a study can have thousands.
function ofCountry(country) {
  const list = make("ul", "criteria");
  const made = folded(`${country.name ?? "country not stated"}: ${country.sites.length}`, list);
  made.addEventListener("toggle", () => {
    if (list.childElementCount) return;
    const lines = country.sites.map((site) => [site.facility, site.place, site.status].filter(Boolean).join(" — "));
    list.append(...lines.map((line) => make("li", "", line)));
  }, { once: true });
  return made;
}

// The documents are made when they are chosen; the first one came with the study.
function showDocuments(targets, first) {
  const known = new Map([[targets[0].name, first]]);
  const get = async (name) => {
    byId("download").disabled = true;
    byId("valid").textContent = "";
    if (!known.has(name)) {
      byId("state").textContent = "Converting …";
      try {
        known.set(name, await (await ask(`/page/study/${name}`)).json());
        byId("state").textContent = "";
      } catch (error) {
        trouble(error);
        return null;
      }
    }
    return known.get(name).ledger;
  };
  return startLinked(targets.map(({ name, title }) => [title, () => get(name)]), ({ target, findings }) => {
    const { valid, issues } = known.get(target);
    byId("valid").textContent = valid ? "It is valid by the official schemas and rules." : "It is not valid, and will not be written.";
    byId("valid").className = valid ? "" : "bad";
    byId("issues").replaceChildren(...[...findings, ...issues].map((each) => make("li", "", each)));
    if (!byId("issues").childElementCount) byId("issues").append(make("li", "note", "Nothing."));
    byId("download").disabled = false;
    byId("download").onclick = () => download(target).catch(trouble);
  });
}

async function download(target) {
  const answer = await ask(`/convert/${target}`);
  const link = make("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

byId("given").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value;
  const [file] = byId("file").files;
  const number = byId("number").value.trim();
  if (number) show(ofNumber(number));
  else if (text.trim()) show(Promise.resolve(typed(text)));
  else if (file) show(ofFile(file));
  else trouble(new Error("Paste a record, choose a file, or give its number."));
});
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) { byId("text").value = ""; show(ofFile(file)); }
});
byId("drop").addEventListener("dragover", (event) => { event.preventDefault(); byId("drop").classList.add("over"); });
byId("drop").addEventListener("dragleave", () => byId("drop").classList.remove("over"));
byId("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) show(ofFile(file));
  else show(Promise.resolve(typed(event.dataTransfer.getData("text"))));
});
