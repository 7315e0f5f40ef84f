/**
 * @file Finished cells on the disk: one file that only grows, a JSON object per line, each with a checksum. A line cut short by a kill is
 * taken away, a damaged one is not believed; of two lines of one key the later one counts.
 */
import { z } from 'zod';
import { AppendLog, type LinePlace } from '../node/append-log.ts';
import { writeFileAtomic } from '../node/files.ts';
import { createHash } from '../node/hash.ts';
import { deviceOf } from '../runtime/device.ts';
import { NarrowsError } from '../system/errors.ts';
import type { Outcome, Pace } from './cell.ts';

/** Results of at most this many characters are kept in memory; larger ones are read when they are asked for. */
const SMALL = 512;

/** What a store holds. */
export interface StoreOptions<R> {
  /** What kind of cells they are, such as `compare`. */
  readonly kind: string;
  /** Raised when results of before no longer mean the same. */
  readonly version: number;
  /** A result of another form is not believed. */
  readonly schema: z.ZodType<R>;
  /** Opens what is there, though another process may be writing it; nothing is mended. */
  readonly readOnly?: boolean;
  /** On what cells are computed: those of another device round in another way. The environment's NARROWS_DEVICE by default; `cpu` where no model is run. */
  readonly device?: string;
  readonly onWarning?: (message: string) => void;
}

interface Line {
  readonly key: string;
  readonly result?: unknown;
  readonly failure?: string;
  /** A line of its own: how long tasks of a kind took in a run. */
  readonly pace?: { readonly kind: string } & Pace;
}

interface Entry {
  readonly failure?: string;
  readonly small?: string;
  readonly place?: LinePlace;
}

const paceSchema = z.strictObject({ kind: z.string(), units: z.number().positive(), seconds: z.number().nonnegative() });

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A line with its checksum, the last of its properties. */
export function sealLine(value: object): string {
  const text = JSON.stringify(value);
  return `${text.slice(0, -1)},"sum":"${checksum(text)}"}`;
}

const SEAL = /,"sum":"([0-9a-f]{16})"\}$/;

/** What `sealLine` sealed, or undefined where the line was changed since. */
export function openLine(line: string): Record<string, unknown> | undefined {
  const sum = SEAL.exec(line);
  if (!sum) return undefined;
  const text = `${line.slice(0, sum.index)}}`;
  return checksum(text) === sum[1] ? (JSON.parse(text) as Record<string, unknown>) : undefined;
}

/** Finished cells of a run. One process writes it (see `lockOutput`). */
export class CellStore<R> implements AsyncDisposable {
  private readonly entries = new Map<string, Entry>();
  private readonly paces = new Map<string, Pace>();

  private constructor(
    private readonly log: AppendLog | undefined,
    private readonly options: StoreOptions<R>,
  ) {}

  /**
   * Opens a store, or makes it.
   * @throws NarrowsError for a file that holds something else or cells of another version; where it cannot be read or written
   */
  static async open<R>(path: string, options: StoreOptions<R>): Promise<CellStore<R>> {
    const { readOnly = false, onWarning } = options;
    const log = await AppendLog.open(path, readOnly);
    const store = new CellStore<R>(log, options);
    if (!log) return store;
    try {
      const { lines, damaged } = await store.read(log);
      if (readOnly) return store;
      if (log.torn > 0) onWarning?.(`The last record of ${path} was cut short (${log.torn} bytes); it is computed again.`);
      if (damaged > 0) {
        onWarning?.(`${damaged} damaged ${damaged === 1 ? 'record' : 'records'} of ${path} cannot be believed and will be computed again.`);
        await store.close();
        await writeFileAtomic(path, lines());
        return await CellStore.open(path, options);
      }
      const { device } = store;
      if (!store.headed)
        await log.append(sealLine({ cells: options.kind, version: options.version, ...(device === 'cpu' ? {} : { device }) }));
      return store;
    } catch (error) {
      await store.close().catch(() => {});
      throw error;
    }
  }

  private headed = false;

  private get device(): string {
    return this.options.device ?? deviceOf(process.env.NARROWS_DEVICE);
  }

  /** @throws NarrowsError (usage) for cells of another device than this call's */
  private checkDevice(path: string, was = 'cpu'): void {
    if (this.options.readOnly || was === this.device) return;
    throw new NarrowsError(
      `${path} was begun on the device "${was}" and this call computes on "${this.device}", whose results are not the same to the bit: add --device ${was}, or choose another output.`,
      { kind: 'usage' },
    );
  }

  private async read(log: AppendLog): Promise<{ lines: () => Generator<Uint8Array>; damaged: number }> {
    const { kind, version, schema } = this.options;
    let damaged = 0;
    const good: LinePlace[] = [];
    for await (const { text, at, bytes } of log.lines()) {
      const value = openLine(text);
      if (!this.headed) {
        if (value?.cells !== kind)
          throw new NarrowsError(`${log.path} holds no cells of ${kind}; choose another output, or delete the file.`, { kind: 'usage' });
        if (value.version !== version)
          throw new NarrowsError(
            `${log.path} was written by another version of Narrows (format ${value.version}, here ${version}); choose another output.`,
            { kind: 'usage' },
          );
        this.checkDevice(log.path, value.device as string | undefined);
        this.headed = true;
        good.push({ at, bytes });
        continue;
      }
      if (value && this.take(value as unknown as Line, text.length, { at, bytes }, schema)) good.push({ at, bytes });
      else damaged++;
    }
    const lines = function* (): Generator<Uint8Array> {
      for (const place of good) yield Buffer.from(`${log.line(place)}\n`);
    };
    // Read before the file is closed.
    const texts = damaged > 0 ? [...lines()] : [];
    return { damaged, lines: () => texts[Symbol.iterator]() as Generator<Uint8Array> };
  }

  private take({ key, result, failure, pace }: Line, length: number, place: LinePlace, schema: z.ZodType<R>): boolean {
    if (pace !== undefined) {
      const parsed = paceSchema.safeParse(pace);
      if (parsed.success) this.paces.set(parsed.data.kind, parsed.data);
      return parsed.success;
    }
    if (typeof key !== 'string') return false;
    if (typeof failure === 'string') {
      // A result outlives a later failure: it was right once, and the key says that nothing changed.
      if (!this.has(key)) this.entries.set(key, { failure });
      return true;
    }
    if (!schema.safeParse(result).success) return false;
    this.entries.set(key, length <= SMALL ? { small: JSON.stringify(result) } : { place });
    return true;
  }

  /** Whether a cell has its result. */
  has(key: string): boolean {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.failure === undefined;
  }

  /** The result of a cell, or undefined. @throws NarrowsError where the file cannot be read any more */
  result(key: string): R | undefined {
    const entry = this.entries.get(key);
    if (!entry || entry.failure !== undefined) return undefined;
    if (entry.small !== undefined) return JSON.parse(entry.small) as R;
    const value = openLine(this.log!.line(entry.place!));
    if (!value) throw new NarrowsError(`${this.log!.path} changed while it was open; run again.`);
    return value.result as R;
  }

  /** Why a cell could not be computed, where no run could. */
  failure(key: string): string | undefined {
    return this.entries.get(key)?.failure;
  }

  /** How many cells have their result. */
  get size(): number {
    let size = 0;
    for (const { failure } of this.entries.values()) if (failure === undefined) size++;
    return size;
  }

  /** Keeps what became of a cell; it is on the disk when the promise is fulfilled. @throws NarrowsError where it cannot be written */
  async put(key: string, outcome: Outcome<R>): Promise<void> {
    const text = sealLine({ key, ...outcome });
    const place = await this.log!.append(text);
    // What could not be read back must not be taken for finished.
    if (!this.take({ key, ...outcome }, text.length, place, this.options.schema))
      throw new Error(`A result of ${this.options.kind} has another form than its schema says.`);
  }

  /** How long tasks of a kind took in the last run that kept it. */
  pace(kind: string): Pace | undefined {
    return this.paces.get(kind);
  }

  /** Keeps how long tasks of a kind take. @throws NarrowsError where it cannot be written */
  async keepPace(kind: string, { units, seconds }: Pace): Promise<void> {
    const pace = { kind, units, seconds: Number(seconds.toPrecision(4)) };
    await this.log!.append(sealLine({ pace }));
    this.paces.set(kind, pace);
  }

  /** Waits for what is being written and closes the file. */
  async close(): Promise<void> {
    await this.log?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
