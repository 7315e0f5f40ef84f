/** @file The whole measurement on golden embeddings, on files, and what it warns of and refuses. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { EmiEncoders } from './encoders.ts';
import { fitEstimators, likelihoodGain } from './estimate.ts';
import { groupItems } from './groups.ts';
import { measureEmi } from './measure-emi.ts';
import { readEmiFiles } from './read-files.ts';
import { emiCsv, emiRows } from './results.ts';
import type { EmiItem, EmiSet } from './sets.ts';
import { goldenClub, goldenSet, goldenValues } from './testing/golden.ts';

const runtime = nodeRuntime({ threads: 1 });
const folder = await mkdtemp(join(tmpdir(), 'emi-files-'));
afterAll(() => rm(folder, { recursive: true }));

/** Encoders that look rows up: a picture of 1 × 1 holds a number in its red, green and blue bytes, and so does a text. */
class Lookup {
  readonly rows: Float64Array[] = [];
  private readonly places = new Map<string, number>();
  add(row: ArrayLike<number>): number {
    const name = Array.from(row).join();
    const known = this.places.get(name);
    if (known !== undefined) return known;
    this.places.set(name, this.rows.length);
    return this.rows.push(Float64Array.from(row)) - 1;
  }
  get encoders(): EmiEncoders {
    const width = this.rows[0].length;
    return {
      pictures: {
        name: 'looked-up pictures',
        width,
        embed: async images => images.map(({ data: [r, g, b] }) => this.rows[(r << 16) | (g << 8) | b]),
      },
      texts: { name: 'looked-up texts', width, embed: async texts => ({ rows: texts.map(text => this.rows[Number(text)]), warnings: [] }) },
      joining: 'mean',
      warnings: [],
      [Symbol.asyncDispose]: async () => {},
    };
  }
  item(key: string, picture: string, rows: readonly ArrayLike<number>[], score?: number): EmiItem {
    const [visual, question, answer, reference] = rows.map(row => this.add(row));
    const data = Uint8Array.of(visual >> 16, (visual >> 8) & 255, visual & 255);
    const pictures = [{ id: picture, read: async () => ({ width: 1, height: 1, data }) }];
    return {
      key,
      pictures,
      question: String(question),
      answer: String(answer),
      reference: String(reference),
      ...(score === undefined ? {} : { score }),
    };
  }
}

function goldenEmiSet(lookup: Lookup, name: string, scored = false): EmiSet {
  const { visual, text, y, yHat } = goldenSet(name);
  const items = y.map((row, i) =>
    lookup.item(String(i), `${name}-${i}`, [visual[i], text[i], yHat[i], row], scored ? Number(i % 4 > 0) : undefined),
  );
  return { name, items };
}

describe('on golden embeddings with the golden estimator', () => {
  const lookup = new Lookup();
  const names = goldenValues.pearson.over;
  const source = goldenEmiSet(lookup, 'source', true);
  const targets = names.map((name, i) => goldenEmiSet(lookup, name, i > 0));
  const measured = measureEmi(runtime, lookup.encoders, source, targets, { estimator: goldenClub('after300'), entropy: 3.5 });

  it('equals the published code from end to end', async () => {
    const got = await measured;
    expect(got.source.emi).toBeCloseTo(goldenValues.sets.source.float64.emi, 7);
    for (const [i, target] of got.targets.entries()) {
      const golden = goldenValues.sets[names[i]];
      expect(target.emid.value).toBeCloseTo(golden.emid_float64, 7);
      expect(target.bound).toBeCloseTo(golden.equal_weights_float64.bound as number, 6);
      expect(target.boundWithEntropy).toBeCloseTo(golden['official_with_entropy_scaler_3.5'] as number, 4);
    }
  });

  it('gives intervals, accuracy where all answers are scored, and correlations of what it has', async () => {
    const got = await measured;
    const [first, second] = got.targets;
    expect(got.source).toMatchObject({ items: 40, clusters: 40, accuracy: 0.75 });
    expect(first.paired).toBe(false);
    expect(first.emid.low).toBeLessThan(first.emid.value);
    expect(first.emid.value).toBeLessThan(first.emid.high);
    expect(first.accuracyLost).toBeUndefined();
    expect(second.accuracyLost).toBe(0);
    // With the entropy factor the correlation is of the theorem's bound.
    expect(got.correlations.emidAndBound!.n).toBe(6);
    expect(got.correlations.emidAndAccuracyLost).toBeUndefined();
    expect(got.estimator).toEqual({ kind: 'given', folds: 1, units: 8, form: 'closed' });
    expect(got.warnings.join()).toMatch(/source, visual_1, visual_2 and 4 more have fewer than 500/);
  });

  it('as a table and as CSV', async () => {
    const { header, rows } = emiRows(await measured);
    for (const row of rows) expect(row).toHaveLength(header.length);
    const lines = emiCsv(await measured)
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toContain('emid_low');
    expect(lines[1]).toMatch(/^source,40,/);
    expect(new Set(lines.map(line => line.split(',').length)).size).toBe(1);
  });

  it("Pearson's r with the scaled bound equals the published one", async () => {
    const got = await measureEmi(runtime, lookup.encoders, source, targets, { estimator: goldenClub('after300'), weights: 'size' });
    expect(got.correlations.emidAndBound!.r).toBeCloseTo(goldenValues.pearson.r, 5);
    expect(got.correlations.emidAndBound!.interval).toBe('fisher-z');
  });

  it('a target equal to the source has EMID 0; unequal sizes are said, and not paired', async () => {
    const got = await measureEmi(runtime, lookup.encoders, source, [source, goldenEmiSet(lookup, 'fewer')], {
      estimator: goldenClub('after300'),
    });
    expect(got.targets[0].emid).toMatchObject({ value: 0, low: 0, high: 0 });
    expect(got.targets[1].paired).toBe(false);
    // Pairs go by question, not by place.
    const backwards = { name: 'backwards', items: source.items.toReversed() };
    const [again] = (await measureEmi(runtime, lookup.encoders, source, [backwards], { estimator: goldenClub('after300') })).targets;
    expect(again.paired).toBe(true);
    expect(again.emid.standardError).toBeLessThan(1e-12);
    expect(got.targets[1].emid.standardError).toBeGreaterThan(0);
    expect(got.warnings.join()).toMatch(/unequal size \(source has 40 items, fewer 29\)/);
  });
});

/** Items whose reference follows from the picture (or does not), and whose answer is the reference or noise. */
function madeSet(lookup: Lookup, name: string, n: number, link: number, right: number): EmiSet {
  const random = new RandomStream(4, 'emi-made');
  const unit = (sample: number, i: number): Float32Array => {
    const row = random.normals(sample, i, new Float32Array(6));
    const size = Math.hypot(...row);
    return row.map(v => v / size);
  };
  const items = Array.from({ length: n }, (_, i) => {
    const [visual, noise] = [unit(0, i), unit(1, i)];
    const reference = visual.map((v, k) => link * v + (1 - link) * noise[k]);
    return lookup.item(`q${i}`, `p${i >> 1}`, [visual, visual, i < right * n ? reference : unit(2, i), reference]);
  });
  return { name, items };
}

describe('with estimators of its own', () => {
  it('a model that answers at random loses information, and one that is right loses none', async () => {
    const lookup = new Lookup();
    const clean = madeSet(lookup, 'clean', 300, 0.9, 1);
    const broken = madeSet(lookup, 'broken', 300, 0.9, 0);
    const got = await measureEmi(runtime, lookup.encoders, clean, [broken], { steps: 150, learningRate: 0.01, units: 16 });
    expect(got.source.emi).toBe(0);
    expect(got.source.reference).toBeGreaterThan(0.2);
    expect(got.targets[0].paired).toBe(true);
    expect(got.targets[0].emid.low).toBeGreaterThan(0.2);
    expect(got.source.likelihoodGain).toBeGreaterThan(0);
    expect(got.source.clusters).toBe(150);
    expect(got.estimator).toMatchObject({ kind: 'trained', folds: 5, steps: 150, pairs: 600, units: 16 });
    expect(got.targets[0].divergences.visual).toBeLessThan(1e-9);
  });

  it('information of what is unrelated is about 0 with cross-fitting, and too high without, which is said', async () => {
    const lookup = new Lookup();
    const clean = madeSet(lookup, 'clean', 120, 0, 1);
    const options = { steps: 300, learningRate: 0.01, units: 64 };
    const crossed = await measureEmi(runtime, lookup.encoders, clean, [clean], options);
    const seen = await measureEmi(runtime, lookup.encoders, clean, [clean], { ...options, folds: 1 });
    expect(seen.source.reference).toBeGreaterThan(0.3);
    expect(Math.abs(crossed.source.reference)).toBeLessThan(seen.source.reference / 2);
    expect(crossed.source.likelihoodGain).toBeLessThan(0);
    expect(crossed.warnings.join()).toMatch(/predicts references of clean, clean no better than their mean/);
    expect(seen.warnings.join()).toMatch(/trained on the very pairs that it judges/);
  });

  it('negative information is said', async () => {
    const lookup = new Lookup();
    const flip = madeSet(lookup, 'flip', 60, 0.9, 1);
    const rowOf = (text: string): Float64Array => lookup.rows[Number(text)];
    const items = flip.items.map((item, i) => {
      const [question, reference] = [rowOf(item.question), rowOf(item.reference)];
      return lookup.item(item.key, `p${i >> 1}`, [question, question, reference.map(v => -v), reference]);
    });
    const opposite = { name: 'opposite', items };
    const got = await measureEmi(runtime, lookup.encoders, flip, [opposite], { steps: 150, learningRate: 0.01, units: 16, folds: 2 });
    expect(got.targets[0].model).toBeLessThan(0);
    expect(got.warnings.join()).toMatch(/came out negative for opposite/);
  });

  it('a gain is that over the mean', () => {
    const y = [[1], [-1]];
    const at = (mu: number[], logvar: number) => likelihoodGain({ mu: mu.map(v => [v]), logvar: mu.map(() => [logvar]) }, y);
    expect(at([0, 0], 0)).toBeCloseTo(0, 14);
    expect(at([1, -1], -1)).toBeCloseTo(1, 14);
  });
});

describe('groups and folds', () => {
  const item = (key: string, ...ids: string[]): EmiItem => ({
    key,
    pictures: ids.map(id => ({ id, read: () => Promise.reject(new Error()) })),
    question: '',
    answer: '',
    reference: key,
  });

  it('hold together what shares a question or a picture, also by way of others', () => {
    const [a, b] = groupItems([
      [item('1', 'x'), item('2', 'x'), item('3', 'y')],
      [item('1', 'z'), item('4', 'z'), item('3', 'y')],
    ]);
    expect(a[0]).toBe(a[1]);
    expect([b[0], b[1]]).toEqual([a[0], a[0]]);
    expect(b[2]).toBe(a[2]);
    expect(a[2]).not.toBe(a[0]);
  });

  it('need as many groups as folds', async () => {
    const pairs = {
      groups: ['a', 'a'],
      z: [
        [1, 0],
        [0, 1],
      ],
      y: [
        [1, 0],
        [0, 1],
      ],
    };
    await expect(fitEstimators(runtime, pairs, { steps: 1, units: 2 })).rejects.toThrow(/fall into 1 of 5 folds/);
  });
});

describe('files', () => {
  const write = async (name: string, rows: readonly object[]): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    return path;
  };
  const question = (id: number, more = {}) => ({ question_id: id, image: `${id}.png`, text: `What is ${id}?`, ...more });
  const text = (id: number) => ({ question_id: id, text: `it is ${id}` });

  it('are joined by id; what is missing is counted', async () => {
    const files = {
      name: 'clean',
      questions: await write('q.jsonl', [question(1), question(2), question(3), question(4, { image: undefined })]),
      answers: await write('a.jsonl', [text(4), text(3), text(1), text(9)]),
      references: await write('r.jsonl', [text(1), text(2), text(3), text(4)]),
    };
    const { items, warnings } = await readEmiFiles(files);
    expect(items.map(i => [i.key, i.question, i.answer, i.pictures[0].id])).toEqual([
      ['1', 'What is 1?', 'it is 1', '1.png'],
      ['3', 'What is 3?', 'it is 3', '3.png'],
    ]);
    expect(warnings).toEqual([
      '1 of 4 questions of clean have no answer and are left out.',
      '1 of 4 questions of clean have no picture and are left out.',
      `1 answers in ${files.answers} belong to no question of ${files.questions} and are not used.`,
    ]);
    await expect(items[0].pictures[0].read()).rejects.toThrow(/1\.png/);
  });

  it('are refused in a sentence', async () => {
    const questions = await write('q2.jsonl', [question(1)]);
    const good = await write('t2.jsonl', [text(1)]);
    const base = { name: 'x', questions, answers: good, references: good };
    const twice = await write('twice.jsonl', [text(1), text(1)]);
    await expect(readEmiFiles({ ...base, answers: twice })).rejects.toThrow(
      /twice\.jsonl, line 2: question_id 1 stands in .*line 1 already/,
    );
    const bare = await write('bare.jsonl', [{ question_id: 1 }]);
    await expect(readEmiFiles({ ...base, references: bare })).rejects.toThrow(/bare\.jsonl, line 1: .*has no text/);
    const other = await write('other.jsonl', [text(7)]);
    await expect(readEmiFiles({ ...base, answers: other })).rejects.toThrow(/No question of .*q2\.jsonl has a picture/);
    const doubled = await write('doubled.jsonl', [question(1), question(1)]);
    await expect(readEmiFiles({ ...base, questions: doubled })).rejects.toThrow(/doubled\.jsonl, line 2: question_id 1 stands in/);
  });
});

describe('refusals', () => {
  it('no targets, no items, no picture', async () => {
    const lookup = new Lookup();
    const set = madeSet(lookup, 'clean', 10, 0.9, 1);
    await expect(measureEmi(runtime, lookup.encoders, set, [])).rejects.toThrow(/at least one target/);
    await expect(measureEmi(runtime, lookup.encoders, { name: 'none', items: [] }, [set])).rejects.toThrow(/The set none has no items/);
    const blind = { name: 'blind', items: [{ ...set.items[0], pictures: [] }] };
    await expect(measureEmi(runtime, lookup.encoders, blind, [set])).rejects.toThrow(/q0 of blind has no picture/);
    await expect(measureEmi(runtime, lookup.encoders, set, [set], { estimator: goldenClub('start') })).rejects.toThrow(/width 24, not 6/);
    await expect(measureEmi(runtime, lookup.encoders, set, [set], { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
