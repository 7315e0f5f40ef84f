/** @file CLIP loaded from a directory or the hub. */

import { input, type Value } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { findModel } from '../bundled.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { DualEncoderModel, type Similarity, type TowerOutput } from '../dual-encoder-model.ts';
import { type FoundModel, type LoadOptions, type LoadRules, loadParts, type ModelParts } from '../load-parts.ts';
import { type CLIPConfig, parseCLIPConfig } from './config.ts';
import { wantedTensors } from './files.ts';
import { similarity, textTower, visionTower } from './forward.ts';
import { eosPositions } from './text.ts';
import { textTowerView, visionTowerView } from './towers.ts';

const RULES: LoadRules<CLIPConfig> = {
  parse: parseCLIPConfig,
  wanted: wantedTensors,
  processorType: 'CLIPImageProcessor',
  sections: { text_config: ['clip_text_model'], vision_config: ['clip_vision_model'] },
};

/** A CLIP ready to run. Release it (or `await using`) when done. */
export class CLIPModel extends DualEncoderModel<CLIPConfig> {
  readonly image: Tower;
  readonly text: Tower;

  private constructor(parts: ModelParts<CLIPConfig>) {
    super(parts);
    this.image = visionTowerView(this.parameters, this.config, (height, width) => this.positions(height, width));
    this.text = textTowerView(this.parameters, this.config);
  }

  /**
   * Loads a checkpoint in Hugging Face's format. @param reference a shipped model's name, a directory, or `org/name[@revision]`.
   * @throws NarrowsError for a directory without config, another `model_type`, missing or mis-shaped tensors, pickled weights alone.
   */
  static async fromPretrained(reference: string, options: LoadOptions = {}): Promise<CLIPModel> {
    return CLIPModel.open(await findModel(reference, options), options);
  }

  /** Loads a checkpoint that was found already; throws as `fromPretrained` does. */
  static async open(found: FoundModel, options: LoadOptions = {}): Promise<CLIPModel> {
    return new CLIPModel(await loadParts(found, options, RULES));
  }

  imageTower(p: Parameters, pixels: Value, table?: Value): TowerOutput {
    return visionTower(p, this.config, pixels, table);
  }

  textTower(p: Parameters, inputs: TowerInputs, batch: string): TowerOutput {
    const mask = inputs.attention_mask && input('attention_mask', [batch, 'seq'], 'int32');
    return textTower(p, this.config, input('input_ids', [batch, 'seq'], 'int32'), input('eos', [batch], 'int32'), mask);
  }

  similarity(p: Parameters, image: TowerOutput, text: TowerOutput): Similarity {
    return similarity(p, image, text);
  }

  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs {
    const ids = this.checkedIds(inputIds);
    const padded = attentionMask && (attentionMask.data as Int32Array).some(m => Number(m) === 0);
    return {
      input_ids: ids,
      eos: eosPositions(this.config.text_config, ids),
      ...(padded ? { attention_mask: ints(attentionMask.shape, Int32Array.from(attentionMask.data as Int32Array, Number)) } : {}),
    };
  }
}
