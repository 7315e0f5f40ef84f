/** @file Makes a model directory of what is none: an original LLaVA's checkpoint, or a LoRA adapter and its base. */

import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { ADAPTER_CONFIG, mergeLora, readAdapter } from '../../checkpoints/peft.ts';
import { readFloats, readTensor, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { PREPROCESSOR_FILE, readImageRules } from '../../inputs/image/image-rules.ts';
import { findModel } from '../../models/bundled.ts';
import { isOriginalLlava, parseLlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { requireTensors } from '../../models/llava/files.ts';
import { nameInMemory } from '../../models/llava/layout.ts';
import { refuseRelative } from '../../models/llava/relatives.ts';
import { miniNameInMemory } from '../../models/llava-mini/files.ts';
import { stat } from '../../node/disk.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import { type SideFile, smallFiles } from '../clip/source.ts';
import { saveLlava } from './save.ts';
import { llavaSource } from './source.ts';

/** What a conversion reads and writes. */
export interface Conversion {
  /** The checkpoint or adapter. */
  readonly directory: string;
  readonly output: string;
  /** An original LLaVA's vision tower; what its config names by default. For an adapter: its base model; what it names by default. */
  readonly visionTower?: string;
  readonly base?: string;
  readonly onWarning?: (message: string) => void;
}

type Json = Record<string, unknown>;
const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
/** Tokens that the original code joins around and transformers wants in the vocabulary (convert_llava_weights_to_hf.py). */
const ADDED = ['<image>', '<pad>'] as const;
/** Files of a tokenizer. */
const TOKENIZER = /^(tokenizer|special_tokens_map|vocab|merges|added_tokens|generation_config)[\w.]*\.(json|txt|model)$/;

/**
 * Converts by what the directory holds. @returns what was done, in words
 * @throws NarrowsError for a directory of neither kind, a projector that transformers does not have, or parts that do not fit
 */
export async function convertModel(conversion: Conversion): Promise<string> {
  const { directory } = conversion;
  if (await exists(join(directory, ADAPTER_CONFIG))) return mergeAdapter(conversion);
  const json = await readConfig(directory);
  if (isOriginalLlava(json)) return convertOriginal(conversion, json);
  throw new NarrowsError(
    `${directory} is neither an original LLaVA (mm_vision_tower in its config.json) nor a LoRA adapter (${ADAPTER_CONFIG}); nothing else needs converting, or can be converted.`,
  );
}

async function mergeAdapter({ directory, output, base }: Conversion): Promise<string> {
  const adapter = await readAdapter(directory);
  const named = base ?? (adapter.config as unknown as Json).base_model_name_or_path;
  if (typeof named !== 'string' || named === '')
    throw new NarrowsError(`${join(directory, ADAPTER_CONFIG)} does not name its base model; give it with --base.`, { kind: 'usage' });
  const source = await llavaSource(named);
  if (source.bottleneck) throw new NarrowsError(`${named} has a bottleneck, into which no adapter is merged.`);
  const weights = new Map<string, FloatTensor>();
  for (const [name, entry] of source.entries) weights.set(name, floats(entry.shape, await readFloats(entry)));
  const { torch_dtype: _, ...json } = source.json;
  const { files, layout } = source;
  const naming = familyOf(source.config)?.naming;
  const tensors = new Map([...adapter.tensors].map(([name, tensor]) => [nameInMemory(name, naming), tensor]));
  const merged = mergeLora(weights, { ...adapter, tensors }, source.directory);
  await saveLlava(output, merged, { config: { ...json, dtype: 'float32' }, files, layout, naming });
  return `the adapter merged into ${named}`;
}

/** transformers' config of an original one. @throws NarrowsError for what it cannot hold */
function convertedConfig(json: Json, vision: Json, source: string): Json {
  const refuse = (key: string, runs: string): never => {
    throw new NarrowsError(`${source}: ${key} is ${JSON.stringify(json[key])}; LLaVAs with ${runs} can be converted.`);
  };
  if (json.mm_projector_type !== 'mlp2x_gelu') refuse('mm_projector_type', 'mlp2x_gelu');
  if (json.mm_use_im_start_end === true) refuse('mm_use_im_start_end', 'no tokens around an image');
  const feature = json.mm_vision_select_feature ?? 'patch';
  if (feature !== 'patch' && feature !== 'cls_patch') refuse('mm_vision_select_feature', '"patch" or "cls_patch"');
  const siglip = vision.model_type === 'siglip_vision_model';
  const text = Object.fromEntries(Object.entries(json).filter(([key]) => !/^(mm_|tune_|use_mm|freeze_|image_|architectures$)/.test(key)));
  const vocabulary = Number(json.vocab_size);
  return {
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    dtype: json.torch_dtype ?? json.dtype,
    image_token_index: vocabulary,
    pad_token_id: vocabulary + 1,
    projector_hidden_act: 'gelu',
    vision_feature_layer: json.mm_vision_select_layer ?? -2,
    vision_feature_select_strategy: feature === 'patch' && !siglip ? 'default' : 'full',
    // Read by Narrows: how pictures that are no square are answered and trained on.
    ...(json.image_aspect_ratio === undefined ? {} : { image_aspect_ratio: json.image_aspect_ratio }),
    tie_word_embeddings: json.tie_word_embeddings ?? false,
    text_config: { ...text, architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: vocabulary + ADDED.length },
    vision_config: vision,
  };
}

/** Rows for the added tokens: the mean of all others, so that they are never the likeliest. */
function withRows({ dtype, shape, data }: Tensor, mean: Float32Array, name: string): Tensor {
  const width = shape[1];
  if (dtype !== 'float32') throw new NarrowsError(`"${name}" is ${dtype} where float32 is expected.`);
  const out = new Float32Array((shape[0] + ADDED.length) * width);
  out.set(data as Float32Array);
  for (let i = 0; i < ADDED.length; i++) out.set(mean, (shape[0] + i) * width);
  return floats([shape[0] + ADDED.length, width], out);
}

async function grown(entry: TensorEntry, name: string): Promise<Tensor> {
  const values = await readFloats(entry);
  const width = entry.shape[1];
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) sums[i % width] += values[i];
  return withRows(
    floats(entry.shape, values),
    Float32Array.from(sums, s => s / entry.shape[0]),
    name,
  );
}

/** The tower's config, files' place and tensors by their names in memory. */
async function openTower(reference: string): Promise<{ directory: string; vision: Json; tensors: Map<string, TensorEntry> }> {
  const { directory } = await findModel(reference);
  const json = (await readConfig(directory)) as Json;
  const kinds: Record<string, string> = { clip: 'clip_vision_model', siglip: 'siglip_vision_model' };
  const type = String(json.model_type);
  const vision = kinds[type] ? { ...(json.vision_config as Json), model_type: kinds[type] } : json;
  if (!Object.values(kinds).includes(String(vision.model_type)))
    throw new NarrowsError(`${reference} is of model_type ${JSON.stringify(json.model_type)}; a LLaVA's vision tower is a CLIP or SigLIP.`);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of (await openCheckpoint(directory)).entries) {
    const at = name.indexOf('vision_model.');
    if (at === 0 || name.slice(0, at) === 'clip.' || name.slice(0, at) === 'siglip.')
      tensors.set(`model.vision_tower.${name.slice(at)}`, entry);
  }
  return { directory, vision, tensors };
}

/** The tokenizer's files with the added tokens in them. */
async function tokenizerWith(directory: string, vocabulary: number): Promise<Map<string, SideFile>> {
  const files = await smallFiles(directory, TOKENIZER);
  const ids = Object.fromEntries(ADDED.map((token, i) => [token, vocabulary + i]));
  const file = files.get('tokenizer.json');
  if (file !== undefined) {
    const json = JSON.parse(String(file)) as { added_tokens?: Json[] };
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    json.added_tokens = [...(json.added_tokens ?? []), ...ADDED.map(content => ({ id: ids[content], content, ...flags }))];
    files.set('tokenizer.json', toJson(json));
  }
  const added = files.get('added_tokens.json');
  files.set('added_tokens.json', toJson({ ...(added ? (JSON.parse(String(added)) as Json) : {}), ...ids }));
  return files;
}

async function convertOriginal({ directory, output, visionTower, onWarning }: Conversion, json: Json): Promise<string> {
  const source = join(directory, 'config.json');
  refuseRelative(json, source);
  const tower = await openTower(visionTower ?? String(json.mm_vision_tower));
  const raw = convertedConfig(json, tower.vision, source);
  const config = parseLlavaConfig(raw, source);
  const tuned = new Map([...(await openCheckpoint(directory)).entries].map(([name, entry]) => [miniNameInMemory(name), entry]));
  // A tower that was tuned with the model stands in the checkpoint and comes before the one that it started from.
  const entries = new Map([...tower.tensors, ...tuned]);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of entries) {
    const table = name === 'lm_head.weight' || name === 'model.language_model.embed_tokens.weight';
    tensors.set(name, table ? await grown(entry, name) : await readTensor(entry));
  }
  const shaped = new Map([...entries].map(([name, entry]) => [name, { ...entry, shape: tensors.get(name)!.shape }]));
  requireTensors(config, shaped, directory);
  const files = await tokenizerWith(directory, Number(json.vocab_size));
  const rules = await readImageRules(
    diskFiles(tower.directory),
    { type: 'CLIPImageProcessor', size: config.vision_config.image_size },
    onWarning,
  );
  files.set(PREPROCESSOR_FILE, toJson(rules.json));
  const processor = {
    processor_class: 'LlavaProcessor',
    patch_size: config.vision_config.patch_size,
    vision_feature_select_strategy: config.vision_feature_select_strategy,
    image_token: ADDED[0],
    num_additional_image_tokens: config.vision_config.model_type === 'clip_vision_model' ? 1 : 0,
  };
  files.set('processor_config.json', toJson(processor));
  await saveLlava(output, tensors, { config: raw, files });
  return `the original LLaVA with ${tuned.size} tensors of its own${[...tuned.keys()].some(n => n.startsWith('model.vision_tower.')) ? ', its vision tower among them,' : ''} and the vision tower of ${tower.directory}`;
}
