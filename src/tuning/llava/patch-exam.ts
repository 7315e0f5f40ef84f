/** @file What projected patches of held-out scenes say: the word of their thing, the background's colour, and where they are. */
import type { CompiledGraph } from '../../graph/index.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import type { BatchFigures, Exam } from '../evaluation.ts';
import { PATCH_COLORS, PATCH_WORDS } from './patch-labels.ts';
import { patchPlaces } from './patch-places.ts';
import { PATCH_THINGS, THING_FACTS } from './thing-facts.ts';

/** Sums over patches, from which R² follows: their number, squared error, and the places' sums and sums of squares, for x and y. */
class PlaceSums {
  private readonly sums = [0, 0, 0, 0, 0, 0, 0];
  add([x, y]: readonly number[], [wantX, wantY]: readonly number[]): void {
    [1, (x - wantX) ** 2, (y - wantY) ** 2, wantX, wantY, wantX ** 2, wantY ** 2].forEach((v, i) => {
      this.sums[i] += v;
    });
  }
  get all(): readonly number[] {
    return this.sums;
  }
}

/** Of what patches of things say of them: per number their count, squared error, sum and sum of squares. */
class FactSums {
  readonly all = THING_FACTS.flatMap(() => [0, 0, 0, 0]);
  /** @param said [N, 4] @param asked the same @param at first number of the patch */
  add(said: ArrayLike<number>, asked: ArrayLike<number>, at: number): void {
    for (let i = 0; i < THING_FACTS.length; i++) {
      const want = asked[at + i];
      [1, (said[at + i] - want) ** 2, want, want ** 2].forEach((v, j) => {
        this.all[4 * i + j] += v;
      });
    }
  }
}

/** Coefficient of determination of each of the four numbers. */
const factFigures = (sums: readonly number[]): Record<string, number> =>
  Object.fromEntries(
    THING_FACTS.map((name, i) => {
      const [n, error, sum, squares] = sums.slice(4 * i, 4 * i + 4);
      return [`eval_thing_${name}`, 1 - error / (squares - sum ** 2 / n)];
    }),
  );

/** Mean of both coefficients of determination. */
function determination([n, errorX, errorY, x, y, xx, yy]: readonly number[]): number {
  return 1 - (errorX / (xx - x ** 2 / n) + errorY / (yy - y ** 2 / n)) / 2;
}

/** Index of the largest of `count` values from `at`. */
function best(values: Float32Array, at: number, count: number): number {
  let top = 0;
  for (let v = 1; v < count; v++) if (values[at + v] > values[at + top]) top = v;
  return top;
}

/**
 * `eval_patch_words`, `eval_patch_background`: share of patches whose likeliest word of the whole vocabulary is right; `eval_patch_place`,
 * `eval_patch_place_things`: R² of column and row, over all patches and over those of things. Where patches are asked for what they say of
 * their things, `eval_thing_column`, `…_row`, `…_size`, `…_middle`: R² of these over the patches of things.
 * @param batches pixels and labels (`PatchLabels.feeds`) @param graph gives `logits`, `places` and, where asked for, `things` (`readPatches`)
 */
export function patchExam(
  config: LlavaConfig,
  batches: readonly { readonly key: string; readonly feeds: Feeds }[],
  { graph, weights }: { readonly graph: CompiledGraph; readonly weights: Feeds },
  amplitude?: number,
): Exam {
  const where = patchPlaces(config, amplitude);
  const compute = async (feeds: Feeds): Promise<BatchFigures> => {
    const { [PATCH_WORDS]: words, [PATCH_COLORS]: colors, [PATCH_THINGS]: asked, ...pixels } = feeds;
    const { logits, places, things: said } = await graph.run({ ...weights, ...pixels });
    const facts = new FactSums();
    const [scores, at] = [logits.data as Float32Array, places.data as Float32Array];
    const vocabulary = logits.shape[2];
    const [thing, background] = [
      [0, 0],
      [0, 0],
    ];
    const [all, things] = [new PlaceSums(), new PlaceSums()];
    for (let k = 0; k < words.data.length; k++) {
      const isThing = Number(words.data[k]) !== -100;
      const counts = isThing ? thing : background;
      counts[0] += best(scores, k * vocabulary, vocabulary) === Number((isThing ? words : colors).data[k]) ? 1 : 0;
      counts[1]++;
      if (isThing && asked) facts.add(said.data as Float32Array, asked.data as Float32Array, k * THING_FACTS.length);
      const n = (2 * k) % where.length;
      for (const sums of isThing ? [all, things] : [all]) sums.add([at[2 * k], at[2 * k + 1]], [where[n], where[n + 1]]);
    }
    return { thing, background, place: all.all, things: things.all, ...(asked ? { facts: facts.all } : {}) };
  };
  return {
    name: 'patches of scenes',
    batches: batches.map(({ key, feeds }) => ({ units: feeds[PATCH_WORDS].shape[0], key, compute: () => compute(feeds) })),
    figures(results) {
      const total = (name: string): number[] =>
        results.map(result => result[name]).reduce<number[]>((sum, values) => values.map((v, i) => v + (sum[i] ?? 0)), []);
      const share = ([right, of]: readonly number[]): number => right / of;
      return {
        eval_patch_words: share(total('thing')),
        eval_patch_background: share(total('background')),
        eval_patch_place: determination(total('place')),
        eval_patch_place_things: determination(total('things')),
        ...(results[0]?.facts ? factFigures(total('facts')) : {}),
      };
    },
  };
}
