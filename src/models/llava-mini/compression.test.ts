import { afterAll, describe, expect, it } from 'vitest';
import { compile, grad, input, mul, sum } from '../../graph/index.ts';
import { Parameters, trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { uniform } from '../../testing/plain.ts';
import { compress, resizeMatrix, sinePositions } from './compression.ts';
import { compressorWidth, type LlavaMiniConfig, parseLlavaMiniConfig, visionGrid } from './config.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

/** @param width of what is compressed */
function configOf(form: 'paper' | 'checkpoint', width: number, size: number, grid: number): LlavaMiniConfig {
  const tower = {
    hidden_size: form === 'paper' ? 8 : width,
    num_attention_heads: 1,
    num_hidden_layers: 1,
    image_size: grid,
    patch_size: 1,
  };
  return parseLlavaMiniConfig({
    model_type: 'llava_mini',
    compressor_size: size,
    llava_mini_form: form,
    image_token_index: 5,
    text_config: { vocab_size: 6, hidden_size: form === 'paper' ? width : 8, num_attention_heads: 2 },
    vision_config: { ...tower, intermediate_size: 8, model_type: 'clip_vision_model' },
  });
}

type Weights = Readonly<Record<string, FloatTensor>>;

/** @param features [N², width] of one image */
async function run(config: LlavaMiniConfig, weights: Weights, features: ArrayLike<number>) {
  const width = compressorWidth(config);
  const { tokens, attention } = compress(trainableParameters(), config, input('features', ['images', features.length / width, width]));
  await using graph = await compile(runtime, { tokens, attention });
  const named = Object.fromEntries(Object.entries(weights).map(([name, w]) => [`model.compressor.${name}`, w]));
  const out = await graph.run({ features: floats([1, features.length / width, width], Float32Array.from(features)), ...named });
  return { tokens: [...(out.tokens.data as Float32Array)], attention: [...(out.attention.data as Float32Array)] };
}

/** Random weights of every tensor that a config's compressor asks for. */
function randomWeights(config: LlavaMiniConfig): Record<string, FloatTensor> {
  const result: Record<string, FloatTensor> = {};
  const width = compressorWidth(config);
  const p = new Parameters((name, shape) => {
    const seed = Object.keys(result).length + 3;
    result[name.replace('model.compressor.', '')] = floats(shape, Float32Array.from(uniform(shape, -0.6, 0.6, seed).data));
    return input(name, shape);
  });
  const grid = visionGrid(config);
  compress(p, config, input('features', [1, grid * grid, width]));
  return result;
}

const rows = (data: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => Array.from(data).slice(i * width, (i + 1) * width));

describe('sinePositions', () => {
  it('tells the column in the first half of the width and the row in the second', () => {
    const table = rows(sinePositions(3, 8), 8);
    const line = (x: number): number[] => [Math.sin(x), Math.sin(x / 100), Math.cos(x), Math.cos(x / 100)];
    for (const [place, row] of table.entries()) expectClose(row, [...line(place % 3), ...line(Math.floor(place / 3))], { rtol: 1e-6 });
  });
});

describe('resizeMatrix', () => {
  it('keeps a table of the same size, spreads a single entry, and keeps sums of weights at 1', () => {
    expectClose(
      resizeMatrix(3, 3),
      [...Array(81).keys()].map(i => (i % 10 ? 0 : 1)),
    );
    expect([...resizeMatrix(1, 4)]).toEqual(Array(16).fill(1));
    for (const row of rows(resizeMatrix(3, 7), 9)) expectClose([row.reduce((a, b) => a + b)], [1], { rtol: 1e-6 });
  });

  it('resizes a ramp inside to a ramp', () => {
    const matrix = rows(resizeMatrix(8, 16), 64);
    const columns = Array.from({ length: 64 }, (_, i) => i % 8);
    // Place (7, 6): centre of column 6 of 16 is 2.75 in columns of 8.
    const at = matrix[7 * 16 + 6].reduce((total, w, i) => total + w * columns[i], 0);
    // Keys' kernel with a = −0.75 is off linear by a fixed amount: Σ w(t)·offset at t = 0.75.
    const [a, t] = [-0.75, 0.75];
    const near = (x: number) => (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
    const far = (x: number) => a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a;
    expectClose([at], [2 - far(1 + t) + near(1 - t) + 2 * far(2 - t)], { rtol: 1e-5 });
  });
});

describe("the paper's form", () => {
  const config = configOf('paper', 4, 1, 2);
  const positions = sinePositions(2, 4);
  const one = (axis: number, length: number): number[] => Array.from({ length: 4 }, (_, i) => (i === axis ? length : 0));
  // Keys H + PE(H) are 3 · the four axes.
  const features = [0, 1, 2, 3].flatMap(i => one(i, 3).map((v, d) => v - positions[4 * i + d]));
  const origin = sinePositions(1, 4);
  const query = (q: number[]): Weights => ({
    query: floats(
      [1, 4],
      Float32Array.from(q, (v, d) => v - origin[d]),
    ),
  });

  it('averages all tokens where the query is nothing', async () => {
    const out = await run(config, query([0, 0, 0, 0]), features);
    expectClose(out.attention, [0.25, 0.25, 0.25, 0.25], { rtol: 1e-5 });
    expectClose(
      out.tokens,
      [0, 1, 2, 3].map(d => [0, 1, 2, 3].reduce((s, i) => s + features[4 * i + d] / 4, 0)),
      { rtol: 1e-5, atol: 1e-6 },
    );
  });

  it('takes the token whose key the query equals by e^{|k|²} : 1, unscaled', async () => {
    const out = await run(config, query(one(2, 1)), features);
    const [match, other] = [Math.exp(3), 1].map(v => v / (Math.exp(3) + 3));
    expectClose(out.attention, [other, other, match, other], { rtol: 1e-5 });
    const expected = [0, 1, 2, 3].map(d => [0, 1, 2, 3].reduce((s, i) => s + (i === 2 ? match : other) * features[4 * i + d], 0));
    expectClose(out.tokens, expected, { rtol: 1e-4, atol: 1e-6 });
  });

  it('mirrors along the diagonal with grid, queries and the halves of the width', async () => {
    const wide = configOf('paper', 8, 2, 3);
    const [q, h] = [uniform([4, 8], -1, 1, 5).data, uniform([9, 8], -1, 1, 6).data];
    const mirror = (data: readonly number[], side: number): number[] => {
      const all = rows(data, 8);
      return all.flatMap((_, i) => {
        const row = all[(i % side) * side + Math.floor(i / side)];
        return [...row.slice(4), ...row.slice(0, 4)];
      });
    };
    const weights = (data: readonly number[]): Weights => ({ query: floats([4, 8], Float32Array.from(data)) });
    const plain = await run(wide, weights(q), h);
    const mirrored = await run(wide, weights(mirror(q, 2)), mirror(h, 3));
    expectClose(mirrored.tokens, mirror(plain.tokens, 2), { rtol: 1e-4, atol: 1e-6 });
    // Tokens alone in other places are other images: positions count.
    const turned = await run(wide, weights(q), [...h.slice(8), ...h.slice(0, 8)]);
    expect(Math.max(...turned.tokens.map((v, i) => Math.abs(v - plain.tokens[i])))).toBeGreaterThan(0.01);
  });
});

describe("the checkpoint's form", () => {
  it.each([
    [1, true],
    [2, false],
  ])('with C = %i, the order of the tokens does not count: %s', async (size, blind) => {
    const config = configOf('checkpoint', 16, size, 4);
    const weights = { ...randomWeights(config), pos_embed: floats([size * size, 16], sinePositions(size, 16)) };
    const h = rows(uniform([16, 16], -1, 1, 9).data, 16);
    const plain = await run(config, weights, h.flat());
    const shuffled = await run(config, weights, [...h.slice(5), ...h.slice(0, 5)].flat());
    const difference = Math.max(...shuffled.tokens.map((v, i) => Math.abs(v - plain.tokens[i])));
    if (blind) expect(difference).toBeLessThan(1e-5);
    else expect(difference).toBeGreaterThan(1e-3);
    for (const row of rows(plain.attention, 16)) expectClose([row.reduce((a, b) => a + b)], [1], { rtol: 1e-5 });
  });
});

describe.each(['paper', 'checkpoint'] as const)('gradients of the form %s', form => {
  it('equal differences of the output', async () => {
    const config = configOf(form, 16, 2, 4);
    const weights = randomWeights(config);
    const [h, target] = [uniform([16, 16], -1, 1, 21).data, uniform([4, 16], -1, 1, 22).data];
    const p = trainableParameters();
    const features = input('features', [1, 16, 16]);
    const score = sum(mul(compress(p, config, features).tokens, input('target', [1, 4, 16])));
    const names = [...p.all.keys()];
    const gradients = grad(score, [features, ...p.all.values()]);
    await using graph = await compile(runtime, { score, ...Object.fromEntries(gradients.map((g, i) => [`grad.${i}`, g])) });
    const feeds: Record<string, FloatTensor> = {
      features: floats([1, 16, 16], Float32Array.from(h)),
      target: floats([1, 4, 16], Float32Array.from(target)),
      ...Object.fromEntries(names.map(n => [n, weights[n.replace('model.compressor.', '')]])),
    };
    const out = await graph.run(feeds);
    const step = 2e-2;
    for (const [i, name] of ['features', ...names].entries()) {
      // Along one random direction.
      const { shape, data } = feeds[name];
      const direction = uniform(shape, -1, 1, 40 + i).data;
      const at = async (by: number): Promise<number> => {
        const moved = floats(
          shape,
          data.map((v, j) => v + by * direction[j]),
        );
        return (await graph.run({ ...feeds, [name]: moved })).score.data[0] as number;
      };
      const difference = ((await at(step)) - (await at(-step))) / (2 * step);
      const along = (out[`grad.${i}`] as FloatTensor).data.reduce((s, g, j) => s + g * direction[j], 0);
      expectClose([along], [difference], { rtol: 1e-2, atol: 1e-3, label: name });
    }
  });
});
