/** @file How large the hidden states are where a bottleneck will stand: `stream_scale` of one that begins by passing them on. */
import { type BottleneckConfig, modalitiesAt } from '../../bottleneck/gaussian/config.ts';
import { type CompiledGraph, cacheKey, compile, GraphCache, input, mean, square, type Value } from '../../graph/index.ts';
import { pixelInput, rowInputs } from '../../models/llava/files.ts';
import { llavaForward } from '../../models/llava/forward.ts';
import { MODALITY } from '../../models/llava/placement.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { trainingCompileOptions } from './memory.ts';
import type { Method } from './method.ts';
import type { LlavaSource } from './source.ts';

/** Batches that are looked through for one with an image, and for one with words. */
const TRIES = 16;
/** Digits that are kept: rounding of another number of threads does not reach them, and config.json can be read. */
const DIGITS = 4;

const SIDES = ['visual', 'text'] as const;
type Side = (typeof SIDES)[number];

/** The middle value; of an even number the lower one of the two. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

/** Layers of a bottleneck whose scale no earlier training has measured. */
function unmeasured(config: BottleneckConfig, before?: BottleneckConfig): number[] {
  if (config.bottleneck_init !== 'pass') return [];
  const known = before?.bottleneck_init === 'pass' ? before.bottleneck_layers : [];
  return config.bottleneck_layers.filter(layer => !known.includes(layer));
}

/** Per layer and side the rms of each token's hidden state, of the model as it is before training. */
async function tokenSizes(
  runtime: Runtime,
  source: LlavaSource,
  layers: readonly number[],
  batches: (k: number) => Promise<Feeds>,
): Promise<ReadonlyMap<number, Record<Side, number[]>>> {
  const sizes = new Map(layers.map(layer => [layer, { visual: [] as number[], text: [] as number[] }]));
  const p = frozenParameters(source.entries, source.directory);
  const trace = (images: boolean, isolated: boolean): Promise<CompiledGraph> => {
    const squares: Record<string, Value> = {};
    const tokens = { ...rowInputs(source.config), ...(isolated ? { turns: input('turns', ['batch', 'seq'], 'int32') } : {}) };
    llavaForward(p, source.config, tokens, images ? pixelInput(source.config) : undefined, (layer, hidden) => {
      if (sizes.has(layer)) squares[layer] = mean(square(hidden), -1);
      return hidden;
    });
    return compile(runtime, squares, trainingCompileOptions(source.entries));
  };
  const graphs = new GraphCache();
  try {
    for (let k = 0; k < TRIES; k++) {
      const feeds = await batches(k);
      const [images, isolated] = ['pixel_values' in feeds, 'turns' in feeds];
      const graph = await graphs.keep(cacheKey('stream', { images, isolated }), () => trace(images, isolated));
      const squares = await graph.run(feeds);
      for (const [layer, sides] of sizes)
        for (const [i, modality] of (feeds.modality.data as Int32Array).entries()) {
          if (modality === MODALITY.padding) continue;
          sides[modality === MODALITY.image ? 'visual' : 'text'].push(Math.sqrt(Number(squares[layer].data[i])));
        }
      if ([...sizes.values()].every(sides => SIDES.every(side => sides[side].length > 0))) break;
    }
  } finally {
    await graphs.release();
  }
  return sizes;
}

/**
 * The method with `stream_scale` measured, where its bottleneck begins by passing on (`bottleneck_init: pass`) and the start's own settings do
 * not say it; otherwise as it is. s of a layer and modality is the median over tokens of a token's rms √(mean_j h_j²): a few tokens of
 * large models have activations a thousand times the others', which would stretch a mean.
 * @param batches the k-th batch of the run, see `updateBatch`; the first is taken, and further ones until both modalities were there
 * @param onWarning told where a modality is not among them: its s is 1
 * @throws NarrowsError where the hidden states are 0 or not finite
 */
export async function withStreamScale(
  runtime: Runtime,
  source: LlavaSource,
  method: Method,
  batches: (k: number) => Promise<Feeds>,
  onWarning: (message: string) => void,
): Promise<Method> {
  const { bottleneck } = method;
  const layers = bottleneck ? unmeasured(bottleneck, source.bottleneck) : [];
  if (!bottleneck || layers.length === 0) return method;
  const sizes = await tokenSizes(runtime, source, layers, batches);
  const scales = bottleneck.bottleneck_layers.map(layer => {
    const here = sizes.get(layer);
    if (!here) return source.bottleneck!.stream_scale![source.bottleneck!.bottleneck_layers.indexOf(layer)];
    const of = (side: Side): number => {
      if (!modalitiesAt(bottleneck, layer).includes(side)) return 1;
      if (here[side].length === 0) {
        onWarning(
          `The first ${TRIES} batches have no ${side === 'visual' ? 'image' : 'words'}, so the bottleneck's scale for ${side} tokens at layer ${layer} is 1 and not measured.`,
        );
        return 1;
      }
      const scale = Number(median(here[side]).toPrecision(DIGITS));
      if (!(scale > 0 && Number.isFinite(scale)))
        throw new NarrowsError(
          `${source.directory}: the ${side} tokens' hidden states at layer ${layer} have an rms of ${scale}, so a bottleneck cannot pass them on; take --bottleneck-init published or another block.`,
        );
      return scale;
    };
    return { visual: of('visual'), text: of('text') };
  });
  return { ...method, bottleneck: { ...bottleneck, stream_scale: scales } };
}
