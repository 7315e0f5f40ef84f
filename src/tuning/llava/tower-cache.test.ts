import { expect, it } from 'vitest';
import { compile } from '../../graph/index.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { llavaTrainGraph } from './graph.ts';
import { SceneUpdates } from './scene-batch.ts';
import { compileTower, towerOf } from './scene-task.ts';
import { llavaSource } from './source.ts';
import { startValues } from './start-values.ts';
import { streamDropout, streamDropoutFeeds } from './stream-dropout.ts';
import { EncodedUpdates, lossRows, TowerCache } from './tower-cache.ts';

it('places of labels: the token before each, none for a label that nothing stands before', () => {
  const { loss_rows, loss_labels } = lossRows(ints([2, 3], Int32Array.of(7, -100, 9, -100, 5, 6)));
  expect([...loss_rows.data]).toEqual([1, 3, 4]);
  expect([...loss_labels.data]).toEqual([9, 5, 6]);
  const none = lossRows(ints([1, 2], Int32Array.of(-100, -100)));
  expect([none.loss_rows.data.length, ...none.loss_labels.data]).toEqual([1, -100]);
});

it('encodes what it has not seen, and forgets what belongs to another', async () => {
  let runs = 0;
  const cache = new TowerCache({ run: async () => ({ tower_features: floats([1], Float32Array.of(++runs)) }) });
  const pixels = floats([1], new Float32Array(1));
  const value = async (name: string) => (await cache.encode(name, pixels)).data[0];
  cache.begin('seed 0');
  expect([await value('a'), await value('b'), await value('a')]).toEqual([1, 2, 1]);
  cache.begin('seed 0');
  expect(await value('b')).toBe(2);
  cache.begin('seed 1');
  expect(await value('a')).toBe(3);
});

it.each([
  ['no tap', undefined],
  ['a tap before the last block', [1]],
  ['a tap of the last block', [3]],
])('gives the loss and the gradients of a graph that encodes the pictures itself and reads all rows (%s)', async (_, layers) => {
  const runtime = nodeRuntime({ threads: 1 });
  const source = await llavaSource('scene-llava');
  const { config, entries, directory } = source;
  const chat = { seed: 3, batchSize: 2, curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 3, isolated: true };
  const updates = new SceneUpdates(syntheticWorld(CONCEPTS.length), config, { ...chat, ...towerOf(source) }, 1);
  const part = {
    trainable: (name: string) =>
      name.startsWith('model.multi_modal_projector') || /language_model\.layers\.(0|3)\.(mlp\.down|self_attn\.[qo])_proj/.test(name),
    frozen: frozenParameters(entries, directory),
    isolatedTurns: true,
    bottleneck: layers && (() => streamDropout({ layers, rate: 0.1 })),
  };
  await using tower = await compileTower(runtime, towerOf(source));
  const encoded = new EncodedUpdates(updates, new TowerCache(tower));
  const whole = llavaTrainGraph(config, { ...part, images: true });
  const split = llavaTrainGraph(config, { ...part, images: 'features', lossRows: true });
  const values = await startValues(whole.parameters, { entries, width: config.text_config.hidden_size, seed: 0 });
  const weights = Object.fromEntries(values.map(p => [p.name, floats(p.shape, p.data)]));
  const shared = {
    ...weights,
    ...(layers && streamDropoutFeeds(3, 5)),
    loss_divisor: floats([], Float32Array.of(updates.supervised(5)[0])),
  };
  await using a = await compile(runtime, whole.outputs);
  await using b = await compile(runtime, split.outputs);
  const one = await a.run({ ...shared, ...updates.rows(5, 0) });
  const other = await b.run({ ...shared, ...(await encoded.rows(5, 0)) });
  expect(Object.keys(other)).toEqual(Object.keys(one));
  expect(Number(one.loss.data[0])).toBeGreaterThan(0.01);
  for (const name of Object.keys(one)) {
    const [data, again] = [one[name].data as Float32Array, other[name].data as Float32Array];
    const scale = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(scale, name).toBeGreaterThan(0);
    const worst = data.reduce((most, v, i) => Math.max(most, Math.abs(v - again[i])), 0);
    expect(worst / scale, name).toBeLessThan(1e-3);
  }
  await runtime.release();
});
