import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { FAMILY_GOLDENS, familyCases, familyDirectory } from '../../generation/testing/family-goldens.ts';
import { goldenIn } from '../../models/llava/testing/goldens.ts';
import { type FloatTensor, floats, ints, joinFloats, type Tensor } from '../../tensor/tensor.ts';
import { openSubject } from './subject.ts';
import { verifyLlava } from './verify-llava.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-verify-families-'));
});
afterAll(() => rm(root, { recursive: true }));

type Change = (tensors: Map<string, Tensor>) => void;

/** Pixels of conversations and what is said of them, as transformers' processor gives them for a batch: tiles filled up with zeros. */
async function pictures(name: string, conversations: readonly number[]): Promise<[string, Tensor][]> {
  const directory = familyDirectory(name);
  const g = await goldenIn(directory);
  const tiles: FloatTensor[] = [];
  const counts: number[] = [];
  const said: Record<string, number[]> = {};
  const cases = await familyCases(directory);
  for (const i of conversations) {
    const own = cases[i].pictures.length;
    if (own === 0) continue;
    counts.push(own);
    for (const input of ['image_sizes', 'image_grid_thw'])
      if (g.names.includes(`prompt.${i}.${input}`))
        said[input] = [...(said[input] ?? []), ...Array.from((await g.raw(`prompt.${i}.${input}`)).data, Number)];
    tiles.push(await g.floats(`prompt.${i}.pixel_values`));
  }
  const rows = counts.reduce((a, b) => a + b, 0);
  const described = Object.entries(said).map(([input, data]): [string, Tensor] => [input, ints([rows, data.length / rows], data)]);
  const joined = joinFloats(tiles);
  if (!name.includes('onevision')) return [['pixel_values', joined], ...described];
  // Each picture's tiles by themselves, as many as the largest has.
  const each = joined.data.length / joined.shape[0];
  const most = Math.max(...tiles.map(({ shape }, i) => shape[0] / counts[i]));
  const padded = new Float32Array(rows * most * each);
  let [at, from] = [0, 0];
  for (const [i, { shape }] of tiles.entries())
    for (let k = 0; k < counts[i]; k++, at++) {
      const to = from + (shape[0] / counts[i]) * each;
      padded.set(joined.data.subarray(from, to), at * most * each);
      from = to;
    }
  return [
    ['pixel_values', floats([rows, most, ...joined.shape.slice(1)], padded)],
    ...described,
    ['batch_num_images', ints([counts.length], counts)],
  ];
}

async function written(name: string, what: string, tensors: Map<string, Tensor>, change: Change): Promise<string> {
  change(tensors);
  const path = join(root, `${name.replaceAll('/', '-')}-${what}.safetensors`);
  await writeSafetensors(path, tensors);
  return path;
}

/** All conversations in one batch with the loss and its gradients, and the first one's greedy answer, as a person's script writes them. */
async function batchReference(name: string, change: Change = () => {}): Promise<string> {
  const directory = familyDirectory(name);
  const g = await goldenIn(directory);
  const cases = await familyCases(directory);
  const tensors = new Map<string, Tensor>(await pictures(name, [...cases.keys()]));
  for (const what of ['input_ids', 'attention_mask', 'labels']) tensors.set(what, await g.raw(`right.${what}`));
  tensors.set('loss', floats([], (await g.floats('right.loss')).data));
  for (const what of g.names) if (what.startsWith('whole.')) tensors.set(what.slice(6), await g.raw(what));
  const ids = [...((await g.raw('prompt.0.ids')).data as Int32Array)];
  const answer = (await g.raw('generate.0')).data as Int32Array;
  tensors.set('generate.prompt', ints([1, ids.length], ids));
  tensors.set('generate.output', ints([1, ids.length + answer.length], [...ids, ...answer]));
  return written(name, 'batch', tensors, change);
}

/** Every hidden state and the logits of one conversation, which stands alone, so that nothing is padded. */
async function valuesReference(name: string, i: number, change: Change = () => {}): Promise<string> {
  const g = await goldenIn(familyDirectory(name));
  const tensors = new Map<string, Tensor>(await pictures(name, [i]));
  const mask = await g.raw('right.attention_mask');
  const width = mask.shape[1];
  const length = Array.from(mask.data.slice(i * width, (i + 1) * width), Number).reduce((a, b) => a + b, 0);
  tensors.set('input_ids', ints([1, length], ((await g.raw('right.input_ids')).data as Int32Array).slice(i * width, i * width + length)));
  for (const what of ['logits', ...g.names.filter(n => n.startsWith('hidden_states.'))]) {
    const { shape, data } = await g.floats(what === 'logits' ? 'right.logits' : what);
    const from = i * width * shape[2];
    tensors.set(what, floats([1, length, shape[2]], data.slice(from, from + length * shape[2])));
  }
  return written(name, `values-${i}`, tensors, change);
}

it.each(FAMILY_GOLDENS)(
  'agrees with transformers on %s: loss, gradients by its own names, greedy tokens, states and logits',
  async name => {
    const model = await openSubject({ directory: familyDirectory(name), name });
    const verify = async (referencePath: string) => verifyLlava({ model, referencePath });
    try {
      const batch = await verify(await batchReference(name));
      expect(batch.rows.filter(row => !row.ok)).toEqual([]);
      expect(batch.unverified).toEqual([]);
      const names = batch.rows.map(row => row.name);
      expect(names).toEqual(expect.arrayContaining(['loss', 'generate.output']));
      expect(names.filter(n => n.startsWith('grad.')).length).toBeGreaterThan(10);
      const wrong = await batchReference(name, tensors => {
        const [first] = [...tensors.keys()].filter(n => n.startsWith('grad.'));
        (tensors.get(first)!.data as Float32Array)[0] += 1;
      });
      expect((await verify(wrong)).ok).toBe(false);
      for (const i of (await familyCases(familyDirectory(name))).keys()) {
        if ((await familyCases(familyDirectory(name)))[i].pictures.length === 0) continue;
        const values = await verify(await valuesReference(name, i));
        expect(values.rows.filter(row => !row.ok)).toEqual([]);
        expect(values.unverified).toEqual([]);
        expect(values.rows.map(row => row.name).sort()).toEqual([
          'hidden_states.0',
          'hidden_states.1',
          'hidden_states.2',
          'hidden_states.3',
          'logits',
        ]);
      }
    } finally {
      await model.llava.release();
    }
  },
);

it('wants sizes and pixels of the same pictures', async () => {
  const name = 'llava-next/testdata/onevision-tiny';
  const model = await openSubject({ directory: familyDirectory(name), name });
  const refusal = async (input: string, tensor: Tensor): Promise<string> =>
    verifyLlava({ model, referencePath: await valuesReference(name, 3, tensors => void tensors.set(input, tensor)) }).then(
      () => 'agreed',
      error => error.message,
    );
  try {
    expect(await refusal('batch_num_images', ints([1], [1]))).toMatch(
      /^batch_num_images of .* counts 1 pictures, but sizes are given of 2;/,
    );
    expect(await refusal('batch_num_images', ints([2], [1, 1]))).toMatch(
      /hold 2 pictures of up to 1 tiles, but 2 pictures of up to \d+ are described/,
    );
  } finally {
    await model.llava.release();
  }
});
