/** @file Files of a checkpoint directory beside its weights, and what tensors a config asks for. */
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { input, type Value } from '../../graph/index.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';
import { writeError } from '../../system/files.ts';
import type { CLIPConfig } from './config.ts';
import { similarity, textTower, visionTower } from './forward.ts';

/** Every tensor of a CLIP with this config, by name, found by tracing the model. */
export function wantedTensors(config: CLIPConfig): ReadonlyMap<string, Value> {
  const p: Parameters = trainableParameters();
  const { num_channels: channels, image_size: size } = config.vision_config;
  const image = visionTower(p, config, input('pixel_values', ['batch', channels, size, size]));
  const text = textTower(p, config, input('input_ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  similarity(p, image, text);
  return p.all;
}

/** Tokenizer, preprocessor and other small files; weights, indices and config.json are written by the saver. */
export async function copySideFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!/\.(json|txt|jinja)$/.test(name) || name === 'config.json' || name.endsWith('.index.json')) continue;
    await copyFile(join(from, name), join(to, name)).catch(error => {
      throw writeError(join(to, name), error);
    });
  }
}
