import { afterAll, expect, it } from 'vitest';
import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { compile, grad, input, mul } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { parseLlavaConfig } from './config.ts';
import { pixelInput, tokenInputs } from './files.ts';
import { llavaForward, nextTokenLoss } from './forward.ts';
import { inMemoryEntries } from './layout.ts';
import { placementFeeds } from './model.ts';
import { placeImages } from './placement.ts';
import { directoryOf, golden, weightsOf } from './testing/goldens.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

it('recomputed blocks give the same loss and gradients (but for what the runtime fuses), through a tap that stands between them', async () => {
  const directory = directoryOf('llava-tiny');
  const config = parseLlavaConfig(await readConfig(directory));
  const weights = await weightsOf(inMemoryEntries((await openCheckpoint(directory)).entries).entries);
  const g = await golden('llava-tiny');
  const pixels = await g.floats('pixel_values');
  const placement = placeImages(config, await g.raw('input_ids'), pixels.shape[0], await g.raw('attention_mask'));
  const feeds = { ...placementFeeds(placement), pixel_values: pixels, labels: await g.raw('labels'), ...Object.fromEntries(weights) };
  const run = async (recompute: boolean) => {
    const p = trainableParameters();
    const { logits } = llavaForward(p, config, tokenInputs(), pixelInput(config), (_, hidden) => mul(hidden, 1.1), { recompute });
    const loss = nextTokenLoss(logits, input('labels', ['batch', 'seq'], 'int32'));
    const gradients = grad(loss, [...p.all.values()]);
    await using graph = await compile(runtime, {
      loss,
      ...Object.fromEntries([...p.all.keys()].map((name, i) => [`grad.${name}`, gradients[i]])),
    });
    return { out: await graph.run(feeds), nodes: graph.graph.nodes.filter(n => n.opType === 'Softmax').length };
  };
  const [plain, again] = [await run(false), await run(true)];
  expect(again.nodes - plain.nodes).toBe(4);
  for (const name of Object.keys(plain.out)) {
    const [a, b] = [plain.out[name].data as Float32Array, again.out[name].data as Float32Array];
    const most = a.reduce((top, v) => Math.max(top, Math.abs(v)), 0.1);
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]))), name).toBeLessThanOrEqual(2e-6 * most);
  }
});
