/**
 * @file `npm run art`: writes `art/<style>.json.gz` from the npm packages `@iconify-json/<style>` (development dependencies): the drawings of
 * the concepts, with the names under which captions know them. The same packages give the same content.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { writeFileAtomic } from '../src/node/files.ts';
import { type ArtFile, findIcon, type IconFile } from '../src/scenes/art.ts';
import { CONCEPTS } from '../src/scenes/concepts.ts';
import { STYLES, type Style } from '../src/scenes/sprite-atlas.ts';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the icons of an installed npm package stand, or null where it is not installed. */
export function installedIcons(style: Style): string | null {
  try {
    return require.resolve(`@iconify-json/${style}/icons.json`);
  } catch {
    return null;
  }
}

/** The content of a style's art file, as JSON text. @param icons path of the package's icons.json */
export async function artJson(style: Style, icons: string): Promise<string> {
  const json = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;
  const set = await json<IconFile>(icons);
  const { version } = await json<{ version: string }>(join(icons, '..', 'package.json'));
  const info = await json<{ name: string; author: { name: string; url: string }; license: { spdx: string; url: string } }>(
    join(icons, '..', 'info.json'),
  );
  const drawings = CONCEPTS.map(({ icon }) => {
    const drawing = findIcon(set, icon);
    if (!drawing) throw new Error(`${style} ${version} has no icon ${icon}.`);
    return [icon, drawing] as const;
  });
  const art: ArtFile = {
    style,
    ...{ source: `@iconify-json/${style}`, version, title: info.name, author: info.author.name, url: info.author.url },
    ...{ license: info.license.spdx, licenseUrl: info.license.url },
    width: set.width,
    height: set.height,
    icons: Object.fromEntries(drawings),
  };
  return `${JSON.stringify(art)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(join(root, 'art'), { recursive: true });
  for (const style of STYLES) {
    const icons = installedIcons(style);
    if (!icons) throw new Error(`@iconify-json/${style} is not installed; run: npm ci`);
    const bytes = gzipSync(await artJson(style, icons), { level: 9 });
    await writeFileAtomic(join(root, 'art', `${style}.json.gz`), bytes);
    process.stderr.write(`art/${style}.json.gz: ${(bytes.length / 1e3).toFixed(0)} kB\n`);
  }
}
