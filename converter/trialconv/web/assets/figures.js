// The figures of a study: its timeline, and its arms with their interventions.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function canvas(width, height, label) {
  return draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
}

// The first and the last instant of a date that may have no day or no month.
function span(date) {
  const [year, month, day] = date.split("-").map(Number);
  const from = Date.UTC(year, (month || 1) - 1, day || 1);
  const to = day ? from : Date.UTC(year, month || 12, 0);
  return [from, to];
}

// How wide a text is in CSS pixels, in the letters that page.css gives to figures.
const ruler = document.createElement("canvas").getContext("2d");
ruler.font = "13px system-ui, sans-serif";
const widthOf = (text) => ruler.measureText(text).width;

// A line from the first date to the last: a filled mark for a day that has been, an open one for one that is planned or
// of which the record does not say, and a wide one for a date without a day. The earliest stands lowest, so that the
// lines to the names cross few of them.
export function timeline(days, most) {
  const dated = days.filter((each) => /^\d{4}(-\d{2}){0,2}$/.test(each.date)).map((each) => ({ ...each, span: span(each.date) }));
  if (!dated.length) return null;
  dated.sort((a, b) => b.span[0] - a.span[0]);
  const from = Math.min(...dated.map((each) => each.span[0]));
  const to = Math.max(...dated.map((each) => each.span[1]));
  const width = Math.min(900, most);
  const side = 12;
  const at = (instant) => side + ((instant - from) / Math.max(1, to - from)) * (width - 2 * side);
  const says = (each) => `${each.label} ${each.date}${each.type ? `, ${each.type}` : ""}`;
  const svg = canvas(width, 34 + dated.length * 26, `Timeline. ${[...dated].reverse().map(says).join("; ")}`);
  const y = (nth) => 44 + nth * 26;
  svg.append(draw("line", { class: "axis", x1: side, x2: at(to), y1: 14, y2: 14 }));
  dated.forEach((each, nth) => {
    const x = at(each.span[0]);
    svg.append(draw("line", { class: "axis", x1: x, x2: x, y1: 14, y2: y(nth) - 10 }));
  });
  dated.forEach((each, nth) => {
    const x = at(each.span[0]);
    const wide = Math.max(10, at(each.span[1]) - x);
    svg.append(draw("rect", { class: each.type === "actual" ? "day" : "planned", x: x - 5, y: 9, width: wide, height: 10, rx: 5 }));
    const left = Math.max(0, Math.min(x - 5, width - widthOf(says(each)) - 4));
    const said = draw("text", { class: "day-name", x: left, y: y(nth) + 4 }, `${each.label} ${each.date}`);
    if (each.type) said.append(draw("tspan", { class: "quiet" }, `, ${each.type}`));
    svg.append(said);
  });
  return svg;
}

// Arms on the left, interventions on the right, and a line for each pair that belongs together.
export function armsDiagram(study, most) {
  const { arms, interventions, links } = study;
  if (!arms.length && !interventions.length) return null;
  const between = Math.max(36, Math.min(180, most * 0.15));
  const wide = Math.min(380, (most - between - 4) / 2);
  const texts = [...arms, ...interventions].map((item) => wrapped(item.name, wide - 16));
  const height = 24 + 16 * Math.max(...texts.map((lines) => lines.length));
  const row = height + 12;
  const rows = Math.max(arms.length, interventions.length);
  const sentences = arms.map((arm, nth) => `${arm.name}: ${links[nth].map((each) => interventions[each].name).join(", ") || "no intervention"}`);
  const svg = canvas(2 * wide + between + 4, rows * row, `Arms and their interventions. ${sentences.join("; ")}`);
  const top = (nth, count) => ((nth + 0.5) * rows * row) / count - height / 2;
  const right = 2 + wide + between;
  links.forEach((found, arm) => found.forEach((each) => {
    const [from, to] = [top(arm, arms.length) + height / 2, top(each, interventions.length) + height / 2];
    const middle = 2 + wide + between / 2;
    svg.append(draw("path", { class: "link", d: `M${2 + wide},${from} C${middle},${from} ${middle},${to} ${right},${to}` }));
  }));
  const box = (x, y, item, lines) => {
    svg.append(draw("rect", { class: "box", x, y, width: wide, height, rx: 5 }));
    lines.forEach((line, nth) => svg.append(draw("text", { x: x + 8, y: y + 17 + 16 * nth }, line)));
    svg.append(draw("text", { class: "quiet", x: x + 8, y: y + 17 + 16 * lines.length }, item.type ?? ""));
  };
  arms.forEach((arm, nth) => box(2, top(nth, arms.length), arm, texts[nth]));
  interventions.forEach((each, nth) => box(right, top(nth, interventions.length), each, texts[arms.length + nth]));
  return svg;
}

// A text in up to three lines that are not wider than so many pixels, broken between its words where that can be done.
function wrapped(text, most) {
  const lines = [""];
  const room = Math.max(1, Math.floor(most / widthOf("m")));
  for (const word of text.split(/\s+/).flatMap((each) => (widthOf(each) > most ? each.match(new RegExp(`.{1,${room}}`, "gu")) : [each]))) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (widthOf(longer) <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
    if (lines.length > 3) return [...lines.slice(0, 2), `${lines[2]} …`];
  }
  return lines;
}
