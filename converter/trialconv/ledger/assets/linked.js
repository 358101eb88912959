// Two trees of lines side by side, linked by the origins of their values: the record and a document of it.
//
// Only the lines in view are in the page, so that a document of a hundred thousand lines opens at once. A tree is a
// tree for screen readers and for the keyboard (https://www.w3.org/WAI/ARIA/apg/patterns/treeview/).

const ROW = 22; // the height of a line in CSS pixels, as in linked.css
const SPARE = 12; // lines beyond what is in view
const FOLLOWS = 3; // from here on the ways in HOWS are of values that do not say what the record says
const HOWS = ["copied", "coded", "parsed", "derived", "filled in", "constant"];

// A tree of lines [depth, label, text, leaf].
export class Tree {
  constructor(host, name, lines) {
    this.host = host;
    this.name = name;
    this.lines = lines;
    this.closed = new Set();
    this.ends = endsOf(lines);
    this.ofLeaf = new Map();
    lines.forEach((line, number) => { if (line[3] >= 0) this.ofLeaf.set(line[3], number); });
    this.marked = new Set(); // lines that are linked to what is pointed at or chosen in the other tree
    this.dimmed = new Set(); // lines of values that went nowhere, or come from nowhere
    this.only = null; // the lines that a search leaves
    this.active = 0;
    this.chosen = -1;
    this.onPoint = () => {};
    this.onChoose = () => {};
    this.build();
    this.layOut();
  }

  build() {
    this.host.replaceChildren();
    this.scroller = make("div", "scroller");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "tree");
    this.scroller.setAttribute("aria-label", this.name);
    this.space = make("div", "space");
    this.space.setAttribute("role", "presentation");
    this.scroller.append(this.space);
    this.host.append(this.scroller);
    this.scroller.addEventListener("scroll", () => this.paint());
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => this.click(event));
    this.space.addEventListener("mouseover", (event) => this.onPoint(this.lineOf(event)));
    this.space.addEventListener("mouseleave", () => this.onPoint(-1));
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.scroller);
  }

  // Decide which lines are there: those below nothing closed that the search leaves.
  layOut() {
    this.shown = [];
    for (let number = 0; number < this.lines.length; number += 1) {
      if (!this.only || this.only.has(number)) this.shown.push(number);
      if (this.closed.has(number) && !this.only) number = this.ends[number] - 1;
    }
    this.place = new Map(this.shown.map((number, place) => [number, place]));
    this.space.style.height = `${this.shown.length * ROW}px`;
    this.paint();
  }

  paint() {
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - SPARE);
    const count = Math.ceil(this.scroller.clientHeight / ROW) + 2 * SPARE;
    const rows = this.shown.slice(first, first + count).map((number, nth) => this.row(number, first + nth));
    this.space.replaceChildren(...rows);
    if (!this.shown.length && this.none) this.space.append(make("p", "empty", this.none));
    const id = `${this.host.id}-${this.active}`;
    if (this.space.querySelector(`#${CSS.escape(id)}`)) this.scroller.setAttribute("aria-activedescendant", id);
    else this.scroller.removeAttribute("aria-activedescendant");
  }

  row(number, place) {
    const [depth, label, text, leaf] = this.lines[number];
    const row = make("div", "row");
    row.id = `${this.host.id}-${number}`;
    row.dataset.line = number;
    row.style.top = `${place * ROW}px`;
    row.style.paddingLeft = `${20 + depth * 14}px`;
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", depth + 1);
    row.setAttribute("aria-selected", String(number === this.chosen));
    if (leaf < 0 && this.ends[number] > number + 1) {
      row.setAttribute("aria-expanded", String(!this.closed.has(number)));
      row.append(make("span", "twist", this.closed.has(number) ? "▸" : "▾"));
    }
    row.append(make("span", "label", label));
    if (text) row.append(make("span", leaf < 0 ? "about" : "value", text.length > 400 ? `${text.slice(0, 400)}…` : text));
    row.classList.toggle("marked", this.marked.has(number));
    row.classList.toggle("dimmed", this.dimmed.has(number));
    row.classList.toggle("chosen", number === this.chosen);
    row.classList.toggle("active", number === this.active);
    return row;
  }

  lineOf(event) {
    const row = event.target.closest(".row");
    return row ? Number(row.dataset.line) : -1;
  }

  click(event) {
    const number = this.lineOf(event);
    if (number < 0) return;
    this.active = number;
    if (this.lines[number][3] < 0) this.toggle(number);
    else this.choose(number);
  }

  toggle(number) {
    if (this.closed.has(number)) this.closed.delete(number);
    else this.closed.add(number);
    this.layOut();
  }

  choose(number) {
    this.chosen = number;
    this.paint();
    this.onChoose(number);
  }

  key(event) {
    const at = this.place.get(this.active) ?? 0;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const number = this.active;
    const opens = this.lines[number] && this.lines[number][3] < 0;
    if (event.key in moves) this.go(this.shown[Math.min(this.shown.length - 1, Math.max(0, at + moves[event.key]))]);
    else if (event.key === "ArrowRight" && opens && this.closed.has(number)) this.toggle(number);
    else if (event.key === "ArrowRight" && opens) this.go(this.shown[Math.min(this.shown.length - 1, at + 1)]);
    else if (event.key === "ArrowLeft" && opens && !this.closed.has(number)) this.toggle(number);
    else if (event.key === "ArrowLeft") this.go(this.parentOf(number));
    else if (event.key === "Enter" || event.key === " ") { if (opens) this.toggle(number); else this.choose(number); }
    else return;
    event.preventDefault();
  }

  parentOf(number) {
    const depth = this.lines[number][0];
    for (let above = number - 1; above >= 0; above -= 1) if (this.lines[above][0] < depth) return above;
    return number;
  }

  // Make a line the active one and bring it into view, opening what it is in.
  go(number) {
    if (number === undefined) return;
    this.active = number;
    this.reveal(number);
    this.onPoint(number);
  }

  reveal(number) {
    let changed = false;
    for (let above = this.parentOf(number), last = number; above !== last; last = above, above = this.parentOf(above)) {
      changed = this.closed.delete(above) || changed;
    }
    if (this.only && !this.only.has(number)) { this.only = null; changed = true; }
    if (changed) this.layOut();
    const top = this.place.get(number) * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop || top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top - clientHeight / 3;
    this.paint();
  }

  mark(numbers) {
    this.marked = new Set(numbers);
    this.paint();
  }

  // Leave the lines that a test holds for, with what they are in; `none` is said where there are none. Returns how many
  // lines it holds for.
  search(holds, none = "") {
    this.none = none;
    if (!holds) { this.only = null; this.layOut(); return this.lines.length; }
    const only = new Set();
    let found = 0;
    this.lines.forEach((line, number) => {
      if (!holds(line, number)) return;
      found += 1;
      for (let above = number; !only.has(above); above = this.parentOf(above)) only.add(above);
    });
    this.only = only;
    this.scroller.scrollTop = 0;
    this.layOut();
    return found;
  }

  // The path of a line, by the labels of what it is in.
  pathOf(number) {
    const labels = [];
    for (let at = number, last = -1; at !== last; last = at, at = this.parentOf(at)) labels.unshift(this.lines[at][1]);
    return labels.reduce((path, label) => path + (path && !label.startsWith("[") ? (label.startsWith("<") || label.startsWith("@") ? "/" : ".") : "") + label.replace(/[<>]/g, ""), "");
  }
}

// For each line the number of the first line after what it holds.
function endsOf(lines) {
  const ends = new Int32Array(lines.length);
  const open = [];
  for (let number = 0; number <= lines.length; number += 1) {
    const depth = number < lines.length ? lines[number][0] : -1;
    while (open.length && lines[open[open.length - 1]][0] >= depth) ends[open.pop()] = number;
    open.push(number);
  }
  return ends;
}

// The record's tree and the tree of one document, linked: pointing at a value marks what it is linked to, choosing one
// brings it into view and tells about it.
export class Linked {
  constructor(sourceHost, targetHost, teller, ledger) {
    this.ledger = ledger;
    this.teller = teller;
    this.targetHost = targetHost;
    this.onMarked = () => {}; // told the tree in which lines are marked, and how many
    this.source = new Tree(sourceHost, "The record", ledger.source.lines);
    this.source.onPoint = (number) => this.point(this.source, number);
    this.source.onChoose = (number) => this.choose(this.source, number);
  }

  show(part) {
    this.part = part;
    this.went = new Map(); // the values of the document that a value of the record went to
    part.origins.forEach(([, sources], leaf) => {
      for (const source of sources) {
        if (!this.went.has(source)) this.went.set(source, []);
        this.went.get(source).push(leaf);
      }
    });
    this.target = new Tree(this.targetHost, part.title, part.lines);
    this.target.onPoint = (number) => this.point(this.target, number);
    this.target.onChoose = (number) => this.choose(this.target, number);
    this.source.dimmed = new Set(this.source.lines.flatMap((line, number) => (line[3] >= 0 && !this.went.has(line[3]) ? [number] : [])));
    this.target.dimmed = new Set(this.target.lines.flatMap((line, number) => (line[3] >= 0 && !part.origins[line[3]][1].length ? [number] : [])));
    this.source.chosen = -1;
    this.source.mark([]);
    this.picked = null;
    this.tell("Point at a value to see what it is linked to; choose one to go there.", []);
  }

  other(tree) { return tree === this.source ? this.target : this.source; }

  // The lines of the other tree that a line is linked to: those that say the same before those that follow from it.
  linksOf(tree, number) {
    const leaf = number >= 0 ? tree.lines[number][3] : -1;
    if (leaf < 0) return [];
    const leaves = tree === this.source ? this.went.get(leaf) ?? [] : this.part.origins[leaf][1];
    const other = this.other(tree);
    const follows = (line) => tree === this.source && this.part.origins[other.lines[line][3]][0] >= FOLLOWS;
    const lines = leaves.map((each) => other.ofLeaf.get(each)).filter((each) => each !== undefined);
    return lines.sort((a, b) => follows(a) - follows(b) || a - b);
  }

  point(tree, number) {
    const from = number >= 0 ? [tree, number] : this.picked ?? [tree, -1];
    const links = this.linksOf(...from);
    this.other(from[0]).mark(links);
    this.onMarked(this.other(tree), number >= 0 ? links.length : 0);
  }

  choose(tree, number) {
    this.picked = [tree, number];
    this.other(tree).chosen = -1;
    const links = this.linksOf(tree, number);
    this.other(tree).mark(links);
    if (links.length) this.other(tree).reveal(links[0]);
    this.tell(...this.account(tree, number), this.other(tree), links);
  }

  // What there is to say about a value: a sentence, and facts as pairs.
  account(tree, number) {
    const [, , text, leaf] = tree.lines[number];
    const facts = [["path", tree.pathOf(number)], ["value", text]];
    if (tree === this.source) {
      const reason = this.part.reasons[leaf];
      if (this.went.has(leaf)) return [`It is in the document, in ${places(this.went.get(leaf).length)}.`, facts];
      return ["It is not in the document.", [...facts, ["reason", reason ?? "nothing is said of it"]]];
    }
    const [how, sources, row] = this.part.origins[leaf];
    if (row !== undefined) facts.push(["code table", this.part.rows[row]]);
    const from = sources.length ? ` from ${sources.length === 1 ? "a value" : `${sources.length} values`} of the record` : "";
    return [`It is ${HOWS[how]}${from}.`, facts];
  }

  // Tell how many values are not in the document, and why, the most frequent reason first.
  tellLosses() {
    const counts = new Map();
    this.source.dimmed.forEach((number) => {
      const reason = this.part.reasons[this.source.lines[number][3]] ?? "nothing is said of it";
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    });
    const facts = [...counts].sort((a, b) => b[1] - a[1]).map(([reason, count]) => [String(count), reason]);
    this.tell(facts.length ? "Values of the record that are not in this document, and why:" : "Every value of the record is in this document.", facts);
  }

  tell(sentence, facts, other = null, links = []) {
    const list = make("dl", "facts");
    for (const [name, value] of facts) list.append(make("dt", "", name), make("dd", "", value));
    const go = make("p", "links");
    links.slice(0, 20).forEach((line) => {
      const button = make("button", "link", other.pathOf(line));
      button.type = "button";
      button.addEventListener("click", () => { other.go(line); other.scroller.focus(); });
      go.append(button);
    });
    if (links.length > 20) go.append(make("span", "", `and ${links.length - 20} more, which are marked`));
    this.teller.replaceChildren(make("p", "sentence", sentence), list, go);
  }
}

function places(count) { return count === 1 ? "one place" : `${count} places`; }

export function make(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
