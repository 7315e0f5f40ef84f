/** @file Image towers of transformers by themselves, CLIPVisionModel and ViTModel: their specs, and the stored names of their tensors. */
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { StoredTower } from '../openclip/plain-towers.ts';
import type { HeadStep, VisionSpec } from '../towers/spec.ts';
import type { StoredName } from '../towers/stored.ts';
import type { SeparateVisionConfig, ViTConfig } from './config.ts';

const shared = (config: SeparateVisionConfig) => ({
  hidden_size: config.hidden_size,
  intermediate_size: config.intermediate_size,
  num_hidden_layers: config.num_hidden_layers,
  num_attention_heads: config.num_attention_heads,
  num_channels: config.num_channels,
  image_size: config.image_size,
  patch_size: config.patch_size,
  hidden_act: config.hidden_act,
  layer_norm_eps: config.layer_norm_eps,
  class_token: true,
  pooling: 'token' as const,
  final_norm: 'tokens' as const,
});

/** CLIP's image tower. @param prefix what stands before its tensors' names, `vision_model.` in memory */
function clipTower(config: SeparateVisionConfig, prefix: string, head: readonly HeadStep[]): StoredTower<VisionSpec> {
  return {
    spec: { ...shared(config), patch_bias: false, pre_norm: true, head },
    where: name => ({ name: name.startsWith('vision_model.') ? prefix + name : name }),
  };
}

const EMBEDDINGS: Readonly<Record<string, string>> = {
  'patch_embedding.weight': 'patch_embeddings.projection.weight',
  'patch_embedding.bias': 'patch_embeddings.projection.bias',
  class_embedding: 'cls_token',
  'position_embedding.weight': 'position_embeddings',
};
const BLOCK: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attention.attention.query',
  'self_attn.k_proj': 'attention.attention.key',
  'self_attn.v_proj': 'attention.attention.value',
  'self_attn.out_proj': 'attention.output.dense',
  layer_norm1: 'layernorm_before',
  layer_norm2: 'layernorm_after',
  'mlp.fc1': 'intermediate.dense',
  'mlp.fc2': 'output.dense',
};

/** ViTModel's names below `vision_model.`; `name` is that in memory. */
const vitName: StoredName = name => {
  if (!name.startsWith('vision_model.')) return { name: name.replace(/^visual_pooler\./, 'vision_model.pooler.dense.') };
  const rest = name.slice('vision_model.'.length);
  if (rest.startsWith('embeddings.')) return { name: `vision_model.embeddings.${EMBEDDINGS[rest.slice('embeddings.'.length)]}` };
  if (rest.startsWith('post_layernorm.')) return { name: `vision_model.layernorm.${rest.slice('post_layernorm.'.length)}` };
  const [, index, layer, kind] = /^encoder\.layers\.(\d+)\.(.*)\.(weight|bias)$/.exec(rest) as unknown as [string, string, string, string];
  return { name: `vision_model.encoder.layer.${index}.${BLOCK[layer]}.${kind}` };
};

/** @throws NarrowsError for a pooler that is not computed */
export function separateVision(config: SeparateVisionConfig, out: number, source: string): StoredTower<VisionSpec> {
  const projection: HeadStep = { name: 'visual_projection', out, bias: false };
  if (config.model_type === 'chinese_clip_vision_model') return clipTower(config, '', [projection]);
  // CLIPVisionModel holds its transformer as `vision_model`.
  if (config.model_type === 'clip_vision_model') return clipTower(config, 'vision_model.', [projection]);
  const vit = config as ViTConfig;
  if (vit.pooler_act !== 'tanh' && !ACTIVATIONS[vit.pooler_act])
    throw new NarrowsError(`${source}: vision_config.pooler_act is "${vit.pooler_act}", which Narrows does not know.`);
  const pooler: HeadStep = {
    name: 'visual_pooler',
    out: vit.pooler_output_size ?? vit.hidden_size,
    bias: true,
    activation: vit.pooler_act,
  };
  return {
    spec: { ...shared(config), patch_bias: true, pre_norm: false, qkv_bias: vit.qkv_bias, head: [pooler, projection] },
    where: vitName,
  };
}
