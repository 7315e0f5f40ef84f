/**
 * @file A question to a model that answers, as methods see it: an image and words in one row of tokens. Encodes it, runs a method of the
 * registry on it, and puts the record together.
 */

import { checkpointHash } from '../checkpoints/hash.ts';
import type { ChatModel } from '../generation/chat-model.ts';
import type { EncodedChat } from '../inputs/chat/encode-chat.ts';
import { IMAGE_MARK } from '../inputs/chat/messages.ts';
import { pictureWarnings } from '../inputs/image/picture-warnings.ts';
import { mergeWords } from '../inputs/text/words.ts';
import type { AnswerPicture } from '../models/answer-model.ts';
import type { Modality } from '../models/dual-encoder.ts';
import { pictureFeeds } from '../models/llava/files.ts';
import { LlavaModel, placementFeeds } from '../models/llava/model.ts';
import type { Pictured } from '../models/llava/pictures.ts';
import { imagesIn, MODALITY } from '../models/llava/placement.ts';
import type { Feeds } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import { version } from '../system/version.ts';
import { type FloatTensor, floats, ints } from '../tensor/tensor.ts';
import type { AttributeRun } from './attributor.ts';
import { type MethodFacts, methodOptions } from './method.ts';
import { checkPixelValues, imageProvenance, type Pair } from './pair.ts';
import type { Attribution, Convergence, ImageAttribution, TextAttribution } from './result.ts';

const NOTHING_OPTIMISED: Convergence = {
  verdict: 'no-optimisation',
  note: 'This method does not optimise.',
  fit: [],
  compression: [],
};

/** What a method gets of a question: one row of T tokens, the image's among the words'. */
export interface QuestionRun {
  /** What to call the model in messages. */
  readonly name: string;
  readonly model: LlavaModel;
  /** Tokens with their images placed, and `pixel_values`, as `llavaForward` declares them. */
  readonly feeds: Feeds;
  /** Modalities whose maps are wanted. */
  readonly wanted: readonly Modality[];
  readonly signal?: AbortSignal;
}

/** What a method says of a question. */
export interface QuestionMaps {
  /** One value per token, [T]. */
  readonly tokens: Float32Array;
  /** Modalities of whose tokens the values say something, out of those that were wanted; one at least. */
  readonly modalities: readonly Modality[];
  /** What was explained, in words. */
  readonly target: string;
  /** What the record keeps of how it was done, the options' values included. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly passes: { readonly forward: number; readonly backward: number };
}

/** A method that explains questions to a model that answers (a LLaVA). */
export interface QuestionMethodEntry<O = Record<string, unknown>> extends MethodFacts<O> {
  readonly serves: 'question';
  /** One sentence why this model cannot be served, or undefined. */
  unsupported?(chat: ChatModel): string | undefined;
  explain(run: QuestionRun, options: O): Promise<QuestionMaps>;
}

/**
 * Explains what a model reads of an image and a question.
 * @param pair the question is its text; pictures in the result's terms are those of `chat.picture(pair.image)`
 * @param given options that differ from the defaults
 * @throws NarrowsError for an option out of range, a model that the method cannot serve, or a wish that only pairs can have; the signal's
 *   reason when aborted
 */
export async function explainQuestion<O>(
  entry: QuestionMethodEntry<O>,
  { model: chat, pair }: { readonly model: ChatModel; readonly pair: Pair },
  given: Record<string, unknown> = {},
  run: Pick<AttributeRun, 'modality' | 'target' | 'imageSize' | 'signal' | 'onWarning'> = {},
): Promise<Attribution> {
  const started = performance.now();
  const { modality = 'both', signal } = run;
  if (run.target || run.imageSize !== undefined)
    throw new NarrowsError(
      `${run.target ? 'Another target' : 'Another image size'} is for models that compare images with texts; ${entry.name} asks a LLaVA a question.`,
      { kind: 'usage' },
    );
  const options = methodOptions(entry, given);
  const { model } = chat;
  const reason = entry.unsupported?.(chat);
  if (reason) throw new NarrowsError(reason);
  if (!(model instanceof LlavaModel)) throw new NarrowsError(`${chat.name} is a LLaVA-Mini, which ${entry.name} cannot explain.`);
  const { config, parts } = model;
  const picture = chat.picture(pair.image);
  const read = model.answers().readPicture(picture);
  if (pair.pixelValues) checkPixelValues(pair.pixelValues, { pixelValues: firstImage(read.pixels), view: read.view });
  const pixelValues: Pictured = pair.pixelValues ? { ...read.pixels, data: pair.pixelValues.data } : read.pixels;
  const encoded = chat.encoded([{ role: 'user', content: `${IMAGE_MARK}\n${pair.text}` }], { pictures: read });
  const said = pictureWarnings(pair.image, pixelValues);
  const warnings = [...chat.warnings, ...said];
  for (const warning of said) run.onWarning?.(warning);
  const placement = model.place(ints([1, encoded.ids.length], encoded.ids), imagesIn(config, pixelValues), undefined, read.layouts);
  const made = await entry.explain(
    {
      ...{ name: chat.name, model, signal },
      feeds: { ...placementFeeds(placement), ...pictureFeeds(config, pixelValues) },
      wanted: modality === 'both' ? ['image', 'text'] : [modality],
    },
    options,
  );
  const kinds = placement.modality.data;
  const ofImage = made.tokens.filter((_, i) => Number(kinds[i]) === MODALITY.image);
  return {
    schemaVersion: 1,
    ...{ method: entry.name, title: entry.title, unit: entry.unit, caption: pair.text, target: made.target },
    image: made.modalities.includes('image') ? imageMap(ofImage, read) : undefined,
    text: made.modalities.includes('text') ? textMap(chat, encoded, made.tokens, pair.text) : undefined,
    passes: made.passes,
    parameters: { ...made.parameters, modality, chat: { template: chat.template.name } },
    provenance: {
      narrows: version,
      runtime: `${parts.runtime.name} ${parts.runtime.version}`,
      model: { name: chat.name, sha256: await checkpointHash(parts.checkpoint) },
      image: imageProvenance(pair, picture),
      createdAt: new Date().toISOString(),
    },
    ...(warnings.length ? { warnings } : {}),
    timings: { [entry.name]: (performance.now() - started) / 1000 },
  };
}

const toBits = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / Math.LN2;

/** The first of a picture's images, [C, S, S]. */
const firstImage = ({ shape, data }: FloatTensor): FloatTensor => floats(shape.slice(1), data);

/** Values of an image's tokens as a map over its cells: each in equal shares to those that it shows; a cell without token has 0. */
function imageMap(values: Float32Array, { grid, view, tokenCells }: AnswerPicture): ImageAttribution {
  const patches = new Float32Array(grid[0] * grid[1]);
  values.forEach((value, i) => {
    for (const cell of tokenCells[i]) patches[cell] += value / tokenCells[i].length;
  });
  // Tokens that show no cell (a class token, ends of lines) stand in front.
  const others = values.filter((_, i) => tokenCells[i].length === 0);
  const tokens = new Float32Array(others.length + patches.length);
  tokens.set(others);
  tokens.set(patches, others.length);
  return {
    tokens,
    prefixTokens: others.length,
    grid,
    patches,
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
    const unknown = inside && id === chat.tokenizer.unknownId ? { unknown: true as const } : {};
    return {
      id,
      text: chat.tokenizer.textOf(id) ?? encoded.text.slice(start, end),
      special: !inside,
      ...place,
      value: nats[i],
      ...unknown,
    };
  });
  const values = tokens.map(token => token.value);
  return {
    tokens,
    words: mergeWords(at < 0 ? encoded.text : question, tokens, values),
    totalBits: toBits(values.filter((_, i) => !tokens[i].special)),
    convergence: NOTHING_OPTIMISED,
  };
}
