import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { RandomStream } from '../tensor/random.ts';
import { AdamW, type Optimizer, type Parameter, type ParameterGroup } from './adamw.ts';
import { Muon } from './muon.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

const SHAPES = { 'layers.0.q.weight': [4, 4], 'layers.0.k.weight': [4, 4], 'projector.weight': [4, 3], 'projector.bias': [4] };
const numbers = (stream: string, step: number): Map<string, Float32Array> =>
  new Map(
    Object.entries(SHAPES).map(([name, shape], i) => {
      const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [name, new RandomStream(2, stream).normals(step, i, out)];
    }),
  );
const start = (): Parameter[] =>
  [...numbers('start', 0)].map(([name, data]) => ({ name, data, shape: SHAPES[name as keyof typeof SHAPES] }));
const OPTIONS = { weightDecay: 0.1, maxGradNorm: 1 };

/** Where four updates lead. */
async function walk(kind: string, rate: number, options: object = {}): Promise<{ parameters: Parameter[]; optimizer: Optimizer }> {
  const parameters = start();
  const all = { ...OPTIONS, ...options };
  const optimizer: Optimizer = kind === 'Muon' ? new Muon(runtime, parameters, all) : new AdamW(parameters, all);
  for (let t = 0; t < 4; t++) await optimizer.step(numbers('gradients', t), rate);
  await optimizer.release?.();
  return { parameters, optimizer };
}

describe.each(['AdamW', 'Muon'])('%s in groups', kind => {
  const groups: readonly ParameterGroup[] = [
    { matches: name => name.includes('.k.'), factor: 0.5 },
    { matches: name => name.startsWith('projector'), factor: 2, weightDecay: 0 },
    { matches: () => true, factor: 1 },
  ];

  it('moves each parameter as an optimiser of its own rate and decay would, the clip over all of them', async () => {
    const { parameters } = await walk(kind, 0.1, { groups });
    const [q, k, weight, bias] = parameters.map(p => p.data);
    const separate = async (rate: number, weightDecay: number) => (await walk(kind, rate, { weightDecay })).parameters.map(p => p.data);
    expect(q).toEqual((await separate(0.1, 0.1))[0]);
    expect(k).toEqual((await separate(0.05, 0.1))[1]);
    expect([weight, bias]).toEqual((await separate(0.2, 0)).slice(2));
    expect(weight).not.toEqual((await separate(0.2, 0.1))[2]);
  });

  it('changes nothing where no group says anything, and keeps the form of the state', async () => {
    const [plain, grouped] = [await walk(kind, 0.1), await walk(kind, 0.1, { groups: [{ matches: () => true }] })];
    expect(grouped.parameters).toEqual(plain.parameters);
    expect(grouped.optimizer.tensors()).toEqual(plain.optimizer.tensors());
  });

  it('moves the first rows of a matrix by a rate of theirs', async () => {
    const rows = { count: 1, factor: 0.25 };
    const matches = (name: string): boolean => name.includes('.q.');
    const [q, k] = (await walk(kind, 0.1, { groups: [{ matches, factor: 2, rows }] })).parameters.map(p => p.data);
    const [slow, fast] = [(await walk(kind, 0.05)).parameters[0].data, (await walk(kind, 0.2)).parameters[0].data];
    expect(q).toEqual(Float32Array.of(...slow.subarray(0, 4), ...fast.subarray(4)));
    expect(slow.subarray(4)).not.toEqual(fast.subarray(4));
    expect(k).toEqual((await walk(kind, 0.1)).parameters[1].data);
    const all = (await walk(kind, 0.1, { groups: [{ matches, factor: 2, rows: { count: 9, factor: 0.25 } }] })).parameters[0].data;
    expect(all).toEqual(slow);
  });

  it('holds still what has the factor 0', async () => {
    const { parameters } = await walk(kind, 0.1, { groups: [{ matches: (name: string) => name.includes('weight'), factor: 0 }] });
    expect(parameters.slice(0, 3)).toEqual(start().slice(0, 3));
    expect(parameters[3]).not.toEqual(start()[3]);
  });
});
