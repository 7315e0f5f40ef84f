/**
 * @file The studio's backend of a page that runs wholly in the browser: each model in a worker of its own, pictures and results in the page.
 * Nothing leaves the machine, except that models are fetched.
 */
import { AUTO_ANSWER_METHOD, AUTO_METHOD, findMethod, methods } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { MAX_PIXELS } from '../../inputs/image/picture-limits.ts';
import type { FigureOptions } from '../../report/attribution/figure-options.ts';
import { commandLine } from '../../report/attribution/html.ts';
import { attributionToJson } from '../../report/attribution/json.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import { figurePng, figureSvg, reportHtml } from '../../web/figures.ts';
import { MAX_BYTES } from '../../web/image/decode.ts';
import { boxScore } from '../box-score.ts';
import { type CostKey, CostLog } from '../costs.ts';
import { describeMethod } from '../describe-methods.ts';
import { comparisonView, evidenceText, robustnessView } from '../evidence-files.ts';
import { mapsOf } from '../explained-answers.ts';
import type { CostInfo, StudioInfo } from '../facts.ts';
import { keptFrames } from '../kept-frames.ts';
import { type EvidenceSource, type FrameEvent, type StudioBackend, StudioError, type StudioEvent } from '../protocol.ts';
import {
  type AttributeRequest,
  attributeRequest,
  auditRequest,
  type ChatRequest,
  chatRequest,
  exportRequest,
  type MethodChoice,
  openRequest,
  rowsQuery,
  scoreRequest,
  verdictRequest,
} from '../requests.ts';
import { typescriptOf } from '../typescript.ts';
import { Lists } from './lists/lists.ts';
import { OpenModels } from './open-models.ts';
import { Pictures } from './pictures.ts';
import { JobQueue } from './queue.ts';
import { type KeptResult, Results } from './results.ts';
import type { BrowserSettings } from './settings.ts';

const UNAVAILABLE = 'This page runs wholly in the browser, which cannot do this; start `narrows studio` on your computer.';

const unavailable = async (): Promise<never> => {
  throw new StudioError('usage', UNAVAILABLE);
};

/** A request in the form that its schema gives. @throws StudioError `usage` that names what is wrong */
function checked<T>(
  schema: {
    safeParse(value: unknown): { success: boolean; data?: T; error?: { issues: readonly { path: PropertyKey[]; message: string }[] } };
  },
  value: unknown,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as T;
  const [issue] = parsed.error?.issues ?? [];
  throw new StudioError('usage', `The request is wrong at "${issue?.path.map(String).join('.')}": ${issue?.message}.`);
}

/** Calls reject with `StudioError` only. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StudioError) throw error;
    if (error instanceof NarrowsError) throw new StudioError(error.kind, error.message);
    throw new StudioError('internal', `Something went wrong in this page (${String((error as Error)?.message ?? error)}); reload it.`);
  }
}

const evidence = <T>(from: EvidenceSource, read: (text: string, name: string) => T): Promise<T> =>
  'source' in from ? unavailable() : guarded(async () => read(await evidenceText(from), from.name));

/** What the map after an answer was asked as: the last question about the first picture. */
const posteriorRequest = ({ model, pictures, turns }: ChatRequest): AttributeRequest =>
  attributeRequest.parse({ model, picture: pictures[0], text: turns[turns.length - 1].content, methods: [{ name: 'posterior' }] });

/** What a method's time depends on. @param answers whether it explains answers, for which some options have another default */
function costKey(request: AttributeRequest, { name, options }: MethodChoice, answers: boolean): CostKey {
  const { modality, seeds, imageSize } = request;
  const entry = findMethod(name);
  const usual = answers && entry?.serves === 'pair' ? entry.answers?.defaults?.(options) : undefined;
  // A wrong option is said when the method runs.
  const full = entry?.schema.safeParse({ ...usual, ...options });
  return {
    ...{ method: name, family: entry?.family ?? 'external', options: full?.success ? full.data : options },
    run: { modality, seeds, imageSize, maps: mapsOf(request) },
  };
}

/** @returns a backend that lives as long as the page */
export function browserBackend(settings: BrowserSettings): StudioBackend {
  const { examples = [] } = settings;
  const pictures = new Pictures(examples);
  const models = new OpenModels(settings);
  const results = new Results();
  const queue = new JobQueue();
  // A lane of their own: their pairs go one by one through the queue.
  const audits = new JobQueue('audit');
  const lists = new Lists({ models, pictures, queue });

  const info = async (): Promise<StudioInfo> => ({
    version,
    backend: 'browser',
    can: {
      chat: settings.models.some(({ kind }) => kind === 'llava' || kind === 'llava-mini'),
      audit: true,
      lists: true,
      comparison: true,
      robustness: true,
      folders: false,
      hub: settings.hub ?? false,
      addresses: settings.addresses !== undefined && settings.addresses !== false,
    },
    ...(typeof settings.addresses === 'object' ? { origins: settings.addresses } : {}),
    methods: methods.map(describeMethod),
    recommended: AUTO_METHOD,
    recommendedForAnswers: AUTO_ANSWER_METHOD,
    model: (settings.models.find(({ kind }) => kind === undefined || kind === 'dual-encoder') ?? settings.models[0]).id,
    chatModel: settings.models.find(({ kind }) => kind === 'llava' || kind === 'llava-mini')?.id,
    examples: examples.map(({ address: _, ...example }) => example),
    sources: lists.sources(),
    limits: { bytes: MAX_BYTES, pixels: MAX_PIXELS },
  });

  const costs = new Map<string, CostLog>();
  const costsOf = (model: string): CostLog => {
    const log = costs.get(model) ?? new CostLog();
    costs.set(model, log);
    return log;
  };

  /** What a map of the worker becomes. */
  const finished = async (
    attribution: Attribution,
    place: { readonly index: number; readonly method: string; readonly key: string; readonly frames?: readonly FrameEvent[] },
    request: AttributeRequest,
  ): Promise<StudioEvent> => {
    const typescript = await program(request, request.methods[place.index]);
    const id = results.add({ attribution, picture: request.picture, key: place.key, typescript, frames: keptFrames(place.frames ?? []) });
    return { kind: 'result', id, method: place.method, index: place.index, kept: false, ...wordsOf({ attribution, typescript }) };
  };
  const wordsOf = ({ attribution, typescript }: Pick<KeptResult, 'attribution' | 'typescript'>) => ({
    attribution,
    command: commandLine(attribution),
    typescript,
  });
  /** A program for Node, which knows shipped models and the hub's by their names; for a page where the model came from an address. */
  const program = async (request: AttributeRequest, { name, options }: MethodChoice): Promise<string> => {
    const target = request.target.picture === undefined ? undefined : (await pictures.info(request.target.picture)).name;
    const facts = {
      model: request.model,
      serves: models.answers(request.model) ? ('question' as const) : ('pair' as const),
      method: name,
      options,
      request,
    };
    const { name: picture } = await pictures.info(request.picture);
    return typescriptOf({ ...facts, picture, targetPicture: target }, /^https?:/.test(request.model) ? 'narrows/web' : 'narrows');
  };

  return {
    info,
    models: async () => models.list(),
    open: (value, options) =>
      queue.run(async function* (signal) {
        yield* models.open(checked(openRequest, value).reference, signal);
      }, options),
    addPicture: (file, name) => guarded(() => pictures.add(file, name, 1)),
    picture: id => guarded(() => pictures.info(id)),
    pictureFile: (id, longest) => guarded(() => pictures.asFile(id, longest)),

    estimate: value =>
      guarded(async () => {
        const request = checked(attributeRequest, value);
        return request.methods.map((choice): CostInfo => {
          const kept = results.find(results.key(request, choice)) !== undefined;
          return costsOf(request.model).estimate(
            costKey(request, choice, models.answers(request.model)),
            choice,
            findMethod(choice.name)?.cost ?? '',
            kept,
          );
        });
      }),
    attribute: (value, options) =>
      queue.run(async function* (signal) {
        const request = checked(attributeRequest, value);
        const wanted: { index: number; key: string }[] = [];
        for (const [index, choice] of request.methods.entries()) {
          const key = results.key(request, choice);
          const known = results.find(key);
          if (known) {
            if (request.frames) yield* known.frames;
            yield { kind: 'result', id: known.id, method: choice.name, index, kept: true, ...wordsOf(known) };
          } else wanted.push({ index, key });
        }
        if (wanted.length === 0) return;
        const picture = await pictures.sent(request.picture);
        const target = request.target.picture === undefined ? undefined : await pictures.sent(request.target.picture);
        let frames: FrameEvent[] = [];
        const job = { ...request, methods: wanted.map(({ index }) => request.methods[index]) };
        for await (const event of models.run(request.model, { kind: 'attribute', request: job, picture, target }, signal)) {
          if (event.kind === 'map') {
            const { index, key: name } = wanted[event.index];
            const key = costKey(request, request.methods[index], models.answers(request.model));
            costsOf(request.model).note(key, event.seconds, { seconds: event.pace });
            yield await finished(event.attribution, { index, key: name, method: event.method, frames }, request);
            frames = [];
          } else if (event.kind === 'failure' && event.index !== undefined) {
            frames = [];
            yield { ...event, index: wanted[event.index].index };
          } else {
            if (event.kind === 'frame') frames.push(event);
            yield event;
          }
        }
      }, options),
    score: value =>
      guarded(async () => {
        const { result, boxes } = checked(scoreRequest, value);
        return boxScore(results.get(result).attribution, boxes);
      }),
    exportResult: value =>
      guarded(async () => {
        const { result, format, high, theme, unit, opacity, colourMap } = checked(exportRequest, value);
        const { attribution, picture } = results.get(result);
        if (format === 'json') return new Blob([attributionToJson(attribution)], { type: 'application/json' });
        const { image } = await pictures.sent(picture);
        const look: FigureOptions = { theme, unit, opacity, colourMap, high };
        if (format === 'svg') return new Blob([await figureSvg(attribution, image, look)], { type: 'image/svg+xml' });
        if (format === 'png') return new Blob([await figurePng(attribution, image, look)], { type: 'image/png' });
        return new Blob([await reportHtml([{ result: attribution, image }], { unit })], { type: 'text/html' });
      }),
    chat: (value, options) =>
      queue.run(async function* (signal) {
        const request = checked(chatRequest, value);
        const shown = await Promise.all(request.pictures.map(id => pictures.sent(id)));
        for await (const event of models.run(request.model, { kind: 'chat', request, pictures: shown }, signal)) {
          if (event.kind !== 'map') yield event;
          else yield await finished(event.attribution, { index: 0, key: '', method: event.method }, posteriorRequest(request));
        }
      }, options),
    cancel: async job => queue.cancel(job) || audits.cancel(job),

    sources: async () => lists.sources(),
    openList: files => guarded(() => lists.open(files)),
    audit: (value, options) =>
      audits.run(async function* (signal) {
        yield* lists.audit(checked(auditRequest, value), signal);
      }, options),
    rows: value => guarded(async () => lists.rows(checked(rowsQuery, value))),
    row: (source, key) => guarded(() => lists.detail(source, key)),
    thumbnail: (source, key) => guarded(() => lists.thumbnail(source, key)),
    verdict: value => guarded(async () => lists.judge(checked(verdictRequest, value))),
    exportAudit: source => guarded(async () => lists.lines(source)),
    comparison: from => evidence(from, comparisonView),
    robustness: from => evidence(from, robustnessView),
  };
}
