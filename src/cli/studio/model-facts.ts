/** @file What the studio says of a model before it is open: from its config and its files. */
import { join } from 'node:path';
import { answerMethods, pairMethods, methods as registered } from '../../attribution/registry.ts';
import { bottleneckOf } from '../../bottleneck/gaussian/llava.ts';
import { readConfig } from '../../checkpoints/disk.ts';
import { parseLlavaConfig } from '../../models/llava/config.ts';
import { parseLlavaMiniConfig } from '../../models/llava-mini/config.ts';
import { modelKind, parseKnownConfig } from '../../models/load.ts';
import type { ModelInfo, TowerInfo } from '../../studio/facts.ts';
import { messageOf } from '../../system/errors.ts';
import { directoryBytes } from '../commands/models-list.ts';

/** Bytes that sessions and values take besides the weights, about. */
const WORKING = 300e6;

interface Tower {
  readonly num_hidden_layers: number;
  readonly hidden_size: number;
  readonly num_attention_heads: number;
}
interface ImageTower extends Tower {
  readonly image_size: number;
  readonly patch_size: number;
}

const tower = (c: Tower): TowerInfo => ({ layers: c.num_hidden_layers, width: c.hidden_size, heads: c.num_attention_heads });
const imageTower = (c: ImageTower): NonNullable<ModelInfo['image']> => ({ ...tower(c), size: c.image_size, patch: c.patch_size });

/** What a config says of a model. @throws NarrowsError for one that Narrows does not run */
function describe(directory: string, config: Readonly<Record<string, unknown>>): Partial<ModelInfo> {
  const source = join(directory, 'config.json');
  const kind = modelKind(config, source);
  if (kind === 'dual-encoder') {
    const { vision_config: vision, text_config: text } = parseKnownConfig(config, source).config;
    return { kind, image: imageTower(vision), text: tower(text), methods: pairMethods().map(m => m.name) };
  }
  const parsed = kind === 'llava-mini' ? parseLlavaMiniConfig(config, source) : parseLlavaConfig(config, source);
  const bottleneck = bottleneckOf(parsed, source) !== undefined;
  const question = [...answerMethods(), ...registered.filter(m => m.serves === 'question')].map(m => m.name);
  return { kind, image: imageTower(parsed.vision_config), text: tower(parsed.text_config), bottleneck, methods: question };
}

/** Facts of a directory; what is wrong with it stands in `problem`. @param id the reference that opens it */
export async function modelFacts(id: string, origin: ModelInfo['origin'], directory: string, name = id): Promise<ModelInfo> {
  const bytes = await directoryBytes(directory);
  const plain: ModelInfo = { id, name, origin, bytes, memory: bytes + WORKING, open: false, methods: [], unserved: {} };
  try {
    return { ...plain, ...describe(directory, await readConfig(directory)) };
  } catch (error) {
    return { ...plain, problem: messageOf(error) };
  }
}
