/** @file What `narrows models info` says of a LLaVA or LLaVA-Mini, from its config only. */
import { join } from 'node:path';
import { bottleneckOf } from '../../bottleneck/gaussian/llava.ts';
import { findTemplate } from '../../inputs/chat/find-template.ts';
import { featureLayers, parseLlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { typicalImageTokens } from '../../models/llava/placement.ts';
import { decoderConfig } from '../../models/llava/text-config.ts';
import { compressedTokens, type LlavaMiniConfig, parseLlavaMiniConfig } from '../../models/llava-mini/config.ts';
import { modelKind } from '../../models/load.ts';
import { messageOf } from '../../system/errors.ts';
import { formatCount } from '../../system/format.ts';

/** The description, as JSON and as rows for a person. */
export interface Description {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly [label: string, value: string])[];
  /** What was supposed, in sentences. */
  readonly warnings?: readonly string[];
}

/** @throws NarrowsError for a config that no LLaVA has, or settings of a bottleneck that are wrong */
export async function describeLlava(directory: string, json: Readonly<Record<string, unknown>>): Promise<Description> {
  const source = join(directory, 'config.json');
  const mini = modelKind(json, source) === 'llava-mini';
  const config = mini ? parseLlavaMiniConfig(json, source) : parseLlavaConfig(json, source);
  const { vision_config: vision, text_config: text } = config;
  const decoder = decoderConfig(config);
  const side = Math.floor(vision.image_size / vision.patch_size);
  const layers = featureLayers(config, source);
  const family = mini ? undefined : familyOf(config);
  const tokens = mini ? compressedTokens(config as LlavaMiniConfig) : typicalImageTokens(config);
  const bottleneck = bottleneckOf(config, source);
  const template = await findTemplate(directory).then(
    found => ({ name: found.name, source: found.source }),
    error => ({ problem: messageOf(error) }),
  );
  const image = {
    kind: vision.model_type,
    layers: vision.num_hidden_layers,
    width: vision.hidden_size,
    heads: vision.num_attention_heads,
    activation: vision.hidden_act,
    size: vision.image_size,
    patch: vision.patch_size,
    grid: [side, side],
  };
  const fields = {
    modelType: json.model_type,
    image,
    projector: { readsLayers: layers, tokensPerImage: tokens },
    ...(family ? { family: family.title, pictures: family.describe(config), lacks: family.lacks } : {}),
    text: {
      kind: text.model_type,
      layers: text.num_hidden_layers,
      width: text.hidden_size,
      heads: text.num_attention_heads,
      keyValueHeads: decoder.num_key_value_heads,
      activation: text.hidden_act,
      vocabulary: text.vocab_size,
      longest: text.max_position_embeddings,
      rotary: decoder.scaling.rope_type,
    },
    template,
    bottleneck: bottleneck ?? null,
  };
  const groups = decoder.num_key_value_heads === text.num_attention_heads ? '' : ` over ${decoder.num_key_value_heads} of keys and values`;
  const rows: [string, string][] = [
    [
      'Image tower',
      `${image.layers} blocks, width ${image.width}, ${image.heads} heads, ${image.activation} (${image.kind}); ${image.size} x ${image.size} pixels in patches of ${image.patch}: grid ${image.grid.join(' x ')}`,
    ],
    [
      'Projector',
      family
        ? `${family.title}: ${family.describe(config)}; about ${tokens} tokens for an ordinary picture${family.lacks.length ? `; not built: ${family.lacks.join(', ')}` : ''}`
        : `reads ${layers.length === 1 ? 'hidden state' : 'hidden states'} ${layers.join(', ')} of the tower; ${tokens} tokens for each image`,
    ],
    [
      'Decoder',
      `${text.num_hidden_layers} blocks, width ${text.hidden_size}, ${text.num_attention_heads} heads${groups}, ${text.hidden_act} (${text.model_type}); ${formatCount(text.vocab_size)} tokens known, ${formatCount(text.max_position_embeddings)} at most in a conversation`,
    ],
    ['Template', 'problem' in template ? template.problem : `${template.name}${template.source ? ` (${template.source})` : ''}`],
    [
      'Bottleneck',
      bottleneck
        ? `Gaussian, behind ${bottleneck.bottleneck_layers.map(layer => (layer < 0 ? 'the projector' : `block ${layer}`)).join(', ')}; ${JSON.stringify(bottleneck)}`
        : 'none',
    ],
  ];
  return { fields, rows };
}
