/** @file What a run starts from: configuration, small files of the model directory, tokenizer, and weights where it is not from scratch. */

import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { PREPROCESSOR_FILE, readImageRules } from '../../inputs/image/image-rules.ts';
import { parseProcessorConfig } from '../../inputs/image/processor-config.ts';
import { readTokenizerDirectory } from '../../inputs/text/disk.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { type TokenizerConfig, type TokenizerJson, tokenText } from '../../inputs/text/tokenizer-files.ts';
import { findModel } from '../../models/bundled.ts';
import { type CLIPConfig, parseCLIPConfig } from '../../models/clip/config.ts';
import { wantedTensors } from '../../models/clip/files.ts';
import { checkConfigKeys } from '../../models/config-keys.ts';
import { fittedEntries } from '../../models/load-parts.ts';
import { readdir, readFile } from '../../node/disk.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { join } from '../../node/paths.ts';
import { SPECIAL_TOKENS, sceneTokenizerJson, VOCABULARY, VOCABULARY_SIZE } from '../../scenes/vocabulary.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { ClipTrainingArguments } from './arguments.ts';
import { CHEST_VOCABULARY_SIZE, chestTokenizerJson } from './chest-texts.ts';
import { freshConfig, freshPreprocessor, WORD_KEYS } from './config.ts';
import { frequentWords, wordTokenizerJson } from './word-tokenizer.ts';

/** A file next to the weights: text, or the bytes of a tokenizer's model. */
export type SideFile = string | Uint8Array;

/** Where a run starts. */
export interface ClipSource {
  readonly config: CLIPConfig;
  /** The image rules, with their class (see `readImageRules`). */
  readonly preprocessor: object;
  readonly tokenizer: { readonly json: TokenizerJson; readonly config: TokenizerConfig };
  /** Texts of the files next to weights and config.json, by name; they are written into every checkpoint. */
  readonly files: ReadonlyMap<string, SideFile>;
  /** Weights by name; from scratch without them. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  /** What was assumed or ignored while reading, in sentences. */
  readonly warnings?: readonly string[];
}

/** Files of a model directory that belong to the model, besides weights and config.json. */
export const BESIDE_WEIGHTS =
  /^(?!(config|adapter_config|golden)\.json$|train|.*\.index\.json$).*\.(json|txt|jinja)$|^(spiece|tokenizer)\.model$/;

const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

function wordSource(args: ClipTrainingArguments, files: ReturnType<typeof sceneTokenizerJson>, size: number): ClipSource {
  const preprocessor = freshPreprocessor(args.image_size);
  return {
    config: freshConfig(args, { ...WORD_KEYS, vocab_size: size }),
    preprocessor,
    tokenizer: { json: files['tokenizer.json'] as TokenizerJson, config: files['tokenizer_config.json'] as TokenizerConfig },
    files: new Map([...Object.entries(files), [PREPROCESSOR_FILE, preprocessor] as const].map(([name, value]) => [name, toJson(value)])),
  };
}

/** A fresh model of the built-in scenes. */
export const sceneSource = (args: ClipTrainingArguments): ClipSource =>
  wordSource(args, sceneTokenizerJson(args.max_seq_length), VOCABULARY_SIZE);

/** A fresh model of the phantom chests. */
export const chestSource = (args: ClipTrainingArguments): ClipSource =>
  wordSource(args, chestTokenizerJson(args.max_seq_length), CHEST_VOCABULARY_SIZE);

/** A fresh model for pairs: with the tokenizer of `args.tokenizer`, else one of the captions' words. */
export async function pairSource(args: ClipTrainingArguments, captions: readonly string[]): Promise<ClipSource> {
  if (!args.tokenizer) {
    const words = frequentWords(captions, args.vocabulary_size);
    return wordSource(args, wordTokenizerJson(words, args.max_seq_length), SPECIAL_TOKENS.length + words.length);
  }
  const { json, config, warnings } = await readTokenizerDirectory(args.tokenizer);
  const tokenizer = new Tokenizer(json, config);
  const idOf = (key: string): number | undefined => {
    const token = tokenText(config[key]);
    return token === undefined ? undefined : tokenizer.idOf(token);
  };
  const eos = idOf('eos_token');
  if (eos === undefined || tokenizer.encode('a').ids.at(-1) !== eos)
    throw new NarrowsError(
      `The tokenizer ${args.tokenizer} does not end texts with an "eos_token", at which CLIP reads them; choose another.`,
    );
  if (eos === 2)
    throw new NarrowsError(`The tokenizer ${args.tokenizer} has the end-of-text id 2, which CLIP takes for a rule of old; choose another.`);
  const preprocessor = freshPreprocessor(args.image_size);
  const text = { bos_token_id: idOf('bos_token') ?? null, eos_token_id: eos, pad_token_id: tokenizer.padId ?? null };
  const files = await smallFiles(
    args.tokenizer,
    /^(tokenizer|special_tokens|vocab|merges|added_tokens)[\w.]*\.(json|txt)$|^(spiece|tokenizer)\.model$/,
  );
  return {
    config: freshConfig(args, { vocab_size: tokenizer.vocabularySize, ...text }),
    preprocessor,
    tokenizer: { json, config },
    files: files.set(PREPROCESSOR_FILE, toJson(preprocessor)),
    warnings,
  };
}

/** A checkpoint to go on from, weights as float32. @throws NarrowsError where it is no complete CLIP */
export async function pretrainedSource(reference: string): Promise<ClipSource> {
  const { directory } = await findModel(reference);
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const path = join(directory, 'config.json');
  const json = await readConfig(directory);
  const { torch_dtype: _, ...config } = parseCLIPConfig(json, path);
  for (const message of checkConfigKeys(json, path)) warn(message);
  const stored = await openCheckpoint(directory);
  const { entries, wanted } = fittedEntries(config, stored.entries, directory, { wanted: wantedTensors }, warn);
  const weights = new Map<string, Float32Array>();
  for (const name of wanted.keys()) {
    const values = await readFloats(entries.get(name)!);
    if (!values.every(Number.isFinite)) throw new NarrowsError(`The tensor "${name}" of ${directory} holds values that are not finite.`);
    weights.set(name, values);
  }
  const files = await smallFiles(directory, BESIDE_WEIGHTS);
  const rules = await readImageRules(diskFiles(directory), { type: 'CLIPImageProcessor', size: config.vision_config.image_size }, warn);
  // Every key that is ignored is said once; the readers of the run are silent.
  parseProcessorConfig(rules.json, { file: rules.file, onWarning: warn });
  if (!rules.stored) files.set(PREPROCESSOR_FILE, toJson(rules.json));
  const tokenizer = await readTokenizerDirectory(directory);
  warnings.push(...tokenizer.warnings);
  return { config: { ...config, dtype: 'float32' }, preprocessor: rules.json, tokenizer, files, weights, warnings };
}

/** A directory's files whose names match, by name: texts, but for a tokenizer's model. @throws NarrowsError where it cannot be read */
export async function smallFiles(directory: string, wanted: RegExp): Promise<Map<string, SideFile>> {
  const files = new Map<string, SideFile>();
  try {
    for (const name of (await readdir(directory)).sort())
      if (wanted.test(name)) files.set(name, await readFile(join(directory, name), name.endsWith('.model') ? null : 'utf8'));
  } catch (error) {
    throw readError(directory, error);
  }
  return files;
}

/** @throws NarrowsError where a model cannot be trained on scenes, since its words are not the built-in world's */
export function checkSceneVocabulary({ config, tokenizer }: ClipSource, reference: string): void {
  const ids = new Tokenizer(tokenizer.json, tokenizer.config);
  const same = [...SPECIAL_TOKENS, ...VOCABULARY].every((word, id) => ids.idOf(word) === id);
  if (!same || config.text_config.vocab_size !== VOCABULARY_SIZE || config.text_config.max_position_embeddings < 24)
    throw new NarrowsError(`${reference} was not made for the built-in scenes (its vocabulary is another); give a "train_file".`);
}
