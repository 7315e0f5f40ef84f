/** @file Scores of a caption whose words' token embeddings are multiplied by weights: what NIB's text metric asks of a model. */

import { MAX_MEMORY, rowsThatFit } from '../../attribution/memory.ts';
import { scoresOf } from '../../attribution/perturbation/games.ts';
import type { PerturbationContext } from '../../attribution/perturbation/perturbation.ts';
import { captionPlayers } from '../../attribution/perturbation/players.ts';
import { repeatFeeds } from '../../attribution/perturbation/token-state.ts';
import { chunks } from '../../attribution/rows.ts';
import type { Target } from '../../attribution/target.ts';
import { compile, input, mul, normalise, unsqueeze } from '../../graph/index.ts';
import { graphKey } from '../../models/graph-key.ts';
import { floats, ints } from '../../tensor/tensor.ts';

/**
 * Scores of pair p's caption against a target: each word's token embeddings (before positions are added) times the word's weight. Special
 * tokens keep theirs. For `MetricSample.scoreTokenWeights`.
 * @returns a function of weights [M, words] (order of the map's words) giving M scores
 */
export function tokenWeightScores(
  context: Required<Pick<PerturbationContext, 'keep'>> & Pick<PerturbationContext, 'model' | 'encoded' | 'maxMemory'>,
  p: number,
  target: Target,
): (weights: Float32Array) => Promise<Float64Array> {
  const { model, encoded, maxMemory = MAX_MEMORY } = context;
  const { ids } = encoded.text.batch.rows[p];
  const players = captionPlayers(encoded, p);
  const inputs = model.textInputs(ints([1, ids.length], ids));
  const tokens = inputs.input_ids.shape[1];
  return async weights => {
    const count = weights.length / players.length;
    const graph = await context.keep(graphKey('token weights', { modality: 'text', layer: -1, inputs }), () => {
      // Of a named or a fixed length, as the tower has it.
      const plain = model.text.source(inputs);
      const source = mul(plain, unsqueeze(input('weights', plain.shape.slice(0, 2)), 2));
      return compile(model.runtime, { features: normalise(model.text.suffix(-1, model.text.embed(source, inputs), 1, inputs)) });
    });
    const out = new Float64Array(count);
    const most = rowsThatFit(maxMemory, model.text, tokens, model.text.layers, false);
    for (const [from, to] of chunks(count, most)) {
      const all = new Float32Array((to - from) * tokens).fill(1);
      for (let m = from; m < to; m++)
        players.forEach((group, i) => {
          for (const t of group) all[(m - from) * tokens + t] = weights[m * players.length + i];
        });
      const feeds = { ...repeatFeeds(inputs, to - from), weights: floats([to - from, tokens], all) };
      const features = (await graph.run(feeds)).features;
      out.set(scoresOf(target, p, floats(features.shape, features.data as Float32Array)), from);
    }
    return out;
  };
}
