/** @file What an attribution method is: an entry of the registry, the work it gets, and the maps it gives back. */
import type { z } from 'zod';
import type { Keep } from '../graph/index.ts';
import type { AnswerPicture } from '../models/answer-model.ts';
import type { DualEncoder, Modality, Tower, TowerInputs } from '../models/dual-encoder.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { Game } from './game.ts';
import { parseOptions } from './options.ts';
import type { EncodedPairs, Layers } from './pair.ts';
import type { Removal } from './removal-options.ts';
import type { Interactions } from './result.ts';
import type { Target } from './target.ts';

/** Families of methods, in the order of tables; `external` are maps that another tool made. */
export const FAMILIES = [
  'gradient',
  'layer-gradient',
  'attention',
  'perturbation',
  'interaction',
  'bottleneck',
  'external',
  'control',
] as const;
/** One of them. */
export type Family = (typeof FAMILIES)[number];

/** The map of one pair in one tower. */
export interface TokenMap {
  /** One value per token of the tower, prefix and special tokens included: [N]. What a method does not value is 0. */
  readonly tokens: Float32Array;
  /** Pixel methods: one value per pixel of the model's view, [H·W]; `tokens` holds their sums per patch. */
  readonly pixels?: Float32Array;
  /** Estimated standard error per token, for methods that sample. */
  readonly standardError?: Float32Array;
  /** Sum of the attribution minus the difference of the target between input and baseline, for methods that promise completeness. */
  readonly convergenceDelta?: number;
  /** Per step, for methods that optimise: the fit term (target) and the compression term, before that step's update. */
  readonly curves?: { readonly fit: readonly number[]; readonly compression: readonly number[] };
}

/** The maps of P pairs, of the modalities that were asked for. */
export interface MethodMaps {
  readonly image?: readonly TokenMap[];
  readonly text?: readonly TokenMap[];
  readonly interactions?: readonly Interactions[];
}

/** P pairs as one tower sees them. */
export interface TowerJob {
  readonly modality: Modality;
  readonly tower: Tower;
  /** P rows. */
  readonly inputs: TowerInputs;
  /** The layer whose output `hidden` is; what the entry's `layers` chose, the embeddings (-1) by default. */
  readonly layer: number;
  /** [P, N, D] */
  readonly hidden: FloatTensor;
  /** [P, E], not normalised. */
  readonly features: FloatTensor;
  readonly target: Target;
  /** The target of the undisturbed input, per pair. */
  readonly scores: readonly number[];
  /** N */
  readonly tokens: number;
  /** Tokens that are the pair's own and no padding, per pair. */
  readonly lengths: readonly number[];
  /** Per pair, the tokens that are neither prefix nor special nor padding: patches, or the caption's own tokens. */
  readonly players: readonly (readonly number[])[];
  /** Only players are gated and charged, each kind of token among its own: these groups of a row's tokens. The tower keeps the others. */
  readonly kinds?: readonly (readonly number[])[];
  /** What stands for "nothing there" in place of `hidden`, where it is not found from the inputs: [P, N, D]. */
  readonly nothing?: () => Promise<FloatTensor>;
  /** What attention is read from in place of a pooled token, [P, 1, N]: the places that foretell an answer's tokens, in equal shares. */
  readonly readFrom?: FloatTensor;
  /** Images: patch rows and columns, and the pixels of the model's view [H, W]. */
  readonly grid?: readonly [number, number];
  readonly size?: readonly [number, number];
}

/** What a method shows of a pair: what its map would be if the optimisation ended after this step. */
export interface MethodFrame {
  readonly modality: Modality;
  /** Place of the pair in the call. */
  readonly pair: number;
  /** Steps done, from 1, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Of this step's forward pass: the target, and β times the mean KL; the points of `Convergence`'s curves. */
  readonly fit: number;
  readonly compression: number;
  /** One value per token of the tower, [N], raw. */
  readonly tokens: Float32Array;
}

/** One call of a method, one seed. */
export interface MethodRun {
  readonly model: DualEncoder;
  readonly encoded: EncodedPairs;
  /** Modalities whose maps are wanted. */
  readonly wanted: readonly Modality[];
  readonly image: TowerJob;
  readonly text: TowerJob;
  readonly seed: number;
  /** Bytes that one run's intermediate values may take. */
  readonly maxMemory: number;
  readonly signal?: AbortSignal;
  /** Seconds per phase, for the record; `eachTower` notes each tower's. */
  readonly timings: Record<string, number>;
  /** A compiled graph, kept until the method is released. The key, see `graphKey`, need not name the model and the method's options. */
  readonly keep: Keep;
  /**
   * Closes the graphs that `keep` compiled, where this run will not need them again and the model's sessions are not to be kept. Called by what
   * compiles large graphs (a tower's blocks and their gradient, weights repacked) when it is done with a tower: else a method's graphs add up.
   */
  closeGraphs?(): Promise<void>;
  /** Declares units of work (for the time left), and marks some as done. */
  plan(units: number): void;
  advance(units?: number): void;
  /** Counts work for the record: rows through so many blocks of a tower, forward and backward. */
  passes(modality: Modality, rows: number, forwardBlocks: number, backwardBlocks?: number): void;
  warn(message: string): void;
  /** Methods that optimise show their maps on the way, where somebody watches. Changes no result. */
  readonly onFrame?: (frame: MethodFrame) => void;
  /** Where values of coalitions come from, when not from two towers: the answers of a model. The players are tokens of the job. */
  readonly games?: (modality: Modality, target: Target, p: number, players: readonly (readonly number[])[], options: Removal) => Game;
}

/** What a table says of a method, whatever it serves. */
export interface MethodFacts<O = Record<string, unknown>> {
  /** As on the command line, e.g. `integrated-gradients`. */
  readonly name: string;
  /** As in tables, e.g. "Integrated gradients". */
  readonly title: string;
  readonly family: Family;
  readonly modalities: readonly Modality[];
  /** Options, with defaults and a line of help each. */
  readonly schema: z.ZodObject;
  /** Passes through a tower per map, in forward (F) and backward (B) passes of the blocks it runs. */
  readonly cost: string;
  readonly paper: string;
  readonly unit: 'nats' | 'score';
  /** Values may be negative, and then mean evidence against. */
  readonly signed: boolean;
  /** Whether the seed matters. */
  readonly sampled: boolean;
  /** Of code or data that the name and the options do not determine (a plug-in's file): part of the keys under which maps are kept. */
  readonly version?: string;
  /** Options from what was given; the schema with its defaults where there is no rule of its own. @throws NarrowsError */
  parse?(given: Record<string, unknown>): O;
}

/**
 * How a method explains answers. By the `row`: the decoder is a tower whose tokens are the picture's, the question's and the answers', in one
 * job (`run.text`) whose players are image tokens and the question's words; its maps are of the row's tokens. By `sides`: the picture's cells
 * (`run.image`) and the prompt's tokens (`run.text`) are two jobs, of which a method reads players and coalitions, but no hidden state.
 */
export interface AnswerForm<O = Record<string, unknown>> {
  readonly by: 'row' | 'sides';
  /** Options that have another default for answers, by what was given. */
  defaults?(given: Record<string, unknown>): Partial<O>;
  /** A gate on the option `layer`, which may stand on the vision tower's output too (−2), whose tokens are then the job's (`run.image`). */
  readonly gate?: true;
  /** Row: the block whose output `hidden` is, −1 (the embeddings) by default. @throws NarrowsError for a layer out of range */
  layer?(tower: Tower, options: O): number;
  /** Takes the place of the entry's `explain`. */
  explain?(run: MethodRun, options: O): Promise<MethodMaps>;
  /** One sentence why these options, or pictures of this kind, cannot be served, or undefined. */
  unsupported?(options: O, picture: AnswerPicture): string | undefined;
}

/** A method that explains pairs: an image and a caption, on a model that compares them. */
export interface MethodEntry<O = Record<string, unknown>> extends MethodFacts<O> {
  readonly serves: 'pair';
  /** How the method explains the answers of a model that answers; none: it does not. */
  readonly answers?: AnswerForm<O>;
  /** Only reads maps that were made before: nothing can be explained again under a change. */
  readonly fixed?: true;
  /** One sentence why this model's tower cannot be served, or undefined. */
  unsupported?(model: DualEncoder, modality: Modality, options: O): string | undefined;
  /** Layers whose outputs are wanted as `hidden`. @throws NarrowsError for a layer out of range */
  layers?(model: DualEncoder, options: O): Partial<Layers>;
  explain(run: MethodRun, options: O): Promise<MethodMaps>;
}

/** Options from what was given, by the entry's own rule or its schema. @throws NarrowsError for one that is unknown or out of range */
export const methodOptions = <O>(entry: Pick<MethodFacts<O>, 'parse' | 'schema' | 'name'>, given: Record<string, unknown>): O =>
  entry.parse ? entry.parse(given) : (parseOptions(entry.schema, given, entry.name) as O);

/** Runs a method that treats towers alike. */
export async function eachTower(run: MethodRun, explain: (job: TowerJob) => Promise<readonly TokenMap[]>): Promise<MethodMaps> {
  const maps: { image?: readonly TokenMap[]; text?: readonly TokenMap[] } = {};
  for (const modality of run.wanted) {
    const started = performance.now();
    maps[modality] = await explain(run[modality]);
    const name = `explain ${modality}`;
    run.timings[name] = (run.timings[name] ?? 0) + (performance.now() - started) / 1000;
  }
  return maps;
}
