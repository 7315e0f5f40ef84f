/**
 * @file The projector's input, whitened: z = (x − μ) T has mean 0 and unit covariance within each of the tower's layers. In a tower's
 * features position lies in directions of a thousandth to a hundred-thousandth of the largest variance, which a projector that is fed them as
 * they are does not find in the time that a small model is given. A trained `linear_1` of z is one of x, which is what is saved.
 */
import { add, constant, matmul, type Value } from '../../graph/index.ts';
import { featureLayers, towerWidth } from '../../models/llava/config.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { drawScene } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { RandomStream } from '../../tensor/random.ts';
import { symmetricEigenvectors } from '../../tensor/symmetric-eigenvectors.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { compileTower, encodeImages, type TowerSource } from './scene-task.ts';

/** How the whitening is measured. */
export interface WhitenSettings {
  /** Scenes whose patches are taken; by default 1 500, which is 96 000 patches for some hundred dimensions. */
  readonly scenes?: number;
  /** Added to every variance, so that directions of less (rounding, not features) are not blown up; by default 1e-5. */
  readonly epsilon?: number;
}

/** Seed of the scenes that are measured: the same for every run, so that stages of one model share their whitening. */
const SEED = 5_000_011;
/** Scenes are drawn and encoded so many at a time. */
const CHUNK = 100;

/** A whitening of features of some width. */
export interface Whitening {
  /** [width] */
  readonly mean: Float64Array;
  /** [width, width], row by row; zero between layers */
  readonly transform: Float64Array;
}

/**
 * Principal components of rows, each layer by itself: `transform` = U / √(λ + ε).
 * @param rows [n, width] @param layers of equal width that stand side by side
 */
export function whiteningOf(rows: FloatTensor, layers: number, epsilon: number): Whitening {
  const width = rows.shape.at(-1)!;
  const data = rows.data as Float32Array;
  const count = data.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width] += data[i] / count;
  const transform = new Float64Array(width * width);
  const each = width / layers;
  for (let from = 0; from < width; from += each) {
    const { values, vectors } = symmetricEigenvectors(covariance(data, mean, from, each), each);
    for (let i = 0; i < each; i++)
      for (let k = 0; k < each; k++)
        transform[(from + i) * width + from + k] = vectors[i * each + k] / Math.sqrt(Math.max(values[k], 0) + epsilon);
  }
  return { mean, transform };
}

/** Covariance of the columns `from` … `from + each`. */
function covariance(data: Float32Array, mean: Float64Array, from: number, each: number): Float64Array {
  const width = mean.length;
  const count = data.length / width;
  const out = new Float64Array(each * each);
  const x = new Float64Array(each);
  for (let at = from; at < data.length; at += width) {
    for (let i = 0; i < each; i++) x[i] = data[at + i] - mean[from + i];
    for (let i = 0; i < each; i++) for (let j = 0; j <= i; j++) out[i * each + j] += x[i] * x[j];
  }
  for (let i = 0; i < each; i++)
    for (let j = 0; j <= i; j++) {
      out[i * each + j] /= Math.max(1, count - 1);
      out[j * each + i] = out[i * each + j];
    }
  return out;
}

/** The tower's features of fresh scenes of one to `maxObjects` things, patch after patch [patches, width]. @param scenes how many */
export async function sceneFeatures(
  runtime: Runtime,
  source: TowerSource,
  world: SceneWorld,
  { scenes, maxObjects, stream }: { readonly scenes: number; readonly maxObjects: number; readonly stream: RandomStream },
): Promise<Float32Array<ArrayBuffer>> {
  const size = source.config.vision_config.image_size;
  const graph = await compileTower(runtime, source);
  const parts: Float32Array[] = [];
  for (let from = 0; from < scenes; from += CHUNK) {
    const images = Array.from({ length: Math.min(CHUNK, scenes - from) }, (_, i) =>
      Uint8Array.from(drawScene(world, { width: size, height: size, minObjects: 1, maxObjects }, stream.reader(0, from + i)).image.data),
    );
    parts.push((await encodeImages(graph, source, images)).data as Float32Array);
  }
  await graph.release();
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The whitening of a tower's features, measured on scenes of one to `maxObjects` things. */
export async function measureWhitening(
  runtime: Runtime,
  source: TowerSource,
  world: SceneWorld,
  maxObjects: number,
  { scenes = 1500, epsilon = 1e-5 }: WhitenSettings,
): Promise<Whitening> {
  const stream = new RandomStream(SEED, 'whiten.scenes');
  const width = towerWidth(source.config);
  const all = await sceneFeatures(runtime, source, world, { scenes, maxObjects, stream });
  return whiteningOf(floats([all.length / width, width], all), featureLayers(source.config).length, epsilon);
}

/** Features of the tower [images, N, width], whitened. */
export function whitened(features: Value, { mean, transform }: Whitening): Value {
  const width = mean.length;
  const centred = add(
    features,
    constant(
      floats(
        [width],
        Float32Array.from(mean, v => -v),
      ),
    ),
  );
  return matmul(centred, constant(floats([width, width], Float32Array.from(transform))));
}

/**
 * `linear_1` of whitened features as one of the features themselves: W' = W Tᵀ, b' = b − W' μ.
 * @param weight [out, width] @param bias [out]
 */
export function foldWhitening(
  { weight, bias }: { readonly weight: Float32Array; readonly bias: Float32Array },
  { mean, transform }: Whitening,
): { weight: Float32Array<ArrayBuffer>; bias: Float32Array<ArrayBuffer> } {
  const width = mean.length;
  const out = { weight: new Float32Array(weight.length), bias: new Float32Array(bias.length) };
  for (let o = 0; o < bias.length; o++) {
    let shift = 0;
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += weight[o * width + k] * transform[i * width + k];
      out.weight[o * width + i] = sum;
      shift += sum * mean[i];
    }
    out.bias[o] = bias[o] - shift;
  }
  return out;
}
