/** @file A rank of the tests of training: trains what a file lists, one after the other. A run may say at which step which rank is killed. */
import { readFile } from 'node:fs/promises';
import { openRanks } from '../../../node/mpi/open-ranks.ts';
import { clipTrainingSchema } from '../../clip/arguments.ts';
import { trainClip } from '../../clip/train.ts';
import { tuneTrainingSchema } from '../../llava/arguments.ts';
import { trainLlava } from '../../llava/train.ts';

/** A run. */
export interface TrainJob {
  readonly kind: 'clip' | 'tune';
  readonly args: object;
  readonly kill?: { readonly rank: number; readonly step: number };
}

const ranks = await openRanks();
const jobs = JSON.parse(await readFile(process.argv[2], 'utf8')) as TrainJob[];
for (const { kind, args, kill } of jobs) {
  const options = {
    ranks,
    onProgress(step: number) {
      if (kill && kill.step === step && kill.rank === ranks?.rank) process.kill(process.pid, 'SIGKILL');
    },
  };
  if (kind === 'clip') await trainClip(clipTrainingSchema.parse(args), options);
  else await trainLlava(tuneTrainingSchema.parse(args), options);
}
await ranks?.close();
process.exit(0);
