/** @file Opens a checkpoint of a family of two towers: config, stored tensors, image rules, tokenizer. */
import { openCheckpointFrom } from '../../checkpoints/checkpoint.ts';
import { readConfigFrom } from '../../checkpoints/config.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import type { ImageProcessor } from '../../inputs/image/processor.ts';
import type { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { unreadSentence } from '../../nn/fit-entries.ts';
import { reportSentence } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles } from '../../system/model-files.ts';
import { checkConfigKeys } from '../config-keys.ts';
import { assembleParts, type OpenOptions, warningList } from '../load-parts.ts';
import { requireTowerBlocks } from '../model-config.ts';
import { wantedTensors } from './forward.ts';
import { TowersModel } from './model.ts';
import type { TowersConfig } from './spec.ts';
import { type StoredName, storedEntries } from './stored.ts';

/** A family's model: what it computes, where its tensors stand, how inputs are made. */
export interface OpenedTowers {
  readonly config: TowersConfig;
  readonly where: StoredName;
  /** What was supposed, in sentences. */
  readonly warnings: readonly string[];
  /** Names of tensors that, left over, show that the model is another than its config says. */
  readonly strict?: RegExp;
}

/** How a family's checkpoint is opened. */
export interface TowersFamily<O extends OpenedTowers = OpenedTowers> {
  /** The file that holds the config. */
  readonly file: string;
  /** @throws NarrowsError for a config that is wrong or whose model is not computed */
  open(json: Readonly<Record<string, unknown>>, file: string, stored: ReadonlyMap<string, TensorEntry>, files: ModelFiles): O | Promise<O>;
  processor(opened: O, files: ModelFiles, onWarning: (message: string) => void): Promise<ImageProcessor>;
  tokenizer?(files: ModelFiles, opened: O): Promise<Tokenizer>;
  /** The config once the tokenizer is known. */
  complete?(opened: O, tokenizer: Tokenizer): TowersConfig;
}

/** @throws NarrowsError for files without config, missing or mis-shaped tensors, only pickled weights */
export async function openTowers<O extends OpenedTowers>(
  files: ModelFiles,
  options: OpenOptions,
  family: TowersFamily<O>,
): Promise<TowersModel> {
  const said = warningList(options);
  const json = await readConfigFrom(files);
  const file = fileIn(files, family.file);
  for (const message of checkConfigKeys(json, file)) said.warn(message);
  const checkpoint = await openCheckpointFrom(files);
  const opened = await family.open(json, file, checkpoint.entries, files);
  for (const message of opened.warnings) said.warn(message);
  requireTowerBlocks(opened.config, checkpoint.entries, files.name);
  const { entries, report } = storedEntries(wantedTensors(opened.config), checkpoint.entries, opened.where);
  const problem = reportSentence(report, files.name);
  if (problem) throw new NarrowsError(problem.replace('config.json', family.file));
  const foreign = report.unexpected.filter(name => opened.strict?.test(name));
  if (foreign.length)
    throw new NarrowsError(
      `${files.name} has tensors that the model of ${family.file} has no place for (${foreign.slice(0, 3).join(', ')}); it is of another architecture, which Narrows does not compute.`,
    );
  const unread = unreadSentence(report.unexpected, files.name);
  if (unread) said.warn(unread.replace('config.json', family.file));
  const { tokenizer: read } = family;
  const parts = await assembleParts(
    files,
    options,
    {
      config: opened.config,
      checkpoint: { ...checkpoint, entries, stored: checkpoint.entries },
      report,
      processor: await family.processor(opened, files, said.warn),
      ...(read ? { tokenizer: (from: ModelFiles) => read(from, opened) } : {}),
    },
    said,
  );
  const { tokenizer } = parts;
  const config = tokenizer instanceof NarrowsError ? opened.config : (family.complete?.(opened, tokenizer) ?? opened.config);
  return new TowersModel({ ...parts, config });
}
