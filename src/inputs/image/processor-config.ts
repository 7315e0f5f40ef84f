/** @file An image processor's configuration: its keys, verbatim, with the defaults of the processor class it names. No Node imports. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import { CLASS_NAMES, type ProcessorClass, type ProcessorConfig, processorClass } from './processor-classes.ts';

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
  do_pad: [z.boolean(), FLAG],
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
const FURTHER = {
  use_square_size: [z.boolean(), FLAG],
  max_num_patches: [count, 'a whole number > 0'],
  patch_size: [count, 'a whole number > 0'],
  crop_pct: [z.number().positive().max(1), 'a number > 0 and <= 1'],
} as const;

/** Keys that describe a file, a tensor's form or a token, and change no pixel. */
const WITHOUT_EFFECT = new Set([
  '_name_or_path',
  '_processor_class',
  '_valid_processor_keys',
  'auto_map',
  'data_format',
  'default_to_square',
  'device',
  'disable_grouping',
  'feature_extractor_type',
  'image_processor_type',
  'image_seq_length',
  'image_token',
  'input_data_format',
  'model_input_names',
  'num_additional_image_tokens',
  'patch_size',
  'processor_class',
  'return_tensors',
  'transformers_version',
  'vision_feature_select_strategy',
]);

/** Drops keys that hold null, here and one level down: transformers writes null for "not set". */
function withoutNulls(record: Record<string, unknown>): Record<string, unknown> {
  const set = Object.entries(record).filter(([, value]) => value !== null && value !== undefined);
  const plain = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
  return Object.fromEntries(set.map(([key, value]) => [key, plain(value) ? withoutNulls(value as Record<string, unknown>) : value]));
}

/** An edge from which ConvNext stretches pictures to the square instead of cropping them. */
const CONVNEXT_STRETCHES = 384;

/** How a configuration is read. */
export interface ProcessorParsing {
  /** The file's name, for messages. */
  readonly file?: string;
  /** The class where the file names none: that of the model's kind. Default `CLIPImageProcessor`. */
  readonly type?: string;
  /** Receives a sentence for each key that is ignored. */
  readonly onWarning?: (message: string) => void;
}

/** The class that a configuration names. @throws NarrowsError for one whose rules are not known */
function classOf(given: Readonly<Record<string, unknown>>, file: string, fallback: string): { type: string; rules: ProcessorClass } {
  const type = String(given.image_processor_type ?? given.feature_extractor_type ?? fallback);
  const rules = processorClass(type);
  if (rules) return { type, rules };
  throw new NarrowsError(
    `${file} names the image processor ${JSON.stringify(type)}, whose rules Narrows does not know; it knows ${CLASS_NAMES.join(', ')}. ` +
      'If one of them gives the same pixels, name it there as "image_processor_type".',
  );
}

/** One key's value, checked. @throws NarrowsError that says what it may hold */
function checked(key: string, value: unknown, file: string): unknown {
  const [schema, words] = { ...KEYS, ...FURTHER }[key as keyof typeof KEYS];
  const result = schema.safeParse(value);
  if (!result.success) throw new NarrowsError(`${file}: "${key}" must be ${words}, not ${JSON.stringify(value)}.`);
  return result.data;
}

/**
 * Reads a parsed configuration. Absent and null keys take the defaults of `image_processor_type`. A key that the class does not read is
 * ignored, as transformers does, with a warning that names it.
 * @param json the parsed `preprocessor_config.json`, or the section `image_processor` of `processor_config.json`
 * @throws NarrowsError for a class whose rules are not known, or that names the first key with a wrong value, and what it may hold.
 */
export function parseProcessorConfig(json: unknown, parsing: ProcessorParsing = {}): ProcessorConfig {
  const { file = 'preprocessor_config.json', onWarning } = parsing;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new NarrowsError(`${file} must hold a JSON object.`);
  const given = withoutNulls(json as Record<string, unknown>);
  const { type, rules } = classOf(given, file, parsing.type ?? 'CLIPImageProcessor');
  const further: Record<string, unknown> = {};
  const config: Record<string, unknown> = { ...rules.defaults };
  const reads = (key: string): boolean =>
    !rules.unread?.some(unread => unread === key) && (key !== 'do_pad' || Boolean(rules.further?.includes('do_pad')));
  for (const [key, value] of Object.entries(given)) {
    if (Object.hasOwn(KEYS, key) && reads(key)) config[key] = checked(key, value, file);
    else if (rules.further?.some(known => known === key)) further[key] = checked(key, value, file);
    else if (value !== false && !WITHOUT_EFFECT.has(key))
      onWarning?.(`${file}: the key "${key}" (${JSON.stringify(value)}) is ignored: ${type} does not read it.`);
  }
  const { size } = config;
  if (typeof size === 'number') config.size = rules.square ? { height: size, width: size } : { shortest_edge: size };
  const read = config as unknown as ProcessorConfig;
  if (rules.further?.includes('max_num_patches')) return { ...read, max_num_patches: 256, patch_size: 16, ...further };
  if (further.use_square_size) return { ...read, size: squareOf(read.size, 'use_square_size', file) };
  return rules.further?.includes('crop_pct') ? convNext(read, further.crop_pct as number | undefined, file) : read;
}

/** The square of a size that names its shorter edge. */
function squareOf(size: ProcessorConfig['size'], asks: string, file: string): { height: number; width: number } {
  if (!('shortest_edge' in size)) throw new NarrowsError(`${file}: "size" must be {"shortest_edge": n} or n where ${asks} is asked for.`);
  return { height: size.shortest_edge, width: size.shortest_edge };
}

/** ConvNext's rule in CLIP's words: below 384 resize to edge / crop_pct and crop the edge, from 384 on stretch. */
function convNext(config: ProcessorConfig, cropPct = 224 / 256, file: string): ProcessorConfig {
  const square = squareOf(config.size, 'ConvNextImageProcessor', file);
  const edge = square.width;
  if (!config.do_resize) return { ...config, do_center_crop: false };
  if (edge >= CONVNEXT_STRETCHES) return { ...config, size: square, do_center_crop: false };
  return { ...config, size: { shortest_edge: Math.trunc(edge / cropPct) }, do_center_crop: true, crop_size: square };
}
