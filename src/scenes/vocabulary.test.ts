/** @file Captions, questions and the tokenizer that reads them. */
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../tensor/random.ts';
import { caption, nameCaption, relationOf } from './captions.ts';
import { CONCEPTS } from './concepts.ts';
import { questions } from './questions.ts';
import { drawScene, type Scene, type SceneOptions } from './scene.ts';
import { syntheticWorld } from './testdata/synthetic.ts';
import { SPECIAL_TOKENS, sceneTokenizerJson, VOCABULARY, VOCABULARY_SIZE } from './vocabulary.ts';

const world = syntheticWorld(CONCEPTS.length);
const scenes = new RandomStream(5, 'scenes');
const words = new RandomStream(5, 'captions');
const draw = (sample: number, options: SceneOptions = {}): Scene => drawScene(world, options, scenes.reader(0, sample));
const files = sceneTokenizerJson();
const tokenizer = new Tokenizer(files['tokenizer.json'], files['tokenizer_config.json']);
const [BOS, EOS, UNK] = ['<bos>', '<eos>', '<unk>'].map(token => (SPECIAL_TOKENS as readonly string[]).indexOf(token));
const ids = (text: string): number[] => tokenizer.encode(text).ids;

describe('caption', () => {
  it('says only what is there, within 24 known tokens', () => {
    const forms = { photo: 0, background: 0, relation: 0, subset: 0 };
    for (let i = 0; i < 1500; i++) {
      const scene = draw(i, { maxObjects: 6 });
      const text = caption(scene, words.reader(0, i));
      expect(text).toBe(caption(scene, words.reader(0, i)));
      const tokens = ids(text);
      expect(tokens).not.toContain(UNK);
      expect(tokens.length).toBeLessThanOrEqual(24);
      const match = /^(a photo of )?(.*?)( on a (\w+) background)?$/.exec(text) as RegExpExecArray;
      if (match[1]) forms.photo++;
      if (match[4]) {
        forms.background++;
        expect(match[4]).toBe(scene.background.color);
      }
      const parts = match[2].split(/ (?:left of|right of|above|below) | (?:and|with) (?=a |an |some )/);
      if (/left of|right of|above|below/.test(text)) forms.relation++;
      else if (parts.length < scene.objects.length) forms.subset++;
      const names = scene.objects.map(o => nameCaption(o.concept));
      for (const part of parts) expect(names).toContain(part);
      expect(new Set(parts).size).toBe(parts.length);
    }
    expect(forms.photo / 1500).toBeCloseTo(0.3, 1);
    expect(forms.background / 1500).toBeGreaterThan(0.35);
    expect(forms.relation).toBeGreaterThan(30);
    expect(forms.subset).toBeGreaterThan(100);
  });

  it('tells relations by the centres of boxes', () => {
    const box = (left: number, top: number) => ({ box: { left, top, width: 20, height: 20 } }) as Scene['objects'][0];
    const scene = { width: 96, height: 96 } as Scene;
    expect(relationOf(scene, box(0, 30), box(60, 40))).toBe('left of');
    expect(relationOf(scene, box(60, 40), box(0, 30))).toBe('right of');
    expect(relationOf(scene, box(30, 0), box(30, 60))).toBe('above');
    expect(relationOf(scene, box(30, 60), box(30, 0))).toBe('below');
    expect(relationOf(scene, box(0, 0), box(60, 60))).toBeNull();
    expect(relationOf(scene, box(0, 0), box(8, 0))).toBeNull();
  });

  it('can be held to one form', () => {
    const scene = draw(0, { place: [7], color: 'blue' });
    expect(caption(scene, words.reader(0, 0), { photo: 1, background: 1 })).toBe(`a photo of ${nameCaption(7)} on a blue background`);
    expect(caption(scene, words.reader(0, 0), { photo: 0, background: 0 })).toBe(nameCaption(7));
    expect(caption(draw(0, { place: [], color: 'pink' }), words.reader(0, 0), { photo: 0 })).toBe('a pink background');
  });
});

describe('questions', () => {
  it('have answers that the scene bears out, in known words', () => {
    const seen = new Map<string, Set<string>>();
    for (let i = 0; i < 400; i++) {
      const scene = draw(i, { minObjects: 0, maxObjects: 6 });
      const shown = scene.objects.map(o => o.concept);
      for (const q of questions(scene, words.reader(1, i))) {
        expect(ids(`${q.question} ${q.answer}`)).not.toContain(UNK);
        expect(q.choices).toContain(q.answer);
        seen.set(q.kind, (seen.get(q.kind) ?? new Set()).add(q.answer));
        if (q.kind === 'existence') expect(q.answer).toBe(shown.includes(q.concepts[0]) ? 'yes' : 'no');
        if (q.kind === 'choice') expect(shown.map(c => nameCaption(c))).toContain(q.answer);
        if (q.kind === 'choice') expect(q.choices.filter(c => shown.some(s => nameCaption(s) === c))).toEqual([q.answer]);
        if (q.kind === 'color') expect(q.answer).toBe(scene.background.color);
        if (q.kind === 'count') expect(['zero', 'one', 'two', 'three', 'four', 'five', 'six'].indexOf(q.answer)).toBe(shown.length);
        if (q.kind === 'position') {
          const [a, b] = q.concepts.map(c => scene.objects[shown.indexOf(c)]);
          expect(q.answer).toBe(relationOf(scene, a, b));
          expect(q.question).toContain(`the ${a.name} `);
        }
      }
    }
    expect(Object.fromEntries([...seen].map(([kind, answers]) => [kind, answers.size]))).toMatchObject({
      existence: 2,
      count: 7,
      position: 4,
      color: 8,
    });
  });
});

describe('sceneTokenizerJson', () => {
  it('numbers every word, brackets the sentence and lowers case', () => {
    expect(VOCABULARY).toEqual([...VOCABULARY].sort());
    // 2 would make transformers' CLIP pool by the legacy arg-max rule.
    expect(EOS).not.toBe(2);
    expect(VOCABULARY_SIZE).toBe(VOCABULARY.length + 4);
    const id = (word: string) => SPECIAL_TOKENS.length + VOCABULARY.indexOf(word);
    expect(ids('A Photo of an owl')).toEqual([BOS, id('a'), id('photo'), id('of'), id('an'), id('owl'), EOS]);
    expect(ids('a xylophone')).toEqual([BOS, id('a'), UNK, EOS]);
    expect(ids('t-shirt?')).toEqual([BOS, id('t'), UNK, id('shirt'), id('?'), EOS]);
    for (const concept of CONCEPTS) expect(ids(nameCaption(concept))).toHaveLength(concept.name.split(' ').length + 3);
    expect(sceneTokenizerJson(32)['tokenizer_config.json']).toMatchObject({ model_max_length: 32, pad_token: '<pad>' });
  });
});
