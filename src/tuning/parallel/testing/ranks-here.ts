/** @file Several ranks in one process, for what they compute together. */
import type { Ranks } from '../../../node/mpi/ranks.ts';

/** Ranks of this process: what all of them give to a collective call comes to all when the last has called. */
export function ranksHere(size: number): Pick<Ranks, 'rank' | 'size' | 'exchange' | 'allGather'>[] {
  const rooms = new Map<string, { given: unknown[]; open: (all: unknown[]) => void; all: Promise<unknown[]> }>();
  const meet = (name: string, rank: number, value: unknown): Promise<unknown[]> => {
    let room = rooms.get(name);
    if (!room) {
      let open!: (all: unknown[]) => void;
      const all = new Promise<unknown[]>(resolve => {
        open = resolve;
      });
      room = { given: [], open, all };
      rooms.set(name, room);
    }
    room.given[rank] = value;
    if (Object.keys(room.given).length === size) room.open(room.given);
    return room.all;
  };
  return Array.from({ length: size }, (_, rank) => {
    let calls = 0;
    return {
      ...{ rank, size },
      exchange: async (parts: readonly Uint8Array[]) =>
        ((await meet(`call ${calls++}`, rank, parts)) as Uint8Array<ArrayBuffer>[][]).map(list => list[rank].slice()),
      allGather: async (bytes: Uint8Array) => (await meet(`call ${calls++}`, rank, bytes)) as Uint8Array<ArrayBuffer>[],
    };
  });
}
