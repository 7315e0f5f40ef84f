/** @file The jobs of a worker that holds one model: opens it, explains pairs and questions, answers. */
import { createMethod, findMethod } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { explainSubject } from '../../attribution/subject.ts';
import type { TargetSpec } from '../../attribution/target.ts';
import { readConfigFrom } from '../../checkpoints/config.ts';
import { streamAnswer } from '../../generation/answer-stream.ts';
import { ChatModel } from '../../generation/chat-model.ts';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import { modelKind } from '../../models/load.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles } from '../../system/model-files.ts';
import { openFiles } from '../../web/files/open-files.ts';
import { loadChat, loadModel } from '../../web/models.ts';
import { webRuntime } from '../../web/runtime.ts';
import { WarmPace } from '../costs.ts';
import { aloneWarning, answerRun, posteriorWarning, withWarning } from '../explained-answers.ts';
import { readPictureId } from '../picture-id.ts';
import { type FailureReason, StudioError } from '../protocol.ts';
import type { AttributeRequest } from '../requests.ts';
import { describeChat, describePairs } from './describe-model.ts';
import type { Job, SentPicture, WorkerEvent } from './messages.ts';

/** Sends an event to the page. */
export type Send = (event: WorkerEvent) => void;
type JobOf<K extends Job['kind']> = Extract<Job, { readonly kind: K }>;

let model: DualEncoderModel | ChatModel | undefined;

/** Why a job ended, in the protocol's words. */
export function failureOf(error: unknown, signal: AbortSignal): { readonly reason: FailureReason; readonly message: string } {
  if (signal.aborted) return { reason: 'cancelled', message: 'Cancelled.' };
  if (error instanceof NarrowsError) return { reason: error.kind, message: error.message };
  if (error instanceof StudioError) return { reason: error.reason, message: error.message };
  return { reason: 'internal', message: `Something went wrong in this tab (${messageOf(error)}); reload the page.` };
}

/** Seconds left, once a share of the work is done. */
function secondsLeft(started: number, done: number, total: number): number | undefined {
  const took = (performance.now() - started) / 1000;
  return done > 0 && total > 0 && took > 0.5 ? (took * (total - done)) / done : undefined;
}

async function bytesOf(files: ModelFiles): Promise<number> {
  const sizes = await Promise.all((await files.list()).map(name => files.size(name)));
  return sizes.reduce((a, b) => a + b, 0);
}

async function open({ model: wanted, files: chosen, settings }: JobOf<'open'>, send: Send, signal: AbortSignal): Promise<void> {
  const onWarning = (message: string): void => send({ kind: 'warning', message });
  const started = performance.now();
  let last = 0;
  const place = await openFiles(chosen ?? wanted.place, {
    ...{ files: wanted.files, sha256: wanted.sha256, signal, onWarning },
    onProgress: ({ loadedAll, totalAll }) => {
      // A message per piece of the line would be thousands.
      if (performance.now() - last < 50 && loadedAll < totalAll) return;
      last = performance.now();
      // What the list of models says, while sizes come in one by one.
      const total = Math.max(totalAll, wanted.bytes);
      send({ kind: 'progress', phase: 'Loading the model', done: loadedAll, total, left: secondsLeft(started, loadedAll, total) });
    },
  });
  send({ kind: 'progress', phase: 'Opening the model', done: 0, total: 0 });
  const runtime = await webRuntime({ ...settings, onWarning });
  const bytes = await bytesOf(place);
  const kind = modelKind(await readConfigFrom(place), fileIn(place, 'config.json'));
  const options = { runtime, name: wanted.name, onWarning };
  if (kind === 'dual-encoder') {
    const pairs = await loadModel(place, options);
    model = pairs;
    send({ kind: 'opened', model: await describePairs(pairs, wanted, bytes) });
  } else {
    const chat = await loadChat(place, options);
    model = chat;
    send({ kind: 'opened', model: describeChat(chat, wanted, bytes, kind) });
  }
}

/** @throws NarrowsError where no model is open */
function openModel(): DualEncoderModel | ChatModel {
  if (!model) throw new NarrowsError('No model is open; open one first.', { kind: 'usage' });
  return model;
}

const pairOf = ({ image, name, id }: SentPicture, text: string) => ({
  image,
  text,
  imageName: name,
  imageSha256: readPictureId(id).sha256,
});

function targetOf({ target }: AttributeRequest, picture: SentPicture | undefined): TargetSpec | undefined {
  const { picture: _, ...texts } = target;
  if (picture) return { ...texts, image: picture.image, imageName: picture.name };
  return Object.keys(texts).length > 0 ? texts : undefined;
}

async function attribute({ request, picture, target }: JobOf<'attribute'>, send: Send, signal: AbortSignal): Promise<void> {
  const { text, modality, seed, seeds, imageSize, frames, answer } = request;
  const opened = openModel();
  for (const [index, { name: method, options }] of request.methods.entries()) {
    const started = performance.now();
    try {
      const entry = findMethod(method);
      if (!entry) throw new NarrowsError(`There is no method "${method}".`, { kind: 'usage' });
      const pace = new WarmPace();
      let next = 0;
      const told = {
        signal,
        onProgress: (done: number, total: number): void => {
          pace.step(done, total);
          // Steps of a small model take less than drawing what is said of them.
          if (done < total && performance.now() < next) return;
          next = performance.now() + 50;
          send({ kind: 'progress', phase: 'Explaining', done, total, left: pace.left, method });
        },
        onWarning: (message: string): void => send({ kind: 'warning', message, method }),
      };
      const run = { ...{ modality, seed, seeds, imageSize, target: targetOf(request, target) }, ...told };
      const pair = pairOf(picture, text);
      let attribution: Attribution;
      if (opened instanceof ChatModel) {
        const alone = aloneWarning(request);
        if (alone !== undefined) told.onWarning(alone);
        const asked = { ...answerRun(request, entry), ...told };
        attribution = withWarning(await explainSubject(entry, { kind: 'question', model: opened, pair }, options, asked), alone);
      } else {
        if (answer)
          throw new NarrowsError('This model compares images with texts and answers nothing; open a LLaVA to explain answers.', {
            kind: 'usage',
          });
        await using attributor = createMethod(entry, opened, options);
        attribution = await attributor.attribute(pair, {
          ...run,
          ...(frames
            ? {
                onFrame: ({ modality: side, seedIndex, step, steps, fit, compression, tokens, image, words }) =>
                  send({ kind: 'frame', method, modality: side, seed: seedIndex, step, steps, fit, compression, tokens, image, words }),
              }
            : {}),
        });
      }
      send({ kind: 'map', index, method, attribution, seconds: (performance.now() - started) / 1000, pace: pace.seconds });
    } catch (error) {
      signal.throwIfAborted();
      send({ kind: 'failure', ...failureOf(error, signal), method, index });
    }
  }
}

async function chat({ request, pictures }: JobOf<'chat'>, send: Send, signal: AbortSignal): Promise<void> {
  const opened = openModel();
  if (!(opened instanceof ChatModel))
    throw new NarrowsError('This model compares images with texts and answers nothing; open a LLaVA.', { kind: 'usage' });
  const { turns, temperature, maxNewTokens, seed } = request;
  const odd = turns.find(({ content }) => content.includes(IMAGE_MARK));
  if (odd)
    throw new NarrowsError('A question must not hold <image>; pictures are put in front of it as they are given.', { kind: 'usage' });
  const marks = pictures.map(() => `${IMAGE_MARK}\n`).join('');
  const messages = turns.map(({ role, content }, i) => ({ role, content: i === 0 ? `${marks}${content}` : content }));
  const prompt = opened.prompt(messages, opened.pixels(pictures.map(({ image }) => image)));
  const began = performance.now();
  const options = opened.options({ temperature, maxNewTokens, seed, signal, promptNumbers: [(turns.length - 1) >> 1] });
  const stream = streamAnswer(opened.model, prompt, options);
  for (;;) {
    const { value, done } = await stream.next();
    if (done) {
      const { text, finish, tokens } = value;
      send({ kind: 'answer', text, finish, tokens, promptTokens: prompt.ids.length, seconds: (performance.now() - began) / 1000 });
      break;
    }
    if (value) send({ kind: 'words', text: value });
  }
  const entry = findMethod('posterior');
  const bottleneck = opened.model.config.bottleneck_config;
  const [picture] = pictures;
  if (!request.posterior || !picture || !entry || bottleneck === undefined || bottleneck === null) return;
  const started = performance.now();
  const question = turns.at(-1)?.content ?? '';
  const onWarning = (message: string): void => send({ kind: 'warning', message, method: entry.name });
  const about = posteriorWarning(request);
  if (about !== undefined) onWarning(about);
  try {
    const pair = pairOf(picture, question);
    const subject = { kind: 'question', model: opened, pair } as const;
    const attribution = withWarning(await explainSubject(entry, subject, {}, { signal, onWarning }), about);
    send({ kind: 'map', index: 0, method: entry.name, attribution, seconds: (performance.now() - started) / 1000 });
  } catch (error) {
    signal.throwIfAborted();
    send({ kind: 'failure', ...failureOf(error, signal), method: entry.name, index: 0 });
  }
}

/** Does a job. @throws NarrowsError or the signal's reason where the whole of it fails */
export async function runJob(job: Job, send: Send, signal: AbortSignal): Promise<void> {
  if (job.kind === 'open') await open(job, send, signal);
  else if (job.kind === 'attribute') await attribute(job, send, signal);
  else await chat(job, send, signal);
}
