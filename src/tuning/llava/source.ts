/** @file What a run starts from: a LLaVA's configuration, small files, tokenizer, and where its weights stand. */

import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { BOTTLENECK_WEIGHTS } from '../../bottleneck/gaussian/llava.ts';
import { readBottleneck } from '../../bottleneck/gaussian/pretrained.ts';
import { openCheckpoint, openSafetensors, readConfig } from '../../checkpoints/disk.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { PREPROCESSOR_FILE, readImageRules } from '../../inputs/image/image-rules.ts';
import { parseProcessorConfig } from '../../inputs/image/processor-config.ts';
import { readTokenizerDirectory } from '../../inputs/text/disk.ts';
import { findModel } from '../../models/bundled.ts';
import { checkConfigKeys } from '../../models/config-keys.ts';
import { type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import type { Naming } from '../../models/llava/family.ts';
import { llavaRules, requireTensors } from '../../models/llava/files.ts';
import { inMemoryEntries, type LlavaLayout } from '../../models/llava/layout.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { BESIDE_WEIGHTS, type SideFile, smallFiles } from '../clip/source.ts';
import type { ChatFormat } from './chat-reader.ts';

/** Where a run starts. */
export interface LlavaSource {
  readonly directory: string;
  readonly config: LlavaConfig;
  /** config.json, keys verbatim. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Every tensor by its name in memory, those of a bottleneck included. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly layout: LlavaLayout;
  /** Texts of the files next to weights and config.json, by name; they are written into every checkpoint. */
  readonly files: ReadonlyMap<string, SideFile>;
  /** Those of them that say how a run was trained, where they differ from the start's; an adapter brings them, too. */
  readonly changed?: ReadonlyMap<string, SideFile>;
  /** The image rules, with their class (see `readImageRules`). */
  readonly preprocessor: object;
  /** What was assumed or ignored while reading, in sentences. */
  readonly warnings: readonly string[];
  readonly tokenizer: ChatFormat['tokenizer'];
  /** The bottleneck that the checkpoint has already. */
  readonly bottleneck?: BottleneckConfig;
}

/** Every tensor of a directory by its name in memory, those of a bottleneck included. @param naming a family's own. @throws NarrowsError for a damaged file */
export async function openLlavaWeights(
  directory: string,
  hasBottleneck: boolean,
  naming?: Naming,
): Promise<{ entries: Map<string, TensorEntry>; layout: LlavaLayout }> {
  const { entries, layout } = inMemoryEntries((await openCheckpoint(directory)).entries, naming);
  if (hasBottleneck)
    for (const [name, entry] of (await openSafetensors(join(directory, BOTTLENECK_WEIGHTS))).tensors) entries.set(name, entry);
  return { entries, layout };
}

/**
 * Opens a checkpoint to start from. @param reference a directory, a shipped model, or `org/name[@revision]`
 * @throws NarrowsError in one sentence for a directory that holds no complete LLaVA with its tokenizer
 */
export async function llavaSource(reference: string): Promise<LlavaSource> {
  const { directory } = await findModel(reference);
  const json = (await readConfig(directory)) as Record<string, unknown>;
  const path = join(directory, 'config.json');
  const config = parseLlavaConfig(json, path);
  const bottleneck = (await readBottleneck(directory))?.config;
  const family = familyOf(config);
  const { entries, layout } = await openLlavaWeights(directory, bottleneck !== undefined, family?.naming);
  requireTensors(config, entries, directory);
  const tokenizer = await readTokenizerDirectory(directory);
  const files = await smallFiles(directory, BESIDE_WEIGHTS);
  const warnings = [...checkConfigKeys(json, path), ...tokenizer.warnings];
  const rules = await readImageRules(diskFiles(directory), llavaRules(config), w => warnings.push(w));
  // Every key that is ignored is said once; the readers of the run are silent.
  if (family) family.reader(config, rules.json, rules.file, w => warnings.push(w));
  else parseProcessorConfig(rules.json, { file: rules.file, onWarning: w => warnings.push(w) });
  if (!rules.stored) files.set(PREPROCESSOR_FILE, `${JSON.stringify(rules.json, null, 2)}\n`);
  return { directory, config, json, entries, layout, files, preprocessor: rules.json, tokenizer, bottleneck, warnings };
}

/** @throws NarrowsError (usage) where a checkpoint with a bottleneck is to be trained without it */
export function checkBottleneckKept(source: LlavaSource, method: string): void {
  if (source.bottleneck && method !== 'vittle')
    throw new NarrowsError(
      `${source.directory} has a bottleneck ("bottleneck_config"), which the method "${method}" would leave behind; take --method vittle.`,
      { kind: 'usage' },
    );
}
