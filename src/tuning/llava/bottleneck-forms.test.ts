/** Runs of `--method vittle` with the forms beside the published one: what is measured, stored, read again and said. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { initialBottleneck } from '../../bottleneck/gaussian/module.ts';
import { loadBottleneckLlava } from '../../bottleneck/gaussian/pretrained.ts';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import { placeImages } from '../../models/llava/placement.ts';
import { golden } from '../../models/llava/testing/goldens.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Logger } from '../../system/log.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { passedOver, type TuneArguments, tuneTrainingSchema } from './arguments.ts';
import { methodOf } from './method.ts';
import { llavaSource } from './source.ts';
import { withStreamScale } from './stream-scale.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

const runtime = nodeRuntime({ threads: 1 });
let root: string;
let model: string;
let data: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-forms-'));
  model = await writeTinyLlava(join(root, 'model'));
  data = (await writeTinyData(root, 20)).path;
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

const tune = (json: object): TuneArguments =>
  tuneTrainingSchema.parse({ ...TINY_RUN, method: 'vittle', model, data_path: data, output_dir: join(root, `run-${count++}`), ...json });
const bottleneckOf = async (directory: string) => JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')).bottleneck_config;
const lines = async (directory: string): Promise<Record<string, number>[]> =>
  (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
const SHORT = { max_steps: 2, logging_steps: 1, eval_steps: 2, save_steps: 2 };

describe('a bottleneck that passes on', () => {
  it('measures the stream, is saved, and the next run reads the same model', async () => {
    const args = tune({ ...SHORT, bottleneck_init: 'pass', alpha_schedule: 'constant', validation_file: data, eval_samples: 6 });
    const { metrics } = await trainLlava(args);
    const config = await bottleneckOf(args.output_dir);
    expect(config).toMatchObject({ bottleneck_init: 'pass', bottleneck_layers: [2] });
    const [scale] = config.stream_scale;
    expect([scale.visual > 0, scale.text > 0, scale.visual === 1, scale.text === 1]).toEqual([true, true, false, false]);
    // h/s has an rms of 1, but for the spread between tokens: ½ (1 + 0.1 − 1 + ln 10) = 1.2.
    const [first] = await lines(args.output_dir);
    expectClose([first.kl_visual, first.kl_text], [1.2, 1.2], { rtol: 0.25 });
    expect(first.variance_visual).toBeCloseTo(0.1, 4);
    // A start that has a bottleneck keeps its form and its s; with a rate of 0 it is the same model to the bit.
    const again = tune({ ...SHORT, ...{ model: args.output_dir, learning_rate: 0, max_steps: 1, eval_steps: 1 } });
    const next = { ...again, alpha_schedule: 'constant' as const, validation_file: data, eval_samples: 6 };
    expect((await trainLlava(next)).metrics).toEqual(metrics);
    expect(await bottleneckOf(next.output_dir)).toEqual(config);
    // Of two blocks the known one keeps its s, the other is measured.
    const two = tune({ ...SHORT, model: args.output_dir, bottleneck_layer: [1, 2], max_steps: 1 });
    await trainLlava(two);
    const { bottleneck_init, stream_scale } = await bottleneckOf(two.output_dir);
    expect([bottleneck_init, stream_scale[1], stream_scale.length]).toEqual(['pass', scale, 2]);
    expect(stream_scale[0]).not.toEqual(scale);
    await expect(trainLlava(tune({ ...SHORT, model: args.output_dir, bottleneck_init: 'published' }))).rejects.toThrow(
      'The bottleneck of the start was made with "bottleneck_init": "pass", and its encoders make no sense with "published"; leave it out, or name other blocks',
    );
  });

  it("measures the median of the tokens' rms per modality, and says where there are none", async () => {
    const source = await llavaSource(model);
    const outputs = await golden('llava-tiny');
    const pixels = await outputs.floats('pixel_values');
    const placement = placeImages(source.config, await outputs.raw('input_ids'), pixels.shape[0], await outputs.raw('attention_mask'));
    const feeds: Record<string, Tensor> = { ...placementFeeds(placement), pixel_values: pixels };
    const method = methodOf(tune({ bottleneck_init: 'pass' }), source.entries.keys(), 4);
    expect(method.bottleneck!.stream_scale).toBeUndefined();
    expect(() => initialBottleneck(method.bottleneck!, 48, 1)).toThrow('is not known: withStreamScale measures it');
    const said: string[] = [];
    const measured = await withStreamScale(
      runtime,
      source,
      method,
      async () => feeds,
      m => said.push(m),
    );
    // The hidden state behind block 2 as PyTorch has it.
    const file = await openSafetensors(fileURLToPath(new URL('../../bottleneck/gaussian/testdata/vittle.safetensors', import.meta.url)));
    const hidden = await readFloats(file.tensors.get('h_in')!);
    const modality = Array.from(feeds.modality.data, Number);
    const middle = (wanted: number): number => {
      const rms = modality.flatMap((m, i) =>
        m === wanted ? [Math.sqrt(hidden.subarray(48 * i, 48 * (i + 1)).reduce((a, v) => a + (v * v) / 48, 0))] : [],
      );
      return rms.toSorted((x, y) => x - y)[Math.floor((rms.length - 1) / 2)];
    };
    const [{ visual, text }] = measured.bottleneck!.stream_scale!;
    expectClose([visual, text], [middle(2), middle(1)], { rtol: 1e-3 });
    expect(Math.abs(visual / text - 1)).toBeGreaterThan(0.01);
    expect(said).toEqual([]);
    // Isolated turns change what is behind block 2 in the second turn: they see less.
    const turns = ints(
      feeds.modality.shape,
      modality.map((_, i) => (i % 30 < 15 ? 0 : (i % 2) + 1)),
    );
    const apart = await withStreamScale(
      runtime,
      source,
      method,
      async () => ({ ...feeds, turns }),
      m => said.push(m),
    );
    expect(apart.bottleneck!.stream_scale).not.toEqual(measured.bottleneck!.stream_scale);
    const words = {
      ...feeds,
      modality: ints(
        feeds.modality.shape,
        modality.map(m => Math.min(m, 1)),
      ),
    };
    const blind = await withStreamScale(
      runtime,
      source,
      method,
      async () => words,
      m => said.push(m),
    );
    expect(blind.bottleneck!.stream_scale![0].visual).toBe(1);
    expect(said).toEqual([
      expect.stringContaining("The first 16 batches have no image, so the bottleneck's scale for visual tokens at layer 2 is 1"),
    ]);
  });
});

it('a run that passes on, stopped on the way, ends in the bits of one that was not', async () => {
  const given = { ...SHORT, max_steps: 4, bottleneck_init: 'pass', beta_schedule: 'after_alpha', free_nats: 0.5 };
  const [whole, stopped] = [tune(given), tune(given)];
  await trainLlava(whole);
  const controller = new AbortController();
  const first = await trainLlava(stopped, { signal: controller.signal, onProgress: step => step === 1 && controller.abort() });
  expect(first).toMatchObject({ step: 1, finished: false });
  await trainLlava(stopped);
  for (const name of ['bottleneck.safetensors', 'model.safetensors', 'config.json']) {
    const [a, b] = await Promise.all([whole, stopped].map(args => readFile(join(args.output_dir, name))));
    expect(b.equals(a), name).toBe(true);
  }
});

describe('controls', () => {
  it('noise saves a model that answers as the plain one it holds', async () => {
    const args = tune({ ...SHORT, control: 'noise', bottleneck_init: 'pass', alpha_schedule: 'constant' });
    const { warnings } = await trainLlava(args);
    // The start has no image rules, which is said; nothing is said of a posterior.
    expect(warnings).toEqual([expect.stringContaining('no image rules')]);
    expect((await openSafetensors(join(args.output_dir, 'bottleneck.safetensors'))).tensors.size).toBe(0);
    const [first] = await lines(args.output_dir);
    expect(first.loss).toBe(first.ce);
    expect('kl_visual' in first).toBe(false);
    const inputs = { inputIds: ints([1, 6], [1, 40, 41, 42, 43, 44]) };
    await using through = await loadBottleneckLlava(args.output_dir, { runtime });
    await using plain = await LlavaModel.fromPretrained(args.output_dir, { runtime, tap: (_, hidden) => hidden });
    expect((await through.forward(inputs)).logits.data).toEqual((await plain.forward(inputs)).logits.data);
  });

  it('deterministic trains its encoder, draws nothing, and is read again with the same evaluation', async () => {
    const args = tune({ ...SHORT, control: 'deterministic', validation_file: data, eval_samples: 6 });
    const { metrics } = await trainLlava(args);
    const { tensors } = await openSafetensors(join(args.output_dir, 'bottleneck.safetensors'));
    expect(tensors.size).toBe(8);
    const again = tune({ ...SHORT, control: 'deterministic', validation_file: data, eval_samples: 6 });
    const next = { ...again, model: args.output_dir, learning_rate: 0, max_steps: 1, eval_steps: 1 };
    expect((await trainLlava(next)).metrics).toEqual(metrics);
    expect(metrics).toHaveProperty('eval_loss');
  });

  it('say which arguments they do not read', () => {
    expect(passedOver(tune({ control: 'noise', beta_visual: 3, noise_variance_text: 1 }))).toEqual([
      '"beta_visual" is ignored: the control noise has no KL.',
    ]);
    expect(passedOver(tune({ noise_variance_text: 1, free_nats: 0.1 }))).toEqual([
      '"noise_variance_text" is ignored: it belongs to the control noise.',
    ]);
    expect(passedOver(tune({ method: 'full', free_nats: 0.1 }))).toEqual([
      '"free_nats" is ignored: it belongs to the method vittle, and this run\'s method is full.',
    ]);
  });
});

describe('what is charged', () => {
  it('follows from the arguments, and stands in config.json only where it is not the published form', async () => {
    const args = tune({ ...SHORT, max_steps: 6, kl_charge: 'token', free_nats: 1, beta_schedule: 'after_alpha', beta_text: 0.01 });
    await trainLlava(args);
    expect(await bottleneckOf(args.output_dir)).toMatchObject({ kl_charge: 'token', free_nats: 1, beta_schedule: 'after_alpha' });
    const figures = (await lines(args.output_dir)).filter(line => 'ce' in line);
    const share = [0, 0, 0, 0.5, 1, 1];
    figures.forEach((line, i) => {
      const charged = share[i] * (0.1 * line.charge_visual + 0.01 * line.charge_text);
      expect(line.loss - line.ce).toBeCloseTo(charged, 4);
    });
    const published = methodOf(tune({}), ['a'], 4).bottleneck;
    expect(Object.keys(published!).sort()).toEqual(Object.keys(parseBottleneckConfig({ bottleneck_layers: [2] }, 'test')).sort());
  });
});

describe('warnings', () => {
  it('of a posterior at its prior reach the log, metrics.jsonl, the result and trainer_state.json, once, a resumed run included', async () => {
    const said: string[] = [];
    const log: Logger = { info: () => {}, debug: () => {}, warn: message => said.push(message) };
    const args = tune({ ...SHORT, max_steps: 6, save_steps: 3, learning_rate: 1e-5, seed: 3 });
    const controller = new AbortController();
    await trainLlava(args, { log, signal: controller.signal, onProgress: step => step === 3 && controller.abort() });
    const seen = [...said];
    const posterior = seen.filter(message => message.startsWith('The posterior'));
    expect(posterior.length).toBeGreaterThan(0);
    expect(posterior.every(message => /^The posterior of (image|prompt) tokens is at its prior after 1 of 6 updates/.test(message))).toBe(
      true,
    );
    const result = await trainLlava(args, { log });
    expect(result.warnings!.filter(message => message.startsWith('The posterior'))).toEqual(posterior);
    expect(said.filter(message => message.startsWith('The posterior'))).toEqual(posterior);
    const [first, ...rest] = (await lines(args.output_dir)).map(line => line.warning as unknown);
    expect(first).toBe(posterior.join('\n'));
    expect(rest.some(Boolean)).toBe(false);
    expect(JSON.parse(await readFile(join(args.output_dir, 'trainer_state.json'), 'utf8')).warnings).toEqual(result.warnings);
  });
});
