/** @file A control: a random value for every patch or word. */
import { z } from 'zod';
import { latin1 } from '../../system/bytes.ts';
import { hashName } from '../../tensor/random.ts';
import { randomMap } from '../controls/controls.ts';
import { eachTower, type MethodEntry, type TowerJob } from '../method.ts';
import { inputRows } from '../rows.ts';

const schema = z.strictObject({});

/** A number from what the pair is, so that pairs differ and yet come out the same by themselves as in a batch. */
function fingerprint(job: TowerJob, p: number): number {
  if (job.modality === 'text') {
    const { shape, data } = job.inputs.input_ids;
    return hashName(
      Array.from(data as Int32Array)
        .slice(p * shape[1], p * shape[1] + job.lengths[p])
        .join(),
    );
  }
  const { data } = inputRows(job.inputs, [p, p + 1]).pixel_values;
  return hashName(latin1(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}

/** The random control: an independent value per patch or word. */
export const random: MethodEntry<z.infer<typeof schema>> = {
  name: 'random',
  title: 'Random',
  family: 'control',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'none',
  paper: 'a control; no paper',
  unit: 'score',
  signed: false,
  sampled: true,
  explain: run =>
    eachTower(run, async job =>
      job.players.map((players, p) => {
        const values = randomMap([1, players.length], run.seed, fingerprint(job, p));
        const tokens = new Float32Array(job.tokens);
        players.forEach((n, i) => {
          tokens[n] = values[i];
        });
        return { tokens };
      }),
    ),
};
