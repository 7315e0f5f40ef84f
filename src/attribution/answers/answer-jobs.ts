/** @file A placed question as methods see it: encoded once by the model, then jobs over P targets of the same row. */
import { cacheKey, compile, type Keep } from '../../graph/index.ts';
import type { AnswerPicture } from '../../models/answer-model.ts';
import type { Tower, TowerInputs } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import type { TowerJob } from '../method.ts';
import type { EncodedPairs, Pair } from '../pair.ts';
import { repeatFeeds } from '../perturbation/token-state.ts';
import { scoreFeatures, type Target } from '../target.ts';
import type { AnsweredRow } from './answer-row.ts';
import { answerSelection } from './row-tower.ts';

/** One run of the row. */
export interface EncodedRow {
  /** [1, T, D]: the output of the layer that was asked for. */
  readonly hidden: FloatTensor;
  /** Log-probabilities of the answers' tokens, [K], in nats. */
  readonly logProbabilities: Float32Array;
}

/** Runs a row. @param pixels in place of the picture's; @param ids in place of the row's, where words are replaced */
export async function encodeRow(
  row: AnsweredRow,
  tower: Tower,
  layer: number,
  keep: Keep,
  change: { readonly pixels?: FloatTensor; readonly ids?: readonly number[]; readonly signal?: AbortSignal } = {},
): Promise<EncodedRow> {
  const { pixels } = row.picture;
  const graph = await keep(cacheKey('answer row', { layer, pixels: pixels.shape, tokens: row.picture.tokenCells.length }), () =>
    compile(row.model.runtime, { ...tower.prefix(layer, {}) }, { prepack: false }),
  );
  const { feeds, pictureFeeds } = change.ids ? row.model.placeRow(change.ids, row.turns, row.picture) : row;
  const out = await graph.run(
    { ...feeds, ...pictureFeeds, pixel_values: change.pixels ?? pixels, ...answerSelection(row) },
    { signal: change.signal },
  );
  return { hidden: out.hidden as FloatTensor, logProbabilities: out.features.data as Float32Array };
}

/** A [1, …] tensor as often as there are targets. */
const repeated = (tensor: FloatTensor, count: number): FloatTensor => repeatFeeds({ tensor }, count).tensor as FloatTensor;

/** What stands for no picture and no question: the mean colour, and a filler in place of every word of the question. */
export async function emptyRow(row: AnsweredRow, tower: Tower, layer: number, keep: Keep, filler: number): Promise<FloatTensor> {
  const { pixels } = row.picture;
  const ids = row.ids.map((id, i) => (row.wordTokens.includes(i) ? filler : id));
  return (await encodeRow(row, tower, layer, keep, { pixels: floats(pixels.shape, new Float32Array(pixels.data.length)), ids })).hidden;
}

/** The job of methods that go by the row. @param wanted modalities whose tokens play @param readFrom places of the row per target */
export function rowJob(
  row: AnsweredRow,
  tower: Tower,
  encoded: EncodedRow,
  given: {
    readonly layer: number;
    readonly target: Target;
    readonly players: readonly number[];
    readonly readFrom: readonly (readonly number[])[];
    readonly nothing: () => Promise<FloatTensor>;
  },
): TowerJob {
  const { target, players } = given;
  const count = target.vectors.shape[0];
  // Of the row, or of the vision tower's output.
  const tokens = encoded.hidden.shape[1];
  const atTower = tower.modality === 'image';
  const playing = new Float32Array(tokens);
  for (const at of players) playing[at] = 1;
  const from = new Float32Array(count * row.ids.length);
  given.readFrom.forEach((places, p) => {
    for (const at of places) from[p * row.ids.length + at] += 1 / places.length;
  });
  const hidden = repeated(encoded.hidden, count);
  const inputs: TowerInputs = {
    ...repeatFeeds({ ...row.feeds, ...answerSelection(row), playing: floats([1, tokens], playing) }, count),
    undisturbed: hidden,
  };
  return {
    ...{ modality: tower.modality, tower, inputs, layer: given.layer, hidden, target, tokens, nothing: given.nothing },
    kinds: (atTower ? [players] : [row.imageTokens, row.wordTokens])
      .map(kind => kind.filter(at => players.includes(at)))
      .filter(kind => kind.length > 0),
    features: floats([count, encoded.logProbabilities.length], repeatedValues(encoded.logProbabilities, count)),
    scores: Array.from({ length: count }, (_, p) => scoreFeatures(target, p, encoded.logProbabilities)),
    lengths: Array.from({ length: count }, () => tokens),
    players: Array.from({ length: count }, () => players),
    readFrom: floats([count, 1, row.ids.length], from),
  };
}

const repeatedValues = (values: Float32Array, count: number): Float32Array => {
  const out = new Float32Array(values.length * count);
  for (let p = 0; p < count; p++) out.set(values, p * values.length);
  return out;
};

/** The jobs of methods that go by sides: the picture's cells, the prompt's tokens. Their towers are only named. */
export function sideJobs(row: AnsweredRow, tower: Tower, encoded: EncodedRow, target: Target): { image: TowerJob; text: TowerJob } {
  const count = target.vectors.shape[0];
  const { picture, promptTokens } = row;
  const cells = picture.grid[0] * picture.grid[1];
  const every = <T>(value: T): T[] => Array.from({ length: count }, () => value);
  const scores = every(0).map((_, p) => scoreFeatures(target, p, encoded.logProbabilities));
  const common = {
    layer: -1,
    target,
    scores,
    features: floats([count, encoded.logProbabilities.length], repeatedValues(encoded.logProbabilities, count)),
  };
  const side = (
    modality: 'image' | 'text',
    tokens: number,
    players: readonly number[],
    inputs: Readonly<Record<string, Tensor>>,
  ): TowerJob => ({
    ...common,
    ...{ modality, tower: { ...tower, modality, prefixTokens: 0 }, tokens },
    inputs: repeatFeeds(inputs, count),
    hidden: floats([count, tokens, 0], []),
    lengths: every(tokens),
    players: every(players),
  });
  const words = promptTokens.flatMap((token, i) => (token.special ? [] : [i]));
  const ids = ints(
    [1, promptTokens.length],
    promptTokens.map(token => token.id),
  );
  const image = side(
    'image',
    cells,
    Array.from({ length: cells }, (_, i) => i),
    { pixel_values: picture.pixels },
  );
  return {
    image: { ...image, tower: { ...image.tower, grid: patchesOf(picture) }, grid: picture.grid, size: sizeOf(picture) },
    text: side('text', promptTokens.length, words, { input_ids: ids }),
  };
}

const sizeOf = ({ pixels }: AnswerPicture): [number, number] => pixels.shape.slice(-2) as [number, number];

/** Rows and columns of patches as large as a picture's cells. */
function patchesOf(picture: AnswerPicture): (height: number, width: number) => [number, number] {
  const edge = Math.floor(sizeOf(picture)[0] / picture.grid[0]);
  return (height, width) => [Math.floor(height / edge), Math.floor(width / edge)];
}

/** The question as results are put together from: cells of the picture and words of the prompt, for each target. */
export function displayed(row: AnsweredRow, pair: Pair, targets: number): EncodedPairs {
  const cells = row.picture.grid[0] * row.picture.grid[1];
  const { promptTokens } = row;
  const shape = (tokens: number): FloatTensor => floats([targets, tokens, 0], []);
  const one = { ids: promptTokens.map(token => token.id), tokens: promptTokens.map(({ at: _, ...token }) => token), allUnknown: false };
  const rows = Array.from({ length: targets }, () => one);
  const none = floats([targets, 0], []);
  const ids = ints([1, promptTokens.length], one.ids);
  return {
    pairs: rows.map(() => ({ ...pair, text: row.question })),
    image: { inputs: {}, hidden: shape(cells), features: none, views: rows.map(() => row.picture.view), grid: row.picture.grid },
    text: { inputs: {}, hidden: shape(promptTokens.length), features: none, batch: { inputIds: ids, attentionMask: ids, rows } },
    cosines: [],
  };
}
