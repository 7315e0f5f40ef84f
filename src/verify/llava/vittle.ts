/**
 * @file A Vittle reference: the bottleneck on the output of one block with its noise recorded (`h_in`, `mu`, `logvar`, `h_out`,
 * `logits.train`), losses (`ce`, `kl_v`, `kl_t`, `total`; `…_half` in the released code's form), gradients, the evaluation with the mean,
 * and AdamW steps on everything but the vision tower.
 */
import { inferenceTap } from '../../bottleneck/gaussian/llava.ts';
import { bottleneckPenalty } from '../../bottleneck/gaussian/penalty.ts';
import { ALPHA_INPUT, noiseInput, trainingBottleneck } from '../../bottleneck/gaussian/train.ts';
import { add, compile, grad, input, type Value } from '../../graph/index.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { pixelInput, rowInputs } from '../../models/llava/files.ts';
import { llavaForward, nextTokenLoss } from '../../models/llava/forward.ts';
import type { LlavaInputs } from '../../models/llava/model.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { AdamW } from '../../optim/adamw.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import type { Checker, Computed } from '../checker.ts';
import { gradientFloors, readWeights } from '../gradients.ts';
import { LOSS_SCALE } from '../tolerance.ts';
import { batchFeeds, LLAVA_INPUTS, type LlavaContext, llavaBatch } from './inputs.ts';
import type { LlavaSubject } from './subject.ts';
import {
  BOTTLENECK,
  endsBehindSteps,
  startingBottleneck,
  storedBottleneckName,
  type VittleSettings,
  vittleSettings,
} from './vittle-weights.ts';

/** In the order of the computation. */
const VALUES = ['h_in', 'mu', 'logvar', 'h_out', 'logits.train', 'ce', 'kl_v', 'kl_t', 'kl_v_half', 'kl_t_half', 'total', 'logits.eval'];
const LOSSES = ['ce', 'total'];
const AFTER = 'adamw.after.';
const STEPS = 'adamw.loss_and_gradnorm';
const INSIDE_TOWER = 'model.vision_tower.';

/** Whether a reference is one of Vittle's. */
export const isVittle = (names: readonly string[]): boolean => names.includes('noise') && names.includes('h_out');

/** @param behind whether the file's bottleneck weights are those behind its steps, and so values */
export const vittleChecker = (behind: boolean): Checker<LlavaSubject> => ({
  name: "Vittle's bottleneck",
  role: name => {
    if (name === 'noise' || LLAVA_INPUTS.includes(name)) return 'input';
    if (BOTTLENECK.test(name)) return behind ? 'value' : 'input';
    return VALUES.includes(name) || name === STEPS || name.startsWith(AFTER) || name.startsWith('grad.') ? 'value' : undefined;
  },
  async *compute(context, names) {
    const { reference, model } = context;
    const settings = vittleSettings(reference, model.llava.config.text_config.num_hidden_layers);
    const batch = await llavaBatch(context);
    const start = await startingBottleneck(context, settings);
    const reason =
      'reason' in batch ? batch.reason : 'reason' in start ? start.reason : batch.labels ? undefined : 'the inputs have no labels';
    if (reason !== undefined || 'reason' in batch || 'reason' in start) {
      for (const name of names) yield { name, reason: reason! };
      return;
    }
    const given = new Set(names);
    for await (const result of values(context, settings, batch, start.weights)) {
      if (given.delete(result.name)) yield result;
    }
    for (const name of given) yield { name, reason: whyNot(name, settings) };
  },
});

/** The checker for a reference. */
export const vittleCheckerFor = async (reference: LlavaContext['reference']): Promise<Checker<LlavaSubject>> =>
  vittleChecker(await endsBehindSteps(reference));

function whyNot(name: string, { config }: VittleSettings): string {
  if (/^grad\..*prior/.test(name) && config.prior === 'fixed') return 'the prior is fixed, and has no gradient';
  if (name.startsWith('grad.')) return `the loss does not depend on a parameter "${name.slice(5)}", or it is not trained`;
  return `there is no parameter "${name.replace(AFTER, '')}"`;
}

type Graphs = ReturnType<typeof trace>;

/** The training step's graph: values by the reference's names, and gradients of everything outside of the tower by our names. */
function trace({ llava }: LlavaSubject, { config, layer }: VittleSettings, images: boolean) {
  const p = trainableParameters();
  const tokens = rowInputs(llava.config);
  const labels = input('labels', ['batch', 'seq'], 'int32');
  const bottleneck = trainingBottleneck(p, config, imageTokens(llava.config));
  let before: Value | undefined;
  const run = llavaForward(p, llava.config, tokens, images ? pixelInput(llava.config) : undefined, (at, hidden, t) => {
    if (at === layer) before = hidden;
    return bottleneck.tap(at, hidden, t);
  });
  const [state] = bottleneck.states;
  const { loss, scalars } = bottleneck.terms(tokens, labels);
  const half = bottleneckPenalty({ ...config, half_log_kl: true }, state, { modality: tokens.modality, labels });
  const ce = nextTokenLoss(run.logits, labels);
  const total = loss.reduce((a, b) => add(a, b), ce);
  const trained = [...p.all.keys()].filter(name => !name.startsWith(INSIDE_TOWER));
  const gradients = grad(
    total,
    trained.map(name => p.all.get(name)!),
  );
  const inside: Record<string, Value> = {
    ...{ h_in: before!, mu: state.mean, logvar: state.logVariance, h_out: state.hidden, 'logits.train': run.logits },
    ...{ ce, kl_v: scalars.kl_visual, kl_t: scalars.kl_text, kl_v_half: half.visual, kl_t_half: half.text, total },
  };
  return {
    parameters: [...p.all.keys()],
    trained,
    inside,
    gradients: Object.fromEntries(trained.map((n, i) => [`grad.${n}`, gradients[i]])),
  };
}

/** Log-variances come from sums far larger than the limit that cuts them: what is left carries their rounding. */
const kindOf = (name: string): Computed['kind'] => (name.startsWith('kl_') || name === 'logvar' ? 'information' : 'forward');

async function* values(
  context: LlavaContext,
  settings: VittleSettings,
  batch: LlavaInputs,
  bottleneck: Record<string, FloatTensor>,
): AsyncGenerator<Computed> {
  const { model, reference } = context;
  const graphs = trace(model, settings, batch.pixelValues !== undefined);
  const { entries } = model.llava.parts.checkpoint;
  const modelWeights = await readWeights(
    entries,
    graphs.parameters.filter(name => entries.has(name)),
  );
  const weights = { ...modelWeights, ...bottleneck };
  const feeds: Record<string, Tensor> = {
    ...batchFeeds(model, batch),
    [ALPHA_INPUT]: floats([], [settings.alpha]),
    [noiseInput(settings.layer)]: await reference.floats('noise'),
  };
  await using graph = await compile(model.runtime, { ...graphs.inside, ...graphs.gradients }, { prepack: false });
  const first = await graph.run({ ...feeds, ...weights });
  for (const name of VALUES)
    if (name in first)
      yield { name, kind: kindOf(name), value: first[name] as FloatTensor, scaleFloor: LOSSES.includes(name) ? LOSS_SCALE : undefined };
  if (reference.has('logits.eval'))
    yield { name: 'logits.eval', kind: 'forward', value: await evaluation(context, settings, batch, weights) };

  const gradientNames = reference.names.flatMap(name => (name.startsWith('grad.') ? [name.slice(5)] : []));
  const known = gradientNames.filter(name => `grad.${storedBottleneckName(name, settings.layer)}` in first);
  const scaleFloor = await gradientFloors(reference, 'grad.', known);
  // A backward pass begins at the end.
  for (const name of known.reverse()) {
    const value = first[`grad.${storedBottleneckName(name, settings.layer)}`] as FloatTensor;
    yield { name: `grad.${name}`, kind: 'gradient', value, scaleFloor: scaleFloor(name) };
  }
  if (reference.names.some(name => name.startsWith('adamw.')))
    yield* steps(context, settings, graphs, weights, async i => (i === 0 ? first : graph.run({ ...feeds, ...weights })));
}

/** The whole model with the posterior's mean. */
async function evaluation(
  { model }: LlavaContext,
  { config, alpha }: VittleSettings,
  batch: LlavaInputs,
  weights: Record<string, FloatTensor>,
): Promise<FloatTensor> {
  const { llava } = model;
  const p = trainableParameters();
  const tap = inferenceTap({ config, parameters: p }, imageTokens(llava.config), alpha);
  const { logits } = llavaForward(p, llava.config, rowInputs(llava.config), batch.pixelValues && pixelInput(llava.config), tap);
  await using graph = await compile(model.runtime, { logits }, { prepack: false });
  return (await graph.run({ ...batchFeeds(model, batch), ...weights })).logits as FloatTensor;
}

/** As many AdamW steps as the reference has rows, with the same noise; `weights` are changed in place. */
async function* steps(
  { reference }: LlavaContext,
  settings: VittleSettings,
  { trained }: Graphs,
  weights: Record<string, FloatTensor>,
  run: (step: number) => Promise<Record<string, Tensor>>,
): AsyncGenerator<Computed> {
  const count = reference.has(STEPS) ? reference.shape(STEPS)[0] : 3;
  const { weightDecay, maxGradNorm, learningRate, layer } = settings;
  const parameters = trained.map(name => ({ name, ...weights[name] }));
  // torch.optim.AdamW decays every parameter that it is given.
  const optimizer = new AdamW(parameters, { weightDecay, maxGradNorm, decays: () => true });
  const seen: number[] = [];
  for (let i = 0; i < count; i++) {
    const out = await run(i);
    const norm = optimizer.step(new Map(trained.map(name => [name, out[`grad.${name}`].data as Float32Array])), learningRate);
    seen.push(Number(out.total.data[0]), norm);
  }
  yield { name: STEPS, kind: 'gradient', value: floats([count, 2], seen) };
  const named = (name: string): FloatTensor | undefined => {
    const short = name === 'q_proj' ? `model.language_model.layers.${layer}.self_attn.q_proj.weight` : name;
    return weights[storedBottleneckName(short, layer)];
  };
  for (const name of reference.names) {
    const value = name.startsWith(AFTER) ? named(name.slice(AFTER.length)) : BOTTLENECK.test(name) ? named(name) : undefined;
    if (value) yield { name, kind: 'gradient', value };
  }
}
