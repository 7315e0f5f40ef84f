/** @file The way from an estimator of games to maps, the same for all perturbation methods: players, games, tokens, errors, warnings. */
import { z } from 'zod';
import type { Game } from '../game.ts';
import { eachTower, type MethodMaps, type MethodRun, type TokenMap, type TowerJob } from '../method.ts';
import { type Removal, removalOptions } from '../removal-options.ts';
import { noise, type PlayerValues } from './estimators/player-values.ts';
import { imageGame, textGame } from './games.ts';
import { Perturbation } from './perturbation.ts';
import { captionPlayers, overTokens, type Players, patchPlayers } from './players.ts';

/** Options of every perturbation method. */
export const perturbationShape = {
  ...removalOptions,
  block: z.number().int().positive().default(1).describe('patches per side of the squares that are removed together'),
  textPlayers: z.enum(['word', 'token']).default('word').describe('what is removed of a caption at a time'),
} as const;

/** Their values. */
export interface PerturbationOptions extends Removal {
  readonly block: number;
  readonly textPlayers: 'word' | 'token';
}

/** What an estimator may look at besides the game. */
export interface GameContext {
  readonly p: number;
  readonly job: TowerJob;
  readonly players: Players;
  readonly engine: Perturbation;
}

/** Players of one pair in one tower. */
export const playersOf = (run: Pick<MethodRun, 'encoded'>, job: TowerJob, p: number, options: PerturbationOptions): Players =>
  job.modality === 'image' ? patchPlayers(job.grid!, options.block) : captionPlayers(run.encoded, p, options.textPlayers);

/**
 * Maps of all pairs by an estimator; a player's value is shared evenly by its tokens. Pairs of one picture share its features.
 * @param estimate from a game to values; @param planned coalitions it will ask for, from the number of players
 */
export async function explainGames(
  run: MethodRun,
  name: string,
  options: PerturbationOptions,
  planned: (n: number) => number,
  estimate: (game: Game, context: GameContext) => Promise<PlayerValues>,
): Promise<MethodMaps> {
  const engine = new Perturbation(run);
  const pairs = run.encoded.pairs.map((_, p) => p);
  run.plan(run.wanted.reduce((sum, m) => sum + pairs.reduce((s, p) => s + planned(playersOf(run, run[m], p, options).length), 0), 0));
  return eachTower(run, async job => {
    const maps: TokenMap[] = [];
    for (const p of pairs) {
      const players = playersOf(run, job, p, options);
      const game = run.games
        ? run.games(job.modality, job.target, p, players, options)
        : job.modality === 'image'
          ? imageGame(engine, p, job.target, { removal: options.removal, players })
          : textGame(engine, p, job.target, { removal: options.textRemoval, players });
      const found = await estimate(game, { p, job, players, engine });
      warnNoise(run, name, job, found);
      maps.push(tokenMap(found, players, job));
    }
    return maps;
  });
}

/** Values of players as a map of a tower's tokens. */
export function tokenMap(found: PlayerValues, players: Players, job: TowerJob): TokenMap {
  const spread = (values: ArrayLike<number>): Float32Array => overTokens(values, players, job.tokens, job.tower.prefixTokens);
  return {
    tokens: spread(found.values),
    ...(found.standardError ? { standardError: spread(found.standardError) } : {}),
    ...(found.convergenceDelta === undefined ? {} : { convergenceDelta: found.convergenceDelta }),
  };
}

/** Says so where the estimate is too noisy to be read. */
export function warnNoise(run: Pick<MethodRun, 'warn'>, name: string, job: Pick<TowerJob, 'modality'>, found: PlayerValues): void {
  const level = noise(found);
  if (level?.noisy)
    run.warn(
      `The ${job.modality} map of ${name} is noisy: its standard error (median ${level.error.toPrecision(2)}) is more than half of the map's spread (${level.spread.toPrecision(2)}); take more samples.`,
    );
}
