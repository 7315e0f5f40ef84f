import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialNormals, initialOrthonormal } from '../../nn/initial.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CHAT_TOKENS, chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { type DecoderStart, markDirection, sinkDirection, startDecoder } from './decoder-start.ts';
import { initialiseLlava } from './initialise.ts';
import { NAMING_WORDS } from './patch-labels.ts';
import { placeDirections } from './patch-places.ts';
import { measurePatchRms } from './patch-scale.ts';
import { pretrainGroups } from './pretrain-rates.ts';
import { MATCHING_DECODER, type SceneLlavaSource, SMALL_DECODER, sceneLlavaSource } from './scene-source.ts';
import { thingDirections } from './thing-facts.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());
let source: SceneLlavaSource;
beforeAll(async () => {
  source = await sceneLlavaSource('scene-clip', MATCHING_DECODER);
});

const WIDTH = 192;
const HEAD = 64;
const TABLE = 'model.language_model.embed_tokens.weight';
const NORM = 'model.language_model.norm.weight';
const OUT = 'model.multi_modal_projector.linear_2';
const attention = (layer: number, part: string): string => `model.language_model.layers.${layer}.self_attn.${part}_proj.weight`;

function fresh(): Map<string, Parameter> {
  const shapes: [string, number[]][] = [
    [TABLE, [CHAT_TOKENS.length, WIDTH]],
    [NORM, [WIDTH]],
    ['model.multi_modal_projector.linear_1.weight', [WIDTH, 320]],
    ['model.multi_modal_projector.linear_1.bias', [WIDTH]],
    [`${OUT}.weight`, [WIDTH, WIDTH]],
    [`${OUT}.bias`, [WIDTH]],
    ...[0, 1, 2, 3].flatMap(layer => ['q', 'k', 'v', 'o'].map((part): [string, number[]] => [attention(layer, part), [WIDTH, WIDTH]])),
  ];
  return new Map(initialiseLlava(new Map(shapes.map(([name, shape]) => [name, { shape }])), 3).map(p => [p.name, p]));
}
function started(start: DecoderStart, patchRms?: number): Map<string, Parameter> {
  const named = fresh();
  startDecoder([...named.values()], source.config, start, { seed: 3, patchRms });
  return named;
}
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
const row = (matrix: Float32Array, i: number): Float32Array => matrix.subarray(i * WIDTH, (i + 1) * WIDTH);
const unit = (x: Float32Array): Float32Array => x.map(v => v * Math.sqrt(x.length / dot(x, x)));

describe('orthonormal rows', () => {
  it('are orthonormal to rounding, by name and seed', () => {
    const o = initialOrthonormal('a', 64, 192, 1);
    let worst = 0;
    for (let i = 0; i < 64; i++)
      for (let k = 0; k < 64; k++) worst = Math.max(worst, Math.abs(dot(row(o, i), row(o, k)) - (i === k ? 1 : 0)));
    expect(worst).toBeLessThan(1e-6);
    expect(initialOrthonormal('b', 64, 192, 1)).not.toEqual(o);
    expect(initialOrthonormal('a', 64, 192, 2)).not.toEqual(o);
    expect(() => initialOrthonormal('a', 3, 2, 1)).toThrow(RangeError);
  });
});

describe('the scale step', () => {
  it('brings naming words to a root mean square of 1 and multiplies the logits of a normed vector by .7', () => {
    const [before, after] = [fresh(), started({ scale: {} }, 55)];
    const square = NAMING_WORDS.reduce((sum, id) => sum + dot(row(after.get(TABLE)!.data, id), row(after.get(TABLE)!.data, id)), 0);
    expect(Math.sqrt(square / (NAMING_WORDS.length * WIDTH))).toBeCloseTo(1, 5);
    for (const at of [0, 7000, 128_000])
      expect(after.get(TABLE)!.data[at] * after.get(NORM)!.data[at % WIDTH]).toBeCloseTo(0.7 * before.get(TABLE)!.data[at], 7);
    for (const part of ['weight', 'bias'])
      expect(after.get(`${OUT}.${part}`)!.data).toEqual(before.get(`${OUT}.${part}`)!.data.map(v => v * (1 / 55)));
    expect(after.get(attention(0, 'q'))!.data).toEqual(before.get(attention(0, 'q'))!.data);
  });

  it('leaves patches of a root mean square of 1', async () => {
    const named = fresh();
    const parameters = [...named.values()];
    // Not small, as fresh numbers are, and with a bias that counts.
    named.get(`${OUT}.weight`)!.data.forEach((v, i, all) => {
      all[i] = 80 * v;
    });
    named.get(`${OUT}.bias`)!.data.fill(0.5);
    const scaled = { source, world: syntheticWorld(CONCEPTS.length), maxObjects: 2, parameters };
    const patchRms = await measurePatchRms(runtime, scaled);
    expect(patchRms).toBeGreaterThan(0.6);
    startDecoder(parameters, source.config, { scale: {} }, { seed: 3, patchRms });
    expect(await measurePatchRms(runtime, scaled)).toBeCloseTo(1, 4);
  });
});

describe('the sink', () => {
  it('stands in every naming word and in <s>, upright on the directions of the place', () => {
    const c = sinkDirection(WIDTH);
    expect(dot(c, c)).toBeCloseTo(1, 6);
    for (const i of [0, 1]) expect(Math.abs(dot(c, row(placeDirections(WIDTH), i)))).toBeLessThan(1e-6);
    const [before, after] = [fresh().get(TABLE)!.data, started({ sink: {} }).get(TABLE)!.data];
    const length = NAMING_WORDS.reduce((sum, id) => sum + Math.sqrt(dot(row(before, id), row(before, id))), 0) / NAMING_WORDS.length;
    for (let id = 0; id < CHAT_TOKENS.length; id++) {
      const added = row(after, id).map((v, i) => v - row(before, id)[i]);
      const expected = NAMING_WORDS.includes(id) ? 0.22 * length : 0;
      if (id !== chatTokenId('<s>')) {
        expect(dot(added, c), CHAT_TOKENS[id]).toBeCloseTo(expected, 5);
        expect(dot(added, added), CHAT_TOKENS[id]).toBeCloseTo(expected ** 2, 5);
      }
    }
    const first = row(after, chatTokenId('<s>'));
    expect(dot(first, c)).toBeCloseTo(length, 5);
    expect(dot(first, first)).toBeCloseTo(length ** 2, 4);
  });
});

describe('the mark', () => {
  it('lies in every patch, upright on the sink and on all that patches say', async () => {
    const d = markDirection(WIDTH);
    expect(dot(d, d)).toBeCloseTo(1, 6);
    expect(Math.abs(dot(d, sinkDirection(WIDTH)))).toBeLessThan(1e-6);
    for (let i = 0; i < 4; i++) expect(Math.abs(dot(d, row(thingDirections(WIDTH), i)))).toBeLessThan(1e-6);
    const [before, after] = [started({ sink: {}, match: {} }), started({ sink: {}, match: {}, mark: { length: 4 } })];
    const added = after.get(`${OUT}.bias`)!.data.map((v, i) => v - before.get(`${OUT}.bias`)!.data[i]);
    expect(dot(added, d)).toBeCloseTo(4, 5);
    expect(dot(added, added)).toBeCloseTo(16, 4);
  });

  it('adds 13 to the score of a name that looks at a patch, and nothing to others', () => {
    const [before, after] = [started({ sink: {}, match: {} }), started({ sink: {}, match: {}, mark: {} })];
    const score = (all: Map<string, Parameter>, layer: number, a: Float32Array, b: Float32Array): number => {
      const at = (part: string, x: Float32Array): number => dot(row(all.get(attention(layer, part))!.data, HEAD / 2 - 1), unit(x));
      return (at('q', a) * at('k', b)) / Math.sqrt(HEAD);
    };
    const [c, d] = [sinkDirection(WIDTH), markDirection(WIDTH)];
    const free = (name: string): Float32Array => {
      const x = initialNormals(name, WIDTH, 1, 8);
      const [alongC, alongD] = [dot(x, c), dot(x, d)];
      return unit(x.map((v, i) => v - alongC * c[i] - alongD * d[i]));
    };
    const [word, patch] = [free('word'), free('patch')];
    const name = word.map((v, i) => v + 0.22 * Math.sqrt(WIDTH) * c[i]);
    const marked = patch.map((v, i) => v + 5 * d[i]);
    for (const layer of [0, 3]) {
      expect(score(after, layer, name, marked)).toBeCloseTo(13, 4);
      const others = [
        [word, marked],
        [name, patch],
        [name, name],
        [marked, marked],
      ];
      for (const [a, b] of others) expect(Math.abs(score(after, layer, a, b))).toBeLessThan(1e-4);
      // All other rows are those of the matching start.
      for (const part of ['q', 'k'])
        for (const i of [0, HEAD / 2 - 2, HEAD / 2, HEAD])
          expect(row(after.get(attention(layer, part))!.data, i)).toEqual(row(before.get(attention(layer, part))!.data, i));
    }
  });

  it('is refused without the names and the head that it is for', () => {
    expect(() => started({ mark: {}, match: {} })).toThrow(
      'A mark of patches needs the sink, by which names are known, and a matching start; give both.',
    );
    expect(() => started({ mark: {}, sink: {} })).toThrow('give both');
  });
});

describe('the matching head', () => {
  const named = (): Map<string, Parameter> => started({ match: {} });

  it('scores a vector with itself at 22.5, with another at 0, and with what it has in part by that part', () => {
    const all = named();
    for (const layer of [0, 3]) {
      const project = (part: string, x: Float32Array): number[] =>
        Array.from({ length: HEAD }, (_, i) => dot(row(all.get(attention(layer, part))!.data, i), x));
      const score = (a: Float32Array, b: Float32Array): number => {
        const [q, k] = [project('q', a), project('k', b)];
        return q.reduce((sum, v, i) => sum + v * k[i], 0) / Math.sqrt(HEAD);
      };
      const x = Array.from({ length: 200 }, (_, i) => unit(initialNormals(`x${i}`, WIDTH, 1, 8)));
      const mean = (f: (i: number) => number): number => x.reduce((sum, _, i) => sum + f(i), 0) / x.length;
      expect(Math.abs(mean(i => score(x[i], x[i])) - 22.5)).toBeLessThan(0.6);
      expect(Math.abs(mean(i => score(x[i], x[(i + 1) % 200])))).toBeLessThan(0.6);
      // A word with a share .22 of the sink: a match of its own is four times as strong as the sink.
      const sink = unit(sinkDirection(WIDTH));
      const word = (i: number): Float32Array => unit(x[i].map((v, k) => v + 0.22 * sink[k]));
      expect(Math.abs(mean(i => score(word(i), sink)) - (22.5 * 0.22) / Math.sqrt(1 + 0.22 ** 2))).toBeLessThan(0.8);
    }
  });

  it('has orthogonal keys of one length, queries of that length at a cosine of .8, and leaves the other heads as they are', () => {
    const [all, before] = [named(), fresh()];
    const gain = Math.sqrt(22.5 / (0.8 * 8));
    let cosine = 0;
    for (let i = 0; i < HEAD; i++) {
      const [q, k] = ['q', 'k'].map(part => row(all.get(attention(1, part))!.data, i));
      expect(Math.sqrt(dot(k, k))).toBeCloseTo(gain, 5);
      expect(dot(k, row(all.get(attention(1, 'k'))!.data, (i + 1) % HEAD))).toBeCloseTo(0, 5);
      cosine += dot(q, k) / Math.sqrt(dot(q, q) * dot(k, k)) / HEAD;
    }
    expect(Math.abs(cosine - 0.8)).toBeLessThan(0.03);
    for (const part of ['q', 'k'])
      expect(all.get(attention(1, part))!.data.subarray(HEAD * WIDTH)).toEqual(before.get(attention(1, part))!.data.subarray(HEAD * WIDTH));
    expect(all.get(attention(0, 'k'))!.data).not.toEqual(all.get(attention(1, 'k'))!.data);
  });

  it('gives back what it attends to, 6 long', () => {
    const all = named();
    const [v, o] = ['v', 'o'].map(part => all.get(attention(2, part))!.data);
    const x = unit(initialNormals('x', WIDTH, 1, 8));
    const inner = Float32Array.from({ length: WIDTH }, (_, i) => dot(row(v, i), x));
    expect(Math.sqrt(dot(inner, inner))).toBeCloseTo(0.07 * Math.sqrt(WIDTH), 4);
    const out = Float32Array.from({ length: WIDTH }, (_, i) => dot(row(o, i), inner));
    out.forEach((value, i) => {
      expect(value).toBeCloseTo((6 / Math.sqrt(WIDTH)) * x[i], 4);
    });
  });

  it('is refused where heads share keys, or words are others', async () => {
    const grouped = await sceneLlavaSource('scene-clip', SMALL_DECODER);
    expect(() => startDecoder([...fresh().values()], grouped.config, { match: {} }, { seed: 3 })).toThrow(
      "A matching start needs heads with keys of their own that fill the decoder's width; these are 6 heads of 32 with 2 for keys and values",
    );
    const other = { name: TABLE, shape: [5, WIDTH], data: new Float32Array(5 * WIDTH) };
    expect(() => startDecoder([other], source.config, { sink: {} }, { seed: 3 })).toThrow("needs a model of the scenes' own words");
  });
});

describe('learning rates by groups', () => {
  it('say a rate for each part of the model', () => {
    const groups = pretrainGroups(source.config);
    const of = (name: string): object => {
      const { factor, rows } = groups.find(({ matches }) => matches(name)) ?? {};
      return { factor, ...(rows && { rows }) };
    };
    expect(of(attention(2, 'q'))).toEqual({ factor: 2, rows: { count: 64, factor: 0.1 } });
    expect(of(attention(0, 'k'))).toEqual(of(attention(2, 'q')));
    for (const part of ['self_attn.v_proj', 'self_attn.o_proj', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'])
      expect(of(`model.language_model.layers.1.${part}.weight`)).toEqual({ factor: 2 });
    expect(of(TABLE)).toEqual({ factor: 0.5 });
    for (const part of ['linear_1.weight', 'linear_1.bias', 'linear_2.weight'])
      expect(of(`model.multi_modal_projector.${part}`)).toEqual({ factor: 0.1 });
    expect(of(NORM)).toEqual({ factor: 0.3 });
    expect(of('model.language_model.layers.1.input_layernorm.weight')).toEqual({ factor: undefined });
  });

  it("make the steps of the projector's last layer smaller by as much as the scale step made its weights", () => {
    const scaled = (rms: number) => {
      const data = initialNormals('last', 4000, rms, 1);
      const groups = pretrainGroups(source.config, {}, [{ name: `${OUT}.weight`, shape: [4000], data }]);
      return (name: string): number => groups.find(({ matches }) => matches(`model.multi_modal_projector.${name}`))!.factor!;
    };
    expect(scaled(0.005)('linear_2.weight')).toBeCloseTo(0.01, 3);
    expect(scaled(0.005)('linear_2.bias')).toBeCloseTo(0.01, 3);
    expect(scaled(0.005)('linear_1.weight')).toBe(0.1);
    expect(scaled(0.07)('linear_2.weight')).toBe(0.1);
  });
});
