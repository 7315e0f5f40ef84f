/** @file CLIP over a checkpoint's files. */

import { input, type Value } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { DualEncoderModel, type Similarity, type TowerOutput } from '../dual-encoder-model.ts';
import { type LoadRules, loadParts, type ModelParts, type OpenOptions } from '../load-parts.ts';
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

  protected constructor(parts: ModelParts<CLIPConfig>) {
    super(parts);
    this.image = visionTowerView(this.parameters, this.config, (height, width) => this.positions(height, width));
    this.text = textTowerView(this.parameters, this.config);
  }

  /**
   * Opens a checkpoint in Hugging Face's format. (By a name or a directory: `fromPretrained` of models/pretrained.ts.)
   * @throws NarrowsError for files without config, another `model_type`, missing or mis-shaped tensors, only pickled weights.
   */
  static async fromFiles(files: ModelFiles, options: OpenOptions): Promise<CLIPModel> {
    return new CLIPModel(await loadParts(files, options, RULES));
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
