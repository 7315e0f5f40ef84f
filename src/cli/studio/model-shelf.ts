/**
 * @file Models that are open in the studio, each with a runtime of its own in a worker thread: closing one gives its memory back. Two stay open;
 * the one that was not used for longest gives way.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { AnswerAttributor } from '../../attribution/answers/answer-attributor.ts';
import { Attributor } from '../../attribution/attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import type { RegisteredMethod } from '../../attribution/subject.ts';
import { readConfig } from '../../checkpoints/disk.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import { listCached } from '../../checkpoints/hub/cache.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { bundledDirectory, bundledModels, findModel } from '../../models/bundled.ts';
import type { DualEncoderModel } from '../../models/dual-encoder-model.ts';
import { modelKind } from '../../models/load.ts';
import { loadModel } from '../../models/pretrained.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { workerRuntime } from '../../runtime/worker.ts';
import type { ModelInfo } from '../../studio/facts.ts';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import { servedPairs, servedQuestions } from '../../studio/served.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import { fetchModel, isAddress } from './address-model.ts';
import { modelFacts } from './model-facts.ts';

/** Models that stay open. */
const OPEN = 2;
/** Methods with their compiled graphs that stay ready, per model. */
const READY = 4;

/** A model that is open: one that compares, or one that answers. */
export interface OpenModel {
  readonly info: ModelInfo;
  readonly runtime: Runtime;
  readonly pair?: DualEncoderModel;
  readonly chat?: ChatModel;
  /** By method and options. */
  readonly methods: Map<string, Attributor | AnswerAttributor>;
}

type ChatModelType = Awaited<ReturnType<typeof ChatModel.open>>;
type Say = (event: StudioEvent) => void;

/** The shelf. */
export class ModelShelf {
  private readonly models = new Map<string, OpenModel>();
  /** What was told of models that were opened in this start. */
  private readonly opened = new Map<string, ModelInfo>();
  private readonly lookups = new PromiseCache<ModelInfo[]>();
  /** Models that were fetched from addresses; it goes when the studio ends. */
  private folder: string | undefined;

  /** Shipped and cached models. Whoever asks while it is looked up shares the answer: many pages do not read the disk once each. */
  private onDisk(): Promise<ModelInfo[]> {
    return this.lookups.get('models', () => this.look().finally(() => this.lookups.delete('models')));
  }

  private async look(): Promise<ModelInfo[]> {
    const shipped = await Promise.all((await bundledModels()).map(name => modelFacts(name, 'shipped', join(bundledDirectory(), name))));
    const cached = await Promise.all(
      (await listCached().catch(() => [])).map(({ name, revision, references, path }) =>
        modelFacts(references.includes('main') ? name : `${name}@${references[0] ?? revision}`, 'cached', path),
      ),
    );
    return [...shipped, ...cached];
  }

  /** Shipped, cached and open models. */
  async list(): Promise<ModelInfo[]> {
    const known = (await this.onDisk()).map(info => this.models.get(info.id)?.info ?? info);
    const others = [...this.models.values()].map(model => model.info).filter(info => !known.some(each => each.id === info.id));
    return [...known, ...others];
  }

  /** What is known of a model without opening or fetching it. */
  async known(reference: string): Promise<ModelInfo | undefined> {
    const folder = statSync(reference, { throwIfNoEntry: false })?.isDirectory();
    return (await this.list()).find(({ id }) => id === reference) ?? (folder ? modelFacts(reference, 'folder', reference) : undefined);
  }

  /** What was told of a model when it was opened; it may have been closed for room. @throws StudioError `missing` */
  told(id: string): ModelInfo {
    const info = this.opened.get(id);
    if (!info) throw new StudioError('missing', `The model ${id} is not open; open it first.`);
    return info;
  }

  /** A model that is open; one that was closed for room is opened again. @throws StudioError `missing`, and as `open` */
  async use(id: string, say: Say, signal: AbortSignal): Promise<OpenModel> {
    return this.open(this.told(id).id, say, signal);
  }

  /** A model that is open. @throws StudioError `missing` */
  get(id: string): OpenModel {
    const model = this.models.get(id);
    if (!model) throw new StudioError('missing', `The model ${id} is not open (any more); open it again.`);
    this.models.delete(id);
    this.models.set(id, model);
    return model;
  }

  /** Opens a model, with its progress and what is to be known of it. @throws NarrowsError as `loadModel` and `ChatModel.open` */
  async open(reference: string, say: Say, signal: AbortSignal): Promise<OpenModel> {
    if (this.models.has(reference)) return this.get(reference);
    say({ kind: 'progress', phase: 'Looking for the model', done: 0, total: 0 });
    const hub = {
      signal,
      onWarning: (message: string) => say({ kind: 'warning', message }),
      onProgress: ({ loadedAll, totalAll }: { loadedAll: number; totalAll: number }) =>
        say({ kind: 'progress', phase: 'Downloading the model', done: loadedAll, total: totalAll }),
    };
    const { directory, name } = isAddress(reference) ? await fetchModel(reference, this.fetched(), hub) : await findModel(reference, hub);
    const place = isAddress(reference) ? directory : reference;
    const facts = await modelFacts(reference, await originOf(reference), directory, name);
    if (facts.problem !== undefined) throw new StudioError('input', facts.problem);
    await this.makeRoom();
    say({ kind: 'progress', phase: 'Reading the model', done: 0, total: 0 });
    const dual = modelKind(await readConfig(directory), join(directory, 'config.json')) === 'dual-encoder';
    const runtime = workerRuntime();
    const opened: { pair?: DualEncoderModel; chat?: ChatModelType } = {};
    try {
      if (dual) opened.pair = await loadModel(place, { ...hub, runtime });
      else opened.chat = await ChatModel.open(place, { ...hub, runtime });
      signal.throwIfAborted();
      const checkpoint = opened.pair?.checkpoint ?? opened.chat!.model.parts.checkpoint;
      // Without a tokenizer no caption can be read: said now, not at the first map.
      opened.pair?.requireTokenizer();
      say({ kind: 'progress', phase: 'Hashing the weights', done: 0, total: 0 });
      const sha256 = await checkpointHash(checkpoint);
      signal.throwIfAborted();
      const warnings = [...new Set(opened.pair?.warnings ?? opened.chat?.warnings ?? [])];
      for (const message of warnings) say({ kind: 'warning', message });
      const info: ModelInfo = {
        ...facts,
        ...(opened.pair ? servedPairs(opened.pair) : servedQuestions(opened.chat!)),
        sha256,
        open: true,
        ...(warnings.length ? { warnings } : {}),
      };
      const model: OpenModel = { info, runtime, ...opened, methods: new Map() };
      this.models.set(reference, model);
      this.opened.set(reference, info);
      return model;
    } catch (error) {
      await (opened.pair ?? opened.chat)?.release().catch(() => {});
      await runtime.release?.();
      throw error;
    }
  }

  /** A method on an open model that compares, its graphs kept from call to call. @throws NarrowsError for an option that is wrong */
  async method(model: OpenModel, entry: RegisteredMethod, options: Readonly<Record<string, unknown>>): Promise<Attributor> {
    if (entry.serves === 'question') throw new StudioError('usage', `${entry.name} explains questions to a model that answers.`);
    return (await ready(model, entry, options, () => new Attributor(entry, model.pair!, options))) as Attributor;
  }

  /** The same on one that answers. @throws NarrowsError for a method that explains no answers, or an option that is wrong */
  async answerMethod(model: OpenModel, entry: MethodEntry, options: Readonly<Record<string, unknown>>): Promise<AnswerAttributor> {
    return (await ready(model, entry, options, () => new AnswerAttributor(entry, model.chat!, options))) as AnswerAttributor;
  }

  /** Closes all models. */
  async close(): Promise<void> {
    for (const id of [...this.models.keys()]) await this.closeOne(id);
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  private fetched(): string {
    this.folder ??= mkdtempSync(join(tmpdir(), 'narrows-models-'));
    return this.folder;
  }

  private async makeRoom(): Promise<void> {
    while (this.models.size >= OPEN) await this.closeOne(this.models.keys().next().value as string);
  }

  private async closeOne(id: string): Promise<void> {
    const model = this.models.get(id);
    if (!model) return;
    this.models.delete(id);
    for (const method of model.methods.values()) await method.release();
    await (model.pair ?? model.chat)?.release();
    await model.runtime.release?.();
  }
}

async function originOf(reference: string): Promise<ModelInfo['origin']> {
  if (isAddress(reference)) return 'address';
  if ((await bundledModels()).includes(reference)) return 'shipped';
  if (statSync(reference, { throwIfNoEntry: false })?.isDirectory()) return 'folder';
  return (await listCached().catch(() => [])).some(({ name }) => name === reference.split('@')[0]) ? 'cached' : 'hub';
}

/** A method that stays ready; the one that was not used for longest gives way. */
async function ready(
  { methods }: OpenModel,
  entry: RegisteredMethod,
  options: Readonly<Record<string, unknown>>,
  make: () => Attributor | AnswerAttributor,
): Promise<Attributor | AnswerAttributor> {
  const key = JSON.stringify([entry.name, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const known = methods.get(key) ?? make();
  methods.delete(key);
  methods.set(key, known);
  for (const [old, method] of methods) {
    if (methods.size <= READY) break;
    methods.delete(old);
    await method.release();
  }
  return known;
}
