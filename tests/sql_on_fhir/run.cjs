// Runs ViewDefinitions over bulk FHIR: node run.cjs FOLDER VIEW.json... prints {view: rows} as JSON.
const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { evalSqlOnFhir } = require("@medplum/core");

const [folder, ...views] = process.argv.slice(2);
const made = {};
for (const path of views) {
  const view = JSON.parse(readFileSync(path, "utf8"));
  const file = join(folder, `${view.resource}.ndjson`);
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  made[view.name] = evalSqlOnFhir(view, lines.map((line) => JSON.parse(line)));
}
process.stdout.write(JSON.stringify(made));
