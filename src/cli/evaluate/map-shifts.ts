/**
 * @file `narrows evaluate --attribution`: beside every answer under a shift, how far the map of the clean answer moved. Figures stand in
 * `maps.jsonl` of the run's folder, so that a stopped run goes on, and in `maps.json` per scenario.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { AnswerAttributor, noAnswers } from '../../attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../attribution/method.ts';
import { AUTO_ANSWER_METHOD, findMethod } from '../../attribution/registry.ts';
import type { AnswerAttribution } from '../../attribution/result.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import { type MapMovement, type MovedMap, mapMovement, movedMap } from '../../evaluation/answers/map-movement.ts';
import type { Asked, AskedSet } from '../../evaluation/run/asked-set.ts';
import { type Distances, withDistances } from '../../evaluation/run/distances.ts';
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import { scenarioKind } from '../../evaluation/run/scenario.ts';
import { readAnswers, type ScoredSetOfRun } from '../../evaluation/run/score-run.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import type { Task } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { runPlan } from '../../jobs/run.ts';
import { CellStore } from '../../jobs/store.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { requireImageShift } from '../../shifts/registry.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';
import type { Context } from '../command.ts';

/** The method that `--attribution` names. @throws NarrowsError (usage) for one that explains no answers */
export function attributionMethod(name: string): MethodEntry {
  const entry = findMethod(name === 'auto' ? AUTO_ANSWER_METHOD : name);
  if (!entry) throw new NarrowsError(`There is no method "${name}"; narrows methods lists them.`, { kind: 'usage' });
  if (entry.serves !== 'pair' || !entry.answers || !entry.modalities.includes('image'))
    throw new NarrowsError(noAnswers(name), { kind: 'usage' });
  return entry;
}

/** Answers that must break, and stay right, before it is said how well maps foretell it. */
const LEAST = 10;

/** What became of maps: by set, by scenario, by question's key. */
export type MovedMaps = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, MovedMap>>>;

const schema = z.object({
  correlation: z.number(),
  logProbability: z.number(),
  cleanMass: z.number().optional(),
  mass: z.number().optional(),
});

/** Part of the keys: raised when a cell says more than before. */
const FORM = 2;

/** One question with its clean answer, and all that it is asked under. */
interface Moving {
  readonly clean: Asked;
  readonly answer: string;
  readonly shifted: readonly { readonly key: string; readonly asked: Asked; readonly moves: boolean }[];
}

/**
 * Explains the clean answers of a run's questions, clean and under every shift of the run.
 * @param sets as they were asked; each needs its clean scenario @throws NarrowsError for a folder of another form; the signal's reason
 */
export async function moveMaps(
  context: Context,
  chat: ChatModel,
  entry: MethodEntry,
  sets: readonly AskedSet[],
  output: string,
): Promise<MovedMaps> {
  const store = await CellStore.open(join(output, 'maps.jsonl'), {
    kind: 'maps',
    version: 1,
    schema,
    onWarning: message => context.log.warn(message),
  });
  await using _ = store;
  const model = await checkpointHash(chat.model.parts.checkpoint);
  await using attributor = new AnswerAttributor(entry, chat);
  // With the options, whose defaults may be others in another version.
  const method = [entry.name, attributor.options, context.seed];
  const tasks: Task<Moving>[] = [];
  const places: { readonly set: string; readonly scenario: string; readonly question: string; readonly key: string }[] = [];
  for (const set of sets) {
    const { benchmark, scenarios } = set.given;
    const clean = scenarios.find(scenario => scenarioKind(scenario) === 'clean');
    const shifts = scenarios.filter(scenario => scenario !== clean);
    if (!clean || shifts.length === 0) {
      context.log.warn(`${benchmark.name} was not asked both clean and under a shift, so that no map of it can move.`);
      continue;
    }
    const answers = await readAnswers(output, benchmark.name, clean.name);
    const asked = await set.ask(clean);
    const under = await Promise.all(shifts.map(shift => set.ask(shift)));
    for (const [i, one] of asked.entries()) {
      const answer = answers.get(one.question.key)?.trim();
      if (!answer || one.refused !== undefined || one.turn.pictures.length !== 1) continue;
      const shifted = shifts.flatMap((shift, s) => {
        const other = under[s][i];
        if (other.refused !== undefined) return [];
        const moves = shift.image !== undefined && requireImageShift(shift.image.shift).moves === true;
        const named = [version, method, model, chat.template.name, answer, one.prompt, other.prompt, other.turn.pictures[0].key, FORM];
        const key = createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 20);
        places.push({ set: benchmark.name, scenario: shift.name, question: one.question.key, key });
        return [{ key, asked: other, moves }];
      });
      if (shifted.length) tasks.push({ input: { clean: one, answer, shifted }, keys: shifted.map(({ key }) => key) });
    }
  }
  const explain = async ({ prompt, turn }: Asked, answer: string, signal?: AbortSignal): Promise<AnswerAttribution> => {
    const pair = { image: await turn.pictures[0].read(), text: prompt };
    return attributor.attribute(pair, { answer, modality: 'image', parts: 'none', seed: context.seed, signal });
  };
  const pool = localPool<Moving, MovedMap>(async ({ clean, answer, shifted }, { signal, onCell, onProgress }) => {
    let before: AnswerAttribution | undefined;
    for (const [s, { key, asked, moves }] of shifted.entries()) {
      try {
        before ??= await explain(clean, answer, signal);
        const boxes = moves ? undefined : await clean.question.boxes?.();
        await onCell(key, { result: movedMap(before, await explain(asked, answer, signal), boxes) });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof NarrowsError)) throw error;
        await onCell(key, { failure: error.message });
      }
      onProgress((s + 1) / shifted.length);
    }
  });
  await runPlan(tasks, store, pool, {
    ...{ label: 'Explaining', unit: 'questions', signal: context.signal },
    progress: options => context.progress(options),
    onInfo: message => context.log.info(message),
    onWarning: message => context.log.warn(message),
  });
  const found = new Map<string, Map<string, Map<string, MovedMap>>>();
  const failed = new Map<string, number>();
  for (const { set, scenario, question, key } of places) {
    const result = store.result(key);
    const reason = store.failure(key);
    if (reason !== undefined) failed.set(reason, (failed.get(reason) ?? 0) + 1);
    if (!result) continue;
    const ofSet = found.get(set) ?? new Map<string, Map<string, MovedMap>>();
    found.set(set, ofSet.set(scenario, (ofSet.get(scenario) ?? new Map<string, MovedMap>()).set(question, result)));
  }
  for (const [reason, count] of failed) context.log.warn(`${count} ${count === 1 ? 'map is' : 'maps are'} missing: ${reason}`);
  return found;
}

const interval = (of: Estimate): string => `${of.estimate.toFixed(3)} [${of.low.toFixed(3)}, ${of.high.toFixed(3)}]`;

/** A scenario's maps in words. @param told whether enough answers break and stay right to say what maps foretell */
function inWords({ correlation, n, mass, auc, controlAuc, broken, rightClean }: MapMovement, told: boolean): string {
  const moved = `maps agree with the clean ones by ${interval(correlation)} (n = ${n})`;
  const on = mass ? `; on the thing asked for lies ${interval(mass.shifted)} of a map, clean ${interval(mass.clean)} (n = ${mass.n})` : '';
  const foretold = told
    ? `which right answers stay right is foretold with AUC ${interval(auc!)}, by the clean answer's own probability with ${interval(controlAuc!)}`
    : 'too few answers break or stay right to say what maps foretell';
  return `${moved}${on}; ${foretold} (${broken} of ${rightClean} broke).`;
}

/**
 * The results with figures of each scenario's maps among the distances, and a line each for the terminal: `map_correlation` (mean rank correlation
 * with the clean maps), `map_mass` (mean share on the thing asked for, where its place is known) and, where ten answers break and ten stay right,
 * `map_auc` (how well an unmoved map foretells that a right answer stays right). All figures with their intervals are in `maps.json`.
 */
export async function joinMaps(
  context: Context,
  results: EvaluationResults,
  sets: readonly ScoredSetOfRun[],
  moved: MovedMaps,
  output: string,
): Promise<{ readonly results: EvaluationResults; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const random = new RandomStream(context.seed, 'evaluate.maps');
  const path = join(output, 'maps.json');
  const written: Record<string, Record<string, MapMovement>> = {};
  let joined = results;
  for (const { benchmark, scenarios } of sets) {
    const clean = scenarios.find(({ scenario }) => scenarioKind(scenario) === 'clean');
    const distances = new Map<string, Record<string, number>>();
    for (const { scenario, rows } of scenarios) {
      const maps = moved.get(benchmark)?.get(scenario.name);
      const found = clean && maps && mapMovement(maps, clean.rows, rows, random);
      if (!found) continue;
      written[benchmark] = { ...written[benchmark], [scenario.name]: found };
      const { auc, broken, rightClean, correlation, mass } = found;
      const told = auc !== undefined && Math.min(broken, rightClean - broken) >= LEAST;
      distances.set(scenario.name, {
        map_correlation: correlation.estimate,
        ...(mass ? { map_mass: mass.shifted.estimate } : {}),
        ...(told ? { map_auc: auc.estimate } : {}),
      });
      lines.push(`${benchmark}, ${scenario.name}: ${inWords(found, told)}`);
    }
    if (distances.size) joined = withDistances(joined, benchmark, distances as Distances, path);
  }
  await writeFileAtomic(path, `${JSON.stringify({ schemaVersion: 1, sets: written }, null, 2)}\n`);
  return { results: joined, lines };
}
