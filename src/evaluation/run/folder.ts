/** @file The folder of a run: what was asked of whom (`run.json`), the questions, and a file of answers per set and scenario. */
import { z } from 'zod';
import { readJson } from '../../checkpoints/disk.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { createHash } from '../../node/hash.ts';
import { join } from '../../node/paths.ts';
import { scenarioKey } from '../../shifts/suites/scenario.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson, parseExact } from '../../system/exact-json.ts';
import { version as VERSION } from '../../system/version.ts';
import type { Question } from '../benchmarks/question.ts';
import type { Scenario } from './scenario.ts';

/** Raised when files of before can no longer be read. */
const SCHEMA_VERSION = 1;

const choice = z.object({ shift: z.string(), severity: z.number(), options: z.record(z.string(), z.unknown()).optional() });
const scenarioSchema: z.ZodType<Scenario> = z.object({ name: z.string(), image: choice.optional(), text: choice.optional() });

const setSchema = z.object({
  benchmark: z.string(),
  /** What was loaded: `--data`, `--split`, `--limit`. */
  load: z.record(z.string(), z.unknown()),
  prompt: z.string(),
  /** New tokens that an answer may have. */
  maxNewTokens: z.number(),
  questions: z.number(),
  /** Of keys, words, options and right answers. */
  hash: z.string(),
  scenarios: z.array(scenarioSchema),
  warnings: z.array(z.string()),
});

const runSchema = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  narrows: z.string(),
  model: z.string(),
  settings: z.record(z.string(), z.unknown()),
  seed: z.number(),
  sets: z.array(setSchema),
  warnings: z.array(z.string()),
});

/** What `run.json` holds. */
export type RunRecord = z.infer<typeof runSchema>;
/** What a run says of itself before it is written. */
export type RunFacts = Omit<RunRecord, 'schemaVersion' | 'narrows'>;
/** A set of it. */
export type RunSet = RunRecord['sets'][number];

/** Of everything that decides what is asked and what is right. */
export const hashOf = (questions: readonly Question[]): string =>
  createHash('sha256')
    .update(
      exactJson(
        questions.map(({ key, text, options, answers, context, pictures }) => [
          key,
          text,
          options,
          answers,
          context,
          pictures.map(p => p.id),
        ]),
      ),
    )
    .digest('hex')
    .slice(0, 16);

/** A name as part of a path. */
const safe = (name: string): string => name.replaceAll(/[^\w.@+-]+/g, '_');

/** Where the answers of a set under a scenario stand. */
export const answersPath = (output: string, benchmark: string, scenario: string): string =>
  join(output, 'answers', safe(benchmark), `${safe(scenario)}.jsonl`);
/** Where the questions of a set stand. */
export const questionsPath = (output: string, benchmark: string): string => join(output, 'questions', `${safe(benchmark)}.jsonl`);
const recordPath = (output: string): string => join(output, 'run.json');

/** A question as `questions/NAME.jsonl` keeps it: everything but its pictures' bytes. */
export interface StoredQuestion extends Omit<Question, 'pictures'> {
  readonly pictures: readonly { readonly id: string; readonly source: string }[];
}

/** Writes the questions of a set. @throws NarrowsError where they cannot be written */
export async function writeQuestions(output: string, benchmark: string, questions: readonly Question[]): Promise<void> {
  const lines = questions.map(({ boxes: _, ...question }) => {
    const pictures = question.pictures.map(({ id, source }) => ({ id, source }));
    return `${exactJson({ ...question, pictures })}\n`;
  });
  await writeFileAtomic(questionsPath(output, benchmark), lines.join(''));
}

/** The questions of a set as a run keeps them; their pictures cannot be read. @throws NarrowsError where the file is missing or damaged */
export async function readStoredQuestions(output: string, benchmark: string): Promise<Question[]> {
  const path = questionsPath(output, benchmark);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new NarrowsError(`${path} is missing, so ${output} holds no whole run; run narrows evaluate with this output again.`);
  });
  return text
    .split('\n')
    .filter(line => line !== '')
    .map((line, i) => {
      try {
        const stored = parseExact(line) as StoredQuestion;
        const pictures = stored.pictures.map(picture => ({
          ...picture,
          read: () => Promise.reject(new NarrowsError(`${picture.source} is not part of ${output}; name the data with --data.`)),
        }));
        return { ...stored, pictures };
      } catch (error) {
        throw new NarrowsError(`${path}, line ${i + 1} is damaged; run narrows evaluate with this output again.`, { cause: error });
      }
    });
}

/** What a folder says of its run; undefined where there is none. @throws NarrowsError for a `run.json` that is none */
export async function readRun(output: string): Promise<RunRecord | undefined> {
  const path = recordPath(output);
  const json = await readJson(path).catch(error => {
    if ((error as { cause?: { code?: string } }).cause?.code === 'ENOENT' || (error as { code?: string }).code === 'ENOENT')
      return undefined;
    throw error;
  });
  if (json === undefined) return undefined;
  const parsed = runSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new NarrowsError(`${path} is not the record of a run that this version of Narrows (${VERSION}) reads; choose another output.`);
}

/** @throws NarrowsError where it cannot be written */
export const writeRun = (output: string, run: RunFacts): Promise<void> =>
  writeFileAtomic(recordPath(output), `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, narrows: VERSION, ...run }, undefined, 2)}\n`);

/** Names of keys whose values differ. */
function differing(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(key => exactJson(a[key] ?? null) !== exactJson(b[key] ?? null));
}

/**
 * What a folder's record becomes when a run with these sets goes on in it: sets of before stay, a set that is asked again keeps its
 * scenarios and gets further ones.
 * @param questionsOf a set of `now`: of more questions than before, the first must be those of before
 * @throws NarrowsError (usage) for answers of another model, other settings, another seed, other questions or another shift under the same name
 */
export function mergeRun(
  output: string,
  before: RunRecord | undefined,
  now: RunFacts,
  questionsOf: (benchmark: string) => readonly Question[],
): RunFacts {
  if (!before) return now;
  const refuse = (what: string): never => {
    throw new NarrowsError(`${output} holds a run ${what}; choose another --output.`, { kind: 'usage' });
  };
  if (before.model !== now.model) refuse(`of the model ${JSON.stringify(before.model)}, not of ${JSON.stringify(now.model)}`);
  if (before.seed !== now.seed) refuse(`with the seed ${before.seed}, not ${now.seed}`);
  const other = differing(before.settings, now.settings);
  if (other.length > 0) refuse(`with other settings (${other.join(', ')})`);
  const sets = new Map(before.sets.map(set => [set.benchmark, set]));
  for (const set of now.sets) {
    const old = sets.get(set.benchmark);
    if (old && old.maxNewTokens !== set.maxNewTokens)
      refuse(`that gave ${set.benchmark} ${old.maxNewTokens} tokens for an answer, not ${set.maxNewTokens}`);
    if (old && old.prompt !== set.prompt) refuse(`that asked ${set.benchmark} with the prompt ${old.prompt}, not ${set.prompt}`);
    const begins = (n: number): boolean => hashOf(questionsOf(set.benchmark).slice(0, n)) === old?.hash;
    if (old && old.hash !== set.hash && (old.questions >= set.questions || !begins(old.questions)))
      refuse(
        `over ${old.questions > set.questions ? 'more' : 'other'} questions of ${set.benchmark} (${old.questions}; now ${set.questions})`,
      );
    for (const scenario of set.scenarios) {
      const same = old?.scenarios.find(({ name }) => name === scenario.name);
      if (same && scenarioKey(same) !== scenarioKey(scenario)) refuse(`in which ${scenario.name} is another shift`);
    }
    const names = new Set(set.scenarios.map(({ name }) => name));
    const kept = (old?.scenarios ?? []).filter(({ name }) => !names.has(name));
    sets.set(set.benchmark, { ...set, scenarios: [...kept, ...set.scenarios] });
  }
  return { ...now, sets: [...sets.values()] };
}

/** Flags by the keys of `settings.shifts` and `settings.pictures`. */
const MEANS: Readonly<Record<string, string>> = {
  frostTextures: '--frost-textures',
  translations: '--translations',
  referenceSize: '--reference-size',
  autoOrient: '--auto-orient',
  window: '--window',
  frame: '--frame',
};

/** How pictures were read, as a run's settings keep it. */
export const pictureSettings = ({ autoOrient = false, window = 'auto', frame }: ImageReadOptions = {}): Record<string, unknown> => ({
  autoOrient,
  window,
  ...(frame === undefined ? {} : { frame }),
});

/**
 * Holds how pictures are read and what shifts are made with now against how it was when a run was asked.
 * @param key as `AnswerSetsOptions.meansKey` @throws NarrowsError (usage) where pictures or words would be other ones
 */
export function checkMeans(
  output: string,
  { settings }: Pick<RunRecord, 'settings'>,
  { key = {}, pictures }: { readonly key?: Readonly<Record<string, unknown>>; readonly pictures?: ImageReadOptions },
): void {
  const thenShifts = (settings.shifts ?? {}) as Readonly<Record<string, unknown>>;
  const thenPictures = { ...pictureSettings(), ...(settings.pictures as Readonly<Record<string, unknown>> | undefined) };
  const other = [...differing(thenShifts, key), ...differing(thenPictures, pictureSettings(pictures))].map(name => MEANS[name] ?? name);
  if (other.length > 0)
    throw new NarrowsError(`${output} was asked with other ${other.join(', ')}; give what the run was given.`, { kind: 'usage' });
}
