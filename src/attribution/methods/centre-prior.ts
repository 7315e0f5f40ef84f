/** @file A control: a Gaussian at the centre of the image, where photographers put things. */
import { z } from 'zod';
import { centrePrior as gaussian } from '../controls/controls.ts';
import { eachTower, type MethodEntry, type TowerJob } from '../method.ts';

const schema = z.strictObject({});

/** A map of patches as one of all tokens, prefix tokens 0. */
export function patchTokens(job: TowerJob, patches: Float32Array): Float32Array {
  const tokens = new Float32Array(job.tokens);
  tokens.set(patches, job.tokens - patches.length);
  return tokens;
}

/** The centre control: a Gaussian at the middle of the picture. */
export const centrePrior: MethodEntry<z.infer<typeof schema>> = {
  name: 'centre-prior',
  title: 'Centre prior',
  family: 'control',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image'],
  schema,
  cost: 'none',
  paper: 'a control; no paper',
  unit: 'score',
  signed: false,
  sampled: false,
  explain: run => eachTower(run, async job => job.scores.map(() => ({ tokens: patchTokens(job, gaussian(job.grid!)) }))),
};
