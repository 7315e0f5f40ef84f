/** The exam on phantom chests, sat by encoders whose answers are known: one that sees every finding, and its reverse. */
import { expect, it } from 'vitest';
import type { Feeds } from '../../runtime/runtime.ts';
import { drawChest } from '../../scenes/chest/chest.ts';
import { PLACES, phraseOf, placeIndex, reportSentences, reportText } from '../../scenes/chest/report.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { ChestBatchSettings } from './chest-batch.ts';
import { chestExam, rankedRight } from './chest-exam.ts';
import { ChestTexts } from './chest-texts.ts';
import type { Encoders } from './evaluate.ts';

const SAMPLES = 12;
const settings: ChestBatchSettings = {
  ...{ imageSize: 48, patchSize: 16, imageMean: [0.5, 0.5, 0.5], imageStd: [0.5, 0.5, 0.5], seed: 5 },
  ...{ batchSize: 2, maxLength: 48, maxFindings: 3, keptPatches: [] },
};
const width = PLACES.length;
const [chests, reports] = ['eval.chests', 'eval.reports'].map(name => new RandomStream(settings.seed, name));
const drawn = Array.from({ length: SAMPLES }, (_, b) => {
  const { findings } = drawChest({ width: 48, height: 48, maxFindings: 3 }, chests.reader(0, b));
  return { here: findings.map(placeIndex), report: reportText(reportSentences(findings, reports.reader(0, b))) };
});
/** 1 where a finding is, −1 where none is: equal vectors have the largest product. */
const signs = (here: readonly number[]): number[] => Array.from({ length: width }, (_, p) => (here.includes(p) ? 1 : -1));

/** Encoders that know by heart what they are shown. @param sign −1: pictures say the reverse of what they show */
function encoders(sign: 1 | -1): Encoders {
  const texts = new ChestTexts(settings.maxLength);
  const known = new Map<string, number[]>();
  const key = (ids: readonly number[]): string => ids.join();
  const learn = (text: string, vector: number[]): void => {
    const { ids, eos } = texts.tensors([text]);
    known.set(key([...(ids.data as Int32Array)].slice(0, Number(eos.data[0]) + 1)), vector);
  };
  for (const [p, { finding, place }] of PLACES.entries()) {
    learn(
      phraseOf(finding.name, place),
      Array.from({ length: width }, (_, i) => (i === p ? 1 : 0)),
    );
    learn(finding.absent[0], new Array(width).fill(0));
  }
  for (const { here, report } of drawn) learn(report, signs(here));
  let shown = 0;
  const image = async ({ patches }: Feeds) => {
    const count = patches.shape[0];
    const rows = drawn.slice(shown, shown + count).flatMap(({ here }) => signs(here).map(v => sign * v));
    shown += count;
    return { embeds: floats([count, width], Float32Array.from(rows)) };
  };
  const text = async ({ ids, eos }: Feeds) => {
    const [count, length] = ids.shape;
    const rows = Array.from({ length: count }, (_, i) => {
      const row = [...(ids.data as Int32Array)].slice(i * length, i * length + Number(eos.data[i]) + 1);
      return known.get(key(row)) ?? expect.fail('a text that the exam should not ask');
    });
    return { embeds: floats([count, width], Float32Array.from(rows.flat())) };
  };
  return { image: { run: image }, text: { run: text } } as unknown as Encoders;
}

async function figures(sign: 1 | -1): Promise<Record<string, number>> {
  const exam = chestExam(encoders(sign), {}, settings, SAMPLES);
  expect(exam.batches.reduce((sum, batch) => sum + batch.units, 0)).toBe(SAMPLES);
  const results = [];
  for (const batch of exam.batches) results.push(await batch.compute());
  return exam.figures(results);
}

it('gives full marks to one that sees every finding, and none to its reverse', async () => {
  expect(drawn.flatMap(d => d.here).length).toBeGreaterThan(6);
  // Chests with the same findings and other words tie, which does not count as found.
  const tied = drawn.filter(a => drawn.some(b => b.report !== a.report && signs(b.here).join() === signs(a.here).join()));
  expect(tied.length).toBeLessThan(SAMPLES / 2);
  const eval_retrieval = 1 - tied.length / SAMPLES;
  expect(await figures(1)).toEqual({
    eval_finding_auc: 1,
    eval_side: 1,
    eval_opposite: 1,
    eval_retrieval: expect.closeTo(eval_retrieval, 9),
  });
  const reverse = await figures(-1);
  expect(reverse).toMatchObject({ eval_finding_auc: 0, eval_side: 0, eval_opposite: 0 });
  expect(reverse.eval_retrieval).toBeLessThan(0.2);
});

it('ranks by hand: shares of pairs in the right order, ties half', () => {
  expect(rankedRight([3, 1, 2, 2], [1, 0, 0, 1])).toBe((2 + 1.5) / 4);
  expect(rankedRight([1, 2], [1, 1])).toBeNaN();
});
