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

/** A reference as a script of a person's would write it. OneVision's golden has a conversation of two squares, which only its processor knows. */
async function reference(name: string, change: (tensors: Map<string, Tensor>) => void = () => {}): Promise<string> {
  const directory = familyDirectory(name);
  const g = await goldenIn(directory);
  const tensors = new Map<string, Tensor>();
  for (const what of ['input_ids', 'attention_mask', 'labels', 'logits', 'loss']) tensors.set(what, await g.raw(`right.${what}`));
  tensors.set('loss', floats([], (await g.floats('right.loss')).data));
  for (const what of g.names) {
    if (what.startsWith('hidden_states.')) tensors.set(what, await g.raw(what));
    if (what.startsWith('whole.')) tensors.set(what.slice(6), await g.raw(what));
  }
  const pixels: FloatTensor[] = [];
  const said: Record<string, number[][]> = {};
  for (const [i, { pictures }] of (await familyCases(directory)).entries()) {
    if (pictures.length === 0) continue;
    pixels.push(await g.floats(`prompt.${i}.pixel_values`));
    for (const input of ['image_sizes', 'image_grid_thw'])
      if (g.names.includes(`prompt.${i}.${input}`)) {
        const { data, shape } = await g.raw(`prompt.${i}.${input}`);
        const rows = said[input] ?? [];
        said[input] = rows;
        for (let k = 0; k < shape[0]; k++) rows.push(Array.from((data as Int32Array).subarray(k * shape[1], (k + 1) * shape[1])));
      }
  }
  tensors.set('pixel_values', joinFloats(pixels));
  for (const [input, rows] of Object.entries(said)) tensors.set(input, ints([rows.length, rows[0].length], rows.flat()));
  const prompt = await g.raw('prompt.0.ids');
  const answer = await g.raw('generate.0');
  tensors.set('generate.prompt', ints([1, prompt.data.length], prompt.data as Int32Array));
  tensors.set(
    'generate.output',
    ints([1, prompt.data.length + answer.data.length], [...(prompt.data as Int32Array), ...(answer.data as Int32Array)]),
  );
  // Padding behind: our positions count on, the golden's stand at 1, as generate has them in front; only Qwen's do so in both.
  if (!name.startsWith('qwen')) for (const what of [...tensors.keys()]) if (/^(logits|hidden_states.*)$/.test(what)) tensors.delete(what);
  change(tensors);
  const path = join(root, `${name.replaceAll('/', '-')}.safetensors`);
  await writeSafetensors(path, tensors);
  return path;
}

const NAMES = FAMILY_GOLDENS.filter(name => !name.includes('onevision'));

it.each(NAMES)('agrees with transformers on %s: forward values, gradients by its own names, greedy tokens', async name => {
  const model = await openSubject({ directory: familyDirectory(name), name });
  try {
    const report = await verifyLlava({ model, referencePath: await reference(name) });
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report.unverified).toEqual([]);
    const names = report.rows.map(row => row.name);
    expect(names).toEqual(
      expect.arrayContaining(['loss', 'generate.output', ...(name.startsWith('qwen') ? ['logits', 'hidden_states.3'] : [])]),
    );
    expect(names.filter(n => n.startsWith('grad.')).length).toBeGreaterThan(10);
    const wrong = await reference(name, tensors => {
      const [first] = [...tensors.keys()].filter(n => n.startsWith('grad.'));
      (tensors.get(first)!.data as Float32Array)[0] += 1;
    });
    expect((await verifyLlava({ model, referencePath: wrong })).ok).toBe(false);
  } finally {
    await model.llava.release();
  }
});
