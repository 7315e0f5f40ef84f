/** @file The studio's job `attribute`: one to four methods on a picture and a text, one after the other; what fails leaves the others alone. */
import { type CostKey, CostLog } from '../../studio/costs.ts';
import type { CostInfo } from '../../studio/facts.ts';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import type { AttributeRequest, MethodChoice } from '../../studio/requests.ts';
import { typescriptOf } from '../../studio/typescript.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { repeatCommand } from '../attribute/repeat-command.ts';
import { chosenMethod, type Explaining, explain, frameEvent, onPicture } from './explain.ts';
import { failureOf } from './job-queue.ts';
import type { ModelShelf, OpenModel } from './model-shelf.ts';
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
function idOf(request: AttributeRequest, choice: MethodChoice, model: OpenModel): string {
  const { picture, text, modality, seed, seeds, imageSize, target } = request;
  const { entry, filled } = chosenMethod(choice);
  return resultId([
    model.info.id,
    model.info.sha256,
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
  ]);
}

const costKey = ({ modality, seeds, imageSize }: AttributeRequest, choice: MethodChoice): CostKey => {
  const { entry, filled } = chosenMethod(choice);
  return { method: entry.name, options: filled, run: { modality, seeds, imageSize } };
};

function logOf({ costs }: Shelves, { info }: OpenModel): CostLog {
  const key = info.sha256 ?? info.id;
  const log = costs.get(key) ?? new CostLog();
  costs.set(key, log);
  return log;
}

/** Costs of a request's methods. @throws StudioError for a model that is not open or a method that is not there, NarrowsError for its options */
export function estimateCosts(shelves: Shelves, request: AttributeRequest): CostInfo[] {
  const model = shelves.models.get(request.model);
  return request.methods.map(choice => {
    const kept = shelves.results.has(idOf(request, choice, model));
    return logOf(shelves, model).estimate(costKey(request, choice), choice, chosenMethod(choice).entry.cost, kept);
  });
}

/** Does the job. @throws StudioError for a model or a picture that is not there, the signal's reason */
export async function attributeJob(shelves: Shelves, request: AttributeRequest, say: Say, signal: AbortSignal): Promise<void> {
  const { models, pictures } = shelves;
  const model = models.get(request.model);
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

/** Seconds left by the pace since the first unit, which compiles graphs; nothing in the first second. */
function leftAfterFirst(): (done: number, total: number) => { readonly left?: number } {
  let first: { readonly at: number; readonly done: number } | undefined;
  return (done, total) => {
    const now = performance.now();
    first ??= { at: now, done };
    const [seconds, units] = [(now - first.at) / 1000, done - first.done];
    return seconds > 1 && units > 0 ? { left: (seconds / units) * (total - done) } : {};
  };
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
  const id = idOf(request, choice, model);
  const method = choice.name;
  const kept = results.has(id);
  if (!kept) {
    const { entry } = chosenMethod(choice);
    const phase = `Computing ${entry.title}`;
    say({ kind: 'progress', phase, done: 0, total: 0, method });
    const began = performance.now();
    const timeLeft = leftAfterFirst();
    const { attribution, image } = await explain(explaining, request, choice, {
      signal,
      onProgress: (done, total) => say({ kind: 'progress', phase, done, total, method, ...timeLeft(done, total) }),
      onWarning: message => warn(method, message),
      ...(request.frames ? { onFrame: frame => say(frameEvent(method, frame)) } : {}),
    });
    logOf(shelves, model).note(costKey(request, choice), (performance.now() - began) / 1000);
    const named = picture.path ?? picture.info.name;
    const other = request.target.picture === undefined ? undefined : await pictures.get(request.target.picture);
    results.keep(id, {
      attribution,
      image,
      shown: onPicture(attribution, image, picture.image),
      command: repeatCommand(attribution, model.info.id, named),
      typescript: typescriptOf({
        ...{ model: model.info.id, serves: entry.serves, method: entry.name, options: choice.options, picture: named, request },
        targetPicture: other && (other.path ?? other.info.name),
      }),
    });
  }
  const { shown, command, typescript } = results.get(id);
  for (const message of shown.warnings ?? []) warn(method, message);
  say({ kind: 'result', id, method, index, kept, attribution: shown, command, typescript });
}
