/** @file An image–text model of any two towers over a checkpoint's files. */
import { input, type Value } from '../../graph/index.ts';
import { resampleBilinear } from '../../inputs/image/bilinear.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { DualEncoderModel, type Similarity, type TowerOutput } from '../dual-encoder-model.ts';
import type { ModelParts } from '../load-parts.ts';
import { imageForward, similarity, textForward } from './forward.ts';
import type { TowersConfig } from './spec.ts';
import { pooledPositions } from './text.ts';
import { textView, visionView } from './views.ts';

/** An OpenCLIP, BiomedCLIP, dual encoder of two towers, Chinese-CLIP or NaFlex SigLIP ready to run. Release it (or `await using`) when done. */
export class TowersModel extends DualEncoderModel<TowersConfig> {
  readonly image: Tower;
  readonly text: Tower;

  constructor(parts: ModelParts<TowersConfig>) {
    super(parts);
    this.image = visionView(this.parameters, this.config.vision_config, (height, width) => this.positions(height, width));
    this.text = textView(this.parameters, this.config.text_config);
  }

  imageTower(p: Parameters, pixels: Value, table?: Value): TowerOutput {
    return imageForward(p, this.config.vision_config, pixels, table);
  }

  textTower(p: Parameters, inputs: TowerInputs, batch: string): TowerOutput {
    const padding = inputs.attention_mask && input('attention_mask', [batch, 'seq'], 'int32');
    const ids = input('input_ids', [batch, 'seq'], 'int32');
    return textForward(p, this.config.text_config, ids, input('eos', [batch], 'int32'), padding);
  }

  similarity(p: Parameters, image: TowerOutput, text: TowerOutput): Similarity {
    return similarity(p, this.config, image, text);
  }

  protected override resample(table: Float32Array, grid: number, width: number, rows: number, columns: number): Float32Array {
    if (this.config.vision_config.position_resize !== 'bilinear_antialias') return super.resample(table, grid, width, rows, columns);
    return resampleBilinear(table, grid, grid, width, rows, columns);
  }

  /** Id that fills a text up: the tokenizer's, else the config's, else 0. */
  get padId(): number {
    const known = this.tokenizer instanceof NarrowsError ? undefined : this.tokenizer.padId;
    return known ?? this.config.text_config.pad_token_id ?? 0;
  }

  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs {
    const { text_config: spec } = this.config;
    const checked = this.checkedIds(inputIds);
    const given = attentionMask && Int32Array.from(attentionMask.data as Int32Array, Number);
    const { replaced_id: other } = spec;
    const data = other ? checked.data.map(id => (id === other.from ? other.to : id)) : checked.data;
    if (spec.filled) {
      const ids = this.filled(ints(checked.shape, data), given);
      return { input_ids: ids, eos: pooledPositions(spec, ids) };
    }
    const ids = ints(checked.shape, data);
    const inputs = { input_ids: ids, eos: pooledPositions(spec, ids) };
    return given?.some(m => m === 0) ? { ...inputs, attention_mask: ints(checked.shape, given) } : inputs;
  }

  /** Texts filled up to the longest length. */
  private filled({ shape: [batch, length], data }: Tensor, mask?: Int32Array): Tensor {
    const longest = this.config.text_config.max_position_embeddings;
    const ids = new Int32Array(batch * longest).fill(this.padId);
    for (let i = 0; i < data.length; i++) if (mask?.[i] !== 0) ids[Math.floor(i / length) * longest + (i % length)] = Number(data[i]);
    return ints([batch, longest], ids);
  }
}
