/** @file A small scene graph and its SVG text. Labels stay text, or become outlines of the built-in font. */
import { advanceOf, glyphOf, graphemes, measure, rightToLeft, type Weight } from './glyphs.ts';

/** Attributes of an element; numbers are rounded to three decimals, undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with children. */
export interface Element {
  readonly tag: string;
  readonly attributes: Attributes;
  readonly children: readonly Node[];
}

/** A line of text. `y` is the base line. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly fill: string;
  readonly weight?: Weight;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly opacity?: number;
}

/** A node of the scene; a string is plain character data. */
export type Node = Element | { readonly label: Label } | string;

/** How labels are written: as text (`live`, editable, the viewer's fonts) or as outlines (the same everywhere). */
export interface SvgText {
  readonly text: 'live' | 'outlines';
  /** With outlines: characters the built-in font lacks are drawn as boxes with their code, not left to a system font. */
  readonly boxes?: boolean;
}

/** An element. */
export const element = (tag: string, attributes: Attributes = {}, ...children: Node[]): Element => ({ tag, attributes, children });

/** A label. */
export const label = (text: string, x: number, y: number, size: number, fill: string, more: Partial<Label> = {}): Node => ({
  label: { text, x, y, size, fill, ...more },
});

/** Text made safe inside XML and HTML, in attributes too. Characters that XML forbids become U+FFFD. */
export function escapeText(text: string): string {
  return (
    text
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML 1.0 forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(/'/g, '&#39;')
  );
}

/** A number with at most three decimals. */
export const round = (value: number): string => String(Math.round(value * 1000) / 1000 + 0);

/** SVG text of a node and all below it. */
export function toSvg(node: Node, options: SvgText): string {
  if (typeof node === 'string') return escapeText(node);
  if ('label' in node) return options.text === 'live' ? liveLabel(node.label) : outlinedLabel(node.label, options.boxes ?? false);
  const attributes = attributesOf(node.attributes);
  const inner = node.children.map(child => toSvg(child, options)).join('');
  return inner === '' ? `<${node.tag}${attributes}/>` : `<${node.tag}${attributes}>${inner}</${node.tag}>`;
}

const attributesOf = (attributes: Attributes): string =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? round(value) : escapeText(value as string)}"`)
    .join('');

/** Fonts in order of likeness to the built-in one. */
const FAMILY = "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

function liveLabel({ text, x, y, size, fill, weight, anchor, opacity }: Label): string {
  const width = measure(text, size, weight);
  const known = [...text].every(character => glyphOf(character, weight ?? 'regular'));
  const attributes = attributesOf({
    x,
    y,
    'font-size': size,
    'font-family': FAMILY,
    'font-weight': weight === 'semibold' ? 600 : undefined,
    'text-anchor': anchor === 'start' ? undefined : anchor,
    fill,
    'fill-opacity': opacity,
    // Whatever font the viewer has, the text takes the room that the layout gave it; its letters keep their shapes.
    textLength: known && text.length > 1 ? width : undefined,
    lengthAdjust: known && text.length > 1 ? 'spacing' : undefined,
    direction: rightToLeft(text) ? 'rtl' : undefined,
    'unicode-bidi': rightToLeft(text) ? 'plaintext' : undefined,
  });
  return `<text${attributes}>${escapeText(text)}</text>`;
}

/** Path data moved to the right: only the absolute `M` commands need it, all others are relative. */
const shifted = (path: string, by: number): string =>
  path.replace(/M(-?\d+)(?= ?-?\d)/g, (_, x: string) => `M${Number(x) + Math.round(by)}`);

/** Path data scaled; for small things only, since coordinates are rounded to whole units. */
const scaled = (path: string, by: number): string =>
  path.replace(/-?\d+/g, (value, at: number) => {
    const next = String(Math.round(Number(value) * by) + 0);
    return at > 0 && !next.startsWith('-') && /\d/.test(path[at - 1]) ? ` ${next}` : next;
  });

function outlinedLabel(source: Label, boxes: boolean): string {
  const { text, x, y, size, fill, weight = 'regular', anchor = 'start', opacity } = source;
  const width = measure(text, size, weight);
  const start = anchor === 'middle' ? x - width / 2 : anchor === 'end' ? x - width : x;
  // Shaping and bidirectional order are the system's business.
  if (!boxes && rightToLeft(text)) return liveLabel({ ...source, anchor: 'middle', x: start + width / 2 });
  let [path, foreign, at] = ['', '', start];
  const live: string[] = [];
  const flush = (): void => {
    if (foreign === '') return;
    live.push(liveLabel({ ...source, text: foreign, anchor: 'start', x: at }));
    at += measure(foreign, size, weight);
    foreign = '';
  };
  for (const part of graphemes(text)) {
    const known = [...part].every(character => glyphOf(character, weight));
    if (!known && !boxes) {
      foreign += part;
      continue;
    }
    flush();
    const units = ((at - start) / size) * 1000;
    if (known) {
      let offset = units;
      for (const character of part) {
        path += shifted(glyphOf(character, weight)?.path ?? '', offset);
        offset += advanceOf(character, weight) * 1000;
      }
    } else path += codeBox(part, units, (measure(part, size, weight) / size) * 1000);
    at += measure(part, size, weight);
  }
  flush();
  const transform = `translate(${round(start)} ${round(y)}) scale(${round(size)}e-3)`;
  const outline = path ? `<path${attributesOf({ transform, fill, 'fill-opacity': opacity, d: path })}/>` : '';
  return outline + live.join('');
}

/** A frame with the code point in hexadecimal: something to see where no font has the character. */
function codeBox(part: string, x: number, advance: number): string {
  if (advance < 200) return '';
  const code = (part.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
  const half = Math.ceil(code.length / 2);
  const [left, inner] = [Math.round(x + 40), Math.round(advance - 80)];
  const size = Math.min(0.42, (inner - 60) / 1000 / (0.64 * half));
  const digits = [code.slice(0, half), code.slice(half)].map((row, line) =>
    [...row].map((digit, i) => {
      const glyph = scaled(glyphOf(digit, 'regular')?.path ?? '', size).replace(/(M-?\d+) ?(-?\d+)/g, (_, head: string, y: string) => {
        return `${head} ${Number(y) - (line === 0 ? 400 : 60)}`;
      });
      return shifted(glyph, left + 40 + i * 640 * size);
    }),
  );
  return `M${left} 20v-780h${inner}v780zM${left + 30}-10h${inner - 60}v-720h${60 - inner}z${digits.flat().join('')}`;
}
