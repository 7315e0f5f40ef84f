/** @file The studio's backend of a page that runs wholly in the browser, in Chromium: live frames, results, cancel, pictures, exports, refusals. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { ask, browserHere, CLIP_FILES, type Session, startSession } from '../../web/testing/session.ts';
import type { PictureInfo } from '../facts.ts';
import type { FrameEvent, ResultEvent, StudioEvent } from '../protocol.ts';

const SLOW = 600_000;
const night = createHash('sha256')
  .update(readFileSync(fileURLToPath(new URL('../../../examples/studio/night.png', import.meta.url))))
  .digest('hex');
const SETTINGS = {
  models: [
    {
      id: 'scene-clip',
      name: 'scene-clip',
      origin: 'shipped',
      place: '/models/scene-clip/',
      files: CLIP_FILES,
      bytes: 10_600_000,
      kind: 'dual-encoder',
    },
    {
      id: 'scene-llava-vittle',
      name: 'scene-llava-vittle',
      origin: 'shipped',
      place: '/models/scene-llava-vittle/',
      bytes: 8_400_000,
      kind: 'llava',
    },
  ],
  examples: [
    {
      id: 'night',
      caption: 'a moon',
      address: '/examples/studio/night.png',
      picture: { id: night, name: 'night.png', width: 448, height: 448, warnings: [] },
    },
  ],
};
const REQUEST = { model: 'scene-clip', picture: night, text: 'a moon and a wolf', methods: [{ name: 'm2ib', options: { steps: 4 } }] };

interface Stream {
  readonly events: readonly (StudioEvent & { readonly at: number })[];
  readonly workers: number;
  readonly cancelTook: number;
}
const kinds = ({ events }: Stream): string[] => [...new Set(events.map(({ kind }) => kind))];
const of = <K extends StudioEvent['kind']>({ events }: Stream, kind: K) =>
  events.filter((event): event is Extract<StudioEvent, { kind: K }> & { at: number } => event.kind === kind);

describe.skipIf(!browserHere)('the backend in the browser', () => {
  let session: Session;
  let page: Page;
  let said: string[];
  const stream = (name: string, argument: object, cancelAt?: string) => ask<Stream>(page, 'studio', 'stream', { name, argument, cancelAt });
  const call = <T>(name: string, ...argument: unknown[]) => ask<T>(page, 'studio', 'call', { name, argument });
  beforeAll(async () => {
    session = await startSession({ mounts: [['/films/', fileURLToPath(new URL('../../inputs/image/dicom/testdata', import.meta.url))]] });
    ({ page, said } = await session.open());
    await ask(page, 'studio', 'begin', SETTINGS);
  }, SLOW);
  afterAll(() => session?.close());

  it(
    'opens a model, shows the gate opening, and ends in what the last frame showed',
    async () => {
      const opened = await stream('open', { reference: 'scene-clip' });
      expect(kinds(opened)).toEqual(['started', 'progress', 'opened', 'done']);
      const [{ model }] = of(opened, 'opened');
      expect(model).toMatchObject({ kind: 'dual-encoder', open: true, image: { patch: 12, size: 96 } });
      expect(model.methods).toContain('m2ib');
      const run = await stream('attribute', REQUEST);
      const frames = of(run, 'frame') as FrameEvent[];
      const [result] = of(run, 'result') as ResultEvent[];
      expect(frames.filter(({ modality }) => modality === 'image').at(-1)).toMatchObject({ step: 4, steps: 4 });
      const last = frames.filter(({ modality }) => modality === 'image').at(-1)!;
      expect(Object.values(last.tokens)).toEqual(Object.values(result.attribution.image!.tokens));
      expect(last.image!.grid).toEqual(result.attribution.image!.grid);
      expect(result.command).toContain("narrows attribute --model scene-clip --image night.png --text 'a moon and a wolf' --method m2ib");
      expect(result.typescript).toContain('await loadModel("scene-clip")');
      // The same again comes at once.
      const again = await stream('attribute', REQUEST);
      expect(of(again, 'result')[0]).toMatchObject({ id: result.id, kept: true });
      expect((of(again, 'frame') as FrameEvent[]).map(({ kept, modality, step }) => [kept, modality, step])).toEqual(
        frames.map(({ modality, step }) => [true, modality, step]),
      );
      const [cost] = await call<{ basis: string; kept: boolean; seconds: number }[]>('estimate', REQUEST);
      expect(cost).toMatchObject({ basis: 'measured', kept: true });
      const boxed = await call<{ energy: number; area: number }>('score', {
        result: result.id,
        boxes: [{ left: 0, top: 0, width: 448, height: 448 }],
      });
      expect(boxed.energy).toBeCloseTo(1, 5);
      for (const [format, type] of Object.entries({ png: 'image/png', svg: 'image/svg+xml', html: 'text/html', json: 'application/json' }))
        expect(await call('exportResult', { result: result.id, format })).toMatchObject({ type });
    },
    SLOW,
  );

  it(
    'cancels while it works, and goes on with the next',
    async () => {
      const run = await stream('attribute', { ...REQUEST, methods: [{ name: 'm2ib', options: { steps: 500 } }] }, 'frame');
      expect(of(run, 'failure').at(-1)).toMatchObject({ reason: 'cancelled' });
      expect(of(run, 'result')).toEqual([]);
      expect(of(run, 'frame').length).toBeLessThan(20);
      const next = await stream('attribute', {
        ...REQUEST,
        methods: [{ name: 'no-such' }, { name: 'uniform' }, { name: 'm2ib', options: { steps: 0 } }],
      });
      expect(of(next, 'failure').map(({ index, reason }) => [index, reason])).toEqual([
        [0, 'usage'],
        [2, 'usage'],
      ]);
      expect(of(next, 'result').map(({ index }) => index)).toEqual([1]);
      expect(next.events.at(-1)?.kind).toBe('done');
    },
    SLOW,
  );

  it(
    'takes pictures, and says what is wrong with others',
    async () => {
      const info = await call<{ id: string; width: number }>('addPicture', '/examples/scene.png', 'scene.png');
      expect(info).toMatchObject({ width: expect.any(Number), name: 'scene.png' });
      expect(await call('picture', info.id)).toEqual(info);
      expect(await call('pictureFile', info.id, 64)).toMatchObject({ type: 'image/jpeg' });
      expect(await call('addPicture', '/models/scene-clip/config.json', 'config.json')).toMatchObject({ rejected: 'input' });
      expect(await call('picture', 'f'.repeat(64))).toMatchObject({ rejected: 'missing' });
      expect(await call('comparison', { source: 'x' })).toMatchObject({
        rejected: 'usage',
        message: expect.stringContaining('narrows studio'),
      });
      expect(of(await stream('open', { reference: 'org/elsewhere' }), 'failure')[0]).toMatchObject({ reason: 'usage' });
      expect(of(await stream('attribute', { ...REQUEST, model: 'scene-llava-vittle' }), 'failure')[0]).toMatchObject({ reason: 'usage' });
    },
    SLOW,
  );

  it(
    'reads any frame of a film, each a picture of its own that results and programs name',
    async () => {
      const file = fileURLToPath(new URL('../../inputs/image/dicom/testdata/frames.dcm', import.meta.url));
      const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
      const first = await call<PictureInfo>('addPicture', '/films/frames.dcm', 'frames.dcm');
      expect(first).toMatchObject({ id: `${sha256}.1`, frames: { shown: 1, of: 3 } });
      for (const frame of [3, 2]) {
        expect(await call('picture', `${sha256}.${frame}`)).toMatchObject({ id: `${sha256}.${frame}`, frames: { shown: frame, of: 3 } });
        const own = await decodeImage(file, { frame });
        const { bytes } = await call<{ bytes: Record<string, number> }>('pictureFile', `${sha256}.${frame}`);
        expect((await decodeImage(Uint8Array.from(Object.values(bytes)))).data).toEqual(own.data);
      }
      expect(await call('picture', `${sha256}.4`)).toMatchObject({
        rejected: 'usage',
        message: expect.stringContaining('there is no frame 4'),
      });
      const [result] = of(
        await stream('attribute', { ...REQUEST, picture: `${sha256}.2`, methods: [{ name: 'uniform' }] }),
        'result',
      ) as ResultEvent[];
      expect(result.attribution.provenance.image).toMatchObject({ sha256, reading: { pages: 3, dicom: { frame: 2 } } });
      expect([result.command, result.typescript]).toEqual([
        expect.stringMatching(/--image frames\.dcm .*--frame 2 /),
        expect.stringContaining('decodeImage("frames.dcm", { frame: 2 })'),
      ]);
    },
    SLOW,
  );

  it(
    'chats in a worker of its own, with the posterior behind the answer',
    async () => {
      const opened = await stream('open', { reference: 'scene-llava-vittle' });
      expect(of(opened, 'opened')[0].model).toMatchObject({ kind: 'llava', bottleneck: true });
      expect(opened.workers).toBe(2);
      const turns = [{ role: 'user', content: 'is there a wolf in the picture ?' }];
      const chat = await stream('chat', { model: 'scene-llava-vittle', pictures: [night], turns, maxNewTokens: 12 });
      const [answer] = of(chat, 'answer');
      expect(
        of(chat, 'words')
          .map(({ text }) => text)
          .join(''),
      ).toBe(answer.text);
      expect(of(chat, 'result')[0]).toMatchObject({ method: 'posterior' });
      // The answer explained word by word, as one to its question alone.
      const asked = {
        ...{ model: 'scene-llava-vittle', picture: night, text: turns[0].content, methods: [{ name: 'm2ib', options: { steps: 2 } }] },
        answer: { text: 'yes there is', turnsBefore: 1 },
      };
      const run = await stream('attribute', asked);
      const [{ attribution, typescript, command }] = of(run, 'result') as ResultEvent[];
      expect(attribution.answer!.parts.map(({ text }) => text)).toEqual(['yes', 'there', 'is']);
      expect(
        attribution.answer!.parts.every(
          ({ patches }) => Object.values(patches!).length === attribution.image!.grid[0] * attribution.image!.grid[1],
        ),
      ).toBe(true);
      expect(attribution.warnings!.join()).toMatch(/the turn before it is not shown/);
      expect(attribution.parameters).toMatchObject({ beta: 10, steps: 2 });
      expect([typescript, command]).toEqual([
        expect.stringContaining('answer: "yes there is"'),
        expect.stringContaining("--answer 'yes there is'"),
      ]);
      const [cost] = await call<{ basis: string; kept: boolean }[]>('estimate', asked);
      expect(cost).toMatchObject({ basis: 'measured', kept: true });
      expect(of(await stream('attribute', { ...asked, target: { labels: ['yes'] } }), 'failure')[0]).toMatchObject({
        reason: 'usage',
        index: 0,
      });
      expect(said).toEqual([]);
    },
    SLOW,
  );
});
