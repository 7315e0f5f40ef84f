import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { type LoraAdapter, mergeLora, openAdapter, readAdapter, writeAdapter } from '../../checkpoints/peft.ts';
import { isSavedModule } from '../../checkpoints/peft-layers.ts';
import { type CompiledGraph, compile, grad, input, type Value } from '../../graph/index.ts';
import { loraDropout, loraParameters, requireTargets } from '../../nn/lora.ts';
import { frozenParameters, Parameters, trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { type LlavaConfig, parseLlavaConfig } from './config.ts';
import { pixelInput, tokenInputs } from './files.ts';
import { llavaForward, nextTokenLoss } from './forward.ts';
import { inMemoryEntries, nameInMemory } from './layout.ts';
import { placementFeeds } from './model.ts';
import { placeImages } from './placement.ts';
import { directoryOf, expectNear, golden, weightsOf } from './testing/goldens.ts';

const runtime = nodeRuntime({ threads: 1 });
let scratch: string;
let config: LlavaConfig;
let weights: Map<string, FloatTensor>;
let adapter: LoraAdapter;
let batch: Feeds;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'narrows-lora-'));
  const directory = directoryOf('llava-tiny');
  config = parseLlavaConfig(await readConfig(directory));
  weights = await weightsOf(inMemoryEntries((await openCheckpoint(directory)).entries).entries);
  adapter = await readAdapter(directoryOf('peft-tiny'), nameInMemory);
  const g = await golden('llava-tiny');
  const pixels = await g.floats('pixel_values');
  const placement = placeImages(config, await g.raw('input_ids'), pixels.shape[0], await g.raw('attention_mask'));
  batch = { ...placementFeeds(placement), pixel_values: pixels, labels: await g.raw('labels') };
});
afterAll(async () => {
  for (const graph of graphs.values()) await (await graph).release();
  await runtime.release();
  await rm(scratch, { recursive: true });
});

/** Logits and loss over `p`. */
function trace(p: Parameters): { logits: Value; loss: Value } {
  const { logits } = llavaForward(p, config, tokenInputs(), pixelInput(config));
  return { logits, loss: nextTokenLoss(logits, input('labels', ['batch', 'seq'], 'int32')) };
}

/** Compiling is what takes time: each kind of graph once. */
const graphs = new Map<string, Promise<CompiledGraph>>();
function graphOf(key: string, outputs: () => Record<string, Value>): Promise<CompiledGraph> {
  const graph = graphs.get(key) ?? compile(runtime, outputs());
  graphs.set(key, graph);
  return graph;
}

/** Logits and loss with an adapter beside the weights, and the gradients of everything that the adapter holds. */
async function unmerged({ config: lora, tensors }: LoraAdapter, seed?: number) {
  const graph = await graphOf(`${lora.use_rslora} ${lora.lora_dropout} ${seed === undefined}`, () => {
    const inputs = trainableParameters();
    const base = new Parameters((name, shape) => inputs.get(name, shape));
    const p = loraParameters(base, lora, inputs, seed === undefined ? undefined : loraDropout(lora, input('seed', [], 'int32')));
    const { logits, loss } = trace(p);
    requireTargets(lora, inputs.all.keys());
    const names = [...inputs.all.keys()].filter(name => name.includes('.lora_') || isSavedModule(lora, name));
    const values = grad(
      loss,
      names.map(name => inputs.all.get(name)!),
    );
    return { logits, loss, ...Object.fromEntries(values.map((v, i) => [`grad.${names[i]}`, v])) };
  });
  return graph.run({ ...batch, ...Object.fromEntries(weights), ...Object.fromEntries(tensors), seed: ints([], [seed ?? 0]) });
}

async function plain(all: ReadonlyMap<string, FloatTensor>) {
  const graph = await graphOf('plain', () => ({ ...trace(trainableParameters()) }));
  return graph.run({ ...batch, ...Object.fromEntries(all) });
}

describe('an adapter of llava-tiny that PEFT saved', () => {
  it('computes what PEFT computes: logits, loss, gradients of A, B and the saved projector', async () => {
    const [out, g] = [await unmerged(adapter), await golden('peft-tiny')];
    expectNear(out.logits, await g.floats('logits'), 1e-5, 'logits');
    expectClose(out.loss.data as Float32Array, (await g.floats('loss')).data, { rtol: 1e-5 });
    const names = g.names.filter(name => name.startsWith('grad.'));
    expect(names).toHaveLength(60);
    expect(
      Object.keys(out)
        .filter(name => name.startsWith('grad.'))
        .sort(),
    ).toEqual(names.sort());
    for (const name of names) expectNear(out[name], await g.floats(name), 1e-4, name);
  });

  it('is the same merged and unmerged, also as rsLoRA, and changes nothing but what it targets', async () => {
    for (const use_rslora of [false, true]) {
      const one = { ...adapter, config: { ...adapter.config, use_rslora } };
      const merged = mergeLora(weights, one);
      const [a, b] = [await unmerged(one), await plain(merged)];
      expectNear(b.logits, a.logits as FloatTensor, 1e-5, 'logits');
      expectClose(b.loss.data as Float32Array, a.loss.data as Float32Array, { rtol: 1e-5 });
      const changed = [...merged.keys()].filter(name => merged.get(name) !== weights.get(name));
      expect(changed).toHaveLength(28 + 4);
    }
    const rooted = { ...adapter, config: { ...adapter.config, use_rslora: true } };
    expect((await unmerged(rooted)).loss.data).not.toEqual((await unmerged(adapter)).loss.data);
  });

  it('runs from its file with the frozen weights', async () => {
    const { entries, config: lora } = await openAdapter(directoryOf('peft-tiny'), nameInMemory);
    const stored = inMemoryEntries((await openCheckpoint(directoryOf('llava-tiny'))).entries).entries;
    const saved = [...entries].filter(([name]) => isSavedModule(lora, name));
    const base = frozenParameters(new Map([...stored, ...saved]), 'llava-tiny');
    await using graph = await compile(runtime, trace(loraParameters(base, lora, frozenParameters(entries, 'peft-tiny'))));
    expectNear((await graph.run(batch)).logits, await (await golden('peft-tiny')).floats('logits'), 1e-5, 'logits');
  });

  it('drops inputs while training: another seed, another loss; the same seed, the same bits; a dropped part has no gradient', async () => {
    const one = { ...adapter, config: { ...adapter.config, lora_dropout: 0.3 } };
    const [a, again, b, none] = [await unmerged(one, 1), await unmerged(one, 1), await unmerged(one, 2), await unmerged(one)];
    expect(again).toEqual(a);
    expect(b.loss.data).not.toEqual(a.loss.data);
    expect(none.loss.data).toEqual((await unmerged(adapter)).loss.data);
    // The loss is a function of A with the masks fixed: its gradient must be that of the masked function.
    const name = 'model.language_model.layers.2.mlp.up_proj.lora_A.weight';
    const start = adapter.tensors.get(name)!;
    const direction = a[`grad.${name}`].data as Float32Array;
    const length = Math.hypot(...direction);
    const at = async (h: number): Promise<number> => {
      const data = start.data.map((v, i) => v + (h * direction[i]) / length);
      return (await unmerged({ ...one, tensors: new Map(adapter.tensors).set(name, floats(start.shape, data)) }, 1)).loss.data[0] as number;
    };
    const h = 0.05;
    expectClose([((await at(h)) - (await at(-h))) / (2 * h)], [length], { rtol: 0.01, atol: 0 });
  });

  it('comes back from disk as it was, under new names and old', async () => {
    await writeAdapter(join(scratch, 'copy'), adapter, 'llava-tiny');
    const copy = await readAdapter(join(scratch, 'copy'));
    expect(copy.tensors).toEqual(new Map([...adapter.tensors].sort(([a], [b]) => (a < b ? -1 : 1))));
    for (const key of ['r', 'lora_alpha', 'target_modules', 'modules_to_save'] as const)
      expect(copy.config[key]).toEqual(adapter.config[key]);
    const old = (name: string) => name.replace('model.language_model.', 'language_model.model.').replace('model.multi', 'multi');
    await writeAdapter(join(scratch, 'old'), { ...adapter, tensors: new Map([...adapter.tensors].map(([n, t]) => [old(n), t])) });
    expect((await readAdapter(join(scratch, 'old'))).tensors.has('language_model.model.layers.0.mlp.up_proj.lora_A.weight')).toBe(true);
    expect((await readAdapter(join(scratch, 'old'), nameInMemory)).tensors).toEqual(copy.tensors);
  });

  it('is refused by another model, in one sentence', () => {
    const without = new Map(weights);
    without.delete('model.language_model.layers.3.mlp.up_proj.weight');
    expect(() => mergeLora(without, adapter, 'DIR')).toThrow(
      /peft-tiny\/adapter_model.safetensors adapts "model.language_model.layers.3.mlp.up_proj", which DIR does not have; it was trained on another model\.$/,
    );
    const wider = new Map(weights).set('model.language_model.layers.0.self_attn.q_proj.weight', floats([48, 50], new Float32Array(2400)));
    expect(() => mergeLora(wider, adapter, 'DIR')).toThrow(
      /"model.language_model.layers.0.self_attn.q_proj.lora_A.weight" has shape \[4, 48\], which does not fit "model.language_model.layers.0.self_attn.q_proj.weight" \[48, 50\] of DIR; it was trained on another model\.$/,
    );
  });

  it('refuses a target that the model has not, and finds every layer of all-linear', () => {
    const layers = (target_modules: string | string[]): string[] => {
      const lora = trainableParameters();
      const settings = { ...adapter.config, modules_to_save: null, target_modules };
      trace(loraParameters(trainableParameters(), settings, lora));
      requireTargets(settings, lora.all.keys());
      return [...lora.all.keys()].filter(name => name.endsWith('lora_A.weight'));
    };
    expect(layers('all-linear')).toHaveLength(28);
    expect(layers(['q_proj'])).toHaveLength(4 + 2);
    expect(() => layers(['q_proj', 'lm_head'])).toThrow(
      'The LoRA configuration targets "lm_head", but the model has no such linear layer that can be adapted (its head cannot); check target_modules.',
    );
    expect(() => layers('.*transformer.*')).toThrow('targets ".*transformer.*", but the model has no such linear layer');
  });
});
