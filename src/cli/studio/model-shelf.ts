/**
 * @file Models that are open in the studio, each with a runtime of its own in a worker thread: closing one gives its memory back. Two stay open;
 * the one that was not used for longest gives way.
 */
import { statSync } from 'node:fs';
import { Attributor } from '../../attribution/attributor.ts';
import { methodOptions } from '../../attribution/method.ts';
import { pairMethods, methods as registered } from '../../attribution/registry.ts';
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
  readonly methods: Map<string, Attributor>;
}

type ChatModelType = Awaited<ReturnType<typeof ChatModel.open>>;
type Say = (event: StudioEvent) => void;

/** Who serves a model that is open, and why others do not. */
function served(model: { readonly pair?: DualEncoderModel; readonly chat?: ChatModelType }): Pick<ModelInfo, 'methods' | 'unserved'> {
  const unserved: Record<string, string> = {};
  const note = (entry: RegisteredMethod, reasons: readonly (string | undefined)[]): void => {
    const [first] = reasons;
    if (first !== undefined && reasons.every(reason => reason !== undefined)) unserved[entry.name] = first;
  };
  const { pair, chat } = model;
  const kind = pair ? pairMethods() : registered.filter(m => m.serves === 'question');
  for (const entry of kind) {
    const options = methodOptions(entry as RegisteredMethod<Record<string, unknown>>, {});
    if (entry.serves === 'pair' && pair)
      note(
        entry,
        entry.modalities.map(modality => entry.unsupported?.(pair, modality, options)),
      );
    if (entry.serves === 'question' && chat) note(entry, [entry.unsupported?.(chat)]);
  }
  return { methods: kind.map(m => m.name).filter(name => !(name in unserved)), unserved };
}

/** The shelf. */
export class ModelShelf {
  private readonly models = new Map<string, OpenModel>();

  /** Shipped, cached and open models. */
  async list(): Promise<ModelInfo[]> {
    const shipped = await Promise.all((await bundledModels()).map(name => modelFacts(name, 'shipped', join(bundledDirectory(), name))));
    const cached = await Promise.all(
      (await listCached().catch(() => [])).map(({ name, revision, references, path }) =>
        modelFacts(references.includes('main') ? name : `${name}@${references[0] ?? revision}`, 'cached', path),
      ),
    );
    const known = [...shipped, ...cached].map(info => this.models.get(info.id)?.info ?? info);
    const others = [...this.models.values()].map(model => model.info).filter(info => !known.some(each => each.id === info.id));
    return [...known, ...others];
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
    const { directory, name } = await findModel(reference, hub);
    const facts = await modelFacts(reference, await originOf(reference), directory, name);
    if (facts.problem !== undefined) throw new StudioError('input', facts.problem);
    await this.makeRoom();
    say({ kind: 'progress', phase: 'Reading the model', done: 0, total: 0 });
    const dual = modelKind(await readConfig(directory), join(directory, 'config.json')) === 'dual-encoder';
    const runtime = workerRuntime();
    const opened: { pair?: DualEncoderModel; chat?: ChatModelType } = {};
    try {
      if (dual) opened.pair = await loadModel(reference, { ...hub, runtime });
      else opened.chat = await ChatModel.open(reference, { ...hub, runtime });
      signal.throwIfAborted();
      const checkpoint = opened.pair?.checkpoint ?? opened.chat!.model.parts.checkpoint;
      // Without a tokenizer no caption can be read: said now, not at the first map.
      opened.pair?.requireTokenizer();
      say({ kind: 'progress', phase: 'Hashing the weights', done: 0, total: 0 });
      const sha256 = await checkpointHash(checkpoint);
      signal.throwIfAborted();
      const warnings = [...new Set(opened.pair?.warnings ?? opened.chat?.warnings ?? [])];
      for (const message of warnings) say({ kind: 'warning', message });
      const info: ModelInfo = { ...facts, ...served(opened), sha256, open: true, ...(warnings.length ? { warnings } : {}) };
      const model: OpenModel = { info, runtime, ...opened, methods: new Map() };
      this.models.set(reference, model);
      return model;
    } catch (error) {
      await (opened.pair ?? opened.chat)?.release().catch(() => {});
      await runtime.release?.();
      throw error;
    }
  }

  /** A method on an open model, its graphs kept from call to call. @throws NarrowsError for an option that is wrong */
  async method(model: OpenModel, entry: RegisteredMethod, options: Readonly<Record<string, unknown>>): Promise<Attributor> {
    if (entry.serves === 'question') throw new StudioError('usage', `${entry.name} explains questions to a model that answers.`);
    const key = JSON.stringify([entry.name, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const known = model.methods.get(key) ?? new Attributor(entry, model.pair!, options);
    model.methods.delete(key);
    model.methods.set(key, known);
    for (const [old, method] of model.methods) {
      if (model.methods.size <= READY) break;
      model.methods.delete(old);
      await method.release();
    }
    return known;
  }

  /** Closes all models. */
  async close(): Promise<void> {
    for (const id of [...this.models.keys()]) await this.closeOne(id);
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
  if ((await bundledModels()).includes(reference)) return 'shipped';
  if (statSync(reference, { throwIfNoEntry: false })?.isDirectory()) return 'folder';
  return (await listCached().catch(() => [])).some(({ name }) => name === reference.split('@')[0]) ? 'cached' : 'hub';
}
