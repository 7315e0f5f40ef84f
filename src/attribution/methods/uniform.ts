/** @file A control: the same value for every patch or word. */
import { z } from 'zod';
import { eachTower, type MethodEntry } from '../method.ts';

const schema = z.strictObject({});

/** The uniform control: one value everywhere. */
export const uniform: MethodEntry<z.infer<typeof schema>> = {
  name: 'uniform',
  title: 'Uniform',
  family: 'control',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'none',
  paper: 'a control; no paper',
  unit: 'score',
  signed: false,
  sampled: false,
  explain: run =>
    eachTower(run, async job =>
      job.players.map(players => {
        const tokens = new Float32Array(job.tokens);
        for (const n of players) tokens[n] = 1 / players.length;
        return { tokens };
      }),
    ),
};
