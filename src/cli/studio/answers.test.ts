/** @file Answers explained through the studio: the library's very maps word by word, costs before, warnings, stopping, programs that repeat it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repository } from '../../../test/support.ts';
import { createAnswerMethod, pairMethods } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { AttributeInput } from '../../studio/requests.ts';
import { eventsOf, ofKind, type TestStudio, testStudio } from './testing/studio.ts';

const scene = `${repository}examples/scene.png`;
const MODEL = 'scene-llava-vittle';
const QUESTION = 'is there a cat in the picture ?';
const ANSWER = 'yes , there is a cat .';
const FEW = { steps: 2 };
const folder = mkdtempSync(join(tmpdir(), 'narrows-answers-'));
let studio: TestStudio;
let picture: string;

beforeAll(async () => {
  studio = await testStudio();
  picture = (await studio.client.addPicture(new Blob([readFileSync(scene)]), 'scene.png')).id;
  await eventsOf(studio.client.open({ reference: MODEL }));
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const ask = (more: Partial<AttributeInput> = {}): AttributeInput => ({
  ...{ model: MODEL, picture, text: QUESTION, methods: [{ name: 'm2ib', options: FEW }], answer: { text: ANSWER } },
  ...more,
});
const run = (more: Partial<AttributeInput> = {}) => eventsOf(studio.client.attribute(ask(more)));
const mapsOf = ({ image, text, answer }: Attribution) => [
  Array.from(image!.patches),
  text!.words.map(word => [word.text, word.value]),
  answer!.parts.map(part => [part.text, part.logProbability, Array.from(part.patches!), Array.from(part.words!)]),
];

describe('answers', () => {
  it('are offered where a model answers, with the options that then differ', async () => {
    const [info, models] = [await studio.client.info(), await studio.client.models()];
    expect(info.methods.find(({ name }) => name === info.recommendedForAnswers)?.answers).toMatchObject({ beta: 10 });
    const open = models.find(({ id }) => id === MODEL)!;
    expect(open.methods).toEqual(expect.arrayContaining(['m2ib', 'rise', 'posterior']));
    expect(models.find(({ id }) => id === 'scene-llava')!.methods).toContain('m2ib');
    // The page shows what a bottleneck kept, so that it begins with a model that has one.
    expect(models.find(({ id }) => id === info.chatModel)).toMatchObject({ kind: 'llava', bottleneck: true });
  });

  it("have the library's very maps, the whole and word by word; the cost is told before, and what was computed is kept", async () => {
    expect((await studio.client.estimate(ask()))[0]).toMatchObject({
      basis: 'unknown',
      kept: false,
      words: expect.stringContaining('steps'),
    });
    const events = await run();
    const [result] = ofKind(events, 'result');
    await using chat = await ChatModel.open(MODEL);
    await using method = createAnswerMethod('m2ib', chat, FEW);
    const own = await method.attribute({ image: await decodeImage(scene), text: QUESTION }, { answer: ANSWER });
    expect(mapsOf(result.attribution)).toEqual(mapsOf(own));
    expect(result.attribution.answer).toMatchObject({ text: ANSWER, own: false });
    expect(own.answer.parts.length).toBeGreaterThan(3);
    expect(new Set(own.answer.parts.map(part => part.patches!.join())).size).toBe(own.answer.parts.length);
    // Of a bottleneck method, what the model's own bottleneck keeps stands beside it.
    expect(result.attribution.answer!.kept!.patches!.length).toBe(result.attribution.image!.patches.length);
    expect(ofKind(events, 'progress').some(({ total, done }) => total > 0 && done > 0)).toBe(true);
    expect((await studio.client.estimate(ask()))[0]).toMatchObject({ basis: 'measured', kept: true, seconds: expect.any(Number) });
    expect(ofKind(await run(), 'result')[0]).toMatchObject({ kept: true, id: result.id });
    const other = (await studio.client.estimate(ask({ answer: { text: 'no' } })))[0];
    expect([other.kept, other.basis]).toEqual([false, 'scaled']);
    const program = result.typescript
      .replace('"narrows"', JSON.stringify(`${repository}src/index.ts`))
      .replace(/"[^"]*scene\.png"/, JSON.stringify(scene));
    const path = join(folder, 'program.ts');
    writeFileSync(path, `${program}\nexport { result };\n`);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { result: again } = (await import(path)) as { readonly result: Attribution };
    expect(log.mock.calls[0][2]).toBe(again.answer!.parts);
    log.mockRestore();
    expect(mapsOf(again)).toEqual(mapsOf(own));
    expect(result.command).toContain(`--answer '${ANSWER}'`);
  });

  it('of a longer conversation are explained alone, which is said and stands in the result', async () => {
    const events = await run({ answer: { text: ANSWER, turnsBefore: 2 } });
    const [{ message }] = ofKind(events, 'warning').filter(warning => /2 turns before it/.test(warning.message));
    expect(ofKind(events, 'result')[0].attribution.warnings).toContain(message);
  });

  it('are held against another answer; what only pairs have is refused', async () => {
    const [{ attribution }] = ofKind(await run({ target: { against: 'no' } }), 'result');
    expect(attribution.answer!.against!.text).toBe('no');
    const silent = pairMethods().find(entry => !entry.answers)!;
    const refused = async (more: Partial<AttributeInput>) => ofKind(await run(more), 'failure')[0];
    expect(await refused({ target: { labels: ['yes', 'no'] } })).toMatchObject({
      reason: 'usage',
      message: expect.stringContaining('"labels"'),
    });
    expect(await refused({ imageSize: 64 })).toMatchObject({ reason: 'usage' });
    expect(await refused({ methods: [{ name: 'posterior' }] })).toMatchObject({
      reason: 'usage',
      message: expect.stringContaining('posterior'),
    });
    expect(await refused({ methods: [{ name: silent.name }] })).toMatchObject({ reason: 'usage' });
    await eventsOf(studio.client.open({ reference: 'scene-clip' }));
    expect(await refused({ model: 'scene-clip' })).toMatchObject({ reason: 'usage', message: expect.stringContaining('answers nothing') });
  });

  it('stop when they are told to, and a model that was closed for room is opened again', async () => {
    const stop = new AbortController();
    const seen = [];
    for await (const event of studio.client.attribute(ask({ methods: [{ name: 'm2ib', options: { steps: 5000 } }] }), {
      signal: stop.signal,
    })) {
      seen.push(event);
      if (event.kind === 'progress' && event.done > 0) stop.abort();
    }
    expect(seen.at(-1)).toMatchObject({ kind: 'failure', reason: 'cancelled' });
    // Two stay open: the third closes the one that was not used for longest.
    await eventsOf(studio.client.open({ reference: 'scene-clip' }));
    await eventsOf(studio.client.open({ reference: 'scene-llava' }));
    expect((await studio.client.models()).find(({ id }) => id === MODEL)!.open).toBe(false);
    expect((await studio.client.estimate(ask()))[0].kept).toBe(true);
    const again = await run({ answer: { text: 'no' } });
    expect(ofKind(again, 'result')).toHaveLength(1);
    expect(again.at(-1)?.kind).toBe('done');
  });
});
