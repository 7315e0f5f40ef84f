import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { artJson, installedIcons } from '../../scripts/art.ts';
import { ART_VERSIONS, parseArt } from './art.ts';
import { CONCEPTS } from './concepts.ts';
import { STYLES } from './sprite-atlas.ts';
import { readArt } from './sprites.ts';
import { hashesOf, renderer } from './testdata/sprite-hashes.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

describe.each(STYLES)('the art of %s', style => {
  const icons = installedIcons(style);

  it('holds the concepts, with source and licence', async () => {
    const art = await readArt(style);
    expect(Object.keys(art.icons)).toEqual(CONCEPTS.map(c => c.icon));
    expect(art).toMatchObject({ style, version: ART_VERSIONS[style], source: `@iconify-json/${style}` });
    const notice = await readFile(inRoot('NOTICE'), 'utf8');
    expect(notice).toContain(`${art.source} ${art.version}`);
    expect(art.license).toMatch(/^(Apache-2\.0|MIT|CC-BY-4\.0|CC-BY-SA-4\.0)$/);
  });

  it.skipIf(!icons)('is what the script makes from the npm package (skipped where the package is not installed)', async () => {
    expect(gunzipSync(await readFile(inRoot(`art/${style}.json.gz`))).toString()).toBe(await artJson(style, icons!));
  });

  it('gives the pixels that the npm package gave, at the usual sizes and at large ones', async context => {
    const golden = await json(fileURLToPath(new URL('testdata/sprite-hashes.json', import.meta.url)));
    const { sprites, ...made } = golden;
    // Another librsvg or another processor may round an edge differently.
    if (JSON.stringify(made) !== JSON.stringify(renderer())) context.skip(`the hashes are of ${JSON.stringify(made)}`);
    expect(await hashesOf(await readArt(style), style)).toEqual(sprites[style]);
  });
});

it('comes from development dependencies of the same versions, and needs none of them at run time', async () => {
  const { dependencies, devDependencies, files } = await json(inRoot('package.json'));
  for (const style of STYLES) {
    expect(devDependencies[`@iconify-json/${style}`]).toBe(ART_VERSIONS[style]);
    const icons = installedIcons(style);
    if (icons) expect(createRequire(import.meta.url)(`@iconify-json/${style}/package.json`).version).toBe(ART_VERSIONS[style]);
  }
  expect(Object.keys(dependencies).filter(name => name.startsWith('@iconify'))).toEqual([]);
  expect(files).toContain('art');
});

it('says in one sentence what is wrong with a damaged file or one of another version', async () => {
  const bytes = await readFile(inRoot('art/twemoji.json.gz'));
  const flipped = Uint8Array.from(bytes);
  flipped[flipped.length >> 1] ^= 1;
  await expect(parseArt(flipped, 'twemoji', 'x.gz')).rejects.toThrow(/^The art set x\.gz is damaged \(.*\); install narrows again\.$/);
  await expect(parseArt(bytes.subarray(0, 5000), 'twemoji', 'x.gz')).rejects.toThrow(/is damaged/);
  await expect(parseArt(bytes, 'noto', 'x.gz')).rejects.toThrow(
    `x.gz holds twemoji ${ART_VERSIONS.twemoji}, not noto ${ART_VERSIONS.noto}; install narrows again.`,
  );
  const newer = gzipSync(JSON.stringify({ style: 'noto', version: '9.9.9', icons: {} }));
  await expect(parseArt(newer, 'noto', 'x.gz')).rejects.toThrow(/x\.gz holds noto 9\.9\.9/);
});
