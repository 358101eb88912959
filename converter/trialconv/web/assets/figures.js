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

// A line from the first date to the last: a filled mark for a day that has been, an open one for one that is planned or
// of which the record does not say, and a wide one for a date without a day.
export function timeline(days) {
  const dated = days.filter((each) => /^\d{4}(-\d{2}){0,2}$/.test(each.date)).map((each) => ({ ...each, span: span(each.date) }));
  if (!dated.length) return null;
  dated.sort((a, b) => a.span[0] - b.span[0]);
  const from = Math.min(...dated.map((each) => each.span[0]));
  const to = Math.max(...dated.map((each) => each.span[1]));
  const width = 860;
  const left = 20;
  const at = (instant) => left + ((instant - from) / Math.max(1, to - from)) * (width - 280);
  const height = 34 + dated.length * 26;
  const label = dated.map((each) => `${each.label}: ${each.date}${each.type ? `, ${each.type}` : ""}`).join("; ");
  const svg = canvas(width, height, `Timeline. ${label}`);
  svg.append(draw("line", { class: "axis", x1: left, x2: at(to), y1: 14, y2: 14 }));
  dated.forEach((each, nth) => {
    const x = at(each.span[0]);
    const y = 44 + nth * 26;
    svg.append(draw("line", { class: "axis", x1: x, x2: x, y1: 14, y2: y - 10 }));
    const wide = Math.max(10, at(each.span[1]) - x);
    svg.append(draw("rect", { class: each.type === "ACTUAL" ? "day" : "planned", x: x - 5, y: 9, width: wide, height: 10, rx: 5 }));
    const said = draw("text", { x: x - 4, y: y + 4 }, `${each.label} ${each.date} `);
    if (each.type) said.append(draw("tspan", { class: "quiet" }, each.type));
    svg.append(said);
  });
  return svg;
}

// Arms on the left, interventions on the right, and a line for each pair that belongs together.
export function armsDiagram(study) {
  const { arms, interventions, links } = study;
  if (!arms.length && !interventions.length) return null;
  const row = 44;
  const wide = 300;
  const width = 2 * wide + 220;
  const rows = Math.max(arms.length, interventions.length);
  const sentences = arms.map((arm, nth) => `${arm.name}: ${links[nth].map((each) => interventions[each].name).join(", ") || "no intervention"}`);
  const svg = canvas(width, rows * row + 10, `Arms and their interventions. ${sentences.join("; ")}`);
  const y = (nth, count) => 6 + ((nth + 0.5) * rows * row) / count - 18;
  links.forEach((found, arm) => found.forEach((each) => {
    const [from, to] = [y(arm, arms.length) + 18, y(each, interventions.length) + 18];
    svg.append(draw("path", { class: "link", d: `M${wide + 2},${from} C${wide + 110},${from} ${wide + 110},${to} ${wide + 218},${to}` }));
  }));
  const box = (x, item, nth, count) => {
    const top = y(nth, count);
    svg.append(draw("rect", { class: "box", x, y: top, width: wide - 4, height: 36, rx: 5 }));
    svg.append(draw("text", { x: x + 8, y: top + 15 }, short(item.name, 40)));
    svg.append(draw("text", { class: "quiet", x: x + 8, y: top + 30 }, item.type ?? ""));
  };
  arms.forEach((arm, nth) => box(2, arm, nth, arms.length));
  interventions.forEach((each, nth) => box(wide + 220, each, nth, interventions.length));
  return svg;
}

function short(text, most) { return text.length > most ? `${text.slice(0, most - 1)}…` : text; }
