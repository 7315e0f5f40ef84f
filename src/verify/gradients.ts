/** @file What checks of parameters' gradients share: weights to feed, runs of bounded size, and what counts as rounding. */
import { readFloats, type TensorEntry } from '../checkpoints/safetensors.ts';
import { compile, grad, type Value } from '../graph/index.ts';
import type { Feeds, Runtime } from '../runtime/runtime.ts';
import { type FloatTensor, floats, sizeOf } from '../tensor/tensor.ts';
import type { Computed } from './checker.ts';
import { largest } from './compare.ts';
import type { ReferenceFile } from './reference.ts';
import { LOSS_SCALE } from './tolerance.ts';

/**
 * Errors count relative to the tensor's own largest entry, or to this share of the largest entry of all gradients in the file: what is
 * far smaller than the rest is rounding.
 */
const FLOOR = 1e-3;

/**
 * A key's bias shifts all scores of a query alike, which softmax ignores: its gradient is zero in theory and rounding in practice.
 * It is measured against the gradient of that layer's weight, which sums the same terms without cancelling.
 */
const CANCELLING = /(self_attn\.k_proj)\.bias$/;

/** Bytes of gradients that one run may give; a model with more takes several runs. */
const RUN_BYTES = 512 * 2 ** 20;

/**
 * The floor of a gradient's scale by its parameter's name (see `Computed.scaleFloor`).
 * @param prefix what stands before parameter names in the file
 * @param names parameters whose gradients the file has
 */
export async function gradientFloors(
  reference: ReferenceFile,
  prefix: string,
  names: readonly string[],
  inFile: (name: string) => string = name => name,
): Promise<(name: string) => number> {
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(name, largest((await reference.floats(inFile(prefix + name))).data));
  const floor = FLOOR * Math.max(...sizes.values());
  return name => (CANCELLING.test(name) ? Math.max(floor, sizes.get(name.replace(CANCELLING, '$1.weight')) ?? 0) : floor);
}

/** Weights as float32, by name. */
export async function readWeights(
  entries: ReadonlyMap<string, TensorEntry>,
  names: Iterable<string>,
): Promise<Record<string, FloatTensor>> {
  const weights: Record<string, FloatTensor> = {};
  for (const name of names) {
    const entry = entries.get(name)!;
    weights[name] = floats(entry.shape, await readFloats(entry));
  }
  return weights;
}

/** At least one group, each of at most `RUN_BYTES` where a single tensor is not larger. */
function gradientRuns(wanted: readonly [string, Value][]): [string, Value][][] {
  const out: [string, Value][][] = [[]];
  let room = RUN_BYTES;
  for (const pair of wanted) {
    const bytes = 4 * sizeOf(pair[1].shape as number[]);
    if (bytes > room && out.at(-1)!.length) {
      out.push([]);
      room = RUN_BYTES;
    }
    out.at(-1)!.push(pair);
    room -= bytes;
  }
  return out;
}

/** What `lossGradients` computes with. */
export interface GradientRun {
  readonly runtime: Runtime;
  readonly reference: ReferenceFile;
  /** What stands before parameter names in the file. */
  readonly prefix: string;
  /** Names that are asked for, with the prefix. */
  readonly names: readonly string[];
  /** Of the traced model, as graph inputs. */
  readonly parameters: ReadonlyMap<string, Value>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly loss: Value;
  readonly feeds: Feeds;
  /** Asked for with the first gradients: a name for the loss itself. */
  readonly lossName?: string;
  /** How the file calls a gradient, where that is not its name here. */
  readonly inFile?: (name: string) => string;
}

/** Gradients of a loss for the parameters asked for, in as many runs as they need. */
export async function* lossGradients(run: GradientRun): AsyncGenerator<Computed> {
  const { runtime, reference, prefix, names, parameters, entries, loss, feeds, lossName, inFile } = run;
  const asked = new Set(names);
  // A backward pass begins at the end.
  const wanted = [...parameters].filter(([name]) => asked.has(prefix + name)).reverse();
  const scaleFloor = await gradientFloors(
    reference,
    prefix,
    wanted.map(([name]) => name),
    inFile,
  );
  const weights = await readWeights(entries, parameters.keys());
  let lossOutput = lossName !== undefined && asked.has(lossName) ? lossName : undefined;
  for (const group of gradientRuns(wanted)) {
    if (!lossOutput && group.length === 0) return;
    const values = grad(
      loss,
      group.map(([, value]) => value),
    );
    const outputs = Object.fromEntries([
      ...(lossOutput ? [[lossOutput, loss] as const] : []),
      ...group.map(([name], i) => [prefix + name, values[i]] as const),
    ]);
    await using graph = await compile(runtime, outputs, { prepack: false });
    const out = await graph.run({ ...feeds, ...weights });
    if (lossOutput) yield { name: lossOutput, kind: 'forward', value: out[lossOutput] as FloatTensor, scaleFloor: LOSS_SCALE };
    lossOutput = undefined;
    for (const [name] of group)
      yield { name: prefix + name, kind: 'gradient', value: out[prefix + name] as FloatTensor, scaleFloor: scaleFloor(name) };
  }
}
