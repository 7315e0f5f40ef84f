/** @file A rule of the house: imports point downwards, and neighbours do not use each other (docs/architecture.md). */
import { dirname, join, relative, sep } from 'node:path';

/** Folders from the top of the house to its foundation; a file may import from its own line and from those below it. */
const FLOORS = [
  ['index', 'entries'],
  ['cli', 'studio'],
  ['experiments', 'verify', 'web'],
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
  'cli>studio',
]);

const floorOf = new Map(FLOORS.flatMap((folders, floor) => folders.map(folder => [folder, floor])));
const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g;

/** `models` for src/models/clip/model.ts, `index` for src/index.ts. */
function folderOf(source, path) {
  const parts = relative(source, path).split(sep);
  return parts.length === 1 ? parts[0].replace(/\.ts$/, '') : parts[0];
}

/** One sentence per import of a file of `root`/src that points up or sideways, or of `testing` by what is no test. */
export function importProblems(root, path, text, isTest) {
  const source = join(root, 'src');
  const name = relative(root, path);
  const from = folderOf(source, path);
  if (!floorOf.has(from)) return [`${name}: the folder src/${from} stands on no floor; add it to scripts/house-imports.mjs`];
  const problems = [];
  // Tests may use the testing helpers and whatever they compare with.
  if (isTest(path)) return problems;
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? match[2];
    const resolved = join(dirname(path), target);
    if (!resolved.startsWith(source + sep)) continue;
    const to = folderOf(source, resolved);
    if (to === from || !floorOf.has(to)) continue;
    const line = text.slice(0, match.index + 1).split('\n').length;
    const up = floorOf.get(to) < floorOf.get(from);
    const sideways = floorOf.get(to) === floorOf.get(from) && !SIDEWAYS.has(`${from}>${to}`);
    if (up || sideways) problems.push(`${name}:${line}: ${from} must not import from ${to} (${target})`);
    if (to === 'testing') problems.push(`${name}:${line}: only tests import from testing`);
  }
  return problems;
}
