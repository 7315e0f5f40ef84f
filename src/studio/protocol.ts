/**
 * @file The studio's one protocol. The page speaks to a `StudioBackend` and cannot tell which it has: `narrows studio` (HTTP to a server on
 * this machine, `http-backend.ts`) or a worker of the browser. Requests are checked by `requests.ts`; `facts.ts` is what backends tell.
 */
import type { Attribution } from '../attribution/result.ts';
import type { Modality } from '../models/dual-encoder.ts';
import type { ComparisonView, RobustnessView } from './evidence.ts';
import type { AuditDetail, BoxScore, CostInfo, ModelInfo, PictureInfo, RowsPage, SourceInfo, StudioInfo } from './facts.ts';
import type {
  AttributeInput,
  AuditInput,
  ChatInput,
  ExportRequest,
  OpenRequest,
  RowsInput,
  ScoreRequest,
  VerdictRequest,
} from './requests.ts';

/** Raised when the form changes; the server refuses a page of another one. */
export const PROTOCOL_VERSION = 1;

/**
 * Why something did not come about. `usage`: the request is wrong; `input`: a picture, model or file is; `missing`: an id that is not known
 * (any more); `cancelled`; `timeout`; `busy`: too much waits already; `offline`: the backend does not answer; `internal`: a fault of ours.
 */
export const FAILURE_REASONS = ['usage', 'input', 'missing', 'cancelled', 'timeout', 'busy', 'offline', 'internal'] as const;
/** One of them. */
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** What calls that give no stream are rejected with. Its message is one sentence for a person. */
export class StudioError extends Error {
  override readonly name = 'StudioError';
  constructor(
    readonly reason: FailureReason,
    message: string,
  ) {
    super(message);
  }
}

/** The first event of every stream. */
export interface StartedEvent {
  readonly kind: 'started';
  /** For `cancel`. */
  readonly job: string;
  /** Jobs that run or wait before it; 0: it runs now. Sent again whenever it changes. */
  readonly ahead: number;
}

/** How far a job is. */
export interface ProgressEvent {
  readonly kind: 'progress';
  /** What is being done, in words: "Reading the model". */
  readonly phase: string;
  /** Units; `total` 0 where it is not known. */
  readonly done: number;
  readonly total: number;
  /** Seconds left, once they can be guessed. */
  readonly left?: number;
  /** Where several methods run, whose progress it is. */
  readonly method?: string;
}

/** A word of a caption: `start` and `end` in UTF-16 code units of the text. */
export interface FrameWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** The map of one tower while its gate is optimised: what it would be if it ended after this step. */
export interface FrameEvent {
  readonly kind: 'frame';
  readonly method: string;
  readonly modality: Modality;
  /** It was computed before: it comes all at once, with its result behind it. */
  readonly kept?: boolean;
  /** Which seed of several, from 0. */
  readonly seed: number;
  /** Steps done, from 1, of `steps`. Frames may be left out when they come too fast; the last is always sent. */
  readonly step: number;
  readonly steps: number;
  /** The fit (mean target) and the compression (β times the mean KL) of this step's forward pass: the next points of both curves. */
  readonly fit: number;
  readonly compression: number;
  /** One value per token of the tower, raw (nats), prefix and special tokens included: [N]. */
  readonly tokens: Float32Array;
  /** Images: patches [rows · columns] are `tokens` from `prefixTokens` on; they cover `view`, in pixels of the picture. */
  readonly image?: {
    readonly prefixTokens: number;
    readonly grid: readonly [number, number];
    readonly view: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  };
  /** Captions. */
  readonly words?: readonly FrameWord[];
}

/** A finished map, of `attribute` and (the posterior's) of `chat`. */
export interface ResultEvent {
  readonly kind: 'result';
  /** For `score` and `exportResult`; kept until the backend needs the room. */
  readonly id: string;
  readonly method: string;
  /** Place in the request's `methods`. */
  readonly index: number;
  /** It was computed before. */
  readonly kept: boolean;
  readonly attribution: Attribution;
  /** To have it again: a line for a shell, and a program. */
  readonly command: string;
  readonly typescript: string;
}

/** Something the person must know; it stands in the result too. */
export interface WarningEvent {
  readonly kind: 'warning';
  readonly message: string;
  readonly method?: string;
}

/** Of one method (the others go on), or of the whole job where no method is named; then the stream ends. */
export interface FailureEvent {
  readonly kind: 'failure';
  readonly reason: FailureReason;
  readonly message: string;
  readonly method?: string;
  readonly index?: number;
}

/** A piece of an answer; the pieces joined are the answer. */
export interface WordsEvent {
  readonly kind: 'words';
  readonly text: string;
}

/** A whole answer. */
export interface AnswerEvent {
  readonly kind: 'answer';
  readonly text: string;
  /** `length`: it was cut at the most tokens. */
  readonly finish: 'eos' | 'stop' | 'length';
  readonly tokens: number;
  readonly promptTokens: number;
  readonly seconds: number;
}

/** A model is open. */
export interface OpenedEvent {
  readonly kind: 'opened';
  readonly model: ModelInfo;
}

/** Rows of an audit are done; ask for them with `rows`. */
export interface RowsEvent {
  readonly kind: 'rows';
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/** The last event of a stream that did what it was asked, failures of single methods or rows aside. */
export interface DoneEvent {
  readonly kind: 'done';
}

/** All that streams bring. A stream ends with `done` or with a `failure` that names no method. */
export type StudioEvent =
  | StartedEvent
  | ProgressEvent
  | FrameEvent
  | ResultEvent
  | WarningEvent
  | FailureEvent
  | WordsEvent
  | AnswerEvent
  | OpenedEvent
  | RowsEvent
  | DoneEvent;

/** What a stream may be given. */
export interface StreamOptions {
  /** Cancels the job: the stream ends with `failure` of reason `cancelled`. Leaving the loop (`break`) cancels too. */
  readonly signal?: AbortSignal;
}

/** A file of a list that the person chose; its path below the folder that was chosen, or its name. */
export interface ChosenFile {
  readonly path: string;
  readonly file: File;
}

/** A results.json or an evaluation's folder: of the server's list, or files that the person chose. */
export type EvidenceSource = { readonly source: string } | { readonly file: Blob; readonly name: string };

/**
 * What the page needs. Calls reject with `StudioError`; streams never reject, they end with a failure. One job runs at a time, in the order
 * of calls. What a backend cannot do, `StudioInfo.can` says; calling it all the same is a `usage` failure.
 */
export interface StudioBackend {
  info(): Promise<StudioInfo>;
  /** Shipped, cached and opened models. */
  models(): Promise<readonly ModelInfo[]>;
  /** Gives progress, warnings and `opened`. A model that is open is given at once; the least recently used one is closed for room. */
  open(request: OpenRequest, options?: StreamOptions): AsyncIterable<StudioEvent>;

  /** Takes a picture's file; of one of several frames the first is shown, and the others can be asked for. @throws StudioError `input` for what is no picture or too large */
  addPicture(file: Blob, name: string): Promise<PictureInfo>;
  /**
   * A picture that the backend has, or another frame of its file.
   * @throws StudioError `missing` for one that it does not have (any more): the page then asks for it; `usage` for a frame that the file has not
   */
  picture(id: string): Promise<PictureInfo>;
  /** The picture as the model reads it, as PNG or JPEG. @param longest side in pixels that is enough */
  pictureFile(id: string, longest?: number): Promise<Blob>;

  /** Costs, a method each, in their order. */
  estimate(request: AttributeInput): Promise<readonly CostInfo[]>;
  /** Gives progress, frames, warnings, and a result or a failure per method. */
  attribute(request: AttributeInput, options?: StreamOptions): AsyncIterable<StudioEvent>;
  score(request: ScoreRequest): Promise<BoxScore>;
  exportResult(request: ExportRequest): Promise<Blob>;
  /** Gives words, `answer`, and where there is a bottleneck the posterior's result. */
  chat(request: ChatInput, options?: StreamOptions): AsyncIterable<StudioEvent>;
  /** Ends a job of any page, whether it runs or waits. @returns whether there was one */
  cancel(job: string): Promise<boolean>;

  /** Files and folders that can be opened, as they stand now. */
  sources(): Promise<readonly SourceInfo[]>;
  /**
   * Opens a list that the person chose with its pictures (`StudioInfo.can.lists`); it is one of `sources` from then on. The same files again are the
   * same source, with what was computed and judged of it. @throws StudioError `input` for files without pairs
   */
  openList(files: readonly ChosenFile[]): Promise<SourceInfo>;
  /** Audits a list; gives progress and `rows`. */
  audit(request: AuditInput, options?: StreamOptions): AsyncIterable<StudioEvent>;
  rows(query: RowsInput): Promise<RowsPage>;
  /** @param row `AuditRow.key` */
  row(source: string, row: string): Promise<AuditDetail>;
  /** A row's picture, small, as JPEG or PNG. */
  thumbnail(source: string, row: string): Promise<Blob>;
  /** Keeps it on the disk (or, in the browser, in its store) before it resolves. */
  verdict(request: VerdictRequest): Promise<void>;
  /** The rows of a list with the audit that is shown and the verdicts, a line of JSON each. */
  exportAudit(source: string): Promise<Blob>;

  comparison(from: EvidenceSource): Promise<ComparisonView>;
  robustness(from: EvidenceSource): Promise<RobustnessView>;
}
