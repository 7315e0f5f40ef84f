/** Suites: what the built-in ones hold, files of one's own, keys, and scenarios applied. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { shiftImage, shiftText } from '../apply.ts';
import { ANSWER_INSTRUCTIONS, applyScenario } from './apply-scenario.ts';
import { loadSuite } from './load-suite.ts';
import { findSuite, suites } from './registry.ts';
import { scenarioKey, scenarioKind } from './scenario.ts';
import { parseSuite } from './suite.ts';

const small = await decodeImage(new URL('../testdata/small.png', import.meta.url).pathname);
const QUESTION = '<image>\nWhat is the color of the two suitcases in the image?';
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-suites-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('the built-in suites', () => {
  const kinds = (name: string): Record<string, number> => {
    const count: Record<string, number> = {};
    for (const scenario of findSuite(name)!.scenarios) count[scenarioKind(scenario)] = (count[scenarioKind(scenario)] ?? 0) + 1;
    return count;
  };
  it('hold what they say', () => {
    expect(kinds('vittle-9x9x9')).toEqual({ visual: 9, textual: 9, joint: 9 });
    expect(kinds('vittle-9x9x9-translated')).toEqual({ visual: 9, textual: 9, joint: 9 });
    expect(kinds('emi-synthetic')).toEqual({ clean: 1, visual: 6, textual: 4, joint: 24 });
    expect(kinds('imagenet-c')).toEqual({ visual: 75 });
    expect(kinds('imagenet-c-extra')).toEqual({ visual: 20 });
    expect(
      findSuite('EMI_synthetic')!
        .scenarios.map(s => s.name)
        .slice(0, 7),
    ).toEqual([
      'clean',
      'synonym_replacement:4',
      'synonym_replacement:7',
      'keyboard:1',
      'keyboard:3',
      'defocus_blur:1',
      'defocus_blur:1+synonym_replacement:4',
    ]);
    const [pictures, texts] = [
      'gaussian_noise shot_noise defocus_blur zoom_blur fog frost snow brightness contrast'.split(' ').map(name => `${name}:3`),
      'keyboard char_insert char_delete word_swap word_delete synonym_insertion ocr synonym_replacement punctuation'
        .split(' ')
        .map(name => `${name}:4`),
    ];
    const joint = pictures.map((name, i) => `${name}+${texts[i]}`);
    expect(findSuite('vittle-9x9x9')!.scenarios.map(s => s.name)).toEqual([...pictures, ...texts, ...joint]);
    expect(
      findSuite('vittle-9x9x9-translated')!
        .scenarios.map(s => s.name)
        .slice(15, 18),
    ).toEqual(['translation:1:Arabic', 'translation:1:Greek', 'translation:1:Hindi']);
    expect(
      findSuite('imagenet-c')!
        .scenarios.map(s => s.name)
        .filter(name => name.endsWith(':3'))
        .join(' '),
    ).toBe(
      'gaussian_noise:3 shot_noise:3 impulse_noise:3 defocus_blur:3 glass_blur:3 motion_blur:3 zoom_blur:3 snow:3 frost:3 fog:3 brightness:3 contrast:3 elastic_transform:3 pixelate:3 jpeg_compression:3',
    );
    expect(suites.filter(s => s.marked === 'ours').map(s => s.name)).toEqual(['vittle-9x9x9', 'vittle-9x9x9-translated']);
  });

  it.each(suites.map(s => [s.name, s] as const))('%s stands up to the rules of files, with no two scenarios alike', (_, suite) => {
    expect(parseSuite(JSON.parse(JSON.stringify(suite)), suite.name)).toEqual(suite);
    expect(new Set(suite.scenarios.map(scenarioKey)).size).toBe(suite.scenarios.length);
  });

  it('vittle-9x9x9 works offline, and its joint scenarios have the texts of the textual ones', async () => {
    const { scenarios } = await loadSuite('vittle-9x9x9');
    const texts = new Set<string>();
    for (let i = 0; i < 9; i++) {
      const options = { seed: 5, sample: 3 };
      const [visual, textual, joint] = await Promise.all(
        [i, 9 + i, 18 + i].map(place => applyScenario(scenarios[place], small, QUESTION, options)),
      );
      expect(joint.text).toBe(textual.text);
      expect(joint.image?.data).toEqual(visual.image?.data);
      expect(visual.text).toBe(QUESTION);
      expect(textual.image).toBe(small);
      expect(joint.text.startsWith('<image>\n')).toBe(true);
      texts.add(joint.text);
    }
    expect(texts.size).toBeGreaterThan(7);
  });
});

describe('applyScenario', () => {
  it('is the two shifts, each with its own sample, and says what it must', async () => {
    const scenario = {
      name: 'x',
      image: { shift: 'frost', severity: 2, options: { referenceSize: 224 } },
      text: { shift: 'ocr', severity: 7 },
    };
    const { image, text, remarks } = await applyScenario(scenario, small, QUESTION, { seed: 2, sample: 4, textSample: 9 });
    expect(image?.data).toEqual((await shiftImage('frost', small, 2, { seed: 2, sample: 4, referenceSize: 224 })).data);
    expect(text).toBe(shiftText('ocr', QUESTION, 7, { seed: 2, sample: 9, protect: ['<image>'] }));
    expect(remarks).toEqual([expect.stringContaining('drawn by Narrows')]);
    expect(await applyScenario({ name: 'clean' }, undefined, QUESTION)).toEqual({ image: undefined, text: QUESTION, remarks: [] });
  });

  it('keeps answer instructions and options that are protected', async () => {
    const options = '\nA. a red cat\nB. a dog';
    const text = `${QUESTION}${options}\nAnswer with the option's letter from the given choices directly.`;
    for (const { name, severity } of [
      { name: 'keyboard', severity: 7 },
      { name: 'word_swap', severity: 7 },
      { name: 'synonym_insertion', severity: 7 },
    ]) {
      const result = await applyScenario({ name, text: { shift: name, severity } }, undefined, text, {
        protect: [...ANSWER_INSTRUCTIONS, options],
      });
      expect(result.text.endsWith(text.slice(QUESTION.length))).toBe(true);
      expect(result.text).not.toBe(text);
    }
  });

  it('translates through the translator that is given', async () => {
    const scenario = { name: 'x', text: { shift: 'translation', severity: 1, options: { language: 'Greek' } } };
    const translator = async (text: string, language: string, id?: string): Promise<string> => `${language} ${id}: ${text}`;
    expect((await applyScenario(scenario, undefined, QUESTION, { translator, id: '7' })).text).toBe(
      '<image>\nGreek 7: What is the color of the two suitcases in the image?',
    );
  });
});

describe('keys', () => {
  it('tell apart what gives other results, and nothing else', () => {
    const image = { shift: 'fog', severity: 3 };
    const key = scenarioKey({ image });
    expect(scenarioKey({ ...{ name: 'other' }, image: { severity: 3, shift: 'fog' } })).toBe(key);
    expect(scenarioKey({ image: { ...image, options: {} } })).toBe(key);
    expect(scenarioKey({ image: { ...image, options: { referenceSize: undefined } } })).toBe(key);
    const others = [
      { image: { ...image, severity: 4 } },
      { image: { ...image, shift: 'frost' } },
      { image: { ...image, options: { referenceSize: 224 } } },
      { image, text: { shift: 'ocr', severity: 3 } },
      {},
    ].map(scenarioKey);
    expect(new Set([key, ...others]).size).toBe(6);
    expect(scenarioKey({ image: { ...image, options: { compat: 'mm-robustness', referenceSize: 9 } } })).toBe(
      scenarioKey({ image: { ...image, options: { referenceSize: 9, compat: 'mm-robustness' } } }),
    );
  });
});

describe('a suite of one’s own', () => {
  const file = async (content: unknown): Promise<string> => {
    const path = join(root, `${Math.random()}.json`);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const suite = {
    name: 'mine',
    description: 'two',
    scenarios: [
      { image: { shift: 'fog', severity: 1 } },
      { name: 'b', text: { shift: 'translation', severity: 1, options: { language: 'Greek' } } },
    ],
  };

  it('is read from a file; scenarios without a name are called by their shifts', async () => {
    const { name, marked, scenarios } = await loadSuite(await file(suite));
    expect([name, marked, scenarios.map(s => s.name)]).toEqual(['mine', 'ours', ['fog:1', 'b']]);
  });

  it.each([
    [
      { ...suite, scenarios: [{ image: { shift: 'fogg', severity: 1 } }] },
      /scenario 1 \(fogg:1\): There is no image shift "fogg"; did you mean fog/,
    ],
    [{ ...suite, scenarios: [{ text: { shift: 'fog', severity: 1 } }] }, /scenario 1 \(fog:1\): There is no text shift "fog"/],
    [
      { ...suite, scenarios: [{ image: { shift: 'fog', severity: 6 } }] },
      /scenario 1 \(fog:6\): The severity of fog must be a whole number from 1 to 5; got 6\./,
    ],
    [
      { ...suite, scenarios: [{ image: { shift: 'rotate', severity: 1, options: { compat: 'mm-robustness' } } }] },
      /mm-robustness does not run rotate/,
    ],
    [
      { ...suite, scenarios: [suite.scenarios[0], suite.scenarios[0]] },
      /scenarios 1 and 2 are both called "fog:1"; give each a name of its own\./,
    ],
    [{ ...suite, scenarios: [] }, /is no suite: scenarios: /],
    [{ ...suite, scenarios: [{ image: { shift: 'fog' } }] }, /is no suite: scenario 1, image\.severity: /],
    [{ name: 'x', scenarios: [{}] }, /is no suite: description: /],
    ['{"name": ', /is not valid JSON: /],
  ])('that is wrong is refused in one sentence (%#)', async (content, sentence) => {
    await expect(loadSuite(await file(content))).rejects.toThrow(sentence);
  });

  it('that is not there is answered with the nearest name, or the file that is missing', async () => {
    await expect(loadSuite('vitle-9x9x9')).rejects.toThrow('There is no suite "vitle-9x9x9"; did you mean vittle-9x9x9');
    await expect(loadSuite('something')).rejects.toThrow(/choose among vittle-9x9x9, .*, or give a \.json file\.$/);
    await expect(loadSuite(join(root, 'none.json'))).rejects.toThrow(/none\.json/);
  });
});
