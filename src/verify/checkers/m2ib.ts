/**
 * @file The official M2IB (arXiv 2312.17174; its published code) with recorded noise, run by the shipped gate optimisation. Names are
 * `vision|text.PAIR.PART`; the settings give vision_layer, text_layer (0-based block whose output is replaced), beta and lr.
 */
import { gateNats } from '../../bottleneck/gate.ts';
import { compileGate } from '../../bottleneck/gate-graph.ts';
import type { GateResult } from '../../bottleneck/gate-problem.ts';
import { optimiseGate } from '../../bottleneck/optimise-gate.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { CLIPModel } from '../../models/clip/model.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { inputRow } from '../attribution-inputs.ts';
import type { Checker, Computed, VerifyContext } from '../checker.ts';
import { textFeeds } from '../feeds.ts';
import { COSINE_SCALE } from '../tolerance.ts';

const NAME = /^((vision|text)\.(\d+))\.(?:(noise|input_ids|attention_mask)|hidden|alpha|loss|kl|saliency|map)$/;

/** Parts in the order in which they are computed. */
const PARTS = ['hidden', 'alpha', 'loss', 'kl', 'saliency', 'map'];

/** Size of the official map of an image, and which of its pixels a reference keeps. */
const MAP_SIZE = 224;
const MAP_STEP = 8;

/** `vision|text.PAIR.PART`, each pair and tower an optimisation of its own. */
export const m2ibChecker: Checker = {
  name: 'M2IB with recorded noise',
  role(name) {
    const match = NAME.exec(name);
    return match ? (match[4] ? 'input' : 'value') : undefined;
  },
  async *compute(context, names) {
    if (!(context.model instanceof CLIPModel)) {
      for (const name of names) yield { name, reason: 'the official M2IB is not for this model, only for CLIP' };
      return;
    }
    const runs = new Map<string, string[]>();
    for (const name of names) {
      const run = NAME.exec(name)![1];
      runs.set(run, [...(runs.get(run) ?? []), name]);
    }
    for (const [run, wanted] of runs) {
      try {
        const values = await m2ibRun(context, run);
        for (const part of PARTS) {
          const name = `${run}.${part}`;
          if (wanted.includes(name)) yield { name, ...values[part] };
        }
      } catch (error) {
        if (!(error instanceof MissingInput)) throw error;
        for (const name of wanted) yield { name, reason: error.message };
      }
    }
  },
};

/** An input or setting that the file lacks. */
class MissingInput extends Error {}

async function m2ibRun(context: VerifyContext, run: string): Promise<Record<string, Omit<Computed, 'name'>>> {
  const { model, reference } = context;
  const gated = run.startsWith('vision') ? model.image : model.text;
  const other = gated === model.image ? model.text : model.image;
  const setting = (name: string): number => {
    const value = reference.setting(name);
    if (value === undefined) throw new MissingInput(`the file's settings have no "${name}"`);
    return value;
  };
  const layer = setting(gated === model.image ? 'vision_layer' : 'text_layer');
  if (!Number.isInteger(layer) || layer < 0 || layer >= gated.layers)
    throw new NarrowsError(
      `The settings of ${reference.path} place the bottleneck after block ${layer} of the ${gated.modality} tower, but ${model.name} has blocks 0 to ${gated.layers - 1}.`,
    );
  const [beta, learningRate] = [setting('beta'), setting('lr')];
  for (const part of ['noise', 'input_ids']) if (!reference.has(`${run}.${part}`)) throw new MissingInput(`the file has no ${run}.${part}`);
  const images = model.imageInputs(await pixelsOf(context, Number(run.split('.')[1])));
  const texts = await textFeeds(context, `${run}.input_ids`, `${run}.attention_mask`);
  const [inputs, others] = gated === model.image ? [images, texts] : [texts, images];
  const { hidden } = await model.runTower(gated, inputs, layer);
  const target = (await model.runTower(other, others, other.layers - 1)).features;

  const noise = await reference.floats(`${run}.noise`);
  const [steps, batchSize, ...rest] = noise.shape;
  if (rest.join() !== hidden.shape.slice(1).join())
    throw new NarrowsError(
      `${run}.noise of ${reference.path} is [${noise.shape.join(', ')}], but the hidden state after block ${layer} of ${model.name} is [${hidden.shape.join(', ')}]; the file belongs to another model or input.`,
    );
  const size = batchSize * rest[0] * rest[1];
  // As `compat: 'm2ib-official'` sets them.
  const options = { beta, steps, learningRate, batchSize, antithetic: false, perToken: false, alphaStart: 5, official: true };
  const problem = { runtime: model.runtime, tower: gated, layer, hidden, inputs, target, options, seed: 0, trace: true };
  await using graph = await compileGate({ ...problem, standardised: false });
  const draw = (step: number): FloatTensor => floats(noise.shape.slice(1), noise.data.subarray(step * size, (step + 1) * size));
  const [result] = await optimiseGate({ ...problem, noise: draw }, graph);
  return parts(result, hidden, { beta, learningRate, image: gated === model.image });
}

/**
 * Rounding of the official arithmetic: it forms 1 − λ from a float32 λ near one, so that ln(1 − λ), the noise and the gradient carry a
 * relative error of about 2⁻²³/(1 − λ) = 2⁻²³eᵅ: 1e-4 at α = 7, 0.15 at 14; from 16.6 on it is ln 0. Narrows takes σ(−α) and softplus(α).
 */
const rounding = (alpha: number): number => 2 ** -23 * Math.exp(alpha);

/** Where that reaches the default tolerance. Below, nothing is granted. */
const COARSE_FROM = 7;

/** The result in the shapes of the reference. */
function parts(
  result: GateResult,
  hidden: FloatTensor,
  { beta, learningRate, image }: { beta: number; learningRate: number; image: boolean },
): Record<string, Omit<Computed, 'name'>> {
  const [, tokens, width] = hidden.shape;
  const size = tokens * width;
  const alphas = result.alphas!;
  const alpha = new Float32Array(alphas.length * size);
  const alphaRounding = new Float32Array(alpha.length);
  const sum = new Float32Array(size);
  const highest = new Float32Array(size);
  for (const [step, values] of alphas.entries()) {
    alpha.set(values, step * size);
    for (let i = 0; i < size; i++) {
      highest[i] = Math.max(highest[i], values[i]);
      if (highest[i] > COARSE_FROM) alphaRounding[step * size + i] = sum[i];
      // A step of Adam is the learning rate times a quotient of gradients: a relative error of the gradient moves it by at most as much.
      sum[i] += learningRate * rounding(values[i]);
    }
  }
  const loss = result.fit.flatMap((fit, step) => {
    // Without a weight on the cost, the graph's own number says nothing of it.
    const cost = beta > 0 ? result.compression[step] / beta : meanNats(alphas[step], hidden.data);
    return [cost, fit, result.compression[step] - fit];
  });
  // The cost is that of the last forward pass: α before the last step. Its own α may be off as well, at a slope of at most one nat.
  const last = alphas.length - 2;
  const klRounding = alphas[last].map((a, i) => (a > COARSE_FROM ? rounding(a) : 0) + alphaRounding[last * size + i]);
  const sums = Float32Array.from({ length: tokens }, (_, n) => 2 * Math.hypot(...klRounding.subarray(n * width, (n + 1) * width)));
  const shown = image ? result.tokens.subarray(1) : result.tokens;
  const map = officialMap(shown, image);
  const mapRounding = (2 * Math.max(...sums)) / (Math.max(...shown) - Math.min(...shown));
  return {
    hidden: { kind: 'forward', value: hidden },
    alpha: { kind: 'gate', value: floats([alphas.length, 1, tokens, width], alpha), rounding: alphaRounding },
    loss: { kind: 'information', value: floats([result.fit.length, 3], loss), scaleFloor: COSINE_SCALE },
    kl: { kind: 'information', value: floats([tokens, width], result.information), rounding: klRounding },
    saliency: { kind: 'information', value: floats([tokens], result.tokens), rounding: sums },
    map: { kind: 'information', value: map, rounding: new Float32Array(map.data.length).fill(mapRounding) },
  };
}

const meanNats = (alpha: Float32Array, hidden: Float32Array): number =>
  alpha.reduce((total, a, i) => total + gateNats(a, hidden[i]), 0) / alpha.length;

/**
 * The published read-out: an image's patches (a square grid) enlarged to 224 × 224, min–max over all of it, every eighth pixel; a text's
 * tokens min–max, special tokens included.
 */
function officialMap(shown: Float32Array, image: boolean): FloatTensor {
  if (!image) return floats([shown.length], minMax(shown));
  const side = Math.round(Math.sqrt(shown.length));
  const full = minMax(upsampleBilinear(shown, [side, side], [MAP_SIZE, MAP_SIZE]));
  const kept = MAP_SIZE / MAP_STEP;
  const at = (i: number): number => full[Math.floor(i / kept) * MAP_STEP * MAP_SIZE + (i % kept) * MAP_STEP];
  return floats(
    [kept, kept],
    Float32Array.from({ length: kept * kept }, (_, i) => at(i)),
  );
}

function minMax(values: Float32Array): Float32Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return values.map(v => (v - low) / (high - low));
}

/** Image of a pair, [1, C, H, W]. */
async function pixelsOf(context: VerifyContext, pair: number): Promise<FloatTensor> {
  const pixels = await inputRow(context, 'pixel_values', pair);
  if ('reason' in pixels) throw new MissingInput(pixels.reason);
  return pixels as FloatTensor;
}
