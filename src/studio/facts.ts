/** @file What a backend tells the page: about itself, models, methods, pictures, sources, costs. Plain data, safe for JSON. */
import type { Family } from '../attribution/method.ts';
import type { RegisteredMethod } from '../attribution/subject.ts';
import type { Modality } from '../models/dual-encoder.ts';
import type { ModelKind } from '../models/load.ts';

/** An option of a method, for a control of the page; made from the method's own schema. */
export interface OptionInfo {
  readonly name: string;
  /** One line of help. */
  readonly help: string;
  /**
   * `number` and `integer` have `least` and `most` where the schema does; `choice` is one of `choices`; `json` is anything else, given as
   * JSON.
   */
  readonly kind: 'number' | 'integer' | 'boolean' | 'choice' | 'text' | 'json';
  /** Missing where the option is unset by default. */
  readonly default?: unknown;
  readonly least?: number;
  readonly most?: number;
  /** `least` itself is not allowed. */
  readonly above?: true;
  readonly choices?: readonly string[];
  /** Words that may stand in place of the number, such as `auto`. */
  readonly words?: readonly string[];
}

/** A method of the registry. */
export interface MethodInfo {
  readonly name: string;
  readonly title: string;
  readonly family: Family;
  /** `pair`: a model that compares images with texts; `question`: one that answers. */
  readonly serves: RegisteredMethod['serves'];
  readonly modalities: readonly Modality[];
  readonly unit: 'nats' | 'score';
  /** Values may be negative: evidence against. */
  readonly signed: boolean;
  /** Whether the seed matters. */
  readonly sampled: boolean;
  /** Passes per map, in words. */
  readonly cost: string;
  readonly paper: string;
  readonly options: readonly OptionInfo[];
  /** It explains answers of models that answer: options that then have another default. Missing: it explains none. */
  readonly answers?: Readonly<Record<string, unknown>>;
}

/** A picture that an example, a permalink or an upload names. */
export interface PictureInfo {
  /** SHA-256 of the file's bytes, hex; with the frame where the file has several (picture-id.ts). */
  readonly id: string;
  /** File name. */
  readonly name: string;
  /** Of the picture as the model reads it, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of a DICOM file of several frames: which one this is, from 1, of how many. The others are pictures of the same file. */
  readonly frames?: { readonly shown: number; readonly of: number };
  /** What was assumed when it was read, in sentences; e.g. that the browser's decoder gives nearly the bytes of Pillow. */
  readonly warnings: readonly string[];
}

/** An example that comes with Narrows. */
export interface ExampleInfo {
  /** Stable, for permalinks. */
  readonly id: string;
  readonly caption: string;
  readonly picture: PictureInfo;
}

/** A file or folder that the studio was started with (`--data`), or that was chosen in the page. */
export interface SourceInfo {
  readonly id: string;
  /** `pairs`: pictures with captions, to audit; `comparison`: results of `narrows compare`; `evaluation`: OUT of `narrows evaluate`. */
  readonly kind: 'pairs' | 'comparison' | 'evaluation';
  readonly name: string;
  /** Pairs, where it is known. */
  readonly count?: number;
  /** Why it cannot be opened, in one sentence. */
  readonly problem?: string;
  /** What was assumed or left out when it was read. */
  readonly warnings?: readonly string[];
}

/** A tower of a model. */
export interface TowerInfo {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
}

/** A model that is shipped, cached, or was opened. */
export interface ModelInfo {
  /** What requests call it by: the reference that opens it again. */
  readonly id: string;
  readonly name: string;
  readonly origin: 'shipped' | 'cached' | 'folder' | 'hub' | 'address';
  /** Undefined where the config names a model that Narrows does not run; `problem` says so. */
  readonly kind?: ModelKind;
  /** Bytes of its files. */
  readonly bytes: number;
  /** SHA-256 over the tensors, hex; undefined until it has been opened and hashed. */
  readonly sha256?: string;
  /** Of models that compare: the image's and the text's. Of models that answer: the image tower and the decoder. */
  readonly image?: TowerInfo & { readonly size: number; readonly patch: number };
  readonly text?: TowerInfo;
  /** Bytes that it takes when it is open, about. */
  readonly memory?: number;
  readonly open: boolean;
  /** Names of the methods that serve it. */
  readonly methods: readonly string[];
  /** Methods of its kind that do not, each with one sentence. */
  readonly unserved: Readonly<Record<string, string>>;
  /** It has a Vittle bottleneck, so the posterior can be drawn. */
  readonly bottleneck?: boolean;
  readonly warnings?: readonly string[];
  /** Why it cannot be opened, in one sentence. */
  readonly problem?: string;
}

/** Whether a model is one that answers questions; one of an unknown kind is none. */
export const answersQuestions = ({ kind }: { readonly kind?: ModelInfo['kind'] }): boolean => kind === 'llava' || kind === 'llava-mini';

/** What the page starts from. */
export interface StudioInfo {
  readonly version: string;
  /** Only for words ("on this computer", "in this tab"): features go by `can`. */
  readonly backend: 'node' | 'browser';
  readonly can: {
    readonly chat: boolean;
    readonly audit: boolean;
    /** Lists of pairs that are chosen in the page, with their pictures. */
    readonly lists: boolean;
    readonly comparison: boolean;
    readonly robustness: boolean;
    /** Models by folder path; by `org/name` on the hub; by address. */
    readonly folders: boolean;
    readonly hub: boolean;
    readonly addresses: boolean;
  };
  /** Where models at addresses may lie, where it is not anywhere. */
  readonly origins?: readonly string[];
  readonly methods: readonly MethodInfo[];
  /** The method that the documentation recommends. */
  readonly recommended: string;
  /** The same for answers. */
  readonly recommendedForAnswers: string;
  /** `ModelInfo.id` to open at first: for pairs, and for questions. */
  readonly model: string;
  readonly chatModel?: string;
  readonly examples: readonly ExampleInfo[];
  readonly sources: readonly SourceInfo[];
  /** Most bytes of a picture's file, and most pixels. */
  readonly limits: { readonly bytes: number; readonly pixels: number };
}

/** What a method will cost on a pair. */
export interface CostInfo {
  readonly method: string;
  /** Seconds; undefined where nothing was timed yet on this model. */
  readonly seconds?: number;
  /**
   * `measured`: the same settings ran here; `scaled`: from another run of the method by its counts; `guessed`: from what a pass of another method
   * took on this model.
   */
  readonly basis: 'measured' | 'scaled' | 'guessed' | 'unknown';
  /** It is kept already and comes at once. */
  readonly kept: boolean;
  /** In words, the passes; what `MethodInfo.cost` says. */
  readonly words: string;
}

/** How much of a map lies inside boxes. */
export interface BoxScore {
  /** Share of the map's positive mass inside any box, 0 to 1; null where the map is nowhere positive (see `note`). */
  readonly energy: number | null;
  /** Share of the map's highest points that lie inside: 1 or 0 but for ties. */
  readonly pointing: number;
  /** Share of the map's area that the boxes cover: what a uniform map would get. */
  readonly area: number;
  readonly note?: string;
}

/** A row of a list of pairs. */
export interface AuditRow {
  /** Stable while the list is. */
  readonly key: string;
  /** Line of the file, or place in the folder, from 1. */
  readonly line: number;
  /** The picture's path as the list has it. */
  readonly image: string;
  readonly caption: string;
  readonly state: 'open' | 'done' | 'failed';
  readonly cosine?: number;
  /** Sums of the maps, of bottlenecks. */
  readonly imageBits?: number;
  readonly textBits?: number;
  /** How the optimisation went, of methods that optimise. */
  readonly convergence?: string;
  /** Share of the map inside the list's own box. */
  readonly insideBox?: number;
  /** Why it failed. */
  readonly failure?: string;
  readonly warnings?: readonly string[];
  readonly verdict?: 'right' | 'wrong' | 'unsure';
  readonly note?: string;
  /** Further columns of the list. */
  readonly further: Readonly<Record<string, string>>;
}

/** A stretch of rows. */
export interface RowsPage {
  /** Rows that the filter leaves, and rows in all. */
  readonly total: number;
  readonly all: number;
  readonly from: number;
  readonly rows: readonly AuditRow[];
}

/** A row opened: its picture can be attributed at once. */
export interface AuditDetail {
  readonly row: AuditRow;
  readonly picture: PictureInfo;
  /** The audit's map: patches [rows · columns] row by row, raw, and where they lie in pixels of the picture. */
  readonly map?: {
    readonly unit: 'nats' | 'score';
    readonly grid: readonly [number, number];
    readonly view: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
    readonly patches: readonly number[];
  };
  readonly words?: readonly { readonly text: string; readonly value: number }[];
}
