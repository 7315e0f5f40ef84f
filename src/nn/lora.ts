/**
 * @file Low-rank adapters of linear layers (Hu et al., "LoRA", arXiv 2106.09685) as PEFT computes them:
 * y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ with s = alpha/r, or alpha/√r (rsLoRA, Kalajdzievski, arXiv 2312.03732). W + s·BA is never formed while training.
 */
import { endsLike, isLoraTarget, type LoraConfig, loraLayer, loraNames, loraScaling } from '../checkpoints/peft-layers.ts';
import { add, keepMask, linear, mul, scope, type Value } from '../graph/index.ts';
import { NarrowsError } from '../system/errors.ts';
import { hashName, RandomStream } from '../tensor/random.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { Parameters } from './parameters.ts';

/** An adapter's fresh matrix: `data` is trained in place. */
interface FreshTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Parameters over which a model is traced with adapters. Only layers that the model computes through `project` can have one: all linear
 * layers but the head. See `requireTargets` for what must be checked after tracing.
 * @param base the model's own weights
 * @param lora where A and B come from, by `loraNames`; `lora.all` lists them after tracing
 * @param dropout multiplies the adapter's input x while training: 0 or 1/(1 − lora_dropout) per entry (`loraDropout`); none: no dropout
 */
export function loraParameters(
  base: Parameters,
  config: LoraConfig,
  lora: Parameters,
  dropout?: (layer: string, x: Value) => Value,
): Parameters {
  const factor = loraScaling(config);
  return base.adapted((layer, x, y) => {
    if (!isLoraTarget(config, layer)) return y;
    const { a, b } = loraNames(layer);
    const [width, out] = [x.shape.at(-1) as number, y.shape.at(-1) as number];
    return scope('lora', () => {
      const kept = dropout && config.lora_dropout > 0 ? mul(x, dropout(layer, x)) : x;
      const inner = mul(linear(kept, lora.get(a, [config.r, width])), factor);
      return add(y, linear(inner, lora.get(b, [out, config.r])));
    });
  });
}

/**
 * Dropout of the adapters' inputs from a seed that is fed; every layer has a mask of its own, as PEFT has it.
 * @param seed int32 scalar, another one each step
 */
export const loraDropout =
  ({ lora_dropout: probability }: LoraConfig, seed: Value) =>
  (layer: string, x: Value): Value =>
    keepMask(x, seed, probability, hashName(layer));

/**
 * Checks after tracing that every target found a layer.
 * @param tensors names that the adapter asked for (`lora.all.keys()`)
 * @throws NarrowsError naming the target that found none
 */
export function requireTargets(config: LoraConfig, tensors: Iterable<string>, source = 'The LoRA configuration'): void {
  const layers = new Set([...tensors].flatMap(name => loraLayer(name) ?? []));
  const targets = typeof config.target_modules === 'string' ? [config.target_modules] : config.target_modules;
  const list = typeof config.target_modules !== 'string';
  const none = targets.find(target => ![...layers].some(layer => (list ? endsLike(layer, target) : true)));
  if (none === undefined && targets.length > 0) return;
  throw new NarrowsError(
    none === undefined
      ? `${source} names no target_modules; name layers such as "q_proj", or "all-linear".`
      : `${source} targets "${none}", but the model has no such linear layer that can be adapted (its head cannot); check target_modules.`,
  );
}

/**
 * Fresh adapters as PEFT initialises them: A uniform in ±1/√in (kaiming_uniform with a = √5), B zero, so that the model starts unchanged.
 * Each tensor has a stream of its own.
 * @param shapes by name, as recorded by tracing (`lora.all`)
 */
export function initialiseLora(shapes: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>, seed: number): FreshTensor[] {
  return [...shapes].map(([name, value]) => {
    const shape = value.shape as number[];
    const data = new Float32Array(sizeOf(shape));
    if (name.endsWith('.lora_A.weight')) {
      const bound = shape[1] ** -0.5;
      const words = new RandomStream(seed, `init.${name}`).words(0, 0, new Uint32Array(data.length));
      for (let i = 0; i < data.length; i++) data[i] = bound * ((words[i] + 0.5) * 2 ** -31 - 1);
    }
    return { name, shape, data };
  });
}
