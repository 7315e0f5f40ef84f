/** @file How a call ends that several processes share: one sentence of each fault, and no process left waiting for another. */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RankThreads, serveThreads } from '../jobs/rank-threads.ts';
import { pack, unpack } from '../node/mpi/pack.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import type { CommandModule, Context } from './command.ts';
import { EXIT } from './errors.ts';

/** Milliseconds that a rank with an error waits for the others to have it too. */
const PATIENCE = 2_000;
/** The same where a rank died: the others hear of it at the end of what they compute. */
const PATIENCE_WITH_DEATH = 60_000;

/** Milliseconds by which the others leave before the first, where a rank died. */
const LEAVE = 1_000;

/** How this process ended. */
export interface Ending {
  readonly code: number;
  /** What is to be said on stderr. */
  readonly text?: string;
}

/** Whether this process speaks. */
export const speaks = (ranks: Ranks | undefined): boolean => (ranks?.rank ?? 0) === 0;

/** Whether this process speaks where the ranks did not meet: rank 0, or the first that outlives it. */
const leads = ({ rank, lost }: Ranks): boolean => lost.filter(other => other < rank).length === rank;

/**
 * Meets the other ranks at the end. Where this one failed and the others go on, it says why and ends them all.
 * @returns what is left to say of this process's end
 */
export async function endTogether(ranks: Ranks, ending: Ending): Promise<Ending> {
  const failed = ending.code !== EXIT.done;
  const said = await ranks.finish(
    pack({ ...ending, rank: ranks.rank }),
    failed ? (ranks.lost.length > 0 ? PATIENCE_WITH_DEATH : PATIENCE) : Number.POSITIVE_INFINITY,
  );
  if (!said) {
    writeSync(2, `narrows: ${leads(ranks) ? '' : `Rank ${ranks.rank}: `}${ending.text ?? 'Stopped.'}\n`);
    return ranks.abort(ending.code);
  }
  const endings = said.map(bytes => unpack(bytes) as Ending & { readonly rank: number });
  const leading = endings[0].rank === ranks.rank;
  const outlives = leading && ranks.lost.length > 0;
  if (outlives) {
    // After a death there is no last meeting. The first leaves last, so that none takes it for dead too; and it speaks before, since a launcher
    // may end all when one of them leaves with an error.
    if (ending.text !== undefined) writeSync(2, `narrows: ${ending.text}\n`);
    await sleep(LEAVE);
  }
  await ranks.close();
  const code = Math.max(...endings.map(each => each.code));
  if (outlives) return { code };
  if (leading) return { ...ending, code };
  // What rank 0 says too is said once.
  return ending.text === undefined || ending.text === endings[0].text ? { code } : { code, text: `Rank ${ranks.rank}: ${ending.text}` };
}

/** Runs a command as its module says that several processes share it. */
export async function shared(
  { shares }: CommandModule,
  context: Context,
  run: (context: Context) => Promise<number | undefined>,
): Promise<number | undefined> {
  const { ranks } = context;
  if (!ranks || shares === 'ranks') return run(context);
  if (!speaks(ranks)) return shares === 'threads' ? serveThreads(ranks).then(() => undefined) : undefined;
  const idle = (): void =>
    context.log.warn(`This call works in one process: of the ${ranks.size} that were started only the first does anything.`);
  if (!shares) {
    idle();
    return run(context);
  }
  const crew = new RankThreads(ranks, rank => context.log.warn(`Rank ${rank} died; what it had in hand is done again by the others.`));
  try {
    return await run({ ...context, crew });
  } finally {
    if (crew.count === 0 && !context.signal.aborted) idle();
    await crew.close();
  }
}
