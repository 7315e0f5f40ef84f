/** @file The ways to tune that the Vittle experiment compares: one table, from which settings, runs, tables and charts take them. */
import type { z } from 'zod';
import type { tuneTrainingSchema } from '../../tuning/llava/arguments.ts';

/** How a condition tunes. */
interface ConditionEntry {
  /** As tables call it. */
  readonly title: string;
  /** In charts. */
  readonly colour: string;
  readonly method: 'full' | 'lora' | 'vittle';
  /** Weight decay as the settings say. */
  readonly decay?: boolean;
  /** Dropout on the stream, of the strength of the noise that `pass` begins with. */
  readonly dropout?: boolean;
  /** Questions are learnt as answers are (LIT). */
  readonly instructions?: boolean;
  /** Conditions that do part of what this one does: what it is to be credited with is what it is better by than these. */
  readonly controls?: readonly string[];
  /** Arguments of `narrows train tune` beside those that all conditions share. */
  readonly tune?: Partial<z.input<typeof tuneTrainingSchema>>;
}

const PASS = { bottleneck_init: 'pass' } as const;
/** The variance of the published form's prior, which its posterior begins at. */
const PRIOR_NOISE = { noise_variance_visual: 1, noise_variance_text: 1 };

/** The noise and the encoder of each form without the rest of it. */
const CONTROLS: Record<'published' | 'pass', readonly string[]> = {
  published: ['noise', 'deterministic'],
  pass: ['noise-pass', 'deterministic-pass', 'dropout'],
};

const TABLE = {
  plain: { title: 'plain', colour: '#555', method: 'full' },
  'weight-decay': { title: 'weight decay', colour: '#8a6d1f', method: 'full', decay: true },
  lora: { title: 'LoRA', colour: '#1f6f8a', method: 'lora' },
  'vittle-f': { title: 'Vittle F', colour: '#b5402a', method: 'vittle', controls: CONTROLS.published, tune: { prior: 'fixed' } },
  'vittle-l': { title: 'Vittle L', colour: '#c77b1e', method: 'vittle', controls: CONTROLS.published, tune: { prior: 'learnable' } },
  'vittle-official': {
    ...{ title: 'Vittle, official switches', colour: '#7a3f8f', method: 'vittle', controls: CONTROLS.published },
    tune: { prior: 'fixed', half_log_kl: true, index_split: true, alpha_inference: 0.5 },
  },
  dropout: { title: 'dropout', colour: '#4f7d3a', method: 'full', dropout: true },
  noise: { title: 'noise of the prior', colour: '#2f4b7c', method: 'vittle', tune: { control: 'noise', ...PRIOR_NOISE } },
  'noise-pass': { title: 'noise, pass', colour: '#5f8fd0', method: 'vittle', tune: { control: 'noise', ...PASS } },
  deterministic: { title: 'encoder only', colour: '#00796b', method: 'vittle', tune: { control: 'deterministic' } },
  'deterministic-pass': {
    ...{ title: 'encoder only, pass', colour: '#4db6ac', method: 'vittle' },
    tune: { control: 'deterministic', ...PASS },
  },
  'vittle-f-pass': {
    ...{ title: 'Vittle F, pass', colour: '#d81b60', method: 'vittle', controls: CONTROLS.pass },
    tune: { prior: 'fixed', ...PASS },
  },
  'vittle-l-pass': {
    ...{ title: 'Vittle L, pass', colour: '#f48fb1', method: 'vittle', controls: CONTROLS.pass },
    tune: { prior: 'learnable', ...PASS },
  },
  lit: { title: 'LIT', colour: '#9e9d24', method: 'full', instructions: true },
} as const satisfies Record<string, ConditionEntry>;

/** Name of a condition; folders of runs are called by it. */
export type ConditionName = keyof typeof TABLE;

/** A way to tune, with its name. */
export interface Condition extends ConditionEntry {
  readonly name: ConditionName;
}

/** All conditions, in the order of tables. The first is what the others are compared with. */
export const CONDITIONS: readonly Condition[] = Object.entries(TABLE).map(([name, entry]) => ({ name: name as ConditionName, ...entry }));

/** All names, in the order of tables. */
export const CONDITION_NAMES = Object.keys(TABLE) as [ConditionName, ...ConditionName[]];

/** Those of an experiment that names none: the six of the first test. */
const USUAL: readonly ConditionName[] = ['plain', 'weight-decay', 'lora', 'vittle-f', 'vittle-l', 'vittle-official'];

/** The conditions that an experiment's settings ask for, each once, in the order of tables. */
export function conditionsOf({ conditions = USUAL }: { readonly conditions?: readonly (ConditionName | 'all')[] }): Condition[] {
  return CONDITIONS.filter(({ name }) => conditions.includes('all') || conditions.includes(name));
}

/** What decides is run first, within a seed: after any number of runs the comparisons that matter are the most complete. */
const FIRST: readonly ConditionName[] = [
  ...(['plain', 'noise-pass', 'deterministic-pass'] as const),
  ...(['vittle-f', 'vittle-l', 'vittle-f-pass', 'vittle-l-pass'] as const),
];

/** Conditions in the order in which a seed runs them. */
export function inRunOrder(conditions: readonly Condition[]): Condition[] {
  const rank = ({ name }: Condition): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return conditions.toSorted((a, b) => rank(a) - rank(b));
}

/** The condition of a name. */
export const conditionOf = (name: ConditionName): Condition => CONDITIONS.find(c => c.name === name)!;

/** Whether a condition's encoder begins by passing on and is charged, so that β means another thing than in the published form. */
export const passesOn = ({ tune }: Condition): boolean => tune?.bottleneck_init === 'pass' && tune.control === undefined;

/** As tables call a condition; a name that is none stands for itself. */
export const titleOf = (name: string): string => CONDITIONS.find(c => c.name === name)?.title ?? name;
