/** @file `narrows models info`: what a model is, from its config and its files; no weight is loaded. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { openCheckpoint, readConfig, sha256File } from '../../checkpoints/disk.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import { OPEN_CLIP_CONFIG } from '../../checkpoints/open-clip.ts';
import { readImageRules } from '../../inputs/image/image-rules.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { Tokenizer } from '../../inputs/text/disk.ts';
import { findModel } from '../../models/bundled.ts';
import { parseLlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { refuseRelative } from '../../models/llava/relatives.ts';
import { modelKind, parseKnownConfig } from '../../models/load.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { formatBytes, formatCount } from '../../system/format.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { CommandModule, Context } from '../command.ts';
import { examples } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { type Description, describeLlava } from '../models/describe-llava.ts';

function configure(command: Command): void {
  command
    .argument('<model>', 'shipped model, directory, or org/name[@revision]')
    .addHelpText(
      'after',
      examples(['narrows models info scene-clip', 'Describe the shipped model'], ['narrows models info ./my-clip --json', 'As JSON']),
    );
}

/** The description of a model that compares images with texts. */
async function describeDualEncoder(directory: string, json: Readonly<Record<string, unknown>>): Promise<Description> {
  const { entries } = await openCheckpoint(directory);
  const file = json.model_type === 'open_clip' ? OPEN_CLIP_CONFIG : 'config.json';
  const { config, projection, warnings } = parseKnownConfig(json, join(directory, file), entries);
  const { vision_config: vision, text_config: text } = config;
  const side = Math.floor(vision.image_size / vision.patch_size);
  const tower = (c: typeof vision | typeof text) => ({
    layers: c.num_hidden_layers,
    width: c.hidden_size,
    heads: c.num_attention_heads,
    activation: c.hidden_act,
  });
  const image = { ...tower(vision), size: vision.image_size, patch: vision.patch_size, grid: [side, side] };
  const words = { ...tower(text), vocabulary: text.vocab_size, longest: text.max_position_embeddings };
  const shown = (t: ReturnType<typeof tower>) => `${t.layers} blocks, width ${t.width}, ${t.heads} heads, ${t.activation}`;
  return {
    warnings,
    fields: { modelType: config.model_type, projection, image, text: words },
    rows: [
      ['Image tower', `${shown(image)}; ${image.size} x ${image.size} pixels in patches of ${image.patch}: grid ${image.grid.join(' x ')}`],
      ['Text tower', `${shown(words)}; ${formatCount(words.vocabulary)} tokens known, ${words.longest} at most in a caption`],
      ['Embedding', `${projection} dimensions`],
    ],
  };
}

/** How pictures are made ready: the class and where its rules stand, or what is wrong with them. */
async function describeRules(directory: string, { fields }: Description, config: Readonly<Record<string, unknown>>) {
  const image = fields.image as { readonly size: number; readonly kind?: string };
  if (fields.modelType === 'open_clip') return { type: 'preprocess_cfg', file: OPEN_CLIP_CONFIG, warnings: [] };
  const family = familyOf({ model_type: String(fields.modelType) });
  const type = family
    ? family.processorType
    : /^siglip/.test(image.kind ?? String(fields.modelType))
      ? 'SiglipImageProcessor'
      : 'CLIPImageProcessor';
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  try {
    const { file, stored, json } = await readImageRules(diskFiles(directory), { type, size: image.size }, onWarning);
    if (family) family.reader(parseLlavaConfig(config, join(directory, 'config.json')), json, file, onWarning);
    else ImageProcessor.fromConfig(json, { file, onWarning }, { size: image.size, remedy: () => 'the model takes no other' });
    return { type: json.image_processor_type as string, ...(stored ? { file: basename(file) } : {}), warnings };
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    return { warnings, problem: error.message };
  }
}

/** What every model has: tokenizer, tensors, files, hashes. */
async function describeFiles(context: Context, directory: string) {
  const checkpoint = await openCheckpoint(directory);
  const entries = [...checkpoint.entries.values()];
  context.status('Hashing the weights');
  const files = await Promise.all(
    checkpoint.files.map(async path => ({ name: basename(path), bytes: (await stat(path)).size, sha256: await sha256File(path) })),
  );
  const tokenizer = await Tokenizer.fromDirectory(directory).catch(messageOf);
  context.signal.throwIfAborted();
  return {
    tokenizer: typeof tokenizer === 'string' ? { problem: tokenizer } : { vocabulary: tokenizer.vocabularySize },
    tensors: entries.length,
    parameters: entries.reduce((sum, e) => sum + (e.dtype === 'int64' ? 0 : sizeOf(e.shape)), 0),
    dtypes: [...new Set(entries.map(e => e.dtype))].filter(d => d !== 'int64'),
    files,
    sha256: await checkpointHash(checkpoint),
  };
}

async function run(context: Context, _options: unknown, [reference]: readonly (string | undefined)[]) {
  const { directory, name } = await findModel(reference as string, hubOptions(context));
  const json = await readConfig(directory);
  const source = join(directory, 'config.json');
  refuseRelative(json, source);
  const dual = modelKind(json, source) === 'dual-encoder';
  const description = await (dual ? describeDualEncoder : describeLlava)(directory, json);
  const { fields, rows: modelRows } = description;
  const { warnings: ofRules, ...imageRules } = await describeRules(directory, description, json);
  const warnings = [...(description.warnings ?? []), ...ofRules];
  const files = await describeFiles(context, directory);
  context.status();
  for (const warning of warnings) context.log.warn(warning);
  if (context.json) {
    context.print(JSON.stringify({ name, directory, ...fields, imageRules, ...files, ...(warnings.length ? { warnings } : {}) }));
    return undefined;
  }
  const { tokenizer } = files;
  const rows: (readonly [string, string])[] = [
    ['Model', `${name} (${fields.modelType})`],
    ['Directory', directory],
    ...modelRows,
    ['Image rules', imageRules.problem ?? `${imageRules.type}, ${imageRules.file ?? 'its defaults: the directory has none'}`],
    ['Tokenizer', tokenizer.problem ?? `${formatCount(tokenizer.vocabulary as number)} entries`],
    ['Parameters', `${formatCount(files.parameters)} in ${files.tensors} tensors, ${files.dtypes.join(', ')}`],
    ...files.files.map((f): [string, string] => ['File', `${f.name}  ${formatBytes(f.bytes)}  sha256 ${f.sha256}`]),
    ['Weights', `sha256 ${files.sha256} (tensors by name, however they are sharded)`],
  ];
  for (const [label, value] of rows) context.print(`${context.colours.style('bold', label.padEnd(11))} ${value}`);
  return undefined;
}

/** `narrows models info MODEL`. */
export const modelsInfoCommand: CommandModule = { configure, run };
