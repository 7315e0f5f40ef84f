/**
 * @file `npm run mutate -- src/evaluation [more folders or files] [--sample 40] [--seed 0] [--tests src/evaluation,src/report] [--seconds 120]`:
 * puts one small error at a time into a copy of the sources and asks whether any test fails. Prints the survivors and the share that was caught.
 * Not part of CI: an hour of two cores gives a few hundred errors. A survivor is a missing test, or a change that alters nothing.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomStream } from '../src/tensor/random.ts';
import { type Mutant, mutantsOf } from './mutants.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '40' },
    seed: { type: 'string', default: '0' },
    tests: { type: 'string' },
    seconds: { type: 'string', default: '120' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || positionals.length === 0) {
  process.stdout.write('npm run mutate -- FOLDER|FILE … [--sample 40] [--seed 0] [--tests FOLDERS] [--seconds 120]\n');
  process.exit(values.help ? 0 : 2);
}

const isSource = (path: string): boolean =>
  path.endsWith('.ts') && !/\.(test|cases)\.ts$|\/(testing|testdata)\/|-script\.ts$|\/style\.ts$|\/outlines\//.test(path);

function sourcesOf(place: string): string[] {
  const path = join(root, place);
  if (statSync(path).isFile()) return [place];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .filter(isSource)
    .sort();
}

/** Runs tests in the copy. @returns whether all passed, or undefined where the time ran out */
function passes(copy: string, files: readonly string[], seconds: number): Promise<boolean | undefined> {
  const tests = values.tests === undefined ? ['related', '--run', ...files] : ['run', ...values.tests.split(',')];
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...tests, '--bail', '1', '--reporter', 'dot'], {
    cwd: copy,
    stdio: 'ignore',
    detached: true,
  });
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      process.kill(-child.pid!, 'SIGKILL');
      resolve(undefined);
    }, seconds * 1000);
    child.on('exit', code => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

const all = positionals
  .flatMap(sourcesOf)
  .flatMap(path => mutantsOf(path, readFileSync(join(root, path), 'utf8')).map(mutant => ({ path, mutant })));
const chosen = new RandomStream(Number(values.seed), 'mutants').reader(0, 0).shuffle(all).slice(0, Number(values.sample));
const copy = mkdtempSync(join(tmpdir(), 'narrows-mutants-'));
const show = ({ path, mutant }: { path: string; mutant: Mutant }): string => {
  const code = readFileSync(join(root, path), 'utf8');
  const line = code.slice(0, mutant.start).split('\n').length;
  return `${path}:${line}: ${mutant.kind}: ${code.split('\n')[line - 1].trim().slice(0, 120)}`;
};
try {
  for (const name of [
    'src',
    'test',
    'scripts',
    'bench',
    'examples',
    'docs',
    'art',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
    'README.md',
  ])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  for (const name of ['node_modules', 'models', 'LICENSES']) symlinkSync(join(root, name), join(copy, name), 'dir');
  let caught = 0;
  const survivors: string[] = [];
  for (const [i, { path, mutant }] of chosen.entries()) {
    const code = readFileSync(join(root, path), 'utf8');
    writeFileSync(join(copy, path), code.slice(0, mutant.start) + mutant.text + code.slice(mutant.end));
    const passed = await passes(copy, [path], Number(values.seconds));
    writeFileSync(join(copy, path), code);
    if (passed === true) survivors.push(show({ path, mutant }));
    else caught++;
    process.stdout.write(
      `${i + 1} of ${chosen.length}: ${passed === true ? 'SURVIVES' : passed === undefined ? 'caught (time)' : 'caught'}: ${show({ path, mutant })}\n`,
    );
  }
  process.stdout.write(
    `\n${caught} of ${chosen.length} caught (of ${all.length} possible).\n${survivors.map(s => `survives: ${s}\n`).join('')}`,
  );
} finally {
  rmSync(copy, { recursive: true, force: true });
}
