// What the page of a ledger and the page of the server share: tabs, and the two linked trees with their tools.

import { Linked } from "./linked.js";

export const byId = (id) => document.getElementById(id);

// Make tabs of a tab list (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/). Those that are hidden stay out of it.
export function startTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')].filter((tab) => !tab.hidden);
  tabs.forEach((tab, nth) => {
    tab.onclick = () => chooseTab(tab, tabs);
    tab.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(nth + step + tabs.length) % tabs.length];
      chooseTab(next, tabs);
      next.focus();
    };
  });
  chooseTab(tabs[0], tabs);
}

function chooseTab(chosen, tabs) {
  for (const tab of tabs) {
    const on = tab === chosen;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
  }
}

// Show a record beside one of several documents: pairs of a title and what gives the ledger with that document.
export function startLinked(documents, told = () => {}) {
  const select = byId("document");
  select.replaceChildren(...documents.map(([title], number) => new Option(title, number)));
  let linked = null;
  const lost = () => {
    const wanted = byId("nowhere").checked;
    const found = linked.source.search(wanted ? (_, number) => linked.source.dimmed.has(number) : null, "Every value of the record is in this document.");
    byId("count-source").textContent = wanted ? `${found} not in this document` : "";
    if (wanted) linked.tellLosses();
  };
  const show = async () => {
    const number = select.value;
    const ledger = await documents[Number(number)][1]();
    if (!ledger || number !== select.value) return; // another document was chosen meanwhile
    if (!linked) {
      linked = new Linked(byId("source"), byId("target"), byId("teller"), ledger);
      linked.onMarked = (tree, count) => {
        byId(tree === linked.source ? "linked-source" : "linked-target").textContent = count ? `${count} linked` : "";
      };
    }
    const [part] = ledger.documents;
    linked.show(part);
    byId("find-target").value = "";
    find(linked.target, "", byId("count-target"));
    if (byId("nowhere").checked) lost();
    told(part);
  };
  select.onchange = show;
  byId("nowhere").onchange = () => { byId("find-source").value = ""; lost(); };
  byId("find-source").oninput = (event) => {
    byId("nowhere").checked = false;
    find(linked.source, event.target.value, byId("count-source"));
  };
  byId("find-target").oninput = (event) => find(linked.target, event.target.value, byId("count-target"));
  return show();
}

function find(tree, words, counter) {
  const wanted = words.trim().toLowerCase();
  const holds = (line) => `${line[1]} ${line[2]}`.toLowerCase().includes(wanted);
  const found = tree.search(wanted ? holds : null, "No line has these words.");
  counter.textContent = wanted ? `${found} lines` : "";
}
