/** @file How well a CLIP knows phantom chests: which findings are there, on which side, and which report belongs to a picture. */
import type { Feeds } from '../../runtime/runtime.ts';
import { drawChest } from '../../scenes/chest/chest.ts';
import { findingOf } from '../../scenes/chest/registry.ts';
import { PLACES, phraseOf, placeIndex, reportSentences, reportText } from '../../scenes/chest/report.ts';
import { RandomStream } from '../../tensor/random.ts';
import { asFloats, floats, ints } from '../../tensor/tensor.ts';
import type { BatchFigures, Exam, ExamBatch } from '../evaluation.ts';
import { writePatches } from './batch.ts';
import { type ChestBatchSettings, chestRgb } from './chest-batch.ts';
import { ChestTexts } from './chest-texts.ts';
import { dot, type Encoders, meanOf, place, splitRows } from './evaluate.ts';

const CHUNK = 100;

/** Share of pairs (one with, one without) that the scores order rightly, ties half; NaN without both kinds. */
export function rankedRight(scores: readonly number[], labels: readonly number[]): number {
  const [yes, no] = [1, 0].map(label => scores.filter((_, i) => labels[i] === label));
  let right = 0;
  for (const a of yes) for (const b of no) right += a > b ? 1 : a === b ? 0.5 : 0;
  return right / (yes.length * no.length);
}

/** The exam on fresh chests. @param weights the model's tensors, or {} for frozen graphs @param samples chests */
export function chestExam(encoders: Encoders, weights: Feeds, settings: ChestBatchSettings, samples: number): Exam {
  const { imageSize, patchSize, seed, maxFindings } = settings;
  const texts = new ChestTexts(settings.maxLength);
  const grid = Math.floor(imageSize / patchSize) ** 2;
  const width = 3 * patchSize ** 2;
  const embed = async (list: readonly string[]): Promise<Float32Array[]> =>
    splitRows(asFloats((await encoders.text.run({ ...weights, ...texts.tensors(list) })).embeds), list.length);

  const compute = async (from: number, count: number): Promise<BatchFigures> => {
    const all = [...Array(grid).keys()];
    const pixels = new Float32Array(count * grid * width);
    const [chests, reports] = ['eval.chests', 'eval.reports'].map(name => new RandomStream(seed, name));
    const drawn = Array.from({ length: count }, (_, b) => {
      const chest = drawChest({ width: imageSize, height: imageSize, maxFindings }, chests.reader(0, from + b));
      writePatches(chestRgb(chest), settings, all, pixels, b * grid * width);
      return { findings: chest.findings, report: reportText(reportSentences(chest.findings, reports.reader(0, from + b))) };
    });
    const kept = ints(
      [count, grid],
      drawn.flatMap(() => all),
    );
    const { embeds } = await encoders.image.run({ ...weights, patches: floats([count, grid, width], pixels), kept });
    const images = splitRows(asFloats(embeds), count);
    const phrases = await embed(PLACES.map(p => phraseOf(p.finding.name, p.place)));
    const absent = await embed(PLACES.map(p => p.finding.absent[0]));
    const written = await embed(drawn.map(d => d.report));
    const figures: Record<string, number[]> = { scores: [], labels: [], side: [], opposite: [], retrieval: [] };
    for (const [b, { findings }] of drawn.entries()) {
      const here = findings.map(placeIndex);
      const scores = phrases.map(phrase => dot(images[b], phrase));
      figures.scores.push(...scores);
      figures.labels.push(...scores.map((_, i) => (here.includes(i) ? 1 : 0)));
      for (const finding of findings) {
        const at = placeIndex(finding);
        figures.opposite.push(scores[at] > dot(images[b], absent[at]) ? 1 : 0);
        if (!finding.side || !findingOf(finding.name).sided) continue;
        const mirrored = placeIndex({ ...finding, side: finding.side === 'left' ? 'right' : 'left' });
        if (!here.includes(mirrored)) figures.side.push(scores[at] > scores[mirrored] ? 1 : 0);
      }
      figures.retrieval.push(place(images[b], written, b, i => drawn[i].report === drawn[b].report) === 0 ? 1 : 0);
    }
    return figures;
  };
  return {
    name: 'fresh chests',
    batches: Array.from({ length: Math.ceil(samples / CHUNK) }, (_, i): ExamBatch => {
      const units = Math.min(CHUNK, samples - i * CHUNK);
      return { units, compute: () => compute(i * CHUNK, units) };
    }),
    figures(results) {
      const list = (key: string): number[] => results.flatMap(result => result[key]);
      const [scores, labels] = [list('scores'), list('labels')];
      const areas = PLACES.map((_, p) =>
        rankedRight(...([scores, labels].map(l => l.filter((_, i) => i % PLACES.length === p)) as [number[], number[]])),
      );
      const known = areas.filter(Number.isFinite);
      return Object.fromEntries(
        [['finding_auc', known] as const, ...(['side', 'opposite', 'retrieval'] as const).map(key => [key, list(key)] as const)].flatMap(
          ([key, values]) => (values.length ? [[`eval_${key}`, meanOf(values)]] : []),
        ),
      );
    },
  };
}
