/** @file What the page and the worker that holds a model say to each other. Everything may be cloned from one thread to the other. */
import type { DecodedImage } from '../../web/image/decode.ts';
import type { ModelInfo } from '../facts.ts';
import type { StudioEvent } from '../protocol.ts';
import type { AttributeRequest, ChatRequest } from '../requests.ts';

/** A model that the static site brings, or that was named by a person. */
export interface BrowserModel {
  /** What requests call it by. */
  readonly id: string;
  readonly name: string;
  readonly origin: ModelInfo['origin'];
  /** Address of the folder of its files, or `org/name[@revision]` on the hub. */
  readonly place: string;
  /** Names of its files, where they are known: nothing else is asked for. */
  readonly files?: readonly string[];
  /** SHA-256 of files, by name. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Bytes of its files; 0 where it is not known yet. */
  readonly bytes: number;
  /** What it does, where it is known before it is open. */
  readonly kind?: ModelInfo['kind'];
  readonly bottleneck?: boolean;
}

/** How a worker runs its model. */
export interface WorkerSettings {
  /** Threads of WebAssembly; more than one needs a page that is cross-origin isolated. */
  readonly threads?: number;
  readonly device?: 'wasm' | 'webgpu';
  readonly wasmPaths?: string;
}

/** A picture of a request, with what its record says. */
export interface SentPicture {
  readonly id: string;
  readonly name: string;
  readonly image: DecodedImage;
}

/** A job. One runs at a time; the worker answers with events and `end`. */
export type Job =
  | { readonly kind: 'open'; readonly model: BrowserModel; readonly files?: readonly File[]; readonly settings: WorkerSettings }
  | { readonly kind: 'attribute'; readonly request: AttributeRequest; readonly picture: SentPicture; readonly target?: SentPicture }
  | { readonly kind: 'chat'; readonly request: ChatRequest; readonly pictures: readonly SentPicture[] };

/** From the page. */
export type ToWorker = { readonly id: number; readonly job: Job } | { readonly id: number; readonly abort: true };

/** What a worker knows of a result; the page adds what it keeps it by. */
export type WorkerEvent =
  | Exclude<StudioEvent, { readonly kind: 'result' | 'started' | 'done' }>
  | {
      readonly kind: 'map';
      readonly index: number;
      readonly method: string;
      readonly attribution: import('../../attribution/result.ts').Attribution;
      readonly seconds: number;
      /** What it takes at the pace behind its first unit, in seconds. */
      readonly pace?: number;
    };

/** From the worker. */
export type FromWorker = { readonly id: number; readonly event: WorkerEvent } | { readonly id: number; readonly end: true };
