/** @file A scenario: a shift of the pictures of a set, of its texts, or of both; by what it is known to caches. */
import { z } from 'zod';
import { checkCompat } from '../compat.ts';
import { requireImageShift, requireTextShift } from '../registry.ts';
import { atSeverity, COMPATIBLE, NLPAUG_VERSIONS } from '../shift.ts';

const imageOptions = z.strictObject({ referenceSize: z.number().positive().optional(), compat: z.enum(COMPATIBLE).optional() });
const textOptions = z.strictObject({
  nlpaug: z.enum(NLPAUG_VERSIONS).optional(),
  counts: z.enum(['ceil', 'floor']).optional(),
  language: z.string().min(1).optional(),
  suffix: z.string().optional(),
});
const choice = <O extends z.ZodType>(options: O) =>
  z.strictObject({ shift: z.string().min(1), severity: z.int(), options: options.optional() });
/** A scenario in a file; without a name it is called by its shifts. */
export const scenarioSchema = z.strictObject({
  name: z.string().min(1).optional(),
  image: choice(imageOptions).optional(),
  text: choice(textOptions).optional(),
});

/** A shift of pictures in its grade, with the options that decide about its result. */
export type ImageChoice = z.infer<ReturnType<typeof choice<typeof imageOptions>>>;
/** A shift of texts in its grade. */
export type TextChoice = z.infer<ReturnType<typeof choice<typeof textOptions>>>;

/** What is done to a set before it is asked: to its pictures, to its texts, to both, or nothing. */
export interface Scenario {
  /** As in tables and file names: `clean`, `fog:3`, `fog:3+keyboard:4`. */
  readonly name: string;
  readonly image?: ImageChoice;
  readonly text?: TextChoice;
}

const words = ({ shift, severity, options = {} }: ImageChoice | TextChoice): string => {
  const more = Object.entries(options).flatMap(([key, value]) => (key === 'suffix' || value === undefined ? [] : [String(value)]));
  return [shift, severity, ...more].join(':');
};

/** What a scenario is called that has no name of its own. */
export const scenarioName = ({ image, text }: Omit<Scenario, 'name'>): string =>
  [image, text].flatMap(one => (one ? [words(one)] : [])).join('+') || 'clean';

/** Which part of a question a scenario changes. */
export const scenarioKind = ({ image, text }: Omit<Scenario, 'name'>): 'clean' | 'visual' | 'textual' | 'joint' =>
  image ? (text ? 'joint' : 'visual') : text ? 'textual' : 'clean';

/** Raised whenever a shift gives other bytes or words than before, so that no cache mixes the two. */
const VERSION = 1;

const sorted = (one: ImageChoice | TextChoice | undefined): unknown => {
  if (!one) return undefined;
  const options = Object.entries(one.options ?? {}).filter(([, value]) => value !== undefined);
  return [one.shift.replaceAll('-', '_'), one.severity, ...options.sort(([a], [b]) => (a < b ? -1 : 1))];
};

/**
 * Of everything in a scenario that decides about its result, whatever it is called: equal keys, equal bytes and words under the same seed and
 * sample. What is given besides (textures, a translator, synonyms) is not in it.
 */
export const scenarioKey = ({ image, text }: Omit<Scenario, 'name'>): string =>
  JSON.stringify({ shifts: VERSION, image: sorted(image), text: sorted(text) });

/** @throws NarrowsError for a shift that there is not, of the wrong kind, or a severity that it has not */
export function checkScenario({ image, text }: Omit<Scenario, 'name'>): void {
  const chosen = [
    ...(image ? [[requireImageShift(image.shift), image.severity] as const] : []),
    ...(text ? [[requireTextShift(text.shift), text.severity] as const] : []),
  ];
  for (const [{ name, severities }, severity] of chosen) atSeverity(name, severity, Array<null>(severities).fill(null));
  if (image) checkCompat(requireImageShift(image.shift).name, image.options ?? {});
}
