// The page of the server: it takes a record, shows the study, and the documents beside it.

import { armsDiagram, timeline } from "./figures.js";
import { make } from "./linked.js";
import { byId, startLinked, startTabs } from "./views.js";

let record = null; // what was given: its bytes and their media type
let drawFigures = () => {}; // draws the figures of the study anew, for the width that there is

const TYPES = [[/^\s*[{[]/, "application/json"], [/^\s*</, "application/xml"], [/^/, "text/plain"]];
const FEW = 6; // so many parts are shown open
const PACKED = { gz: "application/gzip", zip: "application/zip" };

function typed(text) { return { body: text, type: TYPES.find(([pattern]) => pattern.test(text))[1] }; }

async function ofFile(file) {
  const packed = PACKED[file.name.split(".").pop().toLowerCase()];
  return packed ? { body: file, type: packed } : typed(await file.text());
}

// A record that the server has or gets: the example, or one of the registry by its number.
async function ofPath(path) {
  const answer = await fetch(path);
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
  byId("trouble").replaceChildren(make("h2", "", "This did not work"), error.message);
  byId("giver").open = true;
  byId("trouble").hidden = false;
  byId("state").textContent = "";
}

async function show(given) {
  byId("trouble").hidden = true;
  byId("study").hidden = true;
  byId("about").hidden = true;
  byId("go").disabled = true;
  byId("state").textContent = "Reading and converting …";
  try {
    record = await given;
    const targets = (await (await fetch("/targets")).json()).targets;
    const first = await (await ask(`/page/study/${targets[0].name}`)).json();
    byId("study").hidden = false;
    byId("giver").open = false;
    byId("another").textContent = "Give another record";
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
  byId("status").textContent = study.status ?? "Status not stated";
  byId("why").textContent = study.whyStopped ?? "";
  byId("facts").replaceChildren(...study.facts.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  byId("summary").textContent = study.summary ?? "The record has none.";
  drawFigures = () => {
    const { clientWidth } = byId("study");
    byId("timeline").replaceChildren(timeline(study.days, clientWidth) ?? make("p", "note", "The record has no dates."));
    byId("arms").replaceChildren(armsDiagram(study, clientWidth) ?? make("p", "note", "The record names no arms and no interventions."));
  };
  drawFigures();
  byId("treatments").replaceChildren(...described("Arms", study.arms), ...described("Interventions", study.interventions));
  byId("whole").hidden = !study.criteriaAreWhole;
  byId("criteria").replaceChildren(study.criteria.length ? criteria(study.criteria) : make("p", "note", "The record has none."));
  showSites(study.countries);
  startTabs(document.querySelector('[role="tablist"]'));
}

function described(title, items) {
  const told = items.filter((each) => each.description);
  if (!told.length) return [];
  const open = told.length <= FEW;
  return [make("h3", "", title), ...told.map((each) => folded(`${each.name}${each.type ? ` (${each.type})` : ""}`, make("p", "text", each.description), open))];
}

function folded(title, content, open = false) {
  const made = make("details");
  made.open = open;
  made.append(make("summary", "", title), content);
  return made;
}

const JOINERS = { "all-of": "all of these", "any-of": "any of these" };

function criteria(nodes) {
  const list = make("ul", "criteria");
  for (const node of nodes) {
    const item = make("li");
    const heading = node.role === "section" || node.role === "heading";
    if (!heading && node.kind) item.append(make("span", `sign ${node.kind}`, node.kind === "inclusion" ? "+ " : "− "));
    const said = make("div");
    said.append(make("span", heading ? "kind" : "", node.text || node.kind || ""));
    if (node.joiner && node.children.length) said.append(make("span", "joiner", ` (${JOINERS[node.joiner]})`));
    if (node.children.length) said.append(criteria(node.children));
    item.append(said);
    list.append(item);
  }
  return list;
}

function counted(number, one, many) { return `${number.toLocaleString("en")} ${number === 1 ? one : many}`; }

function showSites(countries) {
  const sites = countries.reduce((sum, each) => sum + each.sites.length, 0);
  const said = `${counted(sites, "site", "sites")} in ${counted(countries.length, "country", "countries")}`;
  const few = sites <= 10 * FEW;
  byId("sites").replaceChildren(make("p", "", sites ? said : "The record names no sites."), ...countries.map((each) => ofCountry(each, few)));
}

// The sites of a country are put into the page when they are asked for: a study can have thousands.
function ofCountry(country, open) {
  const list = make("ul", "sites");
  const made = folded(`${country.name ?? "Country not stated"}: ${counted(country.sites.length, "site", "sites")}`, list, open);
  const fill = () => {
    if (list.childElementCount) return;
    const lines = country.sites.map((site) => [site.facility, site.place, site.status].filter(Boolean).join(" — "));
    list.append(...lines.map((line) => make("li", "", line)));
  };
  if (open) fill();
  made.addEventListener("toggle", fill, { once: true });
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
    byId("valid").textContent = valid ? "✓ valid by the official schemas and rules" : "✗ not valid, and not written";
    byId("valid").className = valid ? "verdict" : "verdict bad";
    byId("issues").replaceChildren(...[...findings, ...issues].map(noticed).sort((a, b) => a[0] - b[0]).map(([, line]) => line));
    if (!byId("issues").childElementCount) byId("issues").append(make("li", "note", "Nothing."));
    byId("download").disabled = false;
    byId("download").onclick = () => download(target).catch(trouble);
  });
}

const GRAVITIES = ["error", "warning", "information"];

// A line for what was noticed, and how grave it is. The study, which is the one that is shown, is not named again.
function noticed(text) {
  const [, gravity, message] = /^(error|warning|information): (?:NCT\d{8}: )?(.*)$/s.exec(text) ?? ["", "information", text];
  const line = make("li");
  line.append(make("span", `gravity ${gravity}`, gravity), ` ${message}`);
  return [GRAVITIES.indexOf(gravity), line];
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
  if (number) show(ofPath(`/page/record/${encodeURIComponent(number)}`));
  else if (text.trim()) show(Promise.resolve(typed(text)));
  else if (file) show(ofFile(file));
  else trouble(new Error("Paste a record, choose a file, or give its number."));
});
byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) { byId("text").value = ""; byId("number").value = ""; show(ofFile(file)); }
});
byId("text").addEventListener("input", () => { byId("number").value = ""; });
byId("example").addEventListener("click", () => show(ofPath("/page/example")));
// A file may be dropped anywhere on the page.
document.addEventListener("dragover", (event) => { event.preventDefault(); byId("drop").classList.add("over"); });
document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  const text = event.dataTransfer.getData("text");
  if (file) show(ofFile(file));
  else if (text && event.target.closest("#drop")) show(Promise.resolve(typed(text)));
});
window.addEventListener("resize", () => drawFigures());
