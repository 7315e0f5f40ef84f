import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferenceTap } from '../../bottleneck/gaussian/llava.ts';
import { readBottleneck } from '../../bottleneck/gaussian/pretrained.ts';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { completeAnswers, examinePacked, packRows } from './packed-exam.ts';
import { type Examiner, type ExamRow, examGraph, examine, sceneExam } from './scene-eval.ts';
import { compileTower, encodeImages, examRows, towerOf } from './scene-task.ts';
import { type LlavaSource, llavaSource } from './source.ts';

const runtime = nodeRuntime({ threads: 1 });
let source: LlavaSource;
let rows: ExamRow[];
let apart: Examiner;
let packed: Examiner;
const graphs: CompiledGraph[] = [];

beforeAll(async () => {
  source = await llavaSource('scene-llava-vittle');
  const { config, entries, directory } = source;
  const exam = sceneExam(await loadSprites(), config.vision_config.image_size, 77, 5);
  rows = examRows(exam, config);
  const tower = await compileTower(runtime, towerOf(source));
  const features = await encodeImages(tower, towerOf(source), exam.images);
  const tap = inferenceTap((await readBottleneck(directory))!, imageTokens(config));
  const p = frozenParameters(entries, directory);
  const [one, all] = [await compile(runtime, examGraph(p, config, tap)), await compile(runtime, examGraph(p, config, tap, [], true))];
  graphs.push(tower, one, all);
  apart = { graph: one, config, rows, features, feeds: {} };
  packed = { ...apart, graph: all };
}, 120_000);
afterAll(async () => {
  for (const graph of graphs) await graph.release();
  await runtime.release();
});

describe('an exam with a row per scene', () => {
  it('gives the answers and likelihoods of a row per question, through a bottleneck too', { timeout: 120_000 }, async () => {
    const [a, b] = [await examine(apart), await examinePacked(packed)];
    expect(b.correct).toEqual(a.correct);
    expect(b.tokenAccuracy).toEqual(a.tokenAccuracy);
    for (const [i] of rows.entries()) {
      expect(b.logLikelihood[i]).toBeCloseTo(a.logLikelihood[i], 3);
      expect(b.answerLogProbability[i]).toBeCloseTo(a.answerLogProbability[i], 3);
      const answer = rows[i].labels.filter(label => label !== -100);
      // A right answer is said whole, without its end; of a wrong one what was said first is not what was asked for.
      if (b.correct[i]) expect(b.said[i]).toEqual(answer.slice(0, -1));
      else expect(b.said[i]).not.toEqual(answer.slice(0, -1));
    }
    expect(new Set(b.correct).size).toBe(2);
  });

  it('asks only what is chosen', { timeout: 120_000 }, async () => {
    const all = await examinePacked(packed);
    const some = await examinePacked(packed, { chosen: [7, 2] });
    expect(Object.keys(some.correct)).toEqual(['2', '7']);
    for (const i of [2, 7]) expect(some.logLikelihood[i]).toBeCloseTo(all.logLikelihood[i], 3);
    expect(packRows(rows, source.config.image_token_index, [2, 7]).flatMap(({ items }) => items)).toEqual([2, 7]);
  });

  it('goes on with wrong answers as greedy decoding does, token by token', { timeout: 120_000 }, async () => {
    const answers = await examinePacked(packed);
    const before = answers.said.map(said => [...said]);
    await completeAnswers(packed, answers, 20);
    // A description may go on beyond twenty tokens; there is one to a scene.
    expect(answers.complete.filter(Boolean).length).toBeGreaterThanOrEqual(rows.length - 5);
    for (const [i, row] of rows.entries()) {
      expect(answers.said[i].slice(0, before[i].length)).toEqual(before[i]);
      if (!answers.complete[i]) continue;
      // What was said is, asked as the right answer, right.
      const from = row.labels.findIndex(label => label !== -100);
      const end = row.ids.at(-1)!;
      const ids = [...row.ids.slice(0, from), ...answers.said[i], end];
      const asked = { scene: row.scene, ids, labels: ids.map((id, t) => (t < from ? -100 : id)) };
      expect((await examine({ ...apart, rows: [asked] })).correct, `row ${i}`).toEqual([true]);
    }
  });
});
