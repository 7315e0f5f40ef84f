/** @file The studio's job `attribute`: one to four methods on a picture and a text, one after the other; what fails leaves the others alone. */
import type { AttributeFrame } from '../../attribution/frames.ts';
import { type CostKey, CostLog, WarmPace } from '../../studio/costs.ts';
import { mapsOf } from '../../studio/explained-answers.ts';
import { answersQuestions, type CostInfo, type ModelInfo } from '../../studio/facts.ts';
import { keptFrames } from '../../studio/kept-frames.ts';
import { type FrameEvent, StudioError, type StudioEvent } from '../../studio/protocol.ts';
import type { AttributeRequest, MethodChoice } from '../../studio/requests.ts';
import { typescriptOf } from '../../studio/typescript.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { repeatCommand } from '../attribute/repeat-command.ts';
import { chosenMethod, type Explaining, explain, frameEvent, onPicture } from './explain.ts';
import { failureOf } from './job-queue.ts';
import type { ModelShelf } from './model-shelf.ts';
import type { PictureShelf } from './picture-shelf.ts';
import { type ResultShelf, resultId } from './result-shelf.ts';

/** What the studio's jobs share. */
export interface Shelves {
  readonly models: ModelShelf;
  readonly pictures: PictureShelf;
  readonly results: ResultShelf;
  /** By the SHA-256 of a model. */
  readonly costs: Map<string, CostLog>;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
}

type Say = (event: StudioEvent) => void;

/** Everything that determines a result. */
function idOf(request: AttributeRequest, choice: MethodChoice, model: ModelInfo): string {
  const { picture, text, modality, seed, seeds, imageSize, target, answer } = request;
  const { entry, filled } = chosenMethod(choice, answersQuestions(model));
  return resultId([
    model.id,
    model.sha256,
    picture,
    text,
    entry.name,
    entry.version,
    filled,
    modality,
    seed,
    seeds,
    imageSize,
    target,
    answer,
  ]);
}

const costKey = (request: AttributeRequest, choice: MethodChoice, model: ModelInfo): CostKey => {
  const { modality, seeds, imageSize } = request;
  const { entry, filled } = chosenMethod(choice, answersQuestions(model));
  return { method: entry.name, family: entry.family, options: filled, run: { modality, seeds, imageSize, maps: mapsOf(request) } };
};

function logOf({ costs }: Shelves, info: ModelInfo): CostLog {
  const key = info.sha256 ?? info.id;
  const log = costs.get(key) ?? new CostLog();
  costs.set(key, log);
  return log;
}

/** Costs of a request's methods. @throws StudioError for a model that was not opened or a method that is not there, NarrowsError for its options */
export function estimateCosts(shelves: Shelves, request: AttributeRequest): CostInfo[] {
  const model = shelves.models.told(request.model);
  return request.methods.map(choice => {
    const kept = shelves.results.has(idOf(request, choice, model));
    const { cost } = chosenMethod(choice, answersQuestions(model)).entry;
    return logOf(shelves, model).estimate(costKey(request, choice, model), choice, cost, kept);
  });
}

/** Does the job. @throws StudioError for a model or a picture that is not there, the signal's reason */
export async function attributeJob(shelves: Shelves, request: AttributeRequest, say: Say, signal: AbortSignal): Promise<void> {
  const { models, pictures } = shelves;
  const model = await models.use(request.model, say, signal);
  const picture = await pictures.get(request.picture);
  const told = new Set<string>();
  const warn = (method: string, message: string): void => {
    if (told.has(message)) return;
    told.add(message);
    say({ kind: 'warning', message, method });
  };
  for (const [index, choice] of request.methods.entries()) {
    signal.throwIfAborted();
    try {
      await oneMethod(shelves, { models, pictures, model, picture }, request, { choice, index, say, warn, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NarrowsError || error instanceof StudioError)) shelves.log.warn(`${choice.name} failed in the studio.`);
      say({ ...failureOf(error, shelves.log), method: choice.name, index });
    }
  }
}

interface Turn {
  readonly choice: MethodChoice;
  readonly index: number;
  readonly say: Say;
  readonly warn: (method: string, message: string) => void;
  readonly signal: AbortSignal;
}

async function oneMethod(
  shelves: Shelves,
  explaining: Explaining,
  request: AttributeRequest,
  { choice, index, say, warn, signal }: Turn,
): Promise<void> {
  const { results } = shelves;
  const { model, picture, pictures } = explaining;
  const id = idOf(request, choice, model.info);
  const method = choice.name;
  const kept = results.has(id);
  if (!kept) {
    const { entry } = chosenMethod(choice, model.chat !== undefined);
    const phase = `Computing ${entry.title}`;
    say({ kind: 'progress', phase, done: 0, total: 0, method });
    const began = performance.now();
    const pace = new WarmPace();
    const frames: FrameEvent[] = [];
    const onFrame = (frame: AttributeFrame): void => {
      const event = frameEvent(method, frame);
      frames.push(event);
      say(event);
    };
    const { attribution, image } = await explain(explaining, request, choice, {
      signal,
      onProgress: (done, total) => {
        pace.step(done, total);
        const { left } = pace;
        say({ kind: 'progress', phase, done, total, method, ...(left === undefined ? {} : { left }) });
      },
      onWarning: message => warn(method, message),
      ...(request.frames ? { onFrame } : {}),
    });
    logOf(shelves, model.info).note(costKey(request, choice, model.info), (performance.now() - began) / 1000, pace);
    const named = picture.path ?? picture.info.name;
    const other = request.target.picture === undefined ? undefined : await pictures.get(request.target.picture);
    results.keep(id, {
      attribution,
      image,
      frames: keptFrames(frames),
      shown: onPicture(attribution, image, picture.image),
      command: repeatCommand(attribution, model.info.id, named),
      typescript: typescriptOf({
        ...{
          model: model.info.id,
          serves: model.chat ? 'question' : 'pair',
          method: entry.name,
          options: choice.options,
          picture: named,
          request,
        },
        targetPicture: other && (other.path ?? other.info.name),
      }),
    });
  }
  const { shown, command, typescript, frames } = results.get(id);
  if (kept && request.frames) for (const frame of frames) say(frame);
  for (const message of shown.warnings ?? []) warn(method, message);
  say({ kind: 'result', id, method, index, kept, attribution: shown, command, typescript });
}
