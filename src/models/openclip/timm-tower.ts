/** @file An image tower of timm inside of OpenCLIP (TimmModel): plain vision transformers, with what timm knows of a model by its name. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { HeadStep, VisionSpec } from '../towers/spec.ts';
import type { StoredName } from '../towers/stored.ts';
import { edgeOf, type OpenClipConfig } from './config.ts';
import type { StoredTower } from './plain-towers.ts';

/** Heads by the size in a model's name; sources: timm's vision_transformer.py (timm 1.0). */
const HEADS: Readonly<Record<string, number>> = {
  tiny: 3,
  xsmall: 4,
  small: 6,
  medium: 8,
  betwixt: 10,
  base: 12,
  large: 16,
  huge: 16,
  giant: 16,
  giantopt: 16,
  gigantic: 16,
  so400m: 16,
};
/** The models that are plain: size, patch, kind, image size. */
const PLAIN = /^vit_([a-z0-9]+)_patch\d+_(?:(clip|clip_quickgelu|siglip|siglip_gap|gap)_)?(\d+)(?:\..*)?$/;
/** SigLIPs whose GELU is the tanh formula. */
const TANH = /^vit_(base_patch32_siglip|large_patch16_siglip_(gap_)?512|so400m_patch16_siglip|giantopt_patch16_siglip)/;

/** Names inside of `blocks.I`. */
const BLOCK: Readonly<Record<string, string>> = {
  layer_norm1: 'norm1',
  layer_norm2: 'norm2',
  'self_attn.out_proj': 'attn.proj',
  'mlp.fc1': 'mlp.fc1',
  'mlp.fc2': 'mlp.fc2',
};
const POOL: Readonly<Record<string, string>> = {
  'attention.q_proj': 'q',
  'attention.out_proj': 'proj',
  layernorm: 'norm',
  'mlp.fc1': 'mlp.fc1',
  'mlp.fc2': 'mlp.fc2',
};
const EMBEDDINGS: Readonly<Record<string, string>> = {
  'patch_embedding.weight': 'patch_embed.proj.weight',
  'patch_embedding.bias': 'patch_embed.proj.bias',
  class_embedding: 'cls_token',
  'position_embedding.weight': 'pos_embed',
};

function trunkName(name: string, finalNorm: string): ReturnType<StoredName> {
  const qkv = /^encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)$/.exec(name);
  if (qkv) return { name: `blocks.${qkv[1]}.attn.qkv.${qkv[3]}`, part: ['qkv'.indexOf(qkv[2]), 3] };
  const scale = /^encoder\.layers\.(\d+)\.layer_scale([12])$/.exec(name);
  if (scale) return { name: `blocks.${scale[1]}.ls${scale[2]}.gamma` };
  const block = /^encoder\.layers\.(\d+)\.(.*)\.(weight|bias)$/.exec(name);
  if (block) return { name: `blocks.${block[1]}.${BLOCK[block[2]]}.${block[3]}` };
  const kv = /^head\.attention\.([kv])_proj\.(weight|bias)$/.exec(name);
  if (kv) return { name: `attn_pool.kv.${kv[2]}`, part: ['kv'.indexOf(kv[1]), 2] };
  if (name === 'head.probe') return { name: 'attn_pool.latent' };
  const pool = /^head\.(.*)\.(weight|bias)$/.exec(name);
  if (pool) return { name: `attn_pool.${POOL[pool[1]]}.${pool[2]}` };
  if (name.startsWith('embeddings.')) return { name: EMBEDDINGS[name.slice('embeddings.'.length)] };
  const kind = name.split('.').at(-1);
  return { name: name.startsWith('pre_layrnorm') ? `norm_pre.${kind}` : `${finalNorm}.${kind}` };
}

/** The head between the trunk and the shared space. */
function headOf({ model_cfg: { vision_cfg: cfg, embed_dim: out } }: OpenClipConfig, classifier: boolean): HeadStep[] {
  const bias = cfg.timm_proj_bias;
  if (cfg.timm_proj === 'linear') return [{ name: 'visual_projection', out, bias }];
  if (cfg.timm_proj === 'mlp')
    return [
      { name: 'visual_projection.0', out: 2 * out, bias: true, activation: 'gelu' },
      { name: 'visual_projection.1', out, bias },
    ];
  return classifier ? [{ name: 'visual_projection', out, bias: true }] : [];
}

/** @throws NarrowsError for a model that is no plain vision transformer, or whose tensors are none of its name's */
export function timmVision(config: OpenClipConfig, source: string, stored: ReadonlyMap<string, TensorEntry>): StoredTower<VisionSpec> {
  const { vision_cfg: cfg } = config.model_cfg;
  const model = cfg.timm_model_name as string;
  const refuse = (why: string): NarrowsError =>
    new NarrowsError(
      `${source}: vision_cfg.timm_model_name is "${model}", ${why}; Narrows runs timm's plain vision transformers (such as vit_base_patch16_224, vit_base_patch16_clip_224, vit_base_patch16_siglip_224).`,
    );
  const [, size, kind = ''] = PLAIN.exec(model) ?? [];
  const heads = size === undefined ? undefined : HEADS[size];
  if (heads === undefined || (kind === 'gap' && !/medium|betwixt/.test(size))) throw refuse('which is none that is known');
  const trunk = 'visual.trunk.';
  const shape = (name: string): readonly number[] | undefined => stored.get(trunk + name)?.shape;
  const [patchShape, mlp] = [shape('patch_embed.proj.weight'), shape('blocks.0.mlp.fc1.weight')];
  if (patchShape?.length !== 4 || !mlp) throw refuse('but the weights have no tensors of a vision transformer below visual.trunk');
  const blocks = new Set([...stored.keys()].flatMap(name => /^visual\.trunk\.blocks\.(\d+)\./.exec(name)?.[1] ?? []));
  const clip = kind.startsWith('clip');
  const own = kind.startsWith('siglip') ? (kind === 'siglip' ? 'map' : 'avg') : kind === 'gap' ? 'avg' : 'token';
  const pool = cfg.timm_pool || own;
  const pooling = ({ token: 'token', avg: 'mean', map: 'attention' } as const)[pool];
  if (!pooling) throw refuse(`pooled by "${pool}", which is not computed`);
  const after = shape('fc_norm.weight') !== undefined;
  const classifier = shape('head.weight') !== undefined;
  const spec: VisionSpec = {
    hidden_size: patchShape[0],
    intermediate_size: mlp[0],
    num_hidden_layers: blocks.size,
    num_attention_heads: heads,
    num_channels: patchShape[1],
    image_size: edgeOf(cfg.image_size, 'vision_cfg.image_size', source),
    patch_size: patchShape[2],
    hidden_act: kind === 'clip_quickgelu' ? 'quick_gelu' : TANH.test(model) ? 'gelu_pytorch_tanh' : 'gelu',
    layer_norm_eps: clip ? 1e-5 : 1e-6,
    // By the name, not by what is there: a tensor that is missing is to be said.
    qkv_bias: kind !== 'gap',
    layer_scale: kind === 'gap' || shape('blocks.0.ls1.gamma') !== undefined,
    class_token: own === 'token',
    patch_bias: !clip,
    pre_norm: clip,
    pooling,
    final_norm: after ? 'pooled' : 'tokens',
    head: headOf(config, classifier),
  };
  const head = cfg.timm_proj === 'linear' ? 'visual.head.proj' : cfg.timm_proj === 'mlp' ? 'visual.head.mlp' : `${trunk}head`;
  return {
    spec,
    where(name) {
      const step = /^visual_projection(\.[01])?\.(weight|bias)$/.exec(name);
      if (step) return { name: `${head}${step[1] ? `.fc${Number(step[1].slice(1)) + 1}` : ''}.${step[2]}` };
      const place = trunkName(name.slice('vision_model.'.length), after ? 'fc_norm' : 'norm');
      return { ...place, name: trunk + place.name };
    },
  };
}
