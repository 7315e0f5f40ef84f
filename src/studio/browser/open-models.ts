/** @file Models of the page, each in a worker of its own, as many as there is room for. */
import { answersQuestions, type ModelInfo } from '../facts.ts';
import { StudioError, type StudioEvent } from '../protocol.ts';
import type { BrowserModel, Job, WorkerEvent } from './messages.ts';
import { ModelWorker } from './model-worker.ts';
import type { BrowserSettings } from './settings.ts';

/** Bytes that open models may take together. */
const ROOM = 1.5e9;
/** Room that a model takes against the bytes of its files, before it told. */
const FACTOR = 2.2;

/** The origin of an address; empty for what is none. */
function originOf(address: string): string {
  try {
    return new URL(address).origin;
  } catch {
    return '';
  }
}

interface OpenModel {
  readonly worker: ModelWorker;
  readonly info: ModelInfo;
}

/** Models by the name that requests call them by. */
export class OpenModels {
  private readonly known: Map<string, BrowserModel>;
  /** The one used last stands last. */
  private readonly open_ = new Map<string, OpenModel>();
  private readonly told = new Map<string, ModelInfo>();

  constructor(private readonly settings: BrowserSettings) {
    this.known = new Map(settings.models.map(model => [model.id, model]));
  }

  /** All that are known, those that are open with what they told. */
  list(): ModelInfo[] {
    return [...this.known.values()].map(({ id, name, origin, kind, bytes, bottleneck }) => {
      const told = this.told.get(id);
      const open = this.open_.get(id)?.worker.alive ?? false;
      return told
        ? { ...told, open }
        : { id, name, origin, kind, bytes, bottleneck, open, memory: bytes * FACTOR, methods: [], unserved: {} };
    });
  }

  /** Whether a model that was opened answers questions. */
  answers(id: string): boolean {
    return answersQuestions(this.told.get(id) ?? this.known.get(id) ?? {});
  }

  /** @throws StudioError for what is neither known nor may be fetched */
  private find(reference: string): BrowserModel {
    const known = this.known.get(reference);
    if (known) return known;
    const { hub = false, addresses = false } = this.settings;
    const address = /^https?:\/\//.test(reference);
    if (address && typeof addresses === 'object' && !addresses.includes(originOf(reference)))
      throw new StudioError(
        'usage',
        `This site may ask ${addresses.join(', ')} only, so that no picture can leave it; put the model's folder there, build the site with --models-from ${originOf(reference) || 'ORIGIN'}, or open the model with narrows studio.`,
      );
    if (address ? !addresses : !hub)
      throw new StudioError('usage', `This page knows no model "${reference}"; it has ${[...this.known.keys()].join(', ')}.`);
    return {
      id: reference,
      name: reference.replace(/\/+$/, '').split('/').at(-1) || reference,
      origin: address ? 'address' : 'hub',
      place: reference,
      bytes: 0,
    };
  }

  /** Closes what was not used for longest, until there is room. @param stays the model that was just opened: one that is larger than all room stays alone */
  private makeRoom(bytes: number, stays?: string): void {
    const { memory = ROOM } = this.settings;
    const taken = (): number => [...this.open_.values()].reduce((sum, { info }) => sum + (info.memory ?? 0), 0);
    for (const [id, { worker, info }] of this.open_) {
      if (taken() + bytes <= memory) return;
      if (id === stays) continue;
      // The memory of a worker's WebAssembly is given back with the worker only.
      worker.end();
      this.open_.delete(id);
      this.told.set(id, { ...info, open: false });
    }
  }

  /** The model, once more the one used last. */
  private use(id: string): OpenModel | undefined {
    const found = this.open_.get(id);
    this.open_.delete(id);
    if (!found?.worker.alive) return undefined;
    this.open_.set(id, found);
    return found;
  }

  /** Gives progress, warnings and `opened`; a model that is open is given at once. */
  async *open(reference: string, signal: AbortSignal): AsyncGenerator<StudioEvent, void, undefined> {
    const ready = this.use(reference);
    if (ready) {
      yield { kind: 'opened', model: ready.info };
      return;
    }
    const model = this.find(reference);
    this.makeRoom(model.bytes * FACTOR);
    const { threads, device, wasmPaths } = this.settings;
    const worker = new ModelWorker(this.settings.createWorker);
    let opened = false;
    try {
      for await (const event of worker.run({ kind: 'open', model, settings: { threads, device, wasmPaths } }, signal)) {
        if (event.kind === 'map') continue;
        if (event.kind === 'opened') {
          opened = true;
          this.known.set(model.id, model);
          this.told.set(model.id, event.model);
          this.open_.set(model.id, { worker, info: event.model });
          this.makeRoom(0, model.id);
        }
        yield event;
      }
    } finally {
      if (!opened) worker.end();
    }
  }

  /** A job of an open model; one that was closed for room is opened again. @throws StudioError */
  async *run(
    id: string,
    job: Exclude<Job, { readonly kind: 'open' }>,
    signal: AbortSignal,
  ): AsyncGenerator<Exclude<WorkerEvent, { readonly kind: 'opened' }>, void, undefined> {
    if (!this.use(id)) {
      if (!this.told.has(id)) throw new StudioError('usage', `The model ${id} is not open; open it first.`);
      for await (const event of this.open(id, signal)) {
        if (event.kind === 'failure') throw new StudioError(event.reason, event.message);
        if (event.kind === 'progress' || event.kind === 'warning') yield event;
      }
    }
    const open = this.open_.get(id);
    if (!open) throw new StudioError('internal', `The model ${id} could not be opened again; reload the page.`);
    for await (const event of open.worker.run(job, signal)) if (event.kind !== 'opened') yield event;
  }
}
