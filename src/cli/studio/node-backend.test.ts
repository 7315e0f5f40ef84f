import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../../test/support.ts';
import { createMethod } from '../../attribution/registry.ts';
import type { Attribution } from '../../attribution/result.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { loadModel } from '../../models/pretrained.ts';
import { attributionFromJson } from '../../report/attribution/json.ts';
import { StudioError, type StudioEvent } from '../../studio/protocol.ts';
import type { AttributeInput } from '../../studio/requests.ts';
import { expectClose } from '../../testing/close.ts';
import { serve } from '../../web/testing/serve.ts';
import { attributeCommand } from '../commands/attribute.ts';
import { callCommand } from '../testing/call-command.ts';
import { onPicture } from './explain.ts';
import { eventsOf, ofKind, type TestStudio, testStudio } from './testing/studio.ts';

const scene = `${repository}examples/scene.png`;
const CAPTION = 'a cat and an umbrella';
const MODEL = 'scene-clip';
const FEW = { steps: 4, batchSize: 2 };
let studio: TestStudio;
let picture: string;
const folder = mkdtempSync(join(tmpdir(), 'narrows-studio-'));

beforeAll(async () => {
  studio = await testStudio();
  picture = (await studio.client.addPicture(new Blob([readFileSync(scene)]), 'scene.png')).id;
  expect(ofKind(await eventsOf(studio.client.open({ reference: MODEL })), 'opened')).toHaveLength(1);
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A server that ends with its block. */
async function served(mounts: Parameters<typeof serve>[0]) {
  const server = await serve(mounts);
  return { url: server.url, [Symbol.asyncDispose]: async () => void (await server.close()) };
}

const ask = (more: Partial<AttributeInput> = {}): AttributeInput => ({
  ...{ model: MODEL, picture, text: CAPTION, methods: [{ name: 'm2ib', options: FEW }], seed: 3 },
  ...more,
});
const run = async (more: Partial<AttributeInput> = {}) => eventsOf(studio.client.attribute(ask(more)));
const mapOf = (result: Attribution) => [Array.from(result.image?.patches ?? []), result.text?.words.map(w => [w.text, w.value])];

describe('pictures', () => {
  it('go by the hash of their files, and come back as the model reads them', async () => {
    const { client } = studio;
    expect(picture).toBe(createHash('sha256').update(readFileSync(scene)).digest('hex'));
    expect(await client.picture(picture)).toEqual({ id: picture, name: 'scene.png', width: 96, height: 96, warnings: [] });
    const shown = await decodeImage(new Uint8Array(await (await client.pictureFile(picture)).arrayBuffer()));
    expect(shown.data).toEqual((await decodeImage(scene)).data);
    const small = await decodeImage(new Uint8Array(await (await client.pictureFile(picture, 48)).arrayBuffer()));
    expect([small.width, small.height]).toEqual([48, 48]);
  });

  it('that are none, or unknown, are refused in a sentence', async () => {
    const bad = studio.client.addPicture(new Blob(['no picture']), 'x.png');
    await expect(bad).rejects.toThrow(StudioError);
    await expect(bad).rejects.toMatchObject({ reason: 'input', message: expect.stringContaining('Image x.png is not an image') });
    await expect(studio.client.picture('0'.repeat(64))).rejects.toMatchObject({ reason: 'missing' });
    await expect(studio.client.pictureFile(picture, 100_000)).rejects.toMatchObject({ reason: 'usage' });
  });
});

describe('models', () => {
  it('are listed with what they are made of and who serves them', async () => {
    const models = await studio.client.models();
    const clip = models.find(m => m.id === MODEL)!;
    expect(clip).toMatchObject({
      origin: 'shipped',
      kind: 'dual-encoder',
      open: true,
      image: { size: 96, patch: 12, layers: 6 },
      unserved: {},
    });
    expect(clip.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(clip.methods).toContain('m2ib');
    expect(clip.methods).not.toContain('posterior');
    expect(models.find(m => m.id === 'scene-llava-vittle')).toMatchObject({
      kind: 'llava',
      open: false,
      bottleneck: true,
      methods: expect.arrayContaining(['posterior', 'm2ib']),
    });
  });

  it('at an address are fetched, opened and explained by; what is none there is said in a sentence', async () => {
    await using server = await served([['/models/', `${repository}models`]]);
    await using other = await testStudio();
    const address = `${server.url}/models/scene-clip/`;
    const events = await eventsOf(other.client.open({ reference: address }));
    const shipped = (await studio.client.models()).find(m => m.id === MODEL)!;
    expect(ofKind(events, 'opened')[0].model).toMatchObject({ id: address, name: MODEL, origin: 'address', sha256: shipped.sha256 });
    await other.client.addPicture(new Blob([readFileSync(scene)]), 'scene.png');
    const asked = ask({ methods: [{ name: 'saliency' }] });
    const [mine] = ofKind(await eventsOf(other.client.attribute({ ...asked, model: address })), 'result');
    const [theirs] = ofKind(await eventsOf(studio.client.attribute(asked)), 'result');
    expect(mapOf(mine.attribution)).toEqual(mapOf(theirs.attribution));
    const none = await eventsOf(other.client.open({ reference: `${server.url}/nothing/` }));
    expect(none.at(-1)).toMatchObject({ kind: 'failure', reason: 'input', message: expect.stringContaining('config.json') });
  });

  it('that are not there are refused in a sentence, and the open one stays', async () => {
    const events = await eventsOf(studio.client.open({ reference: './no-such-model' }));
    expect(events.at(-1)).toMatchObject({ kind: 'failure', reason: 'input', message: expect.stringContaining('no-such-model') });
    expect((await studio.client.models()).find(m => m.id === MODEL)?.open).toBe(true);
    expect((await run({ model: 'scene-llava' })).at(-1)).toMatchObject({ kind: 'failure', reason: 'missing' });
  });
});

describe('attribute', () => {
  it('gives the very maps of the library, with frames that end in them, and keeps the result', async () => {
    const events = await run();
    const [result] = ofKind(events, 'result');
    await using model = await loadModel(MODEL);
    await using method = createMethod('m2ib', model, FEW);
    const own = await method.attribute({ image: await decodeImage(scene), text: CAPTION }, { seed: 3 });
    expect(mapOf(result.attribution)).toEqual(mapOf(own));
    expect([result.attribution.cosine, result.attribution.parameters]).toEqual([own.cosine, own.parameters]);
    expect(result.attribution.provenance.image).toMatchObject({ name: 'scene.png', sha256: picture });
    const frames = ofKind(events, 'frame');
    const image = frames.filter(f => f.modality === 'image').at(-1)!;
    expect(image.tokens).toEqual(own.image!.tokens);
    expect(image.image).toEqual({ prefixTokens: own.image!.prefixTokens, grid: own.image!.grid, view: own.image!.view });
    expect([image.step, image.steps, image.fit]).toEqual([4, 4, own.image!.convergence.fit[3]]);
    const text = frames.filter(f => f.modality === 'text').at(-1)!;
    expect(text.words?.map(w => [w.text, w.value])).toEqual(own.text!.words.map(w => [w.text, w.value]));
    expect(events.at(-1)).toEqual({ kind: 'done' });
    const again = await run();
    expect(ofKind(again, 'result')[0]).toMatchObject({ kept: true, id: result.id, attribution: result.attribution });
    // Another tab that asks for the same can play them too.
    expect(ofKind(again, 'frame')).toEqual(frames.map(frame => ({ ...frame, kept: true })));
    expect(ofKind(await eventsOf(studio.client.attribute({ ...ask(), frames: false })), 'frame')).toEqual([]);
    expect(ofKind(await run({ seed: 4 }), 'result')[0].kept).toBe(false);
  });

  it('passes on layer, target, modality and seeds', async () => {
    await using model = await loadModel(MODEL);
    await using method = createMethod('m2ib', model, { ...FEW, layer: 1 });
    const pair = { image: await decodeImage(scene), text: CAPTION };
    const own = await method.attribute(pair, { seed: 1, seeds: 2, modality: 'image', target: { against: 'a rocket' } });
    const methods = [{ name: 'm2ib', options: { ...FEW, layer: 1 } }];
    const [{ attribution }] = ofKind(
      await run({ methods, seed: 1, seeds: 2, modality: 'image', target: { against: 'a rocket' } }),
      'result',
    );
    expect(mapOf(attribution)).toEqual(mapOf(own));
    expect(attribution.target).toBe('cosine to the caption minus cosine to "a rocket"');
    expect(attribution.text).toBeUndefined();
  });

  it('leaves other methods alone where one fails, and says why', async () => {
    const methods = [{ name: 'no-such' }, { name: 'm2ib', options: { steps: -1 } }, { name: 'posterior' }, { name: 'uniform' }];
    const events = await run({ methods });
    expect(ofKind(events, 'failure').map(f => [f.index, f.method, f.reason])).toEqual([
      [0, 'no-such', 'usage'],
      [1, 'm2ib', 'usage'],
      [2, 'posterior', expect.any(String)],
    ]);
    expect(ofKind(events, 'result').map(r => [r.index, r.method])).toEqual([[3, 'uniform']]);
    expect(events.at(-1)?.kind).toBe('done');
    const unknown = await run({ text: 'zyx qwv', methods: [{ name: 'uniform' }] });
    expect(ofKind(unknown, 'failure')[0]).toMatchObject({ reason: 'input' });
    expect((await run({ methods: [] })).at(-1)).toMatchObject({ kind: 'failure', reason: 'usage', message: /methods/ });
  });

  it('answers other calls while it computes, is cancelled at once, and the next job runs', async () => {
    const { client } = studio;
    const stop = new AbortController();
    let ended = false;
    const long = eventsOf(
      client.attribute(ask({ methods: [{ name: 'm2ib', options: { steps: 5000 } }] }), { signal: stop.signal }),
    ).finally(() => {
      ended = true;
    });
    for (let i = 0; i < 5; i++) expect((await client.info()).backend).toBe('node');
    expect(ended).toBe(false);
    stop.abort();
    expect((await long).at(-1)).toMatchObject({ kind: 'failure', reason: 'cancelled' });
    expect(await client.cancel('stranger')).toBe(false);
    let job = '';
    const seen: StudioEvent[] = [];
    for await (const event of client.attribute(ask({ methods: [{ name: 'm2ib', options: { steps: 5000 } }] }))) {
      seen.push(event);
      if (event.kind === 'started') job = event.job;
      if (event.kind === 'frame' && job) {
        expect(await client.cancel(job)).toBe(true);
        job = '';
      }
    }
    expect(seen.at(-1)).toMatchObject({ kind: 'failure', reason: 'cancelled' });
    expect((await run({ methods: [{ name: 'uniform' }] })).at(-1)?.kind).toBe('done');
  });

  it('knows what it will cost once it has run', async () => {
    const methods = [{ name: 'm2ib', options: FEW }, { name: 'm2ib', options: { ...FEW, steps: 40 } }, { name: 'rise' }];
    const [same, more, other] = await studio.client.estimate(ask({ methods }));
    expect(same).toMatchObject({ basis: 'measured', kept: true });
    expect(more.basis).toBe('scaled');
    // Two quiet steps and two of two samples are 6 passes; 26 and 14 are 54.
    expect(more.seconds! / same.seconds!).toBeCloseTo(9, 6);
    expect(other).toMatchObject({ basis: 'guessed', kept: false, words: expect.any(String), seconds: expect.any(Number) });
  });
});

describe('results', () => {
  it('become files; markup in a caption stays text', async () => {
    const text = 'a cat <img src=x onerror=alert(1)> and an umbrella';
    const [{ id, attribution }] = ofKind(await run({ text, methods: [{ name: 'saliency' }] }), 'result');
    const file = async (format: 'png' | 'svg' | 'html' | 'json') =>
      (await studio.client.exportResult({ result: id, format })).arrayBuffer();
    expect(attributionFromJson(Buffer.from(await file('json')).toString())).toEqual(attribution);
    expect(
      Buffer.from(await file('png'))
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    for (const format of ['svg', 'html'] as const) {
      const content = Buffer.from(await file(format)).toString();
      expect(content).not.toMatch(/<img src=x/);
      expect(content).toContain('onerror');
    }
    await expect(studio.client.exportResult({ result: id, format: 'png', colourMap: 'no-such' })).rejects.toMatchObject({
      reason: 'usage',
    });
    await expect(studio.client.exportResult({ result: 'gone', format: 'png' })).rejects.toMatchObject({ reason: 'missing' });
  });

  it('are held against boxes in pixels of the picture', async () => {
    const [{ id, attribution }] = ofKind(await run({ methods: [{ name: 'centre-prior' }] }), 'result');
    const { view } = attribution.image!;
    const half = { ...view, width: view.width / 2 };
    const [whole, left] = [
      await studio.client.score({ result: id, boxes: [view] }),
      await studio.client.score({ result: id, boxes: [half] }),
    ];
    expect(whole).toEqual({ energy: expect.closeTo(1, 6), pointing: 1, area: 1 });
    expect(left.energy).toBeCloseTo(0.5, 4);
    await expect(studio.client.score({ result: id, boxes: [] })).rejects.toMatchObject({ reason: 'usage' });
  });

  it('come again by the command and by the program that are given with them', async () => {
    const caption = `a cat's "umbrella" $(date) \`x\``;
    const copy = join(folder, 'a picture.png');
    writeFileSync(copy, readFileSync(scene));
    const options = { ...FEW, beta: 0.5, normalisation: 'none' };
    const request = { text: caption, methods: [{ name: 'm2ib', options }], target: { against: 'a rocket' }, seed: 5, seeds: 2 } as const;
    const [{ command, typescript, attribution }] = ofKind(await run({ ...request, methods: [...request.methods] }), 'result');
    // The picture of the example that ships, or of the name that was sent: a place whose name needs quotes.
    const words = JSON.parse(
      spawnSync('bash', [
        '-c',
        `set -f; printf '%s\\0' ${command.replace(/\S*scene\.png/, `'${copy}'`)} | ${process.execPath} -e 'process.stdout.write(JSON.stringify(require("fs").readFileSync(0,"utf8").split("\\0").slice(0,-1)))'`,
      ]).stdout.toString(),
    ) as string[];
    expect(words.slice(0, 2)).toEqual(['narrows', 'attribute']);
    const seed = Number(words[words.indexOf('--seed') + 1]);
    const rest = words.slice(2).filter((_, i, all) => all[i] !== '--seed' && all[i - 1] !== '--seed');
    expect(seed).toBe(5);
    expect(typescript).toContain(JSON.stringify(caption));
    const program = typescript
      .replace('"narrows"', JSON.stringify(`${repository}src/index.ts`))
      .replace(/"[^"]*scene\.png"/, JSON.stringify(copy));
    const path = join(folder, 'program.mts');
    writeFileSync(
      path,
      `${program}\nprocess.stdout.write('MAP ' + JSON.stringify([Array.from(result.image!.patches), result.text!.words.map(w => [w.text, w.value])]));\n`,
    );
    const ran = spawnSync(process.execPath, ['--import', 'tsx', path], { cwd: repository, encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout.split('MAP ')[1])).toEqual(mapOf(attribution));
    // The command in this process, at the seed that it names.
    const called = await callCommand(attributeCommand, [...rest, '--json'], { seed });
    expect(called.code).toBe(0);
    // The command repacks no weights for one pair, which rounds otherwise.
    const again = attributionFromJson(called.stdout);
    expectClose(again.image!.patches, attribution.image!.patches, { rtol: 1e-5, atol: 1e-3 });
    expectClose(
      again.text!.words.map(w => w.value),
      attribution.text!.words.map(w => w.value),
      { rtol: 1e-5, atol: 1e-3 },
    );
    expect([again.caption, again.target, again.parameters]).toEqual([attribution.caption, attribution.target, attribution.parameters]);
  });
});

describe('chat', () => {
  it('streams the very answer of the library, and ends with the posterior of the bottleneck', async () => {
    const { client } = studio;
    const question = 'is there a cat in the picture ?';
    await eventsOf(client.open({ reference: 'scene-llava-vittle' }));
    const events = await eventsOf(
      client.chat({ model: 'scene-llava-vittle', pictures: [picture], turns: [{ role: 'user', content: question }] }),
    );
    await using chat = await ChatModel.open('scene-llava-vittle');
    const pixels = chat.pixels([await decodeImage(scene)]);
    const { generate } = await import('../../generation/generate.ts');
    const prompt = chat.prompt([{ role: 'user', content: `<image>\n${question}` }], pixels);
    const [own] = await generate(chat.model, [prompt], chat.options({ maxNewTokens: 32 }));
    const [answer] = ofKind(events, 'answer');
    expect(answer.text).toBe(own.text?.trim());
    expect(
      ofKind(events, 'words')
        .map(w => w.text)
        .join(''),
    ).toBe(answer.text);
    expect(answer.promptTokens).toBe(prompt.ids.length);
    const [{ attribution, typescript }] = ofKind(events, 'result');
    expect([attribution.method, attribution.unit, attribution.caption]).toEqual(['posterior', 'nats', question]);
    expect(attribution.image!.view).toEqual({ left: 0, top: 0, width: 96, height: 96 });
    expect(typescript).toContain('ChatModel.open("scene-llava-vittle")');
    const broken = await eventsOf(
      client.chat({ model: 'scene-llava-vittle', pictures: [], turns: [{ role: 'assistant', content: 'yes' }] }),
    );
    expect(broken.at(-1)).toMatchObject({ kind: 'failure', reason: 'usage' });
    const clip = await eventsOf(client.chat({ model: MODEL, pictures: [], turns: [{ role: 'user', content: question }] }));
    expect(clip.at(-1)).toMatchObject({ kind: 'failure', reason: 'usage', message: expect.stringContaining('writes none') });
  });

  it('puts the map of a widened picture onto the picture itself', () => {
    const widened = { width: 100, height: 100, data: new Uint8Array(3e4) };
    const given = { image: { view: { left: 0, top: 0, width: 100, height: 100 } }, provenance: { image: { width: 100, height: 100 } } };
    const shown = onPicture(given as unknown as Attribution, widened, { width: 41, height: 100, data: new Uint8Array(0) });
    // 59 columns were added, 29 of them in front.
    expect(shown.image!.view).toEqual({ left: -29, top: 0, width: 100, height: 100 });
    expect(shown.provenance.image).toMatchObject({ width: 41, height: 100 });
  });
});
