/**
 * @file `npm run check:tarball`, after a build: packs the package as npm would and looks at what a person who installs it gets. Files that the
 * README, the docs and help point to are in it, test helpers are not, types and exports resolve (publint, arethetypeswrong), and it is small.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf } from '../src/system/errors.ts';

/** What `npm pack --json` says of a package. */
interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Bytes that the unpacked package may take. */
const LARGEST = 45e6;

/** Relative targets of Markdown links and images, without fragments. @param text of a Markdown file */
export function linksOf(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|(?:src|href)="([^"]+)"/g)].map(match => match[1] ?? match[2]);
  return targets.filter(target => !/^([a-z][a-z+.-]*:|#|\/\/)/i.test(target)).map(target => target.split('#')[0]);
}

/** A file, or files by condition or subpath. */
type Targets = string | { readonly [key: string]: Targets };

/**
 * What is wrong with a package, a sentence each.
 * @param paths its files, relative to its root, with slashes
 * @param read gives a file's text
 */
export function packageProblems(paths: readonly string[], read: (path: string) => string): string[] {
  const files = new Set(paths);
  const has = (path: string): boolean => files.has(path) || paths.some(file => file.startsWith(`${path.replace(/\/$/, '')}/`));
  const problems: string[] = [];
  for (const path of paths) {
    if (/(^|\/)(testing|testdata|__tests__)\/|\.test\.[a-z.]+$|\.cases\.[a-z.]+$/.test(path)) problems.push(`${path} is for tests only.`);
    if (path.endsWith('.md'))
      for (const link of linksOf(read(path))) {
        const target = posix.normalize(posix.join(posix.dirname(path), decodeURI(link)));
        if (!has(target)) problems.push(`${path} links to ${link}, which is not in the package.`);
      }
    // Help and errors name pages of the docs.
    if (path.endsWith('.js'))
      for (const [page] of read(path).matchAll(/\bdocs\/[\w/-]+\.md\b/g))
        if (!has(page)) problems.push(`${path} names ${page}, which is not in the package.`);
  }
  const manifest = JSON.parse(read('package.json')) as { exports: Targets; bin: Targets };
  const targets = (value: Targets): string[] => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
  for (const target of [...targets(manifest.exports), ...targets(manifest.bin)])
    if (!has(posix.normalize(target))) problems.push(`package.json names ${target}, which is not in the package.`);
  return problems;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const scratch = mkdtempSync(join(tmpdir(), 'narrows-pack-'));
  const run = (command: string, args: string[], options: object = {}): string =>
    execFileSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  /** The program of a development dependency. */
  const program = (name: string, bin: string): string => {
    const folder = join(root, 'node_modules', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> };
    return join(folder, manifest.bin[bin]);
  };
  try {
    const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch])) as Packed[];
    const paths = packed.files.map(file => file.path);
    const problems = packageProblems(paths, path => readFileSync(join(root, path), 'utf8'));
    if (packed.unpackedSize > LARGEST)
      problems.push(`The package is ${(packed.unpackedSize / 1e6).toFixed(1)} MB, more than ${LARGEST / 1e6} MB.`);
    const sizes: Record<string, number> = {};
    for (const { path, size } of packed.files) sizes[path.split('/')[0]] = (sizes[path.split('/')[0]] ?? 0) + size;
    const largest = Object.entries(sizes).sort(([, a], [, b]) => b - a);
    const parts = largest.slice(0, 5).map(([name, size]) => `${name} ${(size / 1e6).toFixed(1)}`);
    process.stdout.write(`check-tarball: ${paths.length} files, ${(packed.unpackedSize / 1e6).toFixed(1)} MB (${parts.join(', ')})\n`);
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    run(process.execPath, [program('publint', 'publint'), '--strict'], { stdio: 'inherit' });
    // Narrows is ES modules only, which the two profiles left out (Node 10, require without ES modules) cannot load.
    run(process.execPath, [program('@arethetypeswrong/cli', 'attw'), join(scratch, packed.filename), '--profile', 'esm-only'], {
      stdio: 'inherit',
    });
    if (problems.length > 0) process.exitCode = 1;
  } catch (error) {
    // The program that failed has said why.
    process.stderr.write(`check-tarball failed: ${messageOf(error).split('\n')[0]}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
