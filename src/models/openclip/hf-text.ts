/**
 * @file A text tower of transformers inside of OpenCLIP (HFTextEncoder), as BiomedCLIP has one (arXiv 2303.00915): a BERT whose [CLS] token goes
 * through a linear layer or a small MLP. open_clip_config.json names the BERT and does not hold its settings: they are read off the weights.
 */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type BertConfig, parseBertConfig } from '../bert/config.ts';
import { bertName, bertSpec } from '../bert/tower.ts';
import type { HeadStep, TextSpec } from '../towers/spec.ts';
import type { OpenClipConfig, OpenClipTextCfg } from './config.ts';
import type { StoredTower } from './plain-towers.ts';

const TOWER = 'text.transformer.';
/** Channels of a head in every published BERT. */
const HEAD_WIDTH = 64;

/** A BERT's settings as its tensors show them. @throws NarrowsError where these are no BERT's */
function settingsOf(
  stored: ReadonlyMap<string, TensorEntry>,
  cfg: OpenClipTextCfg,
  source: string,
): { config: BertConfig; warning: string } {
  const shape = (name: string): readonly number[] => {
    const entry = stored.get(TOWER + name);
    if (entry?.shape.length === 2) return entry.shape;
    throw new NarrowsError(
      `${source}: text_cfg.hf_model_name is "${cfg.hf_model_name}", but the weights have no tensor "${TOWER}${name}"; Narrows runs text towers of BERT and RoBERTa, and the file must hold them whole.`,
    );
  };
  const [vocab_size, hidden_size] = shape('embeddings.word_embeddings.weight');
  const [intermediate_size] = shape('encoder.layer.0.intermediate.dense.weight');
  const [max_position_embeddings] = shape('embeddings.position_embeddings.weight');
  const [type_vocab_size] = shape('embeddings.token_type_embeddings.weight');
  const layers = new Set([...stored.keys()].flatMap(name => /^text\.transformer\.encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? []));
  // A RoBERTa has one token type, and two rows of positions that no token takes.
  const roberta = type_vocab_size === 1;
  if (hidden_size % HEAD_WIDTH)
    throw new NarrowsError(
      `${source}: the text tower "${cfg.hf_model_name}" is ${hidden_size} wide, which is no multiple of ${HEAD_WIDTH}, so its number of heads is not known; put the config.json of "${cfg.hf_model_name}" next to open_clip_config.json.`,
    );
  const config = parseBertConfig(
    {
      model_type: roberta ? 'roberta' : 'bert',
      ...{ vocab_size, hidden_size, intermediate_size, max_position_embeddings, type_vocab_size },
      num_hidden_layers: layers.size,
      num_attention_heads: hidden_size / HEAD_WIDTH,
      layer_norm_eps: roberta ? 1e-5 : 1e-12,
    },
    source,
  );
  const warning = `${source} names the text tower "${cfg.hf_model_name}" and does not hold its settings: ${hidden_size / HEAD_WIDTH} heads, gelu and an epsilon of ${config.layer_norm_eps} are supposed, as in every published ${roberta ? 'RoBERTa' : 'BERT'}; its config.json next to this file would say.`;
  return { config, warning };
}

/** From the [CLS] token to the shared space. @throws NarrowsError for a way that is not computed */
function headOf({ model_cfg }: OpenClipConfig, width: number, source: string): HeadStep[] {
  const { text_cfg: cfg, embed_dim: out } = model_cfg;
  const bert: HeadStep[] = cfg.hf_pooler_type === 'cls_pooler' ? [{ name: 'text_pooler', out: width, bias: true, activation: 'tanh' }] : [];
  if (!['cls_pooler', 'cls_last_hidden_state_pooler'].includes(String(cfg.hf_pooler_type)))
    throw new NarrowsError(
      `${source}: text_cfg.hf_pooler_type is "${cfg.hf_pooler_type}"; Narrows reads the [CLS] token only (cls_last_hidden_state_pooler, cls_pooler).`,
    );
  if (cfg.hf_proj_type === 'linear') return [...bert, { name: 'text_projection', out, bias: false }];
  if (cfg.hf_proj_type === 'mlp') {
    const middle = Math.floor((width + out) / 2);
    return [
      ...bert,
      { name: 'text_projection.0', out: middle, bias: false, activation: 'gelu' },
      { name: 'text_projection.2', out, bias: false },
    ];
  }
  if ((cfg.hf_proj_type === null || cfg.hf_proj_type === '') && width === out) return bert;
  throw new NarrowsError(`${source}: text_cfg.hf_proj_type is ${JSON.stringify(cfg.hf_proj_type)}; Narrows computes "linear" and "mlp".`);
}

/** @param given the tower's own config.json, where the directory has it @throws NarrowsError as `parseBertConfig`, or for poolers and heads that are not computed */
export function hfText(
  config: OpenClipConfig,
  source: string,
  stored: ReadonlyMap<string, TensorEntry>,
  given?: Readonly<Record<string, unknown>>,
): StoredTower<TextSpec> {
  const { text_cfg: cfg } = config.model_cfg;
  const own = given ? { config: parseBertConfig(given, source, 'config.json') } : settingsOf(stored, cfg, source);
  const tower = bertName(TOWER);
  return {
    spec: bertSpec(own.config, { head: headOf(config, own.config.hidden_size, source), longest: cfg.context_length }),
    where(name) {
      if (name.startsWith('text_pooler.')) return { name: `${TOWER}pooler.dense.${name.slice('text_pooler.'.length)}` };
      if (name.startsWith('text_projection.')) return { name: `text.proj.${name.slice('text_projection.'.length)}` };
      return tower(name.slice('text_model.'.length));
    },
    warnings: 'warning' in own ? [own.warning] : [],
  };
}
