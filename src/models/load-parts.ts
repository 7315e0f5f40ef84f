/** @file What a checkpoint's files give before a model stands on it: config, weights, preprocessor, tokenizer. */

import { type Checkpoint, openCheckpointFrom } from '../checkpoints/checkpoint.ts';
import { readConfigFrom } from '../checkpoints/config.ts';
import type { TensorEntry } from '../checkpoints/safetensors.ts';
import type { Value } from '../graph/index.ts';
import { openImageProcessor } from '../inputs/image/image-rules.ts';
import type { ImageProcessor } from '../inputs/image/processor.ts';
import { Tokenizer } from '../inputs/text/tokenizer.ts';
import { fitEntries, unreadSentence } from '../nn/fit-entries.ts';
import { frozenParameters, type LoadReport, loadReport, type Parameters, reportSentence } from '../nn/parameters.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import { fileIn, type ModelFiles } from '../system/model-files.ts';
import { checkConfigKeys } from './config-keys.ts';
import { type ModelConfig, requireTowerBlocks } from './model-config.ts';

/** How a checkpoint is run. */
export interface OpenOptions {
  readonly runtime: Runtime;
  /** Whether releasing the model releases the runtime too. Default false. */
  readonly ownsRuntime?: boolean;
  /** What messages and results call the model; the name of its files by default. */
  readonly name?: string;
  /**
   * Keep compiled towers for further inputs. Default true; false suits a process that encodes once: each tower's session is closed after
   * its run, and with it the mapped pages of its weights leave memory. Methods then close each graph before they compile the next, too.
   */
  readonly keepSessions?: boolean;
  /** Called with what is assumed or ignored while loading. */
  readonly onWarning?: (message: string) => void;
}

/** What differs between architectures when one is loaded. */
export interface LoadRules<C> {
  /** @throws NarrowsError for a config of another kind */
  parse(json: unknown, source: string): C;
  /** The `model_type` of each section, as far as config.json names one. */
  readonly sections: { readonly text_config: readonly string[]; readonly vision_config: readonly string[] };
  /** Every tensor that the model asks for, by name. */
  wanted(config: C): ReadonlyMap<string, Value>;
  /** The image processor class of this kind, for rules that name none. */
  readonly processorType: string;
  tokenizer?(files: ModelFiles): Promise<Tokenizer>;
}

/** The parts of a loaded model. */
export interface ModelParts<C> {
  readonly name: string;
  readonly files: ModelFiles;
  readonly config: C;
  readonly checkpoint: Checkpoint;
  readonly report: LoadReport;
  readonly processor: ImageProcessor;
  /** What was assumed or ignored while loading, in sentences. */
  readonly warnings: readonly string[];
  /** The error that is thrown when a text is given, where there is no usable tokenizer. */
  readonly tokenizer: Tokenizer | NarrowsError;
  readonly parameters: Parameters;
  readonly runtime: Runtime;
  readonly ownsRuntime: boolean;
  readonly keepSessions: boolean;
}

/**
 * A checkpoint's tensors by the names and shapes that a model asks for. @throws NarrowsError for missing or mis-shaped ones
 */
export function fittedEntries<C extends ModelConfig>(
  config: C,
  stored: ReadonlyMap<string, TensorEntry>,
  directory: string,
  rules: Pick<LoadRules<C>, 'wanted'>,
  onWarning?: (message: string) => void,
): { entries: Map<string, TensorEntry>; report: LoadReport; wanted: ReadonlyMap<string, Value> } {
  requireTowerBlocks(config, stored, directory);
  const wanted = rules.wanted(config);
  const entries = fitEntries(wanted, stored, config.model_type, onWarning);
  const report = loadReport(wanted, entries);
  const problem = reportSentence(report, directory);
  if (problem) throw new NarrowsError(problem);
  const unread = unreadSentence(report.unexpected, directory);
  if (unread) onWarning?.(unread);
  return { entries, report, wanted };
}

/** Collects what is said while loading, and passes it on. */
export function warningList(options: Pick<OpenOptions, 'onWarning'>): { warnings: string[]; warn: (message: string) => void } {
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    options.onWarning?.(message);
  };
  return { warnings, warn };
}

/** A model's parts from what was read of its files. */
export async function assembleParts<C>(
  files: ModelFiles,
  options: OpenOptions,
  read: Pick<ModelParts<C>, 'config' | 'checkpoint' | 'report' | 'processor'> & { readonly tokenizer?: LoadRules<C>['tokenizer'] },
  { warnings, warn }: ReturnType<typeof warningList>,
): Promise<ModelParts<C>> {
  // A model without a tokenizer still serves images and ids; the error is thrown when a text is given.
  const tokenizer = await (read.tokenizer ?? Tokenizer.fromFiles)(files).catch(error => {
    if (error instanceof NarrowsError) return error;
    throw error;
  });
  if (tokenizer instanceof Tokenizer) for (const warning of tokenizer.warnings) warn(warning);
  return {
    ...read,
    name: options.name ?? files.name,
    files,
    warnings,
    tokenizer,
    parameters: frozenParameters(read.checkpoint.entries, files.name),
    runtime: options.runtime,
    ownsRuntime: options.ownsRuntime ?? false,
    keepSessions: options.keepSessions ?? true,
  };
}

/** @throws NarrowsError for files without config, missing or mis-shaped tensors, only pickled weights */
export async function loadParts<C extends ModelConfig>(
  files: ModelFiles,
  options: OpenOptions,
  rules: LoadRules<C>,
): Promise<ModelParts<C>> {
  const said = warningList(options);
  const { warn } = said;
  const json = await readConfigFrom(files);
  const path = fileIn(files, 'config.json');
  const config = rules.parse(json, path);
  for (const message of checkConfigKeys(json, path, rules.sections)) warn(message);
  const opened = await openCheckpointFrom(files);
  const { entries, report } = fittedEntries(config, opened.entries, files.name, rules, warn);
  const checkpoint = { ...opened, entries };
  const { image_size: size } = config.vision_config;
  const processor = await openImageProcessor(
    files,
    { type: rules.processorType, size },
    { onWarning: warn, remedy: file => edge => anotherSize(file, size, edge) },
  );
  return assembleParts(files, options, { config, checkpoint, report, processor, tokenizer: rules.tokenizer }, said);
}

/** How to run a model on images of another size than its config's, as the end of a sentence. */
export const anotherSize = (file: string, size: number, edge?: number): string =>
  `set "size" and "crop_size" in ${file} to ${size}, or ask for another size with --image-size${edge ? ` ${edge}` : ''} (imageSize in the library), for which position embeddings are interpolated`;
