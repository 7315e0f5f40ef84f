/** @file Games whose Shapley and Banzhaf values are known in closed form. */
import { RandomStream } from '../../../tensor/random.ts';
import type { Game } from '../../game.ts';

/** A game by a function of one coalition. */
export const gameOf = (players: number, value: (has: (i: number) => boolean) => number): Game => ({
  players,
  values: async coalitions =>
    Float64Array.from({ length: coalitions.length / players }, (_, m) => value(i => coalitions[m * players + i] === 1)),
});

/** Left gloves 0 … l − 1, right gloves after them: the number of pairs. */
export const gloveGame = (left: number, right: number): Game =>
  gameOf(left + right, has => {
    const count = (from: number, to: number): number =>
      Array.from({ length: to - from }, (_, i) => +has(from + i)).reduce((a, b) => a + b, 0);
    return Math.min(count(0, left), count(left, left + right));
  });

/** Worth of a team when all of it is there (a unanimity game times its dividend). */
export interface Team {
  readonly members: readonly number[];
  readonly worth: number;
}

/** A sum of unanimity games, with its values in closed form (Harsanyi dividends). */
export function teamGame(n: number, teams: readonly Team[]) {
  const per = (share: (t: Team) => number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => teams.reduce((sum, t) => sum + (t.members.includes(i) ? t.worth * share(t) : 0), 0));
  return {
    ...gameOf(n, has => teams.reduce((sum, t) => sum + (t.members.every(has) ? t.worth : 0), 0)),
    shapley: per(t => 1 / t.members.length),
    banzhaf: (p: number) => per(t => p ** (t.members.length - 1)),
    pair: (i: number, j: number, p: number) =>
      teams.reduce((sum, t) => sum + (t.members.includes(i) && t.members.includes(j) ? t.worth * p ** (t.members.length - 2) : 0), 0),
  };
}

/** All single players, and `count` teams of two or three with random worth. */
export function drawTeams(n: number, count: number, seed: number): Team[] {
  const reader = new RandomStream(seed, 'test.teams').reader(0, 0);
  const players = Array.from({ length: n }, (_, i) => i);
  return [
    ...players.map(i => ({ members: [i], worth: reader.normal() })),
    ...Array.from({ length: count }, () => ({ members: reader.shuffle(players).slice(0, 2 + reader.integer(2)), worth: reader.normal() })),
  ];
}
