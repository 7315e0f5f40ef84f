/** Stage 1 and stage 2 on a tiny model: what they change, learn and write. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { inMemoryEntries } from '../../models/llava/layout.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { silent } from '../../system/log.ts';
import { type LlavaArguments, projectorTrainingSchema, tuneTrainingSchema } from './arguments.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

let root: string;
let model: string;
let data: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-llava-'));
  model = await writeTinyLlava(join(root, 'model'));
  data = (await writeTinyData(root, 40)).path;
});
afterAll(() => rm(root, { recursive: true }));

const common = (json: object) => ({ ...TINY_RUN, model, data_path: data, output_dir: join(root, `run-${count++}`), ...json });
const tune = (json: object): LlavaArguments => tuneTrainingSchema.parse(common(json));
const stage1 = (json: object): LlavaArguments => ({ ...projectorTrainingSchema.parse(common(json)), method: 'projector' });

/** Weights of a directory by name in memory. */
async function weights(directory: string, file = 'model.safetensors'): Promise<Map<string, Float32Array>> {
  const { entries } = inMemoryEntries((await openSafetensors(join(directory, file))).tensors);
  return new Map(await Promise.all([...entries].map(async ([name, entry]) => [name, await readFloats(entry)] as const)));
}

/** Names of the tensors that differ. */
async function changed(directory: string): Promise<string[]> {
  const [before, after] = [await weights(model), await weights(directory)];
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  return [...before]
    .filter(([name, values]) =>
      Buffer.compare(
        Buffer.from(values.buffer, values.byteOffset, values.byteLength),
        Buffer.from(after.get(name)!.buffer, after.get(name)!.byteOffset, after.get(name)!.byteLength),
      ),
    )
    .map(([name]) => name)
    .sort();
}

const figures = async (directory: string): Promise<Record<string, number>[]> =>
  (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));

describe('stage 1', () => {
  it('changes only the projector and learns', async () => {
    const pictures = (await writeTinyData(join(root, 'pictures-only'), 20, false)).path;
    const records = JSON.parse(await readFile(pictures, 'utf8')).map((r: { conversations: object[] }) => ({
      ...r,
      conversations: r.conversations.slice(0, 2),
    }));
    await writeFile(pictures, JSON.stringify(records));
    const args = stage1({ data_path: pictures, template: 'plain', max_steps: 40, learning_rate: 0.02 });
    const result = await trainLlava(args);
    expect(result).toMatchObject({ step: 40, finished: true });
    expect(await changed(args.output_dir)).toEqual(
      ['linear_1.bias', 'linear_1.weight', 'linear_2.bias', 'linear_2.weight'].map(n => `model.multi_modal_projector.${n}`),
    );
    const lines = await figures(args.output_dir);
    expect(lines.at(-1)!.loss).toBeLessThan(0.8 * lines[0].loss);
  });
});

describe('stage 2', () => {
  it('trains decoder and projector, learns, measures and answers', async () => {
    const args = tune({ validation_file: data, max_steps: 60, eval_steps: 30 });
    const result = await trainLlava(args);
    expect(result.metrics.eval_loss).toBeLessThan(1);
    const names = await changed(args.output_dir);
    expect(names.some(name => name.includes('vision_tower'))).toBe(false);
    expect(names).toContain('lm_head.weight');
    expect(names).toContain('model.multi_modal_projector.linear_2.weight');
    const lines = await figures(args.output_dir);
    expect(Object.keys(lines[0])).toEqual(['step', 'loss', 'ce', 'grad_norm', 'learning_rate', 'tokens_per_second']);
    expect(lines[0].tokens_per_second).toBeGreaterThan(0);
    expect(await readFile(join(args.output_dir, 'README.md'), 'utf8')).toContain('60 updates, 240 samples seen of the 40');
    const opened = await LlavaModel.fromPretrained(args.output_dir);
    await opened.release();
  });

  it('with a bottleneck writes its weights and settings, and logs what it costs', async () => {
    const args = tune({ method: 'vittle', prior: 'learnable', alpha_schedule: 'constant', beta_text: 0.2, validation_file: data });
    const result = await trainLlava(args);
    expect(Object.keys(result.metrics)).toEqual([
      'eval_loss',
      'eval_kl_visual',
      'eval_kl_text',
      'eval_used_visual',
      'eval_used_text',
      'eval_variance_visual',
      'eval_variance_text',
    ]);
    const config = JSON.parse(await readFile(join(args.output_dir, 'config.json'), 'utf8'));
    expect(config.bottleneck_config).toMatchObject({ bottleneck_layers: [2], prior: 'learnable', beta_text: 0.2, alpha_end: 0.5 });
    const bottleneck = await weights(args.output_dir, 'bottleneck.safetensors');
    expect([...bottleneck.keys()].filter(name => name.startsWith('bottleneck.2.visual')).sort()).toEqual(
      ['fc1.bias', 'fc1.weight', 'fc2.bias', 'fc2.weight', 'prior.log_variance', 'prior.mean'].map(n => `bottleneck.2.visual.${n}`),
    );
    expect(bottleneck.get('bottleneck.2.text.prior.mean')!.some(v => v !== 0)).toBe(true);
    const [first] = await figures(args.output_dir);
    expect(Object.keys(first)).toEqual(expect.arrayContaining(['ce', 'kl_visual', 'kl_text', 'variance_visual', 'variance_text']));
    expect(first.loss).toBeCloseTo(first.ce + 0.1 * first.kl_visual + 0.2 * first.kl_text, 5);
    // The result is a start for another run, which keeps the bottleneck.
    const next = tune({ method: 'vittle', prior: 'learnable', model: args.output_dir, learning_rate: 0, max_steps: 1 });
    await trainLlava(next);
    expect(await weights(next.output_dir, 'bottleneck.safetensors')).toEqual(bottleneck);
    await expect(trainLlava(tune({ method: 'full', model: args.output_dir }))).rejects.toThrow('take --method vittle');
  });

  it('narrows the image features after the projector, as AdaVIB does', async () => {
    const args = tune({ method: 'vittle', bottleneck_layer: [-1], alpha_schedule: 'constant', max_steps: 2, logging_steps: 1 });
    await trainLlava(args);
    const bottleneck = await weights(args.output_dir, 'bottleneck.safetensors');
    expect([...bottleneck.keys()].sort()).toEqual(
      ['fc1.bias', 'fc1.weight', 'fc2.bias', 'fc2.weight'].map(n => `bottleneck.-1.visual.${n}`),
    );
    expect(bottleneck.get('bottleneck.-1.visual.fc2.bias')!.some(v => v !== 0)).toBe(true);
    const [first] = await figures(args.output_dir);
    expect([first.kl_visual > 0, first.kl_text]).toEqual([true, 0]);
  });

  it('by LoRA writes an adapter in the form of PEFT, the base unchanged', async () => {
    const args = tune({ method: 'lora', lora_r: 4, lora_alpha: 8, lora_dropout: 0.1, mm_projector_lr: 1e-3 });
    await trainLlava(args);
    const config = JSON.parse(await readFile(join(args.output_dir, 'adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 8, lora_dropout: 0.1, modules_to_save: ['multi_modal_projector'] });
    const { tensors } = await openSafetensors(join(args.output_dir, 'adapter_model.safetensors'));
    const names = [...tensors.keys()];
    expect(names.filter(n => n.endsWith('lora_A.weight')).length).toBe(4 * 7);
    expect(names.filter(n => n.includes('multi_modal_projector')).length).toBe(4);
    const b = await readFloats(tensors.get(names.find(n => n.endsWith('lora_B.weight'))!)!);
    expect(b.some(v => v !== 0)).toBe(true);
  });

  it('by LoRA writes a whole model where it is to be merged', async () => {
    const args = tune({
      method: 'lora',
      lora_r: 2,
      lora_alpha: 8,
      lora_target_modules: ['q_proj'],
      merge_lora: true,
      learning_rate: 0.05,
      max_steps: 3,
    });
    await trainLlava(args);
    const names = await changed(args.output_dir);
    expect(names.filter(n => !n.includes('projector'))).toEqual(
      [0, 1, 2, 3].map(i => `model.language_model.layers.${i}.self_attn.q_proj.weight`),
    );
    expect((await openSafetensors(join(args.output_dir, 'checkpoint-3/adapter_model.safetensors'))).tensors.size).toBe(4 * 2 + 4);
  });

  it('computes activations again for the gradient on request, with the same result', async () => {
    const losses = async (json: object): Promise<number[]> => {
      const args = tune({ method: 'vittle', max_steps: 3, logging_steps: 1, ...json });
      await trainLlava(args);
      return (await figures(args.output_dir)).map(line => line.loss);
    };
    const [kept, again] = [await losses({}), await losses({ gradient_checkpointing: true })];
    for (const [i, loss] of kept.entries()) expect(again[i]).toBeCloseTo(loss, 5);
  });

  it('freezes by pattern, and refuses one that names nothing', async () => {
    const args = tune({ freeze: ['model.language_model.embed_tokens.*', '*.layers.0.*', 'lm_head.weight'], max_steps: 2 });
    await trainLlava(args);
    const names = await changed(args.output_dir);
    expect(names.some(n => /embed_tokens|layers\.0\.|lm_head/.test(n))).toBe(false);
    expect(names).toContain('model.language_model.layers.1.mlp.up_proj.weight');
    await expect(trainLlava(tune({ freeze: ['model.decoder.*'] }))).rejects.toThrow(
      '"freeze" has the pattern "model.decoder.*", which no tensor',
    );
    await expect(trainLlava(tune({ freeze: ['*'] }))).rejects.toThrow('"freeze" leaves nothing to train.');
  });

  it('averages over all supervised tokens: accumulation is one big batch', async () => {
    const first = async (json: object): Promise<Map<string, Float32Array>> => {
      const args = tune({ max_steps: 1, warmup_steps: 0, learning_rate: 1e-3, max_grad_norm: 0, ...json });
      await trainLlava(args, { log: silent });
      return weights(join(args.output_dir, 'checkpoint-1'), 'optimizer.safetensors');
    };
    // AdamW's first moment after one step is a tenth of the gradient.
    const [big, cut] = [
      await first({ per_device_train_batch_size: 4, gradient_accumulation_steps: 1 }),
      await first({ per_device_train_batch_size: 1, gradient_accumulation_steps: 4 }),
    ];
    let [difference, most] = [0, 0];
    for (const [name, values] of big) {
      if (!name.startsWith('first.')) continue;
      for (const [i, v] of values.entries()) {
        difference = Math.max(difference, Math.abs(v - cut.get(name)![i]));
        most = Math.max(most, Math.abs(v));
      }
    }
    expect(most).toBeGreaterThan(1e-3);
    expect(difference / most).toBeLessThan(1e-6);
  });
});
