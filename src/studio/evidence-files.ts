/** @file `results.json` of a comparison and of an evaluation, read for the page. What a file says is checked: it may come from anybody. */
import { z } from 'zod';
import type { EvaluationResults } from '../evaluation/run/results.ts';
import type { CaseView, ComparisonView, PartView, RobustnessView } from './evidence.ts';
import { StudioError } from './protocol.ts';

const number = z.number().nullable();
const interval = z
  .object({ estimate: number, low: number, high: number })
  .transform(({ estimate, low, high }) => ({ value: estimate, low, high }));
const row = z.object({
  method: z.string(),
  value: interval,
  pairs: z.number(),
  undefinedPairs: z.number(),
  seeds: z.number(),
  partial: z.boolean(),
  rank: z.number().optional(),
  best: z.boolean(),
  toReference: z
    .object({ difference: interval, signFlipHolm: number, verdict: z.enum(['better', 'worse', 'alike', 'unknown']) })
    .transform(({ difference, signFlipHolm, verdict }) => ({ difference, p: signFlipHolm, verdict }))
    .optional(),
});
const rectangle = z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() });
const picture = z.string().regex(/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/=]+$/, 'is no picture');
const galleryCase = z.object({
  place: z.enum(['best', 'median', 'worst']),
  metric: z.string(),
  pair: z.string(),
  caption: z.string(),
  grid: z.tuple([z.number(), z.number()]).optional(),
  view: rectangle.optional(),
  words: z.array(z.string()).optional(),
  picture,
  maps: z.array(z.object({ method: z.string(), unit: z.enum(['nats', 'score']), value: number, values: z.array(number) })),
});
const modality = z.enum(['image', 'text']);
const part = z.object({
  group: z.string(),
  modality,
  pairs: z.array(z.unknown()),
  skipped: z.record(z.string(), z.string()).optional(),
  failures: z.record(z.string(), z.number()).optional(),
  gallery: z.array(galleryCase),
});
const named = { name: z.string(), title: z.string() };
const comparison = z.object({
  schemaVersion: z.literal(2),
  title: z.string().optional(),
  model: z.object({ name: z.string(), sha256: z.string() }),
  data: z.object({ name: z.string(), samples: z.number(), style: z.string().optional() }),
  seeds: z.array(z.number()),
  reference: z.string(),
  methods: z.array(z.object({ ...named, family: z.string(), options: z.record(z.string(), z.unknown()) })),
  metrics: z.array(z.object({ ...named, category: z.string(), direction: z.string(), unit: z.string(), reading: z.string() })),
  warnings: z.array(z.string()).optional(),
  provenance: z.record(z.string(), z.union([z.string(), z.number()])),
  parts: z.array(part),
  analysis: z.object({
    level: z.number(),
    alpha: z.number(),
    parts: z.array(
      z.object({
        group: z.string(),
        modality,
        meanRank: z.record(z.string(), z.number()),
        tables: z.array(z.object({ metric: z.string(), best: z.string().optional(), rows: z.array(row) })),
      }),
    ),
  }),
});

/** Largest results.json that is read, in bytes: a page that shows more is of no use to anybody. */
export const MOST_EVIDENCE = 100e6;

/** @throws StudioError `input` for a file that is too large */
export function checkEvidenceSize(bytes: number, name: string): void {
  if (bytes <= MOST_EVIDENCE) return;
  throw new StudioError(
    'input',
    `${name} has ${Math.round(bytes / 1e6)} MB, and the studio reads ${MOST_EVIDENCE / 1e6} MB at most; open the report.html beside it instead.`,
  );
}

/** @throws StudioError `input` that names the file and the first place that is wrong */
function read<T>(text: string, name: string, what: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new StudioError('input', `${name} is not JSON; give the results.json of ${what}.`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new StudioError('input', `${name} does not hold the results of ${what} (${path.join('.') || 'the whole'}: ${message}).`);
}

/** The text of a file that the person chose. @throws StudioError `input` for one that is too large */
export async function evidenceText({ file, name }: { readonly file: Blob; readonly name: string }): Promise<string> {
  checkEvidenceSize(file.size, name);
  return file.text();
}

/** A comparison from the text of its `results.json`. @throws StudioError `input` for anything else */
export function comparisonView(text: string, name: string): ComparisonView {
  const { analysis, parts, schemaVersion: _, ...head } = read(text, name, '`narrows compare`', comparison);
  const views = parts.map((each): PartView => {
    const tables = analysis.parts.find(a => a.group === each.group && a.modality === each.modality);
    if (!tables)
      throw new StudioError('input', `${name} has no tables of its part "${each.group}" (${each.modality}); write the report again.`);
    for (const one of each.gallery) checkCase(one, each.modality, name);
    return { ...each, pairs: each.pairs.length, tables: tables.tables, meanRank: tables.meanRank };
  });
  // Names of families, categories and directions are shown, never decided by.
  return { ...head, level: analysis.level, alpha: analysis.alpha, parts: views } as ComparisonView;
}

/** Every map of a case has a value per patch or word. */
function checkCase({ grid, view, words, maps, pair }: CaseView, side: 'image' | 'text', name: string): void {
  const count = side === 'image' ? (grid && view ? grid[0] * grid[1] : undefined) : words?.length;
  const wrong = maps.find(map => map.values.length !== count);
  if (count === undefined || wrong)
    throw new StudioError('input', `${name}: the map${wrong ? ` of "${wrong.method}"` : ''} of the pair ${pair} does not fit its ${side}.`);
}

const score = z.looseObject({ metrics: z.record(z.string(), number), interval: z.looseObject({ low: number, high: number }) });
const evaluation = z.looseObject({
  schemaVersion: z.literal(1),
  model: z.string(),
  sets: z.array(
    z.looseObject({
      benchmark: z.string(),
      title: z.string(),
      primary: z.string(),
      best: z.number(),
      questions: z.number(),
      warnings: z.array(z.string()),
      scenarios: z.array(
        z.looseObject({
          scenario: z.looseObject({ name: z.string() }),
          kind: z.enum(['clean', 'visual', 'textual', 'joint']),
          score,
          unanswered: z.number(),
        }),
      ),
    }),
  ),
  worst: z.array(
    z.looseObject({ benchmark: z.string(), key: z.string(), text: z.string(), right: z.array(z.string()), wrong: z.array(z.unknown()) }),
  ),
  warnings: z.array(z.string()),
});

/** An evaluation from the text of its `results.json`. @param pictures of `results.worst`, where there are any @throws StudioError `input` for anything else */
export function robustnessView(text: string, name: string, pictures: RobustnessView['pictures'] = []): RobustnessView {
  const results = read(text, name, '`narrows evaluate`', evaluation) as unknown as EvaluationResults;
  return { name, results, pictures };
}
