/** @file What each token keeps in a LLaVA's bottleneck: nats of its posterior against the prior (Vittle). Run by ../posterior.ts. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import type { MethodEntry } from '../method.ts';

/** Options. */
export const posteriorSchema = z.strictObject({
  layer: z
    .union([z.literal('auto'), z.number().int()])
    .default('auto')
    .describe("decoder block whose bottleneck is read, from 0; -1: the one after the projector; auto: the model's last"),
});
/** Options with their defaults filled in. */
export type PosteriorOptions = z.infer<typeof posteriorSchema>;

const REASON =
  'posterior is for a LLaVA with a bottleneck, and this model compares images with texts; for what a CLIP or SigLIP needs of a pair, take m2ib.';

/** The registry's entry. It explains no pair: a LLaVA is asked a question, see `explainPosterior`. */
export const posterior: MethodEntry<PosteriorOptions> = {
  name: 'posterior',
  title: 'Posterior',
  family: 'bottleneck',
  modalities: ['image', 'text'],
  schema: posteriorSchema,
  cost: "one F of a LLaVA's tower and of its decoder up to the bottleneck",
  paper: 'Oh, Li, Im, Li: Visual instruction bottleneck tuning, NeurIPS 2025, arXiv 2505.13946 (its KL term, token by token)',
  unit: 'nats',
  signed: false,
  sampled: false,
  answers: true,
  unsupported: () => REASON,
  explain: () => Promise.reject(new NarrowsError(REASON)),
};
