/** @file SigLIP and fixed-resolution SigLIP 2 over a checkpoint's files. */
import { input, type Value } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { DualEncoderModel, type Similarity, type TowerOutput } from '../dual-encoder-model.ts';
import { type LoadRules, loadParts, type ModelParts, type OpenOptions } from '../load-parts.ts';
import { parseSiglipConfig, type SiglipConfig } from './config.ts';
import { similarity, textTower, visionTower, wantedTensors } from './forward.ts';
import { siglipTokenizer } from './tokenizer.ts';
import { textTowerView, visionTowerView } from './towers.ts';

const RULES: LoadRules<SiglipConfig> = {
  parse: parseSiglipConfig,
  wanted: wantedTensors,
  processorType: 'SiglipImageProcessor',
  sections: { text_config: ['siglip_text_model'], vision_config: ['siglip_vision_model'] },
  tokenizer: siglipTokenizer,
};

/** A SigLIP ready to run. Release it (or `await using`) when done. */
export class SiglipModel extends DualEncoderModel<SiglipConfig> {
  readonly image: Tower;
  readonly text: Tower;

  protected constructor(parts: ModelParts<SiglipConfig>) {
    super(parts);
    this.image = visionTowerView(this.parameters, this.config, (height, width) => this.positions(height, width));
    this.text = textTowerView(this.parameters, this.config);
  }

  /**
   * Opens a checkpoint in Hugging Face's format. (By a name or a directory: `fromPretrained` of models/pretrained.ts.)
   * @throws NarrowsError for files without config, another `model_type`, missing or mis-shaped tensors, only pickled weights.
   */
  static async fromFiles(files: ModelFiles, options: OpenOptions): Promise<SiglipModel> {
    return new SiglipModel(await loadParts(files, options, RULES));
  }

  imageTower(p: Parameters, pixels: Value, table?: Value): TowerOutput {
    return visionTower(p, this.config, pixels, table);
  }

  textTower(p: Parameters, _inputs: TowerInputs, batch: string): TowerOutput {
    return textTower(p, this.config, input('input_ids', [batch, 'seq'], 'int32'));
  }

  similarity(p: Parameters, image: TowerOutput, text: TowerOutput): Similarity {
    return similarity(p, image, text);
  }

  /** Id that fills a text up: the tokenizer's, else the config's. */
  get padId(): number {
    const tokenizerPad = this.tokenizer instanceof NarrowsError ? undefined : this.tokenizer.padId;
    return tokenizerPad ?? this.config.text_config.pad_token_id ?? 1;
  }

  /**
   * Texts filled up to the longest length, as SigLIP was trained: the tower attends to padding too and reads the last position. The mask
   * only says which ids are padding; no token is hidden for it.
   */
  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs {
    const { shape, data } = this.checkedIds(inputIds);
    const [batch, length] = shape;
    const longest = this.config.text_config.max_position_embeddings;
    const ids = new Int32Array(batch * longest).fill(this.padId);
    for (let i = 0; i < data.length; i++)
      if (!attentionMask || Number(attentionMask.data[i]) !== 0) ids[Math.floor(i / length) * longest + (i % length)] = data[i];
    return { input_ids: ints([batch, longest], ids) };
  }
}
