/** @file Two towers that were saved apart (CLIPVisionModelWithProjection, CLIPTextModelWithProjection) as one CLIP, which opens everywhere. */
import { openCheckpoint, readConfig } from '../checkpoints/disk.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../checkpoints/save.ts';
import { diskFiles } from '../node/disk-files.ts';
import { makeDirectory } from '../node/files.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { parseCLIPConfig } from './clip/config.ts';
import { wantedTensors } from './clip/files.ts';
import { fittedEntries } from './load-parts.ts';
import { copySideFiles } from './side-files.ts';

/** ln 100: the largest scale in CLIP's training, at which OpenAI's models end. */
const LOGIT_SCALE = Math.log(100);

/** The towers and where their CLIP goes; all are directories. */
export interface TowerPair {
  readonly vision: string;
  readonly text: string;
  readonly output: string;
  readonly onWarning?: (message: string) => void;
}

async function tower(directory: string, type: 'clip_vision_model' | 'clip_text_model', what: string) {
  const config = await readConfig(directory);
  if (config.model_type !== type)
    throw new NarrowsError(
      `${join(directory, 'config.json')} is of model_type ${JSON.stringify(config.model_type)}, not "${type}" (${what}), so it is no such tower.`,
    );
  const { entries } = await openCheckpoint(directory);
  return { config, entries, projection: typeof config.projection_dim === 'number' ? config.projection_dim : 512 };
}

/**
 * Writes both towers as a CLIP in transformers' layout; tokenizer and preprocessor come from whichever directory holds them.
 * @throws NarrowsError where a directory holds another model, the towers do not share a space, or tensors are missing
 */
export async function joinTowers({ vision, text, output, onWarning }: TowerPair): Promise<void> {
  const image = await tower(vision, 'clip_vision_model', 'CLIPVisionModelWithProjection');
  const words = await tower(text, 'clip_text_model', 'CLIPTextModelWithProjection');
  if (image.projection !== words.projection)
    throw new NarrowsError(
      `The image tower of ${vision} projects to ${image.projection} numbers and the text tower of ${text} to ${words.projection}; they do not belong together.`,
    );
  const config = {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: image.projection,
    text_config: words.config,
    vision_config: image.config,
  };
  const entries = new Map([...image.entries, ...words.entries]);
  const scale = entries.has('logit_scale') ? undefined : floats([], [LOGIT_SCALE]);
  const wanted = (parsed: ReturnType<typeof parseCLIPConfig>) =>
    new Map([...wantedTensors(parsed)].filter(([name]) => !scale || name !== 'logit_scale'));
  const parsed = parseCLIPConfig(config, `the towers of ${vision} and ${text}`);
  const fitted = fittedEntries(parsed, entries, `${vision} with ${text}`, { wanted }, onWarning);
  if (scale)
    onWarning?.(
      'Towers that were saved apart hold no logit_scale; ln 100 is written, at which the training of CLIP ends. Cosines do not depend on it, probabilities among labels do.',
    );
  await makeDirectory(output);
  for (const from of [text, vision]) await copySideFiles(diskFiles(from), output);
  const tensors: [string, Tensor][] = [];
  for (const name of fitted.wanted.keys()) tensors.push([name, await readTensor(fitted.entries.get(name)!)]);
  if (scale) tensors.push(['logit_scale', scale]);
  await saveCheckpoint(output, tensors, { config });
}
