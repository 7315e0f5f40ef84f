/** @file Runs the method `posterior`: a LLaVA reads an image and a question, and each token's KL in its bottleneck is the map. */

import { inferenceAlpha } from '../bottleneck/gaussian/config.ts';
import { bottleneckOf, readBottleneck } from '../bottleneck/gaussian/llava.ts';
import { type BottleneckState, gaussianBottleneck } from '../bottleneck/gaussian/module.ts';
import { tokenNats } from '../bottleneck/gaussian/penalty.ts';
import { checkpointHash } from '../checkpoints/hash.ts';
import type { ChatModel } from '../generation/chat-model.ts';
import { compile } from '../graph/index.ts';
import type { EncodedChat } from '../inputs/chat/encode-chat.ts';
import { IMAGE_MARK } from '../inputs/chat/messages.ts';
import { pictureWarnings } from '../inputs/image/picture-warnings.ts';
import { cropProcessed, type ImageProcessor } from '../inputs/image/processor.ts';
import { mergeWords } from '../inputs/text/words.ts';
import { imageTokens } from '../models/llava/config.ts';
import { pixelInput, tokenInputs } from '../models/llava/files.ts';
import { llavaForward } from '../models/llava/forward.ts';
import { LlavaModel, placementFeeds } from '../models/llava/model.ts';
import { MODALITY } from '../models/llava/placement.ts';
import { gridSize } from '../models/model-config.ts';
import { NarrowsError } from '../system/errors.ts';
import { version } from '../system/version.ts';
import { ints } from '../tensor/tensor.ts';
import { type PosteriorOptions, posterior } from './methods/posterior.ts';
import { imageProvenance, type Pair } from './pair.ts';
import type { Attribution, Convergence, ImageAttribution, TextAttribution } from './result.ts';

const NOTHING_OPTIMISED: Convergence = {
  verdict: 'no-optimisation',
  note: 'This method does not optimise.',
  fit: [],
  compression: [],
};

/** What a call chooses. */
export interface PosteriorRun {
  readonly modality?: 'image' | 'text' | 'both';
  readonly signal?: AbortSignal;
  /** Each warning also stands in the result. */
  readonly onWarning?: (message: string) => void;
}

/**
 * What the bottleneck of a LLaVA keeps of an image and a question, in nats per token: the exact KL of the token's posterior to its prior,
 * summed over dimensions.
 * @param pair the question is its text; pictures in the result's terms are those of `chat.picture(pair.image)`
 * @throws NarrowsError for a model without a bottleneck, or without one at the layer asked for; the signal's reason when aborted
 */
export async function explainPosterior(
  chat: ChatModel,
  pair: Pair,
  { layer }: PosteriorOptions,
  run: PosteriorRun = {},
): Promise<Attribution> {
  const started = performance.now();
  const { model } = chat;
  if (!(model instanceof LlavaModel))
    throw new NarrowsError(`${chat.name} is a LLaVA-Mini, which has no bottleneck; posterior is for a LLaVA with one.`);
  const { config, parts } = model;
  const bottleneck = bottleneckOf(config) && (await readBottleneck(parts.checkpoint.directory));
  if (!bottleneck)
    throw new NarrowsError(
      `${chat.name} is a LLaVA without a bottleneck (its config.json has no bottleneck_config), so there is no posterior to read; narrows train tune --method vittle makes one.`,
    );
  const layers = bottleneck.config.bottleneck_layers;
  const chosen = layer === 'auto' ? Math.max(...layers) : layer;
  if (!layers.includes(chosen))
    throw new NarrowsError(`${chat.name} has no bottleneck at block ${chosen}; it has one at ${layers.join(', ')}.`, { kind: 'usage' });

  const picture = chat.picture(pair.image);
  const processed = parts.processor.process(picture);
  const { pixelValues } = processed;
  const covered = gridSize(config.vision_config) * config.vision_config.patch_size;
  const { view } = cropProcessed(processed, covered, covered);
  const encoded = chat.encoded([{ role: 'user', content: `${IMAGE_MARK}\n${pair.text}` }]);
  const said = pictureWarnings(pair.image, pixelValues);
  const warnings = [...chat.warnings, ...said];
  for (const warning of said) run.onWarning?.(warning);
  const pixels = { ...pixelValues, shape: [1, ...pixelValues.shape.slice(-3)] };
  const placement = model.place(ints([1, encoded.ids.length], encoded.ids), 1);
  let state: BottleneckState | undefined;
  const perImage = imageTokens(config);
  const alpha = inferenceAlpha(bottleneck.config);
  llavaForward(parts.parameters, config, tokenInputs(), pixelInput(config), (at, hidden, { modality, positions }) => {
    if (!layers.includes(at)) return hidden;
    const inputs = { modality, positions, tokensPerImage: perImage, alpha };
    const own = gaussianBottleneck(bottleneck.parameters, bottleneck.config, at, hidden, inputs);
    if (at === chosen) state = own;
    return own.hidden;
  });
  await using graph = await compile(parts.runtime, { nats: tokenNats(state!) }, { prepack: false });
  const out = await graph.run({ ...placementFeeds(placement), pixel_values: pixels }, { signal: run.signal });
  const nats = out.nats.data as Float32Array;

  const { modality = 'both' } = run;
  // A bottleneck of one modality alone keeps nothing to be told of the other: it goes on as it is.
  const has = chosen === -1 ? ['visual'] : bottleneck.config.modalities;
  const wants = (what: 'image' | 'text', who: string): boolean => modality !== (what === 'image' ? 'text' : 'image') && has.includes(who);
  const kinds = placement.modality.data;
  const ofImage = nats.filter((_, i) => Number(kinds[i]) === MODALITY.image);
  const image = wants('image', 'visual') ? imageMap(ofImage, gridSize(config.vision_config), view) : undefined;
  const text = wants('text', 'text') ? textMap(chat, encoded, nats, pair.text) : undefined;
  if (!image && !text)
    throw new NarrowsError(`The bottleneck of ${chat.name} at block ${chosen} passes no ${modality} tokens; ask for the other side.`, {
      kind: 'usage',
    });
  return {
    schemaVersion: 1,
    method: posterior.name,
    title: posterior.title,
    unit: 'nats',
    caption: pair.text,
    target: `what the bottleneck ${chosen === -1 ? 'after the projector' : `after block ${chosen}`} keeps of each token`,
    image,
    text,
    passes: { forward: 1, backward: 0 },
    parameters: { layer: chosen, modality, bottleneck: bottleneck.config, chat: { template: chat.template.name } },
    provenance: {
      narrows: version,
      runtime: `${parts.runtime.name} ${parts.runtime.version}`,
      model: { name: chat.name, sha256: await checkpointHash(parts.checkpoint) },
      image: imageProvenance(pair, picture),
      createdAt: new Date().toISOString(),
    },
    ...(warnings.length ? { warnings } : {}),
    timings: { posterior: (performance.now() - started) / 1000 },
  };
}

const toBits = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / Math.LN2;

/** Values of an image's tokens as a map over its patches; a tower whose first patch was cut off has 0 there. */
function imageMap(values: Float32Array, side: number, view: ReturnType<ImageProcessor['process']>['view']): ImageAttribution {
  const patches = side * side;
  const tokens = new Float32Array(Math.max(values.length, patches));
  tokens.set(values, tokens.length - values.length);
  const prefixTokens = tokens.length - patches;
  return {
    tokens,
    prefixTokens,
    grid: [side, side],
    patches: tokens.slice(prefixTokens),
    view,
    totalBits: toBits(values),
    convergence: NOTHING_OPTIMISED,
  };
}

/** Values of the prompt's words. Tokens outside of the question (the template's) are special; where the template hides it, all are shown. */
function textMap(chat: ChatModel, encoded: EncodedChat, nats: Float32Array, question: string): TextAttribution {
  const words = encoded.ids.flatMap((id, i) => (encoded.roles[i] === 'image' ? [] : [{ id, i }]));
  const said = question.trim();
  const at = encoded.text.lastIndexOf(said);
  const [from, to] = at < 0 ? [0, encoded.text.length] : [at, at + said.length];
  const shift = at < 0 ? 0 : question.indexOf(said) - at;
  const tokens = words.map(({ id, i }) => {
    const [start, end] = encoded.offsets[i];
    const inside = Math.max(start, from) < Math.min(end, to);
    const place = inside ? { start: Math.max(start, from) + shift, end: Math.min(end, to) + shift } : { start: 0, end: 0 };
    return { id, text: chat.tokenizer.textOf(id) ?? encoded.text.slice(start, end), special: !inside, ...place, value: nats[i] };
  });
  const values = tokens.map(token => token.value);
  return {
    tokens,
    words: mergeWords(at < 0 ? encoded.text : question, tokens, values),
    totalBits: toBits(values.filter((_, i) => !tokens[i].special)),
    convergence: NOTHING_OPTIMISED,
  };
}
