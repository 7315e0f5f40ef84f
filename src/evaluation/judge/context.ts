/** @file What a judge that does not see pictures gets instead: captions and boxes, as LLaVA's scripts write them. */

/** A number as Python prints it: 1.0 where it was written so, 1e-05 for small ones. */
function pythonNumber(text: string): string {
  if (!/[.e]/i.test(text)) return text;
  const value = Number(text);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isInteger(value) ? `${value}.0` : `${value}`;
}

const BOX = /"bbox"\s*:\s*\[([^\][]*)\]/g;

/**
 * A line of JSON whose boxes are texts, as Python prints a list: a parsed number no longer tells 1 from 1.0, and the judge's prompt holds
 * them as they were written.
 */
export const withBoxTexts = (line: string): string =>
  line.replace(BOX, (_, numbers: string) => {
    const parts = numbers.split(',').map(part => part.trim());
    return `"bbox":${JSON.stringify(`[${parts.map(pythonNumber).join(', ')}]`)}`;
  });

interface Instance {
  readonly category?: unknown;
  readonly bbox?: unknown;
}

/** How a record describes its picture. */
export interface PictureContext {
  readonly text: string;
  /** LLaVA-Bench (COCO): captions and boxes, and categories as they stand; else one caption, and `llava_bench_` in front of categories. */
  readonly form: 'boxes' | 'caption';
}

/** Parsed numbers of a box are shares of the picture, so that a whole one was written as 1.0. */
const boxText = (bbox: unknown): string =>
  Array.isArray(bbox) ? `[${bbox.map(x => (Number.isInteger(x) ? `${x}.0` : `${x}`)).join(', ')}]` : String(bbox);

/** The context of a record with `captions` and `instances`, or with `caption`; undefined where it has neither. */
export function contextOf(record: Readonly<Record<string, unknown>>): PictureContext | undefined {
  const { captions, instances, caption } = record;
  if (Array.isArray(captions) && captions.length > 0) {
    // One caption without boxes is the wild set's, as its loader keeps it.
    if (captions.length === 1 && Array.isArray(instances) && instances.length === 0) return contextOf({ caption: captions[0] });
    const boxes = (Array.isArray(instances) ? (instances as Instance[]) : []).map(({ category, bbox }) => `${category}: ${boxText(bbox)}`);
    return { text: `${captions.join('\n')}\n\n${boxes.join('\n')}`, form: 'boxes' };
  }
  if (Array.isArray(caption)) return { text: caption.join('\n'), form: 'caption' };
  return typeof caption === 'string' && caption !== '' ? { text: caption, form: 'caption' } : undefined;
}
