/**
 * @file The art sets as the package ships them: `art/<style>.json.gz`, the vector drawings of the 400 concepts, and nothing else of the sets.
 * Vectors, since one small file gives every sprite size bit for bit; the same drawings as pixels weigh eight times as much and serve fewer sizes.
 */
import { messageOf, NarrowsError } from '../system/errors.ts';
import type { Style } from './sprite-atlas.ts';

/** Icons of one art set, in Iconify's JSON format. */
export interface IconFile {
  /** SVG markup inside the `<svg>` element, by the icon's name. */
  readonly icons: Readonly<Record<string, { readonly body: string; left?: number; top?: number; width?: number; height?: number }>>;
  readonly aliases?: Readonly<Record<string, { readonly parent: string }>>;
  /** Size of icons that do not give theirs, in the drawings' units. */
  readonly width?: number;
  readonly height?: number;
}

/** What an art file holds: icons, and whose they are. */
export interface ArtFile extends IconFile {
  readonly style: string;
  /** npm package that the drawings were taken from, and its version. */
  readonly source: string;
  readonly version: string;
  readonly title: string;
  readonly author: string;
  /** SPDX identifier; the terms are in NOTICE and LICENSES. */
  readonly license: string;
  readonly licenseUrl: string;
  readonly url: string;
}

/** Versions of the npm packages `@iconify-json/<style>` that `art/` was made from; the sprite cache depends on them. */
export const ART_VERSIONS: Readonly<Record<Style, string>> = {
  noto: '1.2.9',
  twemoji: '1.2.5',
  'fluent-emoji-flat': '1.2.6',
  openmoji: '1.2.29',
  'fluent-emoji': '1.2.7',
  emojione: '1.2.3',
};

/**
 * Reads the bytes of an art file (gzip of JSON).
 * @param path where the bytes come from, for the message
 * @throws NarrowsError when they are damaged or of another set or version
 */
export async function parseArt(bytes: Uint8Array, style: Style, path: string): Promise<ArtFile> {
  const art = await gunzipJson(bytes).catch(error => {
    throw new NarrowsError(`The art set ${path} is damaged (${messageOf(error)}); install narrows again.`, { cause: error });
  });
  const version = ART_VERSIONS[style];
  if (art.style !== style || art.version !== version)
    throw new NarrowsError(`${path} holds ${art.style} ${art.version}, not ${style} ${version}; install narrows again.`);
  return art;
}

async function gunzipJson(bytes: Uint8Array): Promise<ArtFile> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(stream).json()) as ArtFile;
}

/** The icon of that name, through aliases; null when the set lacks it. */
export function findIcon({ icons, aliases }: IconFile, name: string): IconFile['icons'][string] | null {
  let at = name;
  // Aliases may point at aliases.
  for (let hops = 0; !icons[at] && hops < 4; hops++) at = aliases?.[at]?.parent ?? at;
  return icons[at] ?? null;
}

/** The SVG text of an icon of an art set, `pixels` on the longer side; null when the set lacks it. */
export function iconSvg(set: IconFile, name: string, pixels: number): string | null {
  const icon = findIcon(set, name);
  if (!icon) return null;
  const height = icon.height ?? set.height ?? 16;
  const width = icon.width ?? set.width ?? height;
  const scale = pixels / Math.max(width, height);
  const box = `viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}" width="${width * scale}" height="${height * scale}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${box}>${icon.body}</svg>`;
}
