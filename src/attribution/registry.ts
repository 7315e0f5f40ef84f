/** @file All attribution methods. The command line, reports, docs and tests read this table; nothing is listed twice. */

import type { ChatModel } from '../generation/chat-model.ts';
import type { DualEncoder } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import { AnswerAttributor } from './answers/answer-attributor.ts';
import { Attributor } from './attributor.ts';
import type { MethodEntry } from './method.ts';
import { adaib } from './methods/adaib.ts';
import { banzhaf } from './methods/banzhaf.ts';
import { banzhafInteractions } from './methods/banzhaf-interactions.ts';
import { centrePrior } from './methods/centre-prior.ts';
import { chefer } from './methods/chefer.ts';
import { clipSurgery } from './methods/clip-surgery.ts';
import { coiba } from './methods/coiba.ts';
import { exclip } from './methods/exclip.ts';
import { expectedGradients } from './methods/expected-gradients.ts';
import { gatedGradients } from './methods/gated-gradients.ts';
import { gradCam } from './methods/grad-cam.ts';
import { gradCamPlusPlus } from './methods/grad-cam-plus-plus.ts';
import { gradEclip } from './methods/grad-eclip.ts';
import { guidedBanzhaf } from './methods/guided-banzhaf.ts';
import { hiresCam } from './methods/hires-cam.ts';
import { iba } from './methods/iba.ts';
import { imageGradientMagnitude } from './methods/image-gradient-magnitude.ts';
import { inputXGradient } from './methods/input-x-gradient.ts';
import { integratedGradients } from './methods/integrated-gradients.ts';
import { kernelShap } from './methods/kernel-shap.ts';
import { layerCam } from './methods/layer-cam.ts';
import { layerIntegratedGradients } from './methods/layer-integrated-gradients.ts';
import { legrad } from './methods/legrad.ts';
import { lime } from './methods/lime.ts';
import { m2ibEntry } from './methods/m2ib.ts';
import { m2ibToken } from './methods/m2ib-token.ts';
import { nib } from './methods/nib.ts';
import { occlusion } from './methods/occlusion.ts';
import { posterior } from './methods/posterior.ts';
import { random } from './methods/random.ts';
import { rawAttention } from './methods/raw-attention.ts';
import { rise } from './methods/rise.ts';
import { rollout } from './methods/rollout.ts';
import { saliency } from './methods/saliency.ts';
import { shapley } from './methods/shapley.ts';
import { smoothGrad } from './methods/smoothgrad.ts';
import { uniform } from './methods/uniform.ts';
import { xgradCam } from './methods/xgrad-cam.ts';
import type { QuestionMethodEntry } from './question.ts';
import { type RegisteredMethod, wrongSubject } from './subject.ts';

/** The table, family by family. Each key is its entry's name. */
const table = {
  saliency,
  'input-x-gradient': inputXGradient,
  smoothgrad: smoothGrad,
  'integrated-gradients': integratedGradients,
  'expected-gradients': expectedGradients,
  'layer-integrated-gradients': layerIntegratedGradients,
  nib,
  'grad-cam': gradCam,
  'hires-cam': hiresCam,
  'layer-cam': layerCam,
  'xgrad-cam': xgradCam,
  'grad-cam-plus-plus': gradCamPlusPlus,
  'raw-attention': rawAttention,
  rollout,
  chefer,
  'grad-eclip': gradEclip,
  legrad,
  'clip-surgery': clipSurgery,
  occlusion,
  rise,
  lime,
  'kernel-shap': kernelShap,
  shapley,
  banzhaf,
  'guided-banzhaf': guidedBanzhaf,
  'banzhaf-interactions': banzhafInteractions,
  exclip,
  m2ib: m2ibEntry(),
  'm2ib-token': m2ibToken,
  iba,
  coiba,
  adaib,
  'gated-gradients': gatedGradients,
  posterior,
  random,
  'centre-prior': centrePrior,
  'image-gradient-magnitude': imageGradientMagnitude,
  uniform,
};

/** Names of the methods that come with Narrows. */
export type MethodName = keyof typeof table;

/** Options of a method, all of which have defaults. */
export type MethodOptions<N extends MethodName> = (typeof table)[N] extends RegisteredMethod<infer O> ? Partial<O> : never;

// Entries differ in their options; the list sees them as records, which each entry's schema checks.
const all = Object.values(table) as unknown as RegisteredMethod[];

/** All methods, family by family; those of plug-ins at the end. */
export const methods: readonly RegisteredMethod[] = all;

/** Those for models that compare images with texts. */
export const pairMethods = (): MethodEntry[] => all.filter(m => m.serves === 'pair');

/** What `auto` means: the method that docs/evidence recommends. */
export const AUTO_METHOD: MethodName = 'gated-gradients';

/** What `auto` means for the answers of a model. */
export const AUTO_ANSWER_METHOD: MethodName = 'm2ib';

/** Those that explain the answers of models that answer. */
export const answerMethods = (): MethodEntry[] => pairMethods().filter(m => m.answers);

/** The entry called `name` (or the recommended one for `auto`), or undefined. */
export const findMethod = (name: string): RegisteredMethod | undefined => all.find(m => m.name === (name === 'auto' ? AUTO_METHOD : name));

/**
 * A method ready to run on a model.
 * @param method its name, or an entry (`findMethod`, one's own)
 * @throws NarrowsError for an option that is unknown or out of range
 * @example
 * await using model = await loadModel('scene-clip');
 * await using method = createMethod('m2ib', model, { beta: 0.3, steps: 5 });
 * const { image, text } = await method.attribute({ image: await decodeImage('examples/scene.png'), text: 'a red apple' });
 */
export function createMethod<N extends MethodName | 'auto'>(
  method: N,
  model: DualEncoder,
  options?: N extends MethodName ? MethodOptions<N> : MethodOptions<'gated-gradients'>,
): Attributor;
export function createMethod<O = Record<string, unknown>>(
  method: RegisteredMethod<O>,
  model: DualEncoder,
  options?: Record<string, unknown>,
): Attributor<O>;
export function createMethod(method: string | RegisteredMethod, model: DualEncoder, options: object = {}): Attributor {
  const entry = typeof method === 'string' ? findMethod(method) : method;
  if (!entry) throw new NarrowsError(`There is no method "${method}"; see \`methods\` for the names.`, { kind: 'usage' });
  if (entry.serves === 'question') throw new NarrowsError(wrongSubject(entry));
  return new Attributor(entry, model, options as Record<string, unknown>);
}

/**
 * A method ready to explain the answers of a model; `auto` is the one that docs/evidence/answers.md recommends.
 * @throws NarrowsError for a name that is not in the table, a method that explains no answers, or an option that is unknown or out of range
 * @example
 * await using chat = await ChatModel.open('scene-llava');
 * await using method = createAnswerMethod('saliency', chat);
 * const pair = { image: await decodeImage('examples/scene.png'), text: 'is there a cat in the picture ?' };
 * const { answer, image } = await method.attribute(pair, { answer: 'yes', against: 'no' });
 * console.log(answer.text, image?.patches.length);
 */
export function createAnswerMethod(method: string | RegisteredMethod, chat: ChatModel, options: object = {}): AnswerAttributor {
  const entry = typeof method === 'string' ? findMethod(method === 'auto' ? AUTO_ANSWER_METHOD : method) : method;
  if (!entry) throw new NarrowsError(`There is no method "${method}"; see \`methods\` for the names.`, { kind: 'usage' });
  if (entry.serves === 'question')
    throw new NarrowsError(`${entry.name} reads what a bottleneck keeps, whatever is answered; explainSubject takes it.`);
  return new AnswerAttributor(entry, chat, options as Record<string, unknown>);
}

/** What a method explains, in words for tables. */
export const explains = (entry: RegisteredMethod): string =>
  entry.serves === 'question' ? "a bottleneck's questions" : entry.answers ? 'pairs, answers' : 'pairs';

/**
 * Adds a method of one's own to the table: `findMethod`, comparisons and the command line then know it. Adding the same entry again does
 * nothing.
 * @returns the entry, for `createMethod`
 * @throws NarrowsError for an entry that lacks a part or has a name that is taken
 * @example
 * const first = defineMethod({
 *   name: 'first-patch',
 *   modalities: ['image'],
 *   explain: async ({ image }) => ({ image: image.players.map(([patch]) => ({ tokens: new Float32Array(image.tokens).fill(1, patch, patch + 1) })) }),
 * });
 * console.log(findMethod(registerMethod(first).name)?.family);
 */
export function registerMethod<O>(entry: MethodEntry<O>): MethodEntry<O>;
export function registerMethod<O>(entry: QuestionMethodEntry<O>): QuestionMethodEntry<O>;
export function registerMethod<O>(entry: RegisteredMethod<O>): RegisteredMethod<O> {
  const known = all.find(m => m.name === entry.name);
  if ((known as unknown) === entry) return entry;
  if (known || entry.name === 'auto') throw new NarrowsError(`There is a method "${entry.name}" already; give yours another name.`);
  all.push(entry as unknown as RegisteredMethod);
  return entry;
}
