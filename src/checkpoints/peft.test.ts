import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import { mergeLora, openAdapter, readAdapter, writeAdapter } from './peft.ts';
import { parsePeftConfig, peftJson } from './peft-config.ts';
import { ALL_LINEAR, type LoraConfig } from './peft-layers.ts';
import { writeSafetensors } from './write.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'narrows-peft-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const config: LoraConfig = { r: 1, lora_alpha: 3, lora_dropout: 0.05, target_modules: ['up'] };
const tensors = new Map<string, FloatTensor>([
  ['mlp.up.lora_A.weight', floats([1, 3], [1, 2, 3])],
  ['mlp.up.lora_B.weight', floats([2, 1], [10, -1])],
]);
const weights = new Map<string, FloatTensor>([
  ['mlp.up.weight', floats([2, 3], [1, 1, 1, 0, 0, 0])],
  ['norm.weight', floats([3], [1, 1, 1])],
]);

/** An adapter's directory with these stored tensors. */
async function folder(name: string, stored: Record<string, FloatTensor>, json: object = peftJson(config)): Promise<string> {
  const directory = join(scratch, name);
  await writeSafetensors(join(directory, 'adapter_model.safetensors'), stored);
  await writeFile(join(directory, 'adapter_config.json'), JSON.stringify(json));
  return directory;
}

async function refusal(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(NarrowsError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  return expect.fail('was accepted');
}

describe('adapters', () => {
  it('merge as W + (alpha/r)·B·A', () => {
    const merged = mergeLora(weights, { config, tensors });
    expect([...merged.get('mlp.up.weight')!.data]).toEqual([31, 61, 91, -3, -6, -9]);
    expect(merged.get('norm.weight')).toBe(weights.get('norm.weight'));
    expect([...weights.get('mlp.up.weight')!.data]).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('are written under the names of PEFT, which wants all-linear spelled out', async () => {
    const directory = join(scratch, 'written');
    await writeAdapter(directory, { config: { ...config, target_modules: 'all-linear' }, tensors }, 'BASE');
    const back = await openAdapter(directory);
    expect([...back.entries.values()].map(e => e.name)).toEqual([
      'base_model.model.mlp.up.lora_A.weight',
      'base_model.model.mlp.up.lora_B.weight',
    ]);
    expect(back.config).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      bias: 'none',
      r: 1,
      lora_alpha: 3,
      lora_dropout: 0.05,
      base_model_name_or_path: 'BASE',
      target_modules: ALL_LINEAR,
    });
  });

  it('are refused in one sentence where files and configuration disagree', async () => {
    const [a, b] = [floats([1, 3], [1, 2, 3]), floats([2, 1], [1, 1])];
    const name = 'base_model.model.mlp.up';
    const half = await folder('half', { [`${name}.lora_A.weight`]: a });
    expect(await refusal(() => openAdapter(half))).toMatch(
      /has "mlp.up.lora_A.weight" without "mlp.up.lora_B.weight"; the file is incomplete\.$/,
    );
    const rank = await folder('rank', { [`${name}.lora_A.weight`]: a, [`${name}.lora_B.weight`]: b }, peftJson({ ...config, r: 2 }));
    expect(await refusal(() => readAdapter(rank))).toMatch(
      /"mlp.up.lora_A.weight" has shape \[1, 3\], but adapter_config.json says r = 2; they do not belong together\.$/,
    );
    const foreign = await folder('foreign', { 'mlp.up.weight': a });
    expect(await refusal(() => openAdapter(foreign))).toContain('the tensor "mlp.up.weight" does not begin with "base_model.model."');
    const more = await folder('more', { [`${name}.weight`]: a });
    expect(await refusal(() => openAdapter(more))).toContain('"mlp.up.weight" is neither lora_A nor lora_B of a layer');
    const none = await folder('none', {});
    expect(await refusal(() => openAdapter(none))).toMatch(/has no lora_A or lora_B; it is no LoRA adapter\.$/);
    expect(await refusal(() => openAdapter(join(scratch, 'absent')))).toContain('There is no directory');
    expect(await refusal(() => mergeLora(new Map(), { config, tensors }, 'DIR'))).toBe(
      'The adapter adapts "mlp.up", which DIR does not have; it was trained on another model.',
    );
    const wrong = { config: { ...config, r: 2 }, tensors };
    expect(await refusal(() => writeAdapter(join(scratch, 'wrong'), wrong))).toContain('says r = 2');
  });

  it('with options that are not computed are refused, naming the key', async () => {
    const parse = (changes: object) => refusal(() => parsePeftConfig({ ...peftJson(config), ...changes }, 'FILE'));
    expect(await parse({ peft_type: 'IA3' })).toBe('FILE is of peft_type "IA3"; Narrows reads only adapters of the type "LORA".');
    expect(await parse({ r: 0 })).toMatch(/^FILE: the key "r" is wrong/);
    for (const [key, value] of Object.entries({
      use_dora: true,
      bias: 'all',
      rank_pattern: { up: 4 },
      layers_to_transform: [1],
      init_lora_weights: 'pissa',
    }))
      expect(await parse({ [key]: value })).toMatch(
        new RegExp(`^FILE sets "${key}" to .*, which Narrows does not compute; merge the adapter`),
      );
    expect(
      await refusal(() => mergeLora(weights, { config, tensors: new Map([['up.lora_A.weight', floats([1, 4], [1, 1, 1, 1])]]) })),
    ).toContain('adapts "up", which the model does not have');
  });
});
