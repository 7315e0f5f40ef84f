/**
 * @file Rules of the house that biome does not know: imports point downwards (docs/architecture.md), files stay short, every export says
 * what it is, nothing is exported as default or takes more than six parameters. Prints every offender and fails if there is one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportProblems } from './house-exports.mjs';
import { importProblems } from './house-imports.mjs';
import { parameterProblems } from './house-parameters.mjs';
import { seamProblems } from './house-seam.mjs';
import { versionSource } from './write-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

const LONGEST = 500;
const MEDIAN = 120;

const problems = [];

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.split(sep).includes('testdata'))
  .map(entry => join(entry.parentPath, entry.name));

const isTest = path => /\.(test|cases)\.tsx?$/.test(path) || path.split(sep).includes('testing');
const lengths = [];
for (const path of files) {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').length - 1;
  problems.push(...importProblems(root, path, text, isTest));
  // Tables of cases and tests may be long; the house itself may not.
  if (isTest(path)) continue;
  lengths.push(lines);
  if (lines > LONGEST) problems.push(`${relative(root, path)}: ${lines} lines; split it, ${LONGEST} are the most`);
  problems.push(...exportProblems(root, path, text));
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
