import { describe, expect, it } from 'vitest';
import { isLoraTarget, isSavedModule, type LoraConfig, loraScaling } from '../checkpoints/peft-layers.ts';
import { NarrowsError } from '../system/errors.ts';
import { initialiseLora, requireTargets } from './lora.ts';

const config: LoraConfig = { r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: ['q_proj'] };
const q = 'model.language_model.layers.0.self_attn.q_proj';

describe('targets', () => {
  it.each<[LoraConfig['target_modules'], string, boolean]>([
    [['q_proj'], q, true],
    [['self_attn.q_proj', 'x'], q, true],
    [['proj'], q, false],
    ['.*\\.q_proj', q, true],
    ['q_proj', q, false],
    ['.*layers\\.1\\..*', q, false],
    ['all-linear', q, true],
    ['all-linear', 'language_model.model.layers.11.mlp.down_proj', true],
    ['all-linear', 'model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj', false],
    ['all-linear', 'model.multi_modal_projector.linear_1', false],
  ])('%j and %s: %s', (target_modules, layer, wanted) => {
    expect(isLoraTarget({ ...config, target_modules }, layer)).toBe(wanted);
    expect(isLoraTarget({ ...config, target_modules, exclude_modules: ['q_proj', 'down_proj'] }, layer)).toBe(false);
  });

  it('saved modules are named by whole parts', () => {
    const saved = { ...config, modules_to_save: ['multi_modal_projector'] };
    expect(isSavedModule(saved, 'model.multi_modal_projector.linear_1.weight')).toBe(true);
    expect(isSavedModule(saved, 'model.my_multi_modal_projector.linear_1.weight')).toBe(false);
    expect(isSavedModule(config, 'model.multi_modal_projector.linear_1.weight')).toBe(false);
  });

  it('a pattern that is none, and no target at all, are refused in one sentence', () => {
    expect(() => isLoraTarget({ ...config, target_modules: '(?P<x>q)' }, q)).toThrow(NarrowsError);
    expect(() => isLoraTarget({ ...config, target_modules: '(' }, q)).toThrow(
      'The LoRA target "(" is no regular expression; name layers in a list, such as ["q_proj", "v_proj"].',
    );
    expect(() => requireTargets({ ...config, target_modules: [] }, [`${q}.lora_A.weight`], 'FILE')).toThrow(
      'FILE names no target_modules; name layers such as "q_proj", or "all-linear".',
    );
  });
});

describe('adapters', () => {
  it('scale by alpha/r, rsLoRA by alpha/√r', () => {
    expect(loraScaling(config)).toBe(2);
    expect(loraScaling({ ...config, use_rslora: true })).toBe(4);
  });

  it('start with A uniform in ±1/√in and B zero, each tensor by its own stream', () => {
    const shapes = new Map([
      [`${q}.lora_A.weight`, { shape: [32, 100] }],
      [`${q}.lora_B.weight`, { shape: [30, 32] }],
      ['other.lora_A.weight', { shape: [32, 100] }],
    ]);
    const [a, b, other] = initialiseLora(shapes, 5);
    expect(Math.max(...a.data.map(Math.abs))).toBeLessThanOrEqual(0.1);
    const variance = a.data.reduce((sum, v) => sum + v * v, 0) / a.data.length;
    expect(Math.abs(variance / (0.01 / 3) - 1)).toBeLessThan(0.05);
    expect(b.data.every(v => v === 0)).toBe(true);
    const sum = (data: Float32Array): number => data.reduce((s, v, i) => s + v * (i + 1), 0);
    expect(sum(other.data)).not.toBe(sum(a.data));
    expect(sum(initialiseLora(new Map([...shapes].reverse()), 5)[2].data)).toBe(sum(a.data));
    expect(sum(initialiseLora(shapes, 6)[0].data)).not.toBe(sum(a.data));
  });
});
