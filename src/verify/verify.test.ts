import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { CLIPModel } from '../models/pretrained.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { printReport } from './print.ts';
import { type VerifyOptions, type VerifyReport, verifyReference } from './verify.ts';

const testdata = fileURLToPath(new URL('../models/testdata', import.meta.url));
const file = (model: string, name: string): string => join(testdata, model, `${name}.safetensors`);

let root: string;
let tiny: CLIPModel;
let tinyB: CLIPModel;
/** clip-tiny's outputs without training gradients, which take most of the time. */
let short: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-verify-'));
  tiny = await CLIPModel.fromPretrained(join(testdata, 'clip-tiny'));
  tinyB = await CLIPModel.fromPretrained(join(testdata, 'clip-tiny-b'));
  await mkdir(join(root, 'short'));
  short = await changed(
    file('clip-tiny', 'outputs'),
    tensors => {
      for (const name of [...tensors.keys()]) if (name.startsWith('train.')) tensors.delete(name);
    },
    'short/outputs.safetensors',
  );
});
afterAll(async () => {
  await tiny.release();
  await tinyB.release();
  await rm(root, { recursive: true });
});

const verify = (model: CLIPModel, referencePath: string, options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
  verifyReference({ model, referencePath, ...options });

/** Tensors and metadata of a safetensors file. */
async function load(path: string): Promise<{ tensors: Map<string, Tensor>; metadata: Record<string, string> }> {
  const { tensors, metadata } = await openSafetensors(path);
  const out = new Map<string, Tensor>();
  for (const [name, entry] of tensors) out.set(name, await readTensor(entry));
  return { tensors: out, metadata };
}

/** A changed copy of a reference file. */
async function changed(
  source: string,
  change: (tensors: Map<string, Tensor>, settings: Record<string, unknown>) => void,
  name = 'changed.safetensors',
): Promise<string> {
  const { tensors, metadata } = await load(source);
  const settings = JSON.parse(metadata.settings);
  change(tensors, settings);
  const path = join(root, name);
  await writeSafetensors(path, tensors, { ...metadata, settings: JSON.stringify(settings) });
  return path;
}

/** A copy of clip-tiny with one weight moved by 1e-2. */
async function perturbed(weight: string): Promise<CLIPModel> {
  const directory = join(root, weight);
  await cp(join(testdata, 'clip-tiny'), directory, { recursive: true });
  const { tensors, metadata } = await load(join(directory, 'model.safetensors'));
  (tensors.get(weight)!.data as Float32Array)[0] += 1e-2;
  await writeSafetensors(join(directory, 'model.safetensors'), tensors, metadata);
  return CLIPModel.fromPretrained(directory);
}

describe('verifyReference', () => {
  it('agrees with PyTorch on clip-tiny: forward, gradients, training gradients', async () => {
    const seen: string[] = [];
    const report = await verify(tiny, file('clip-tiny', 'outputs'), { onProgress: p => seen.push(`${p.label} ${p.done}/${p.total}`) });
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report).toMatchObject({ ok: true, counts: { passed: 156, failed: 0, inputs: 3, unverified: 0 }, settings: { seed: 1 } });
    expect(report.firstDeparture).toBeUndefined();
    expect(report.inputs.toSorted()).toEqual(['attention_mask', 'input_ids', 'pixel_values']);
    const { tensors } = await openSafetensors(file('clip-tiny', 'outputs'));
    expect(report.rows.map(row => row.name)).toEqual([...tensors.keys()].filter(name => !report.inputs.includes(name)));
    for (const row of report.rows) expect(row.tolerance).toBe(/^(grad\.vision|grad\.pixel|train\.grad)/.test(row.name) ? 1e-4 : 1e-5);
    // Not zero everywhere: something was compared.
    expect(report.rows.filter(row => row.absoluteError > 0).length).toBeGreaterThan(100);
    expect(seen.at(-1)).toBe('training gradients 156/156');
  });

  it('agrees on clip-tiny-b: gelu, the old EOS rule, padding, other image sizes', async () => {
    const report = await verify(tinyB, file('clip-tiny-b', 'outputs'));
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report.counts).toEqual({ passed: 197, failed: 0, inputs: 5, unverified: 0 });
    expect(report.rows.filter(row => row.name.startsWith('interpolated')).length).toBe(4);
  });

  it.each([
    ['clip-tiny', 24],
    ['clip-tiny-b', 18],
  ])('agrees with the official M2IB on %s, given its noise', async (name, passed) => {
    const report = await verify(name === 'clip-tiny' ? tiny : tinyB, file(name, 'm2ib'));
    expect(report.rows.filter(row => !row.ok)).toEqual([]);
    expect(report.counts).toMatchObject({ passed, unverified: 0 });
    for (const row of report.rows.filter(r => r.name.endsWith('.alpha'))) expect([row.measure, row.tolerance]).toEqual(['absolute', 1e-4]);
  });

  it.each([
    ['vision_model.embeddings.class_embedding', 'outputs', 'vision.hidden_states.0'],
    ['vision_model.encoder.layers.2.mlp.fc1.weight', 'outputs', 'vision.hidden_states.3'],
    ['vision_model.encoder.layers.1.self_attn.q_proj.weight', 'outputs', 'vision.attentions.1'],
    ['text_model.encoder.layers.1.mlp.fc2.weight', 'outputs', 'text.hidden_states.2'],
    ['visual_projection.weight', 'outputs', 'image_embeds'],
    ['logit_scale', 'outputs', 'logits_per_image'],
    // The gate of a text aims at the image's embedding.
    ['vision_model.encoder.layers.3.layer_norm1.weight', 'm2ib', 'text.0.alpha'],
  ])('finds where a model with another %s departs', async (weight, reference, first) => {
    await using model = await perturbed(weight);
    const report = await verify(model, reference === 'm2ib' ? file('clip-tiny', 'm2ib') : short);
    expect(report.ok).toBe(false);
    expect(report.firstDeparture).toBe(first);
    expect(report.counts.failed).toBe(report.rows.filter(row => !row.ok).length);
  });

  it.each(['vision.attentions.1', 'grad.vision.hidden_states.2', 'train.grad.text_projection.weight'])(
    'finds one changed number in %s, and nothing else',
    async name => {
      const path = await changed(file('clip-tiny', 'outputs'), tensors => {
        const data = tensors.get(name)!.data as Float32Array;
        let largest = 0;
        for (const v of data) largest = Math.max(largest, Math.abs(v));
        data[data.length - 1] += 3e-4 * largest;
      });
      const report = await verify(tiny, path);
      expect(report.rows.filter(row => !row.ok).map(row => row.name)).toEqual([name]);
      expect(report.firstDeparture).toBe(name);
      expect(report.rows.find(row => !row.ok)!.note).toMatch(/^1 of \d+ beyond; at \[.*\] .+, reference .+/);
      const wide = name.startsWith('vision') ? { forward: 1e-3 } : { gradient: 1e-3 };
      expect((await verify(tiny, path, { tolerance: wide })).ok).toBe(true);
    },
  );

  it('takes NaN in a reference as a departure', async () => {
    const path = await changed(short, tensors => {
      (tensors.get('text_embeds')!.data as Float32Array)[3] = Number.NaN;
    });
    const report = await verify(tiny, path);
    expect(report.firstDeparture).toBe('text_embeds');
    expect(report.rows.find(row => row.name === 'text_embeds')!.absoluteError).toBe(Number.POSITIVE_INFINITY);
  });

  it('lists what it cannot check, with the reason', async () => {
    const path = await changed(file('clip-tiny', 'outputs'), tensors => {
      for (const name of [...tensors.keys()]) if (/^(grad|train|input_ids|attention_mask)/.test(name)) tensors.delete(name);
      tensors.set('vision.qkv.0', floats([1], [1]));
      tensors.set('grad.cosine', floats([1], [1]));
      tensors.set('vision.hidden_states.9', floats([1], [1]));
      tensors.set('train.grad.no_such.weight', floats([1], [1]));
    });
    const report = await verify(tiny, path);
    expect(report.ok).toBe(true);
    const why = Object.fromEntries(report.unverified.map(({ name, reason }) => [name, reason]));
    expect(why).toMatchObject({
      'vision.qkv.0': 'Narrows does not know this name',
      'grad.cosine': 'the file has no input_ids',
      'train.grad.no_such.weight': 'the file has no input_ids',
      'text.pooler_output': 'the file has no input_ids',
      logits_per_image: 'the file has no input_ids',
      'vision.hidden_states.9': expect.stringMatching(/4 image and 3 text blocks/),
    });
    expect(report.rows.map(row => row.name).toSorted()).toEqual(
      [
        'image_embeds',
        'vision.pooler_output',
        ...[0, 1, 2, 3].map(i => `vision.attentions.${i}`),
        ...[0, 1, 2, 3, 4].map(i => `vision.hidden_states.${i}`),
      ].toSorted(),
    );
  });

  it('knows which parameters the model lacks', async () => {
    const path = await changed(short, tensors => tensors.set('train.grad.no_such.weight', floats([1], [1])));
    expect((await verify(tiny, path)).unverified).toEqual([
      { name: 'train.grad.no_such.weight', reason: 'the model has no parameter "no_such.weight"' },
    ]);
  });
});

describe('verifyReference refuses', () => {
  const only =
    (...names: string[]) =>
    (tensors: Map<string, Tensor>): void => {
      for (const name of [...tensors.keys()]) if (!names.includes(name)) tensors.delete(name);
    };
  it.each<[string, () => Promise<string>, RegExp]>([
    [
      "another model's file",
      async () => file('clip-tiny-b', 'outputs'),
      /pixel_values of .* is \[2, 3, 42, 42\], but clip-tiny takes \[batch, 3, 32, 32\]; the file belongs to another model/,
    ],
    [
      "another model's M2IB",
      async () => file('clip-tiny-b', 'm2ib'),
      /text.0.input_ids of .* belongs to another model: The token id 128 is outside of clip-tiny's vocabulary of 96/,
    ],
    [
      'hidden states of another width',
      () => changed(file('clip-tiny', 'outputs'), t => t.set('vision.hidden_states.1', floats([3, 17, 16], new Float32Array(816)))),
      /"vision.hidden_states.1" of .* has shape \[3, 17, 16\], but clip-tiny gives \[3, 17, 32\]; the file was made with another model/,
    ],
    [
      'inputs alone',
      () => changed(file('clip-tiny', 'outputs'), only('pixel_values')),
      /could be checked \(it holds no values, only inputs\)/,
    ],
    [
      'values without inputs',
      () => changed(file('clip-tiny', 'outputs'), only('image_embeds')),
      /could be checked \(image_embeds: the file has no pixel_values\); see docs\/verify.md/,
    ],
    [
      'unknown names alone',
      () => changed(file('clip-tiny', 'outputs'), (t, s) => [only()(t), t.set('x', floats([1], [1])), s]),
      /could be checked \(x: Narrows does not know this name\)/,
    ],
    [
      'M2IB without pixels',
      () => changed(file('clip-tiny', 'm2ib'), () => {}),
      /the file has no pixel_values, and outputs.safetensors next to it does not help \(Cannot read .*: there is no such file/,
    ],
    [
      'M2IB without settings',
      () => changed(file('clip-tiny', 'm2ib'), (_, settings) => delete settings.beta),
      /could be checked \(.*: the file's settings have no "beta"\)/,
    ],
    [
      'a layer out of range',
      () => changed(file('clip-tiny', 'm2ib'), (_, settings) => Object.assign(settings, { text_layer: 7 })),
      /place the bottleneck after block 7 of the text tower, but clip-tiny has blocks 0 to 2/,
    ],
    [
      'a setting that is no number',
      () => changed(file('clip-tiny', 'm2ib'), (_, settings) => Object.assign(settings, { beta: '0.1' })),
      /The setting "beta" of .* must be a number, not "0.1"/,
    ],
    ['no file', async () => join(root, 'none.safetensors'), /Cannot read .*none.safetensors: there is no such file/],
    ['something else', async () => join(testdata, 'README.md'), /README.md/],
  ])('%s', async (_, make, message) => {
    const path = await make();
    const error: Error = await verify(tiny, path).then(
      () => expect.fail('verified'),
      e => e,
    );
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('settings that are no JSON', async () => {
    const path = join(root, 'settings.safetensors');
    await writeSafetensors(path, { x: floats([1], [1]) }, { settings: '{beta: 1}' });
    await expect(verify(tiny, path)).rejects.toThrow(/The metadata "settings" of .* is not valid JSON/);
    await writeSafetensors(path, { x: floats([1], [1]) }, { settings: '[]' });
    await expect(verify(tiny, path)).rejects.toThrow(/must be a JSON object/);
  });

  it.each([0, -1, Number.NaN])('the tolerance %s', async tolerance => {
    await expect(verify(tiny, file('clip-tiny', 'm2ib'), { tolerance })).rejects.toThrow(/A tolerance must be a positive number/);
  });
});

describe('printReport', () => {
  it('is an aligned table with the verdict, training gradients in one line', async () => {
    const path = await changed(file('clip-tiny', 'outputs'), tensors => {
      (tensors.get('vision.hidden_states.2')!.data as Float32Array)[0] += 1;
      tensors.set('odd', floats([1], [1]));
    });
    const report = await verify(tiny, path);
    const text = printReport(report);
    const lines = text.split('\n');
    expect(text.endsWith('\n')).toBe(true);
    expect(lines.length).toBeLessThan(50);
    const head = lines.find(line => line.startsWith('tensor'))!;
    const rows = lines.filter(line => / (ok|departs)$/.test(line));
    expect(rows.length).toBe(31);
    for (const row of rows) expect(row.search(/[≤>] /)).toBe(head.indexOf('tolerance'));
    expect(rows.find(row => row.startsWith('train.grad.* (worst of 126)'))).toBeDefined();
    expect(text).toMatch(/vision\.hidden_states\.2 +3×17×32 +1\.0e\+0 .* > 1\.0e-5 +departs/);
    expect(text).toMatch(/vision\.hidden_states\.2: 1 of 1632 beyond; at \[0, 0, 0\]/);
    expect(text).toContain('Not checked (1):\n  odd: Narrows does not know this name');
    expect(text).toContain('departs: 155 of 156 tensors agree (3 inputs read, 1 not checked)');
    expect(text).toContain('The first that differs, in the order of the computation: vision.hidden_states.2');
    expect(text).not.toContain('\x1b');
    expect(printReport(report, { colour: true })).toContain('\x1b[31m');
    expect(printReport(report, { all: true }).split('\n').length).toBeGreaterThan(156);
    expect(JSON.parse(JSON.stringify(report)).firstDeparture).toBe('vision.hidden_states.2');
  });
});
