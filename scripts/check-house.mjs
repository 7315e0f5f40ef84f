/**
 * @file Rules of the house that biome does not know: imports point downwards (docs/architecture.md), files stay short, every export says
 * what it is, nothing is exported as default or takes more than six parameters. Prints every offender and fails if there is one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parameterProblems } from './house-parameters.mjs';
import { seamProblems } from './house-seam.mjs';
import { versionSource } from './write-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

/** Folders from the top of the house to its foundation; a file may import from its own line and from those below it. */
const FLOORS = [
  ['index', 'entries'],
  ['cli', 'studio'],
  ['experiments', 'verify'],
  ['report'],
  ['evaluation'],
  ['attribution', 'tuning'],
  ['generation'],
  ['bottleneck'],
  ['models', 'inputs', 'scenes', 'shifts'],
  ['nn', 'optim', 'checkpoints', 'jobs'],
  ['graph'],
  ['runtime'],
  ['tensor'],
  ['system', 'node', 'testing'],
];
/** Within a line, these may use each other; the rest are neighbours that do not look into each other's windows. */
const SIDEWAYS = new Set([
  'models>inputs',
  'models>checkpoints',
  'shifts>inputs',
  'shifts>checkpoints',
  'nn>checkpoints',
  'testing>system',
  'node>system',
]);
const LONGEST = 500;
const MEDIAN = 120;

const floorOf = new Map(FLOORS.flatMap((folders, floor) => folders.map(folder => [folder, floor])));
const problems = [];

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.split(sep).includes('testdata'))
  .map(entry => join(entry.parentPath, entry.name));

/** `models` for src/models/clip/model.ts, `index` for src/index.ts. */
const folderOf = path => {
  const parts = relative(source, path).split(sep);
  return parts.length === 1 ? parts[0].replace(/\.ts$/, '') : parts[0];
};
const isTest = path => /\.(test|cases)\.ts$/.test(path) || path.split(sep).includes('testing');
const lineAt = (text, index) => text.slice(0, index).split('\n').length;
const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;
const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;

function checkImports(path, text) {
  const from = folderOf(path);
  if (!floorOf.has(from))
    return problems.push(`${relative(root, path)}: the folder src/${from} stands on no floor; add it to scripts/check-house.mjs`);
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? match[2];
    const resolved = join(dirname(path), target);
    if (!resolved.startsWith(source + sep)) continue;
    const to = folderOf(resolved);
    if (to === from || !floorOf.has(to)) continue;
    // Tests may use the testing helpers and whatever they compare with, as long as it does not lie above.
    const up = floorOf.get(to) < floorOf.get(from);
    const sideways = floorOf.get(to) === floorOf.get(from) && !SIDEWAYS.has(`${from}>${to}`);
    if (isTest(path) ? false : up || sideways)
      problems.push(`${relative(root, path)}:${lineAt(text, match.index + 1)}: ${from} must not import from ${to} (${target})`);
    if (to === 'testing' && !isTest(path))
      problems.push(`${relative(root, path)}:${lineAt(text, match.index + 1)}: only tests import from testing`);
  }
}

function checkExports(path, text) {
  const seen = new Set();
  for (const match of text.matchAll(EXPORT)) {
    const name = match[1];
    // Overloads: the first one is documented.
    if (seen.has(name)) continue;
    seen.add(name);
    let before = text.slice(0, match.index).trimEnd();
    // Lint directives stand between a docstring and its declaration.
    while (/(?:^|\n)\/\/ (?:biome-ignore|@ts-)[^\n]*$/.test(before)) before = before.slice(0, before.lastIndexOf('\n//')).trimEnd();
    const documented = before.endsWith('*/') && !/@file\b/.test(before.slice(before.lastIndexOf('/**')));
    if (!documented) problems.push(`${relative(root, path)}:${lineAt(text, match.index)}: the export ${name} has no docstring`);
  }
  const other = /^export default\b|^export \{[^}]*\bas default\b/m.exec(text);
  if (other) problems.push(`${relative(root, path)}:${lineAt(text, other.index)}: a default export; give it a name`);
}

const lengths = [];
for (const path of files) {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').length - 1;
  checkImports(path, text);
  // Tables of cases and tests may be long; the house itself may not.
  if (isTest(path)) continue;
  lengths.push(lines);
  if (lines > LONGEST) problems.push(`${relative(root, path)}: ${lines} lines; split it, ${LONGEST} are the most`);
  if (!/^(#![^\n]*\n)?\/\*\*\s+(\*\s+)?@file\b/.test(text)) problems.push(`${relative(root, path)}: does not begin with /** @file ... */`);
  checkExports(path, text);
}
problems.push(...seamProblems(root, files, isTest), ...parameterProblems(root, files));
const stated = versionSource(root);
if (stated.before !== stated.after)
  problems.push(`src/system/version.ts: the version is not package.json's ${stated.version}; run node scripts/write-version.mjs`);
lengths.sort((a, b) => a - b);
const median = lengths[lengths.length >> 1] ?? 0;
if (median > MEDIAN) problems.push(`src: the median file has ${median} lines; ${MEDIAN} are the most`);

for (const problem of problems.sort()) process.stderr.write(`${problem}\n`);
process.stdout.write(
  `check-house: ${lengths.length} files, median ${median} lines, longest ${lengths.at(-1)}, ${problems.length} problems\n`,
);
process.exit(problems.length > 0 ? 1 : 0);
