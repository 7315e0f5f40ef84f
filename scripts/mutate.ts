/**
 * @file `npm run mutate -- src/evaluation [more folders, files, or FILE:FROM-TO] [--sample 40] [--seed 0] [--tests src/evaluation,src/report] [--without FILES] [--seconds 120] [--cosmetic]`:
 * puts one small error at a time into a copy of the sources and asks whether any test fails. Prints the survivors and the share that was caught.
 * Not part of CI. Each test file runs once without an error first: what it takes decides the order, so that the cheapest test that reaches an
 * error has the first word. A survivor is a missing test, or a change that alters nothing.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/tensor/random.ts';
import { reachable } from './import-graph.ts';
import { type Mutant, mutantsOf } from './mutants.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '40' },
    seed: { type: 'string', default: '0' },
    tests: { type: 'string' },
    without: { type: 'string', default: '' },
    seconds: { type: 'string', default: '120' },
    cosmetic: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const HELP = `npm run mutate -- FOLDER|FILE|FILE:LINE|FILE:FROM-TO … [options]
  --sample N       errors to try (40)
  --seed N         which ones (0)
  --tests PLACES   folders or files of tests, with commas between; the rooms themselves by default
  --without FILES  tests that are left out, with commas between
  --seconds N      limit per error (120); an error that makes tests run longer counts as caught
  --cosmetic       numbers of drawings and styles too
`;
if (values.help || positionals.length === 0) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}
const seconds = Number(values.seconds);

/** A place as it is given: a path, or a file with its lines. */
const places = positionals.map(text => {
  const [, path, from, to] = /^(.*?)(?::(\d+)(?:-(\d+))?)?$/.exec(text)!;
  return { path, from: Number(from ?? 1), to: Number(to ?? from ?? Number.POSITIVE_INFINITY) };
});

const NO_SOURCE = /\.(test|cases)\.ts$|\/(testing|testdata)\/|-script\.ts$|\/style\.ts$|\/outlines\//;
/** Files under a place, by paths from the root. */
function filesOf(place: string): string[] {
  const path = join(root, place);
  if (statSync(path).isFile()) return [place];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
const sourcesOf = (place: string): string[] => filesOf(place).filter(path => !NO_SOURCE.test(path));
const left = values.without.split(',');
const testFiles = [
  ...new Set(
    (values.tests?.split(',') ?? places.map(({ path }) => path))
      .flatMap(place => filesOf(statSync(join(root, place)).isFile() && !place.endsWith('.test.ts') ? join(place, '..') : place))
      .filter(path => path.endsWith('.test.ts') && !left.includes(path)),
  ),
];

/** What a test file said: passed, failed, or did not end in time. */
type Outcome = 'passed' | 'failed' | 'time';

/** Vitest in a process that stays: it transforms each source once. It is started anew after a test that did not end. */
class Tests {
  private child: ChildProcess | undefined;
  constructor(private readonly copy: string) {}

  run(file: string, changed: readonly string[], limit: number): Promise<Outcome> {
    this.child ??= fork(fileURLToPath(new URL('./mutate-runner.ts', import.meta.url)), [this.copy], {
      cwd: this.copy,
      execArgv: ['--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    });
    const { child } = this;
    return new Promise(resolve => {
      const end = (outcome: Outcome): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        this.stop();
        end('time');
      }, limit * 1000);
      child.once('message', message => end(message as Outcome));
      // A test that brings the process down has seen the error.
      child.once('exit', () => {
        this.child = undefined;
        end('failed');
      });
      child.send({ file, changed });
    });
  }

  stop(): void {
    if (this.child?.pid !== undefined && this.child.exitCode === null) process.kill(-this.child.pid, 'SIGKILL');
    this.child = undefined;
  }
}

const COPIED = [
  'src',
  'test',
  'scripts',
  'torture',
  'bench',
  'examples',
  'docs',
  'art',
  'wordnet',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'README.md',
];
const copy = mkdtempSync(join(tmpdir(), 'narrows-mutants-'));
const tests = new Tests(copy);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => {
  tests.stop();
  rmSync(copy, { recursive: true, force: true });
});
// All is read from the copy: work goes on in the tree meanwhile.
for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true });
for (const name of ['node_modules', 'models', 'LICENSES']) symlinkSync(join(root, name), join(copy, name), 'dir');

/** Files whose numbers are sizes and colours. */
const COSMETIC = /\/(svg|html|glyphs|charts?|theme|colour-bar|panel|figure(-options)?|caption)\b/;
const lineOf = (code: string, mutant: Mutant): number => code.slice(0, mutant.start).split('\n').length;
const all = places
  .flatMap(({ path: place, from, to }) =>
    sourcesOf(place).flatMap(path => {
      const code = readFileSync(join(copy, path), 'utf8');
      const within = ({ line }: { line: number }): boolean => line >= from && line <= to;
      return mutantsOf(path, code)
        .map(mutant => ({ path, mutant, line: lineOf(code, mutant) }))
        .filter(within);
    }),
  )
  .filter(({ path, mutant }) => values.cosmetic || !(COSMETIC.test(path) && mutant.number));
const chosen = new RandomStream(Number(values.seed), 'mutants').reader(0, 0).shuffle(all).slice(0, Number(values.sample));
const show = ({ path, mutant, line }: { path: string; mutant: Mutant; line: number }): string => {
  const code = readFileSync(join(copy, path), 'utf8');
  return `${path}:${line}: ${mutant.kind}: ${code.split('\n')[line - 1].trim().slice(0, 120)}`;
};

const reach = new Map(testFiles.map(file => [file, reachable(copy, file)]));
const needed = testFiles.filter(file => chosen.some(({ path }) => reach.get(file)!.has(path)));
const took = new Map<string, number>();
for (const file of needed) {
  const started = performance.now();
  const outcome = await tests.run(file, [], 600);
  if (outcome === 'passed') took.set(file, (performance.now() - started) / 1000);
  else print(`${file} ${outcome === 'time' ? 'does not end' : 'fails'} without any error: it is left out.`);
}
print(`${took.size} test files take ${[...took.values()].reduce((a, b) => a + b, 0).toFixed(0)} s without an error.`);

/** A test of the same name is tried first, then the cheapest. */
function orderOf(path: string): string[] {
  const first = path.replace(/\.ts$/, '.test.ts');
  return [...took.keys()]
    .filter(file => reach.get(file)!.has(path))
    .sort((a, b) => Number(b === first) - Number(a === first) || took.get(a)! - took.get(b)!);
}

let caught = 0;
const survivors: string[] = [];
for (const [i, { path, mutant, line }] of chosen.entries()) {
  const code = readFileSync(join(copy, path), 'utf8');
  writeFileSync(join(copy, path), code.slice(0, mutant.start) + mutant.text + code.slice(mutant.end));
  let by: string | undefined;
  let changed = [path];
  for (const file of orderOf(path)) {
    const outcome = await tests.run(file, changed, Math.max(seconds, 5 * took.get(file)!));
    changed = [];
    if (outcome === 'passed') continue;
    by = `${file}${outcome === 'time' ? ' (time)' : ''}`;
    break;
  }
  writeFileSync(join(copy, path), code);
  // The next error must not meet this one.
  if (changed.length === 0) await tests.run('', [path], 60);
  if (by) caught++;
  else survivors.push(show({ path, mutant, line }));
  print(`${i + 1} of ${chosen.length}: ${by ? `caught by ${by}` : 'SURVIVES'}: ${show({ path, mutant, line })}`);
}
print(`\n${caught} of ${chosen.length} caught (of ${all.length} possible).`);
for (const survivor of survivors) print(`survives: ${survivor}`);
// The process of the tests would keep this one alive.
tests.stop();
