/** @file What a LLaVA's files give before a model stands on it. */

import { type Checkpoint, openCheckpointFrom } from '../../checkpoints/checkpoint.ts';
import { readConfigFrom } from '../../checkpoints/config.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import type { Value } from '../../graph/index.ts';
import { openImageProcessor, readImageRules } from '../../inputs/image/image-rules.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { unreadSentence } from '../../nn/fit-entries.ts';
import { frozenParameters, type LoadReport, type Parameters } from '../../nn/parameters.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles } from '../../system/model-files.ts';
import { checkConfigKeys } from '../config-keys.ts';
import type { OpenOptions } from '../load-parts.ts';
import { type LlavaConfig, parseLlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import { imageTokenText, llavaRules, requireTensors, wantedTensors } from './files.ts';
import type { LlavaTap } from './forward.ts';
import { inMemoryEntries, type LlavaLayout } from './layout.ts';
import { requireMemory, weightMemory, worthRepacking } from './memory.ts';
import type { PictureReader } from './pictures.ts';

/** How a LLaVA is run. */
export interface LlavaOpenOptions extends Omit<OpenOptions, 'keepSessions'> {
  /** Stands between the decoder's blocks: a bottleneck. */
  readonly tap?: LlavaTap;
  /** Bytes that the model may take; without it nothing is asked. */
  readonly availableMemory?: number;
  /** A second copy of the weights, repacked for speed; by default for weights up to 1 GB where there is room for it. */
  readonly prepack?: boolean;
}

/** What differs between the kinds of LLaVA when one is loaded. */
export interface LlavaKind<C extends LlavaConfig> {
  /** @throws NarrowsError for a config of another kind */
  parse(json: unknown, source: string): C;
  /** A checkpoint's tensors by their names in memory. */
  inMemory(entries: ReadonlyMap<string, TensorEntry>, config: C): { entries: Map<string, TensorEntry>; layout: LlavaLayout };
  /** Every tensor that the model asks for, by name in memory. */
  wanted(config: C): ReadonlyMap<string, Value>;
}

const LLAVA: LlavaKind<LlavaConfig> = {
  parse: parseLlavaConfig,
  inMemory: (entries, config) => inMemoryEntries(entries, familyOf(config)?.naming),
  wanted: wantedTensors,
};

/** The parts of a loaded LLaVA. */
export interface LlavaParts<C extends LlavaConfig = LlavaConfig> {
  readonly name: string;
  readonly files: ModelFiles;
  readonly config: C;
  /** Entries under their names in memory. */
  readonly checkpoint: Checkpoint;
  readonly layout: LlavaLayout;
  readonly report: LoadReport;
  /** The image rules of one square of pixels. A family's whole rules are `pictures`. */
  readonly processor: ImageProcessor;
  /** How another family than LLaVA takes pictures: tiles, or patches of any number. */
  readonly pictures?: PictureReader;
  /** What was assumed or ignored while loading, in sentences. */
  readonly warnings: readonly string[];
  /** The error that is thrown when a text is given, where there is no usable tokenizer. */
  readonly tokenizer: Tokenizer | NarrowsError;
  readonly parameters: Parameters;
  readonly runtime: Runtime;
  readonly ownsRuntime: boolean;
  readonly prepack: boolean;
}

/** The image rules of a checkpoint, as one square's and, for a family, as what makes tiles or patches of a picture. */
async function openPictures(files: ModelFiles, config: LlavaConfig, warn: (message: string) => void) {
  const family = familyOf(config);
  if (!family) return { processor: await openImageProcessor(files, llavaRules(config), { onWarning: warn }) };
  const { json, file } = await readImageRules(files, llavaRules(config), warn);
  const pictures = family.reader(config, json, file, warn);
  const { image_size: edge } = config.vision_config;
  const { image_mean, image_std } = json;
  const square = { size: { height: edge, width: edge }, ...(image_mean ? { image_mean } : {}), ...(image_std ? { image_std } : {}) };
  return { processor: ImageProcessor.fromConfig({ ...square, image_processor_type: 'SiglipImageProcessor' }), pictures };
}

/**
 * @throws NarrowsError in one sentence for a directory without config, another kind of model, missing or mis-shaped tensors, tower,
 *   projector and decoder that do not fit, a tokenizer without the image token, too little memory, only pickled weights
 */
export const loadLlava = (files: ModelFiles, options: LlavaOpenOptions): Promise<LlavaParts> => loadLlavaKind(LLAVA, files, options);

/** As `loadLlava`, for a model that is built like one. */
export async function loadLlavaKind<C extends LlavaConfig>(
  kind: LlavaKind<C>,
  files: ModelFiles,
  options: LlavaOpenOptions,
): Promise<LlavaParts<C>> {
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    options.onWarning?.(message);
  };
  const json = await readConfigFrom(files);
  const path = fileIn(files, 'config.json');
  const config = kind.parse(json, path);
  for (const message of checkConfigKeys(json, path)) warn(message);
  const opened = await openCheckpointFrom(files);
  const { entries, layout } = kind.inMemory(opened.entries, config);
  const { wanted, report } = requireTensors(config, entries, files.name, () => kind.wanted(config));
  // A tower's last blocks and pooling head stand in every LLaVA and are never read; a tied head may be stored again.
  const unread = unreadSentence(
    report.unexpected.filter(name => !name.startsWith('model.vision_tower.') && name !== 'lm_head.weight'),
    files.name,
  );
  if (unread) warn(unread);
  const weights = weightMemory(entries, wanted.keys());
  const available = options.availableMemory ?? Number.POSITIVE_INFINITY;
  requireMemory(files.name, weights, available);
  const tokenizer = await Tokenizer.fromFiles(files).catch(error => {
    if (error instanceof NarrowsError) return error;
    throw error;
  });
  if (tokenizer instanceof Tokenizer) for (const warning of tokenizer.warnings) warn(warning);
  // An image token below 0 stands in no text: ids are joined around it.
  if (tokenizer instanceof Tokenizer && config.image_token_index >= 0) imageTokenText(tokenizer, config, files.name);
  const { processor, pictures } = await openPictures(files, config, warn);
  return {
    name: options.name ?? files.name,
    files,
    config,
    checkpoint: { ...opened, entries },
    layout,
    report,
    processor,
    pictures,
    warnings,
    tokenizer,
    parameters: frozenParameters(entries, files.name),
    runtime: options.runtime,
    ownsRuntime: options.ownsRuntime ?? false,
    prepack: options.prepack ?? worthRepacking(weights, available),
  };
}
