/** @file All attribution methods. The command line, reports, docs and tests read this table; nothing is listed twice. */
import type { z } from 'zod';
import type { CLIPModel } from '../models/clip/model.ts';
import type { Modality } from '../models/dual-encoder.ts';
import { type AttributeRun, M2IB, type M2IBOptions, m2ibSchema } from './methods/m2ib.ts';
import type { Pair } from './pair.ts';
import type { Attribution } from './result.ts';

/** A method ready to run on a model. */
export interface Method {
  attribute(pair: Pair, run?: AttributeRun): Promise<Attribution>;
  attributeAll(pairs: readonly Pair[], run?: AttributeRun): Promise<Attribution[]>;
  release(): Promise<void>;
}

/** A row of the table of methods. */
export interface MethodEntry {
  readonly name: string;
  readonly family: 'bottleneck' | 'gradient' | 'attention' | 'perturbation' | 'control';
  readonly modalities: readonly Modality[];
  /** Options, with defaults and a line of help each. */
  readonly schema: z.ZodObject;
  /** Passes through a tower per map, in forward (F) and backward (B) passes of the blocks it runs. */
  readonly cost: string;
  readonly paper: string;
  create(model: CLIPModel, options: Record<string, unknown>): Method;
}

/** The table. */
export const methods: readonly MethodEntry[] = [
  {
    name: 'm2ib',
    family: 'bottleneck',
    modalities: ['image', 'text'],
    schema: m2ibSchema,
    cost: 'steps × batchSize × (F + B) of the blocks above the gate',
    paper:
      'Wang, Rudner, Wilson: Visual explanations of image-text representations via multi-modal information bottleneck attribution, NeurIPS 2023, arXiv 2312.17174',
    create: (model, options) => new M2IB(model, options as Partial<M2IBOptions>),
  },
];

/** The entry called `name`, or undefined. */
export const findMethod = (name: string): MethodEntry | undefined => methods.find(m => m.name === name);
