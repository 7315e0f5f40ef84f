/** @file Config.json of LLaVA-NeXT and LLaVA-OneVision, keys verbatim, defaults as in transformers 4.57. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

type Json = Readonly<Record<string, unknown>>;

const edge = z.number().int().positive();
const schema = z.looseObject({
  /** [height, width] of the canvases that a picture may be laid on. */
  image_grid_pinpoints: z
    .array(z.tuple([edge, edge]))
    .min(1)
    .optional(),
  vision_aspect_ratio: z.string().optional(),
});

const NEXT: readonly (readonly [number, number])[] = [
  [336, 672],
  [672, 336],
  [672, 672],
  [1008, 336],
  [336, 1008],
];
/** Up to six by six tiles, rows before columns. */
const ONEVISION = Array.from({ length: 36 }, (_, i) => [384 * (1 + Math.floor(i / 6)), 384 * (1 + (i % 6))] as const);

const SIGLIP = {
  hidden_size: 1152,
  intermediate_size: 4304,
  patch_size: 14,
  image_size: 384,
  num_hidden_layers: 26,
  num_attention_heads: 16,
};

/** Canvases of a config, [height, width]. */
export const pinpoints = (config: Json): readonly (readonly [number, number])[] =>
  config.image_grid_pinpoints as readonly (readonly [number, number])[];

/** Of LLaVA-OneVision: most tiles' worth of tokens that a picture keeps (9 of `anyres_max_9`); undefined for LLaVA-NeXT, which keeps all. */
export function mostTiles(config: Json): number | undefined {
  const found = /^anyres_max_(\d+)$/.exec(String(config.vision_aspect_ratio ?? ''));
  return found ? Number(found[1]) : undefined;
}

const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

/** The config in LLaVA's terms. @throws NarrowsError in one sentence for a key that is wrong, or canvases that no tiles fill */
export function llavaNextKeys(given: Json, source: string): Record<string, unknown> {
  const result = schema.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const one = given.model_type === 'llava_onevision';
  const vision = record(given.vision_config) ?? (one ? { ...SIGLIP, model_type: 'siglip_vision_model' } : undefined);
  const text = record(given.text_config) ?? {};
  const keys = {
    ...given,
    image_grid_pinpoints: result.data.image_grid_pinpoints ?? (one ? ONEVISION : NEXT),
    ...(one ? { vision_aspect_ratio: result.data.vision_aspect_ratio ?? 'anyres_max_9' } : { vision_aspect_ratio: undefined }),
    image_token_index: given.image_token_index ?? given.image_token_id ?? (one ? 151646 : 32000),
    vision_feature_layer: given.vision_feature_layer ?? (one ? -1 : -2),
    vision_feature_select_strategy: given.vision_feature_select_strategy ?? (one ? 'full' : 'default'),
    text_config: { ...text, model_type: text.model_type ?? (one ? 'qwen2' : 'llama') },
    vision_config: vision && { ...vision, model_type: vision.model_type ?? (one ? 'siglip_vision_model' : 'clip_vision_model') },
  };
  if (one && mostTiles(keys) === undefined)
    throw new NarrowsError(
      `${source}: vision_aspect_ratio is ${JSON.stringify(keys.vision_aspect_ratio)}; Narrows runs a LLaVA-OneVision with "anyres_max_9" or another number.`,
    );
  const size = Number(vision?.image_size ?? 336);
  const odd = keys.image_grid_pinpoints.find(canvas => canvas.some(n => n % size));
  if (odd)
    throw new NarrowsError(
      `${source}: image_grid_pinpoints has a canvas of ${odd[0]} x ${odd[1]}, which tiles of ${size} x ${size} (vision_config.image_size) do not fill.`,
    );
  return keys;
}
