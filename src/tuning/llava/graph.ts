/** @file The training graph of a LLaVA: next-token loss, and gradients of whatever is trained. */

import type { LoraConfig } from '../../checkpoints/peft-layers.ts';
import {
  add,
  cast,
  crossEntropy,
  div,
  equal,
  grad,
  input,
  labelLogLikelihood,
  mul,
  neg,
  slice,
  sub,
  sum,
  type Value,
} from '../../graph/index.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { featureInput, pixelInput, rowInputs } from '../../models/llava/files.ts';
import {
  forwardFeatures,
  type LlavaOutput,
  type LlavaTap,
  languageHead,
  type TokenValues,
  towerFeatures,
} from '../../models/llava/forward.ts';
import { loraParameters, requireTargets } from '../../nn/lora.ts';
import { Parameters } from '../../nn/parameters.ts';
import { pickPlaces } from '../../nn/pick-places.ts';

/** What stands between the blocks while training, and what it adds to the loss and to the figures. */
export interface TrainTap {
  readonly tap: LlavaTap;
  /** Blocks of the decoder, from 0, whose output it changes. */
  readonly layers: readonly number[];
  /** Asked for after the forward pass: terms of the loss, and scalars to log. */
  terms(tokens: TokenValues, labels: Value): { readonly loss: readonly Value[]; readonly scalars: Readonly<Record<string, Value>> };
}

/** What of a model is trained, and where the rest comes from. */
export interface TrainedPart {
  /** Whether a tensor is trained: an input of the graph, with a gradient. */
  trainable(name: string): boolean;
  /** Where the other tensors come from. */
  readonly frozen: Parameters;
  /** Adds adapters, all of them trained; the layers under them are as `trainable` says. */
  readonly lora?: LoraConfig;
  /** Multiplies an adapter's input, for dropout (see `loraParameters`). */
  readonly loraDropout?: (layer: string, x: Value) => Value;
}

/** Parameters of a model of which a part is trained. */
export interface PartlyTrained {
  /** What the model is traced over, adapters included. */
  readonly model: Parameters;
  /** The same without adapters. */
  readonly base: Parameters;
  /** What is trained, by name, as it was asked for. */
  readonly trained: ReadonlyMap<string, Value>;
  /** To be called after tracing. @throws NarrowsError where a target of the adapters found no layer */
  check(): void;
}

/** Parameters for a graph whose trained tensors are inputs, whether it trains them or only runs. */
export function partlyTrained(part: TrainedPart): PartlyTrained {
  const trained = new Map<string, Value>();
  const asInput = (name: string, shape: readonly number[]): Value => {
    const value = input(name, shape);
    trained.set(name, value);
    return value;
  };
  const base = new Parameters((name, shape) => (part.trainable(name) ? asInput(name, shape) : part.frozen.get(name, shape)));
  const { lora } = part;
  const adapters = new Parameters(asInput);
  const model = lora ? loraParameters(base, lora, adapters, part.loraDropout) : base;
  return { model, base, trained, check: () => lora && requireTargets(lora, adapters.all.keys()) };
}

/** How the graph is made. */
export interface LlavaTrainOptions extends TrainedPart {
  /** Whether the batches have images; `features` where they bring `tower_features` of them, of a tower that is not trained. */
  readonly images: boolean | 'features';
  /**
   * Logits, and the last block's MLP, only where a label is asked for: further inputs `loss_rows` and `loss_labels` (`lossRows`). Neither with
   * `weighted` nor with `auxiliary`.
   */
  readonly lossRows?: boolean;
  /** Makes the bottleneck over the trained tensors. */
  readonly bottleneck?: (p: Parameters) => TrainTap;
  /** Rows hold isolated turns (isolated-turns.ts): a further input `turns` [batch, seq]. */
  readonly isolatedTurns?: boolean;
  /** Labels weigh as `loss_weights` [batch, seq] says, a further input: the loss of a mean over turns (`LossAverage`). */
  readonly weighted?: boolean;
  /** Changes the tower's features [images, N, width] on their way to the projector. */
  readonly projectorInput?: (features: Value) => Value;
  /** Keep only the inputs of the decoder's blocks, and compute what is inside them again for the gradient. */
  readonly recompute?: boolean;
  /** A further term of the loss, logged as `auxiliary`. */
  readonly auxiliary?: (p: Parameters, output: LlavaOutput) => Value;
}

/** The traced graph. */
export interface LlavaTrainGraph {
  /** What is trained, by name. */
  readonly parameters: ReadonlyMap<string, Value>;
  /** `loss`, `ce` (nats per supervised token of the update, or the mean over its turns of that), what the bottleneck logs, and `grad.NAME`. */
  readonly outputs: Readonly<Record<string, Value>>;
}

const labelledInput = (name: string): Value => input(name, ['labelled'], 'int32');

/** Cross-entropy of all supervised tokens, summed, over `loss_divisor`. */
function tokenLoss(logits: Value, labels: Value): Value {
  const next = slice(labels, 1, 1);
  const count = sub(1, cast(equal(next, -100), 'float32'));
  return mul(crossEntropy(slice(logits, 1, 0, -1), next), div(sum(count), input('loss_divisor', [])));
}

/** The same of logits [R, vocabulary] at `loss_rows` only: head, last block and their gradients are computed for no token without a label. */
function pickedLoss(logits: Value): Value {
  const labels = labelledInput('loss_labels');
  const count = sum(sub(1, cast(equal(labels, -100), 'float32')));
  return mul(crossEntropy(logits, labels), div(count, input('loss_divisor', [])));
}

/** The same with each token's cross-entropy times its weight. */
function weightedLoss(logits: Value, labels: Value): Value {
  const likelihood = labelLogLikelihood(slice(logits, 1, 0, -1), slice(labels, 1, 1));
  return neg(div(sum(mul(likelihood, slice(input('loss_weights', ['batch', 'seq']), 1, 1))), input('loss_divisor', [])));
}

function towerOf(model: Parameters, config: LlavaConfig, images: LlavaTrainOptions['images']): Value | undefined {
  if (images === 'features') return featureInput(config);
  return images ? towerFeatures(model, config, pixelInput(config)) : undefined;
}

/**
 * Traces the loss and its gradients. Inputs: those of `tokenInputs`, `labels` [batch, seq], `loss_divisor` (a positive scalar, see
 * `lossDivisor`), with images `pixel_values` or `tower_features`, and what the bottleneck asks for.
 * @throws NarrowsError where a target of the adapters finds no layer
 */
export function llavaTrainGraph(config: LlavaConfig, options: LlavaTrainOptions): LlavaTrainGraph {
  const { model, base, trained, check } = partlyTrained(options);
  const ints = (name: string): Value => input(name, ['batch', 'seq'], 'int32');
  const tokens: TokenValues = { ...rowInputs(config), ...(options.isolatedTurns ? { turns: ints('turns') } : {}) };
  const labels = ints('labels');
  const bottleneck = options.bottleneck?.(base);
  const tower = towerOf(model, config, options.images);
  const features = tower && options.projectorInput ? options.projectorInput(tower) : tower;
  const rows = options.lossRows ? labelledInput('loss_rows') : undefined;
  // A tap of the last block sees all tokens; they are picked behind it.
  const inBlock = !bottleneck?.layers.includes(config.text_config.num_hidden_layers - 1);
  const output = forwardFeatures(model, config, tokens, features, bottleneck?.tap, {
    recompute: options.recompute,
    rows: inBlock ? rows : undefined,
  });
  check();
  const ce = rows
    ? pickedLoss(inBlock ? output.logits : languageHead(model, config, pickPlaces(output.hidden.at(-1)!, rows)))
    : options.weighted
      ? weightedLoss(output.logits, labels)
      : tokenLoss(output.logits, labels);
  const { loss: terms = [], scalars = {} } = bottleneck?.terms(tokens, labels) ?? {};
  const auxiliary = options.auxiliary?.(model, output);
  const loss = [...terms, ...(auxiliary ? [auxiliary] : [])].reduce((total, term) => add(total, term), ce);
  const names = [...trained.keys()];
  const gradients = grad(
    loss,
    names.map(name => trained.get(name)!),
  );
  return {
    parameters: trained,
    outputs: {
      loss,
      ce,
      ...scalars,
      ...(auxiliary ? { auxiliary } : {}),
      ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i]])),
    },
  };
}
