/** @file The image rules of a checkpoint: `processor_config.json` (transformers 5) or `preprocessor_config.json` (before it). */
import { readJsonFrom } from '../../checkpoints/config.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, isMissing, type ModelFiles } from '../../system/model-files.ts';
import { ImageProcessor, type ModelInput } from './processor.ts';
import { parseProcessorConfig } from './processor-config.ts';

/** Where transformers 4 and OpenAI's checkpoints keep the rules. */
export const PREPROCESSOR_FILE = 'preprocessor_config.json';
/** Where transformers 5 keeps them, as the section `image_processor`. */
export const PROCESSOR_FILE = 'processor_config.json';

/** What stands in for rules that a directory lacks. */
export interface DefaultRules {
  /** The class that the model's kind names. */
  readonly type: string;
  /** Edge of the model's input, pixels. */
  readonly size: number;
}

/** The rules that hold for a directory. */
export interface ImageRules {
  /** As the file gives them, with `image_processor_type` always there. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Path of the file, for messages. */
  readonly file: string;
  /** Whether a file of the directory holds them; otherwise they are defaults. */
  readonly stored: boolean;
}

type Json = Record<string, unknown>;
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The rules of a model's kind for an input of `size`, by class. */
export function defaultRules({ type, size }: DefaultRules): Json {
  if (/^Siglip2/.test(type)) return { image_processor_type: type };
  const square = /^(Siglip|ViT)/.test(type);
  const box = { height: size, width: size };
  return { image_processor_type: type, ...(square ? { size: box } : { size: { shortest_edge: size }, crop_size: box }) };
}

/** A JSON object among the files; undefined where there is no such file. */
async function optional(files: ModelFiles, file: string): Promise<Json | undefined> {
  const json = await readJsonFrom(files, file).catch(error => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (json !== undefined && !isRecord(json)) throw new NarrowsError(`${fileIn(files, file)} must hold a JSON object.`);
  return json;
}

/** The class of rules that name none. */
const named = (json: Json, type: string): Json =>
  (json.image_processor_type ?? json.feature_extractor_type) ? json : { ...json, image_processor_type: type };

/** Whether two configurations make the same pixels; one that cannot be read differs. */
function same(a: Json, b: Json): boolean {
  try {
    const [x, y] = [a, b].map(json => JSON.stringify(Object.entries(parseProcessorConfig(json)).sort()));
    return x === y;
  } catch {
    return false;
  }
}

/**
 * Finds the rules as transformers 5 does: the section `image_processor` of processor_config.json, else preprocessor_config.json. A directory
 * with neither gets the defaults of its kind, with a warning; so does one whose two files disagree.
 * @throws NarrowsError for a file that is no JSON object
 */
export async function readImageRules(
  files: ModelFiles,
  fallback: DefaultRules,
  onWarning: (message: string) => void = () => {},
): Promise<ImageRules> {
  const [newer, older] = [fileIn(files, PROCESSOR_FILE), fileIn(files, PREPROCESSOR_FILE)];
  const section = (await optional(files, PROCESSOR_FILE))?.image_processor ?? undefined;
  if (section !== undefined && !isRecord(section)) throw new NarrowsError(`${newer}: "image_processor" must hold a JSON object.`);
  const json = await optional(files, PREPROCESSOR_FILE);
  if (section) {
    const rules = named(section, fallback.type);
    if (json && !same(rules, named(json, fallback.type)))
      onWarning(
        `${newer} and ${PREPROCESSOR_FILE} next to it hold different image rules; those of ${PROCESSOR_FILE} are used, as by transformers 5.`,
      );
    return { json: rules, file: newer, stored: true };
  }
  if (json) return { json: named(json, fallback.type), file: older, stored: true };
  onWarning(
    `${files.name} has no image rules (neither ${PREPROCESSOR_FILE} nor an image_processor in ${PROCESSOR_FILE}); the defaults of ${fallback.type} for ${fallback.size} x ${fallback.size} are used, which may not be what the model was trained with.`,
  );
  return { json: defaultRules(fallback), file: older, stored: false };
}

/**
 * The image processor of a directory. @param model refuses rules of another size than its input (see `ImageProcessor`)
 * @throws NarrowsError as `readImageRules` and `parseProcessorConfig` say
 */
export async function openImageProcessor(
  files: ModelFiles,
  fallback: DefaultRules,
  options: { readonly onWarning?: (message: string) => void; readonly remedy?: (file: string) => ModelInput['remedy'] } = {},
): Promise<ImageProcessor> {
  const { onWarning, remedy = setInFile } = options;
  const { json, file } = await readImageRules(files, fallback, onWarning);
  return ImageProcessor.fromConfig(json, { file, onWarning }, { size: fallback.size, remedy: remedy(file) });
}

/** The remedy of a model that takes no other size. */
const setInFile = (file: string) => () => `set "size" and "crop_size" in ${file} to that`;
