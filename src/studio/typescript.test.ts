import { describe, expect, it } from 'vitest';
import { type ProgramFacts, typescriptOf } from './typescript.ts';

const facts = (more: Partial<ProgramFacts> = {}, request: Partial<ProgramFacts['request']> = {}): ProgramFacts => ({
  ...{ model: 'scene-clip', serves: 'pair', method: 'm2ib', options: {}, picture: 'cat.png' },
  request: { picture: 'a'.repeat(64), text: 'a cat', modality: 'both', seed: 0, seeds: 1, target: {}, ...request },
  ...more,
});

describe('typescriptOf', () => {
  it('writes what was asked and no more', () => {
    expect(typescriptOf(facts())).toContain('const result = await method.attribute({ image, text: "a cat" });');
    const more = typescriptOf(
      facts(
        { options: { beta: 0.5, 'odd-name': [1] }, targetPicture: 'dog.png' },
        { modality: 'image', seed: 7, seeds: 3, target: { picture: 'x' } },
      ),
    );
    expect(more).toContain('createMethod("m2ib", model, { beta: 0.5, "odd-name": [1] })');
    expect(more).toContain('const other = await decodeImage("dog.png");');
    const film = typescriptOf(facts({ picture: 'a.dcm', targetPicture: 'b.dcm' }, { picture: 'f.2', target: { picture: 'f.3' } }));
    expect(film).toContain(
      'const image = await decodeImage("a.dcm", { frame: 2 });\nconst other = await decodeImage("b.dcm", { frame: 3 });',
    );
    expect(more).toContain('{ modality: "image", seed: 7, seeds: 3, target: { image: other, imageName: "dog.png" } }');
  });

  it('lets no text out of its quotes', () => {
    const evil = '"); process.exit(); ("\n`$(1)`\u2028</script>';
    const program = typescriptOf(facts({ picture: evil, model: evil }, { text: evil, target: { against: evil } }));
    expect(program.split(JSON.stringify(evil))).toHaveLength(5);
    expect(program.replaceAll(JSON.stringify(evil), '')).not.toMatch(/exit/);
  });

  it('asks models that answer, in Node and in a page', () => {
    const question = facts({ serves: 'question', method: 'posterior' });
    expect(typescriptOf(question)).toContain('await using chat = await ChatModel.open("scene-clip");');
    const page = typescriptOf(question, 'narrows/web');
    expect(page).toContain('loadChat } from "narrows/web";');
    expect(page).toContain('await using chat = await loadChat("scene-clip");');
  });
});
