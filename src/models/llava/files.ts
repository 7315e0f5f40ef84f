/** @file What tensors a LLaVA's config asks for, and whether a checkpoint's parts belong together. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { type Dim, input, type Value } from '../../graph/index.ts';
import type { DefaultRules } from '../../inputs/image/image-rules.ts';
import type { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { loadReport, reportSentence, trainableParameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { requireTowerBlocks } from '../model-config.ts';
import { imageTokens, type LlavaConfig, towerWidth } from './config.ts';
import { familyOf } from './families.ts';
import { llavaForward, type TokenValues } from './forward.ts';
import { noLayouts, type Pictured } from './pictures.ts';

/** The image rules of a LLaVA that stores none (by its tower), and the class of rules that name none. */
export const llavaRules = (config: LlavaConfig): DefaultRules => ({
  type: familyOf(config)?.processorType ?? defaultType(config),
  size: config.vision_config.image_size,
});

const defaultType = ({ vision_config: { model_type: tower } }: LlavaConfig): string =>
  tower === 'siglip_vision_model' ? 'SiglipImageProcessor' : 'CLIPImageProcessor';

/** The graph inputs of a whole batch. */
export function tokenInputs(batch = 'batch', length = 'seq'): TokenValues {
  const ints = (name: string): Value => input(name, [batch, length], 'int32');
  return {
    ids: ints('input_ids'),
    modality: ints('modality'),
    imageRows: ints('image_rows'),
    positions: ints('position_ids'),
    attentionMask: ints('attention_mask'),
  };
}

/** As `tokenInputs`, with rows and columns where the model's positions go by them. */
export function rowInputs(config: LlavaConfig, batch = 'batch', length = 'seq'): TokenValues {
  const tokens = tokenInputs(batch, length);
  return familyOf(config)?.tokenGrid ? { ...tokens, spatial: input('position_ids_spatial', [batch, length, 2], 'int32') } : tokens;
}

/** The graph input of the images, [images, C, S, S], or as a family has it. @param rows of a family's, where they are known */
export function pixelInput(config: LlavaConfig, rows?: Dim): Value {
  const { num_channels: channels, image_size: size } = config.vision_config;
  const family = familyOf(config);
  if (family) return family.pixelInput(config, rows);
  return input('pixel_values', ['images', channels, size, size]);
}

/** What a graph with `pixelInput` is fed. @throws NarrowsError where a family needs layouts that the pixels do not bring */
export function pictureFeeds(config: LlavaConfig, pixels: Pictured): Record<string, Tensor> {
  const { layouts } = pixels;
  const further = familyOf(config)?.feeds;
  if (!further) return { pixel_values: pixels };
  if (!layouts) throw noLayouts();
  return { pixel_values: pixels, ...further(config, layouts) };
}

/** The graph input of images that a tower has encoded already, [images, N, width of the tower × layers]; see `towerFeatures`. */
export const featureInput = (config: LlavaConfig): Value => input('tower_features', ['images', imageTokens(config), towerWidth(config)]);

/** Every tensor that a LLaVA with this config reads, by its name in memory, found by tracing the model. */
export function wantedTensors(config: LlavaConfig): ReadonlyMap<string, Value> {
  const p = trainableParameters();
  llavaForward(p, config, rowInputs(config), pixelInput(config));
  return p.all;
}

/**
 * @param entries by name in memory @param wantedOf traces the model; asked only once the numbers of blocks are plausible
 * @throws NarrowsError in one sentence for missing or mis-shaped tensors, or a projector that does not fit tower or decoder
 */
export function requireTensors(
  config: LlavaConfig,
  entries: ReadonlyMap<string, TensorEntry>,
  source: string,
  wantedOf: () => ReadonlyMap<string, Value> = () => wantedTensors(config),
) {
  requireTowerBlocks(config, entries, source);
  const first = entries.get('model.multi_modal_projector.linear_1.weight');
  const width = towerWidth(config);
  if (first && first.shape[1] !== width)
    throw new NarrowsError(
      `The projector of ${source} takes features of width ${first.shape[1]}, but its vision tower gives ${width} (vision_config.hidden_size for each vision_feature_layer); tower and projector do not belong together.`,
    );
  const second = entries.get('model.multi_modal_projector.linear_2.weight');
  const { hidden_size: hidden } = config.text_config;
  if (second && second.shape[0] !== hidden)
    throw new NarrowsError(
      `The projector of ${source} gives features of width ${second.shape[0]}, but its decoder takes ${hidden} (text_config.hidden_size); projector and decoder do not belong together.`,
    );
  const wanted = wantedOf();
  const report = loadReport(wanted, entries);
  const problem = reportSentence(report, source);
  if (problem) throw new NarrowsError(problem);
  return { wanted, report };
}

/** The text of the image token. @throws NarrowsError where the tokenizer has no token of that id, or an ordinary word there */
export function imageTokenText(tokenizer: Pick<Tokenizer, 'textOf'>, config: LlavaConfig, source: string): string {
  const text = tokenizer.textOf(config.image_token_index);
  if (text !== undefined) return text;
  throw new NarrowsError(
    `The tokenizer of ${source} has no token ${config.image_token_index}, which config.json names as image_token_index; add <image> to it with that id.`,
  );
}
