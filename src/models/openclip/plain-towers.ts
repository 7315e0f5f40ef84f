/** @file OpenCLIP's own towers (VisionTransformer, TextTransformer): their specs, and the stored names of their tensors. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { TextSpec, VisionSpec } from '../towers/spec.ts';
import type { StoredName } from '../towers/stored.ts';
import { edgeOf, type OpenClipConfig, type OpenClipTextCfg, type OpenClipVisionCfg } from './config.ts';

/** A tower with the place of each of its tensors. */
export interface StoredTower<S> {
  readonly spec: S;
  readonly where: StoredName;
  /** What was supposed, in sentences. */
  readonly warnings?: readonly string[];
}

/** `nn.GELU` or QuickGELU; `act_kwargs` may ask for GELU by the tanh formula. */
function activation(cfg: OpenClipVisionCfg | OpenClipTextCfg, quick: boolean, source: string): string {
  const kind = cfg.act_kwargs?.approximate;
  if (kind === undefined || kind === 'none') return quick ? 'quick_gelu' : 'gelu';
  if (kind === 'tanh' && !quick) return 'gelu_pytorch_tanh';
  throw new NarrowsError(
    `${source}: act_kwargs.approximate is ${JSON.stringify(kind)}${quick ? ' next to quick_gelu' : ''}, which Narrows does not know.`,
  );
}

const epsilon = (cfg: OpenClipVisionCfg | OpenClipTextCfg): number =>
  typeof cfg.norm_kwargs?.eps === 'number' ? cfg.norm_kwargs.eps : 1e-5;

/** Names inside of `transformer.resblocks.I`. */
const BLOCK: Readonly<Record<string, string>> = {
  layer_norm1: 'ln_1',
  layer_norm2: 'ln_2',
  'self_attn.out_proj': 'attn.out_proj',
  'mlp.fc1': 'mlp.c_fc',
  'mlp.fc2': 'mlp.c_proj',
};
const PARTS = ['q', 'k', 'v'];

/** A tensor of a block: queries, keys and values stand in one matrix (torch.nn.MultiheadAttention). */
function blockTensor(prefix: string, name: string): ReturnType<StoredName> {
  const [, index, rest] = /^encoder\.layers\.(\d+)\.(.*)$/.exec(name) as unknown as [string, string, string];
  const block = `${prefix}transformer.resblocks.${index}.`;
  const projection = /^self_attn\.([qkv])_proj\.(weight|bias)$/.exec(rest);
  if (projection) return { name: `${block}attn.in_proj_${projection[2]}`, part: [PARTS.indexOf(projection[1]), 3] };
  const scale = /^layer_scale([12])$/.exec(rest);
  if (scale) return { name: `${block}ls_${scale[1]}.gamma` };
  const [, layer, kind] = /^(.*)\.(weight|bias)$/.exec(rest) as unknown as [string, string, string];
  return { name: `${block}${BLOCK[layer]}.${kind}` };
}

const VISION: Readonly<Record<string, string>> = {
  'vision_model.embeddings.patch_embedding.weight': 'conv1.weight',
  'vision_model.embeddings.class_embedding': 'class_embedding',
  'vision_model.embeddings.position_embedding.weight': 'positional_embedding',
  'vision_model.pre_layrnorm.weight': 'ln_pre.weight',
  'vision_model.pre_layrnorm.bias': 'ln_pre.bias',
  'vision_model.post_layernorm.weight': 'ln_post.weight',
  'vision_model.post_layernorm.bias': 'ln_post.bias',
};

/** OpenCLIP's vision transformer. */
export function plainVision({ model_cfg }: OpenClipConfig, source: string): StoredTower<VisionSpec> {
  const { vision_cfg: cfg, embed_dim: out, quick_gelu: quick } = model_cfg;
  if (cfg.width % cfg.head_width)
    throw new NarrowsError(`${source}: vision_cfg.width ${cfg.width} is not a multiple of head_width ${cfg.head_width}.`);
  const average = cfg.pool_type === 'avg';
  return {
    spec: {
      hidden_size: cfg.width,
      intermediate_size: Math.trunc(cfg.width * cfg.mlp_ratio),
      num_hidden_layers: cfg.layers as number,
      num_attention_heads: cfg.width / cfg.head_width,
      num_channels: 3,
      image_size: edgeOf(cfg.image_size, 'vision_cfg.image_size', source),
      patch_size: edgeOf(cfg.patch_size, 'vision_cfg.patch_size', source),
      hidden_act: activation(cfg, quick, source),
      layer_norm_eps: epsilon(cfg),
      layer_scale: typeof cfg.ls_init_value === 'number',
      class_token: true,
      patch_bias: false,
      pre_norm: !cfg.no_ln_pre,
      pooling: average ? 'mean' : 'token',
      // One token's norm is the same before and after it is picked.
      final_norm: average && cfg.final_ln_after_pool ? 'pooled' : 'tokens',
      head: [{ name: 'visual_projection', out, bias: false }],
    },
    where(name) {
      if (name === 'visual_projection.weight') return { name: 'visual.proj', turned: true };
      const known = VISION[name];
      return known ? { name: `visual.${known}` } : blockTensor('visual.', name.slice('vision_model.'.length));
    },
  };
}

const TEXT: Readonly<Record<string, string>> = {
  'text_model.embeddings.token_embedding.weight': 'token_embedding.weight',
  'text_model.embeddings.position_embedding.weight': 'positional_embedding',
  'text_model.final_layer_norm.weight': 'ln_final.weight',
  'text_model.final_layer_norm.bias': 'ln_final.bias',
  'text_projection.bias': 'text_projection.bias',
};

/** OpenCLIP's text transformer: its tensors stand at the top (CLIP) or below `text.` (CustomTextCLIP). */
export function plainText({ model_cfg }: OpenClipConfig, source: string, stored: ReadonlyMap<string, TensorEntry>): StoredTower<TextSpec> {
  const { text_cfg: cfg, embed_dim: out, quick_gelu: quick } = model_cfg;
  if (cfg.width % cfg.heads) throw new NarrowsError(`${source}: text_cfg.width ${cfg.width} is not a multiple of heads ${cfg.heads}.`);
  const prefix = [...stored.keys()].some(name => name.startsWith('text.')) ? 'text.' : '';
  const pooling = cfg.pool_type as TextSpec['pooling'];
  return {
    spec: {
      hidden_size: cfg.width,
      intermediate_size: Math.trunc(cfg.width * cfg.mlp_ratio),
      num_hidden_layers: cfg.layers,
      num_attention_heads: cfg.heads,
      hidden_act: activation(cfg, quick, source),
      layer_norm_eps: epsilon(cfg),
      layer_scale: typeof cfg.ls_init_value === 'number',
      vocab_size: cfg.vocab_size,
      max_position_embeddings: cfg.context_length,
      position_offset: 0,
      position_rows: cfg.context_length,
      type_rows: 0,
      embedding_norm: false,
      causal: !cfg.no_causal_mask,
      // open_clip hides no padding here: behind a causal mask it is never seen, and otherwise the model was trained with it.
      filled: cfg.no_causal_mask || pooling === 'last',
      pooling,
      eos_token_id: cfg.eos_id,
      pad_token_id: cfg.pad_id,
      final_norm: true,
      head: cfg.proj_type === 'none' ? [] : [{ name: 'text_projection', out, bias: cfg.proj_bias }],
    },
    where(name) {
      if (name === 'text_projection.weight')
        return cfg.proj_bias ? { name: `${prefix}text_projection.weight` } : { name: `${prefix}text_projection`, turned: true };
      const known = TEXT[name];
      return known ? { name: `${prefix}${known}` } : blockTensor(prefix, name.slice('text_model.'.length));
    },
  };
}
