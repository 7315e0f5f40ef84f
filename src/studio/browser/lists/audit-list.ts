/** @file The job `audit` in the page: pair by pair, each a job in the queue of what a person waits for, so that both go on. */
import { findMethod } from '../../../attribution/registry.ts';
import type { Attribution } from '../../../attribution/result.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { KeyedPair } from '../../audit/rows.ts';
import { StudioError, type StudioEvent } from '../../protocol.ts';
import type { AttributeRequest, AuditRequest } from '../../requests.ts';
import type { OpenModels } from '../open-models.ts';
import type { Pictures } from '../pictures.ts';
import type { JobQueue } from '../queue.ts';
import type { ChosenList } from './chosen-list.ts';

/** What a page has. */
export interface AuditParts {
  readonly models: OpenModels;
  readonly pictures: Pictures;
  readonly queue: JobQueue;
}

/** A pair's request: what `attribute` of it alone would be. */
const requestOf = ({ model, method, modality, seed }: AuditRequest, text: string, picture: string): AttributeRequest => ({
  ...{ model, picture, text, methods: [method], modality, seed },
  ...{ seeds: 1, target: {}, frames: false },
});

/** Why a pair has no map, where that is the pair's own fault. */
function reasonOf(error: unknown): string {
  if (error instanceof NarrowsError || (error instanceof StudioError && error.reason === 'input')) return error.message;
  throw error;
}

/** Computes a pair into the list. Warnings of the model are passed on, those of the map stand in its row. */
async function* auditPair(
  list: ChosenList,
  each: KeyedPair,
  request: AuditRequest,
  { models, pictures }: AuditParts,
  signal: AbortSignal,
): AsyncGenerator<StudioEvent, void, undefined> {
  let map: Attribution | undefined;
  try {
    const { id, width, height } = await pictures.add(list.file(each), each.image);
    const picture = await pictures.sent(id);
    const job = { kind: 'attribute', request: requestOf(request, each.pair.text, id), picture } as const;
    for await (const event of models.run(request.model, job, signal)) {
      if (event.kind === 'map') map = event.attribution;
      else if (event.kind === 'failure' && event.index !== undefined) list.fail(each, event.message);
      else if (event.kind === 'failure' || (event.kind === 'warning' && event.method === undefined)) yield event;
    }
    if (map) list.keep(each, map, { width, height });
  } catch (error) {
    list.fail(each, reasonOf(error));
  }
}

/**
 * Audits what is still open of a list; a pair that failed is tried again. Gives progress, `rows` and warnings.
 * @throws StudioError for a method that explains no pairs, a model that is not open, and when it is cancelled: what is done stays
 */
export async function* auditList(
  list: ChosenList,
  request: AuditRequest,
  parts: AuditParts,
  signal: AbortSignal,
): AsyncGenerator<StudioEvent, void, undefined> {
  const entry = findMethod(request.method.name);
  if (!entry) throw new StudioError('usage', `There is no method "${request.method.name}".`);
  if (entry.serves === 'question')
    throw new StudioError('usage', `${entry.name} explains questions; an audit is of pictures with captions.`);
  const back = list.show(request);
  const open = list.open();
  const began = performance.now();
  const said = new Set<string>();
  const events = (tried: number): StudioEvent[] => {
    const { done, failed, total } = list.counts();
    const left = tried > 0 ? { left: ((performance.now() - began) / 1000 / tried) * (open.length - tried) } : {};
    return [
      { kind: 'progress', phase: 'Auditing', done, total, ...left },
      { kind: 'rows', done, failed, total },
    ];
  };
  yield* events(0);
  try {
    for (const [i, each] of open.entries()) {
      for await (const event of parts.queue.run(stop => auditPair(list, each, request, parts, stop), { signal })) {
        if (event.kind === 'failure') throw new StudioError(event.reason, event.message);
        if (event.kind !== 'warning' || said.has(event.message)) continue;
        said.add(event.message);
        yield event;
      }
      yield* events(i + 1);
    }
  } catch (error) {
    // One that could not begin takes no place: the audit before it is shown again.
    if (list.counts().done === 0) back();
    throw error;
  }
}
