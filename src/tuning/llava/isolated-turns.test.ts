import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { initialBottleneck } from '../../bottleneck/gaussian/module.ts';
import { ALPHA_INPUT, noiseInput, trainingBottleneck } from '../../bottleneck/gaussian/train.ts';
import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { compile, input } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import { pixelInput, tokenInputs } from '../../models/llava/files.ts';
import { llavaForward } from '../../models/llava/forward.ts';
import { inMemoryEntries } from '../../models/llava/layout.ts';
import { directoryOf } from '../../models/llava/testing/goldens.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, sizeOf } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { type LlavaTrainOptions, llavaTrainGraph } from './graph.ts';
import { type EncodedTurns, independentTurns, packTurns, turnPositions } from './isolated-turns.ts';
import { lossCount, turnWeights } from './loss-average.ts';
import { tokenFeeds } from './token-feeds.ts';
import { lossDivisor } from './update-batch.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());
let config: LlavaConfig;
let entries: ReadonlyMap<string, TensorEntry>;
beforeAll(async () => {
  const directory = directoryOf('llava-tiny');
  config = parseLlavaConfig(await readConfig(directory));
  entries = inMemoryEntries((await openCheckpoint(directory)).entries).entries;
});

const row = (prefix: readonly number[], question: readonly number[], answer: readonly number[]): EncodedTurns => ({
  ids: [...prefix, ...question, ...answer],
  labels: [...prefix.map(() => -100), ...question.map(() => -100), ...answer],
});

/** Two pictures with three questions and one, and a text with two: all of other lengths, so that rows are padded. */
function conversations(): EncodedTurns[][] {
  const picture = Array<number>(imageTokens(config)).fill(config.image_token_index);
  const seen = [1, 7, ...picture];
  return [
    [row(seen, [8, 9, 10], [11, 2]), row(seen, [12, 9], [13, 14, 15, 2]), row(seen, [8, 9, 10, 16], [17, 2])],
    [row(seen, [18, 19, 20, 21], [22, 23, 2])],
    [row([1, 24], [25, 26], [27, 2]), row([1, 24], [25, 28, 29], [30, 31, 2])],
  ];
}

const IMAGES = [3, 1, 0];
const size = (): number => config.vision_config.image_size;
/** Pictures of the first two conversations, each as often as `copies` says. */
function pixels(copies: readonly number[]) {
  const each = 3 * size() ** 2;
  const out: number[] = [];
  copies.forEach((times, i) => {
    const one = new Float32Array(each);
    new RandomStream(5, 'pictures').normals(0, i, one);
    for (let k = 0; k < times; k++) out.push(...one);
  });
  return floats([out.length / each, 3, size(), size()], Float32Array.from(out));
}

/** The same questions packed, and one a row. */
function bothWays(average: 'token' | 'turn' = 'token'): { packed: Feeds; single: Feeds } {
  const all = conversations();
  const rows = all.map(questions => packTurns(questions, config.image_token_index));
  const singles = all.flat();
  const divisor = lossDivisor([lossCount(singles, average)]);
  expect(lossCount(rows, average)).toBe(divisor.data[0]);
  return {
    packed: { ...tokenFeeds(config, rows, 2, average), pixel_values: pixels([1, 1]), loss_divisor: divisor },
    single: { ...tokenFeeds(config, singles, 4, average), pixel_values: pixels(IMAGES), loss_divisor: divisor },
  };
}

const frozen = () => frozenParameters(entries, 'llava-tiny');
const inTower = (name: string): boolean => name.includes('vision_tower');

/** Loss, figures and gradients of a training graph. Fresh tensors (adapters, bottleneck) get random values. */
async function trained(options: Partial<LlavaTrainOptions>, feeds: Feeds, isolatedTurns: boolean, more: Feeds = {}) {
  const traced = llavaTrainGraph(config, {
    ...{ trainable: name => !inTower(name), frozen: frozen(), images: true, isolatedTurns },
    ...options,
  });
  const weights: Record<string, ReturnType<typeof floats>> = {};
  for (const [name, { shape }] of traced.parameters) {
    const fixed = shape as readonly number[];
    const entry = entries.get(name);
    const data = entry ? await readFloats(entry) : new Float32Array(sizeOf(fixed));
    if (!entry) new RandomStream(6, name).normals(0, 0, data);
    weights[name] = floats(fixed, entry ? data : data.map(v => v * 0.05));
  }
  await using graph = await compile(runtime, traced.outputs);
  return graph.run({ ...weights, ...feeds, ...more });
}

function expectSame(a: Awaited<ReturnType<typeof trained>>, b: typeof a): void {
  expect(Object.keys(a).length).toBeGreaterThan(10);
  for (const name of Object.keys(b)) {
    const most = Math.max(0.05, ...Array.from(b[name].data as Float32Array, v => Math.abs(v)));
    expectClose(a[name].data as Float32Array, b[name].data as Float32Array, { rtol: 0, atol: 3e-6 * most, label: name });
  }
}

describe('isolated turns', () => {
  it('give each question the logits that it has in a row by itself, and other ones where it is asked behind others', async () => {
    const { packed, single } = bothWays();
    const run = async (feeds: Feeds, isolated: boolean) => {
      const turns = isolated ? { turns: input('turns', ['batch', 'seq'], 'int32') } : {};
      const { logits } = llavaForward(frozen(), config, { ...tokenInputs(), ...turns }, pixelInput(config));
      await using graph = await compile(runtime, { logits });
      const { loss_divisor: _d, labels: _l, turns: of, ...rest } = feeds as Record<string, Feeds[string]>;
      return (await graph.run({ ...rest, ...(isolated ? { turns: of } : {}) })).logits;
    };
    const [a, b, leaking] = [await run(packed, true), await run(single, false), await run(packed, false)];
    const width = config.text_config.vocab_size;
    const rows = conversations().map(questions => packTurns(questions, config.image_token_index));
    let [at, compared, different] = [0, 0, 0];
    rows.forEach(({ turns, ids }, r) => {
      const prefix = turns.filter(turn => turn === 0).length;
      for (let turn = 1; turn <= Math.max(...turns); turn++, at++) {
        let place = prefix;
        turns.forEach((of, t) => {
          if (of !== turn) return;
          const pick = (tensor: typeof a, row: number, i: number) =>
            (tensor.data as Float32Array).slice((row * tensor.shape[1] + i) * width, (row * tensor.shape[1] + i + 1) * width);
          expectClose(pick(a, r, t), pick(b, at, place), { rtol: 0, atol: 2e-5, label: `row ${r}, token ${t} of ${ids.length}` });
          if (turn > 1 && pick(leaking, r, t).some((v, i) => Math.abs(v - pick(b, at, place)[i]) > 1e-3)) different++;
          place++;
          compared++;
        });
      }
    });
    expect(compared).toBeGreaterThan(30);
    expect(different).toBeGreaterThan(10);
  });

  it('give the loss and the gradients of a row per question', async () => {
    const { packed, single } = bothWays();
    expectSame(await trained({}, packed, true), await trained({}, single, false));
  });

  it('do so by a mean over turns, recomputed', async () => {
    const { packed, single } = bothWays('turn');
    const options = { weighted: true };
    expectSame(await trained({ ...options, recompute: true }, packed, true), await trained(options, single, false));
  });

  it('do so through adapters', async () => {
    const { packed, single } = bothWays();
    const lora = { r: 2, lora_alpha: 4, lora_dropout: 0, target_modules: 'all-linear' as const, modules_to_save: [] };
    const options = { lora, trainable: () => false };
    expectSame(await trained(options, packed, true), await trained(options, single, false));
  });

  it('do so through a bottleneck: a token of the prefix pays once for each question that reads it', async () => {
    const { packed, single } = bothWays();
    const layers = config.text_config.num_hidden_layers;
    const bottleneck = parseBottleneckConfig({ bottleneck_layers: [0], prior: 'learnable' }, 'the test', layers);
    const { hidden_size: width } = config.text_config;
    expect(initialBottleneck(bottleneck, width, 0).length).toBeGreaterThan(0);
    const options: Partial<LlavaTrainOptions> = { bottleneck: p => trainingBottleneck(p, bottleneck, imageTokens(config)) };
    // The noise is 0: a row per question draws another one for each copy of the prefix.
    const still = ({ labels: { shape } }: Feeds): Feeds => ({
      [noiseInput(0)]: floats([...shape, width], new Float32Array(sizeOf(shape) * width)),
      [ALPHA_INPUT]: floats([], [0.4]),
    });
    const [a, b] = [await trained(options, packed, true, still(packed)), await trained(options, single, false, still(single))];
    expect(Number(a.kl_text.data[0])).toBeGreaterThan(1e-4);
    expectSame(a, b);
  });
});

describe('packTurns', () => {
  it('stops the prefix at the picture, restarts positions, and leaves out what does not fit', () => {
    const rows = [row([1, 99, 99], [5, 6], [7, 2]), row([1, 99, 99], [5, 8], [9, 2]), row([1, 99, 99], [5], [2])];
    const { ids, labels, turns, left } = packTurns(rows, 99);
    expect(ids).toEqual([1, 99, 99, 5, 6, 7, 2, 5, 8, 9, 2, 5, 2]);
    expect(labels).toEqual([-100, -100, -100, -100, -100, 7, 2, -100, -100, 9, 2, -100, 2]);
    expect(turns).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]);
    expect(turnPositions(turns)).toEqual([0, 1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4]);
    expect(left).toBe(0);
    expect(packTurns(rows, 99, 10)).toMatchObject({ ids: [1, 99, 99, 5, 6, 7, 2], left: 6 });
    expect(packTurns(rows.slice(0, 1), 99).turns).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('leaves every text a token in front of its answer', () => {
    const { turns } = packTurns([row([1, 3], [5], [7, 2]), row([1, 3], [5], [7, 2])], 99);
    expect(turns).toEqual([0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it('refuses pictures behind what differs, or right before an answer', () => {
    expect(() => packTurns([row([1, 5, 99], [6], [2]), row([1, 7, 99], [6], [2])], 99)).toThrow(/pictures behind words that differ/);
    expect(() => packTurns([row([1, 99], [], [2]), row([1, 99], [], [3])], 99)).toThrow(/right before an answer/);
  });
});

describe('independentTurns', () => {
  const user = (content: string) => ({ role: 'user' as const, content });
  const assistant = (content: string) => ({ role: 'assistant' as const, content });

  it('gives each question the system text and the pictures', () => {
    const system = { role: 'system' as const, content: 'be brief' };
    const asked = [system, user('<image>\nwhat?'), assistant('a cat'), user('where?'), assistant('left'), user('and?')];
    expect(independentTurns(asked)).toEqual([
      [system, user('<image>\nwhat?'), assistant('a cat')],
      [system, user('<image>\nwhere?'), assistant('left')],
    ]);
    expect(independentTurns([user('<image>'), ...asked.slice(2, 5)])[1][0].content).toBe('<image>\nwhere?');
    expect(independentTurns(asked.slice(1, 3))).toEqual([asked.slice(1, 3)]);
  });

  it('refuses a picture in a later question, and pictures among the words of the first', () => {
    const rest = [assistant('yes'), user('why?'), assistant('so')];
    expect(() => independentTurns([user('hm'), assistant('yes'), user('<image>\nwhy?'), assistant('so')])).toThrow(
      'a later question shows a picture, so its turns cannot be isolated; train without "isolated_turns".',
    );
    expect(() => independentTurns([user('<image> or <image>?'), ...rest])).toThrow(/among the words of the first question/);
    expect(independentTurns([user('<image>\n<image>\nalike?'), ...rest])[1][0].content).toBe('<image>\n<image>\nwhy?');
  });
});

describe('the mean over turns', () => {
  it('weighs each answer alike, whatever its length', () => {
    const labels = [9, -100, 3, 2, -100, 4, 5, 6, 2, -100];
    expect(turnWeights(labels)).toEqual([0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0]);
    expect(lossCount([{ labels }, { labels: [-100, -100] }], 'turn')).toBe(2);
    expect(lossCount([{ labels }])).toBe(6);
  });
});
