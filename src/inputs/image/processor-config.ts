/** @file `preprocessor_config.json`: its keys, verbatim, with the defaults of the processor class it names. No Node imports. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

const count = z.number().int().positive();
const box = z.object({ height: count, width: count });
/** Fast processors write every key of a size, the unused ones as null; a nullish key is absent. */
const shortest = z.object({ shortest_edge: count, longest_edge: count.optional() });
const longest = z.object({ longest_edge: count, shortest_edge: z.undefined().optional() });
const pair = z.tuple([count, count]).transform(([height, width]) => ({ height, width }));
/** The mean or deviation of the three channels, or one number for all of them. */
const number = z.number();
const channels = z.union([number.transform(v => [v, v, v]), z.array(number).length(1), z.array(number).length(3)]);
const mean = channels.transform(list => (list.length === 1 ? [list[0], list[0], list[0]] : list));
const nonZero = mean.refine(list => list.every(v => v > 0));

const SIZES = '{"shortest_edge": n}, {"height": n, "width": n}, {"longest_edge": n} or n, with whole n > 0';
const FLAG = 'true or false';
/** Each key: what it may hold, and that in words. */
const KEYS = {
  do_convert_rgb: [z.boolean(), FLAG],
  do_resize: [z.boolean(), FLAG],
  size: [z.union([count, pair, box, shortest, longest]), SIZES],
  resample: [z.number().int().min(0).max(5), 'a whole number from 0 to 5 (0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming)'],
  do_center_crop: [z.boolean(), FLAG],
  crop_size: [z.union([count.transform(n => ({ height: n, width: n })), pair, box]), '{"height": n, "width": n} or n, with whole n > 0'],
  do_rescale: [z.boolean(), FLAG],
  rescale_factor: [z.number().positive(), 'a number > 0, usually 1/255'],
  do_normalize: [z.boolean(), FLAG],
  image_mean: [mean, 'a number or three numbers'],
  image_std: [nonZero, 'a number or three numbers, all > 0'],
} as const;

/** How a picture becomes a model's input; keys and meanings are transformers'. */
export interface ProcessorConfig {
  /** Here without effect: a decoded picture is RGB already. */
  do_convert_rgb: boolean;
  do_resize: boolean;
  size: { height: number; width: number } | { shortest_edge: number; longest_edge?: number } | { longest_edge: number };
  /** Pillow's number of the filter. */
  resample: number;
  do_center_crop: boolean;
  crop_size: { height: number; width: number };
  do_rescale: boolean;
  rescale_factor: number;
  do_normalize: boolean;
  image_mean: readonly number[];
  image_std: readonly number[];
}

const HALVES = [0.5, 0.5, 0.5];
const CLIP: ProcessorConfig = {
  do_convert_rgb: true,
  do_resize: true,
  size: { shortest_edge: 224 },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: 224, width: 224 },
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const SQUARE: ProcessorConfig = {
  ...CLIP,
  size: { height: 224, width: 224 },
  do_center_crop: false,
  image_mean: HALVES,
  image_std: HALVES,
};
/** Classes whose defaults are not CLIP's. Both stretch to a square: a plain `size` means both edges, not the shorter one. */
const SQUARE_CLASSES: Record<string, ProcessorConfig> = { Siglip: SQUARE, ViT: { ...SQUARE, resample: 2 } };

/** Drops keys that hold null, here and one level down: transformers writes null for "not set". */
function withoutNulls(record: Record<string, unknown>): Record<string, unknown> {
  const set = Object.entries(record).filter(([, value]) => value !== null && value !== undefined);
  const plain = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
  return Object.fromEntries(set.map(([key, value]) => [key, plain(value) ? withoutNulls(value as Record<string, unknown>) : value]));
}

/**
 * Reads a parsed `preprocessor_config.json`. Absent and null keys take the defaults of `image_processor_type` (CLIP's where it is
 * none of CLIP, SigLIP and ViT); unknown keys are ignored.
 * @param json the parsed file; `{}` gives CLIP's processor.
 * @param file its name, for the message.
 * @throws NarrowsError that names the first key with a wrong value, and what it may hold.
 */
export function parseProcessorConfig(json: unknown, file = 'preprocessor_config.json'): ProcessorConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new NarrowsError(`${file} must hold a JSON object.`);
  const given = withoutNulls(json as Record<string, unknown>);
  const type = String(given.image_processor_type ?? given.feature_extractor_type ?? 'CLIPImageProcessor');
  const square = SQUARE_CLASSES[type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '')];
  const config: Record<string, unknown> = { ...(square ?? CLIP) };
  for (const [key, [schema, words]] of Object.entries(KEYS)) {
    if (given[key] === undefined) continue;
    const result = schema.safeParse(given[key]);
    if (!result.success) throw new NarrowsError(`${file}: "${key}" must be ${words}, not ${JSON.stringify(given[key])}.`);
    config[key] = result.data;
  }
  const { size } = config;
  if (typeof size === 'number') config.size = square ? { height: size, width: size } : { shortest_edge: size };
  return config as unknown as ProcessorConfig;
}
