/** @file A model is shown questions: what stands at the bottleneck's block, before it and behind it, and what it charges. */

import { inferenceAlpha } from '../../bottleneck/gaussian/config.ts';
import { bottleneckOf } from '../../bottleneck/gaussian/llava.ts';
import { gaussianBottleneck } from '../../bottleneck/gaussian/module.ts';
import { readBottleneck } from '../../bottleneck/gaussian/pretrained.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import { compile, type Value } from '../../graph/index.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { pixelInput, tokenInputs } from '../../models/llava/files.ts';
import { type LlavaTap, llavaForward } from '../../models/llava/forward.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import { MODALITY, placeImages } from '../../models/llava/placement.ts';
import { NarrowsError } from '../../system/errors.ts';
import { ints } from '../../tensor/tensor.ts';
import { type PriorNats, pooledMean, pooledSample, priorNats } from './pooled.ts';

/** A question with its picture. */
export interface Shown {
  /** Number of the picture: its tokens see no question, so one row per picture says it all. */
  readonly picture: number;
  readonly image: RgbImage;
  readonly question: string;
}

/** The tokens of one modality, pooled, row by row. */
export interface SideStates {
  /** What goes on to the next block, as the model answers. */
  readonly used: Float64Array[];
  /** What comes into the bottleneck. */
  readonly before: Float64Array[];
  /** A draw of z itself, without what goes past it. */
  readonly sampled: Float64Array[];
  readonly nats: PriorNats[];
}

/** What was seen. Without a bottleneck there are only `used`. */
export interface States {
  /** A row per picture. */
  readonly visual: SideStates;
  /** A row per question. */
  readonly text: SideStates;
}

const BATCH = 16;
const empty = (): SideStates => ({ used: [], before: [], sampled: [], nats: [] });

/** Block and share of the bottleneck. @throws NarrowsError for learnt priors or several blocks, which this measurement does not know */
async function bottleneckFacts(chat: ChatModel): Promise<{ layer: number; tap?: (keep: Record<string, Value>) => LlavaTap } | undefined> {
  const { config: llava, parts } = chat.model;
  const config = bottleneckOf(llava as LlavaConfig);
  if (!config) return undefined;
  const { directory } = parts.checkpoint;
  if (config.prior !== 'fixed' || config.bottleneck_layers.length > 1)
    throw new NarrowsError(
      `${directory} has a learnt prior or several bottlenecks; this measurement knows one bottleneck with a fixed prior.`,
    );
  const [layer] = config.bottleneck_layers;
  const { parameters } = (await readBottleneck(directory))!;
  const alpha = inferenceAlpha(config);
  const tokensPerImage = imageTokens(llava as LlavaConfig);
  const tap =
    (keep: Record<string, Value>): LlavaTap =>
    (at, hidden, { modality, positions }) => {
      if (at !== layer) return hidden;
      const state = gaussianBottleneck(parameters, config, layer, hidden, { modality, positions, tokensPerImage, alpha });
      Object.assign(keep, { before: hidden, mean: state.mean, logVariance: state.logVariance });
      return state.hidden;
    };
  return { layer, tap };
}

/** The block where a model's bottleneck stands; undefined without one. */
export const bottleneckLayer = async (chat: ChatModel): Promise<number | undefined> => (await bottleneckFacts(chat))?.layer;

/** Shows all questions. @param layer block to look behind where the model has no bottleneck */
export async function observe(chat: ChatModel, shown: readonly Shown[], layer: number, signal?: AbortSignal): Promise<States> {
  const facts = await bottleneckFacts(chat);
  const { parts } = chat.model;
  const config = parts.config as LlavaConfig;
  const kept: Record<string, Value> = {};
  const run = llavaForward(parts.parameters, config, tokenInputs(), pixelInput(config), facts?.tap?.(kept));
  await using graph = await compile(parts.runtime, { used: run.hidden[(facts?.layer ?? layer) + 1], ...kept });
  const states: States = { visual: empty(), text: empty() };
  const seen = new Set<number>();
  for (let at = 0; at < shown.length; at += BATCH) {
    signal?.throwIfAborted();
    const batch = shown.slice(at, at + BATCH);
    const rows = batch.map(({ question }) => chat.encoded([{ role: 'user', content: `<image>\n${question}` }]).ids);
    const length = Math.max(...rows.map(ids => ids.length));
    const ids = new Int32Array(rows.length * length);
    const mask = new Int32Array(rows.length * length);
    rows.forEach((row, b) => {
      ids.set(row, b * length);
      mask.fill(1, b * length, b * length + row.length);
    });
    const shape = [rows.length, length];
    const placement = placeImages(config, ints(shape, ids), rows.length, ints(shape, mask));
    const pixels = chat.pixels(batch.map(({ image }) => image))!;
    const out = await graph.run({ ...placementFeeds(placement), pixel_values: pixels });
    const width = out.used.shape[2];
    const modality = placement.modality.data as Int32Array;
    batch.forEach(({ picture }, b) => {
      const places = (wanted: number): number[] =>
        Array.from({ length: rows[b].length }, (_, t) => b * length + t).filter(place => modality[place] === wanted);
      const take = (side: SideStates, of: readonly number[]): void => {
        side.used.push(pooledMean(out.used.data as Float32Array, of, width));
        if (!facts) return;
        const posterior = { mean: out.mean.data as Float32Array, logVariance: out.logVariance.data as Float32Array };
        side.before.push(pooledMean(out.before.data as Float32Array, of, width));
        side.sampled.push(pooledSample(posterior, of, width, side.sampled.length));
        side.nats.push(priorNats(posterior, of, width));
      };
      if (!seen.has(picture)) take(states.visual, places(MODALITY.image));
      seen.add(picture);
      take(states.text, places(MODALITY.text));
    });
  }
  return states;
}
