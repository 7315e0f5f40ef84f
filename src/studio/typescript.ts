/** @file "Copy as TypeScript": a program that gives a result again. Every text of a person stands in it as a JSON string. */
import { readPictureId } from './picture-id.ts';
import type { AttributeRequest } from './requests.ts';

/** What a program is written from. */
export interface ProgramFacts {
  /** The model, as `loadModel` and `ChatModel.open` (in a page `loadChat`) take it. */
  readonly model: string;
  /** Whether the model compares pairs or answers questions. */
  readonly serves: 'pair' | 'question';
  readonly method: string;
  /** Those that differ from the defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Path, name or address of the picture, and of the target's. */
  readonly picture: string;
  readonly targetPicture?: string;
  readonly request: Pick<AttributeRequest, 'picture' | 'text' | 'modality' | 'seed' | 'seeds' | 'imageSize' | 'target' | 'answer'>;
}

const quote = (value: unknown): string => JSON.stringify(value);
const isName = (key: string): boolean => /^[A-Za-z_$][\w$]*$/.test(key);

/** An object as a person writes it; entries are code. */
function object(entries: readonly (readonly [string, string])[]): string {
  if (entries.length === 0) return '{}';
  return `{ ${entries.map(([key, code]) => (key === code ? key : `${isName(key) ? key : quote(key)}: ${code}`)).join(', ')} }`;
}

const values = (given: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, quote(value)]]));

/** A picture read; of a file of several frames the one that the id names. */
function decoded(variable: string, name: string, id: string | undefined): string {
  const { frame } = readPictureId(id ?? '');
  return `const ${variable} = await decodeImage(${quote(name)}${frame === undefined ? '' : `, { frame: ${frame} }`});`;
}

/** The program. @param entry where a page imports from; Node's by default */
export function typescriptOf(facts: ProgramFacts, entry: 'narrows' | 'narrows/web' = 'narrows'): string {
  const page = entry === 'narrows/web';
  const { model, method, options, picture, targetPicture, request } = facts;
  const { text, modality, seed, seeds, imageSize, answer } = request;
  const asks = facts.serves === 'question';
  const { picture: _, against, ...others } = request.target;
  const target = asks ? others : { against, ...others };
  const chosen = object(values(options));
  const aim = [
    ...values(target),
    ...(targetPicture === undefined
      ? []
      : ([
          ['image', 'other'],
          ['imageName', quote(targetPicture)],
        ] as [string, string][])),
  ];
  const run = object([
    ...values({
      modality: modality === 'both' ? undefined : modality,
      seed: seed || undefined,
      seeds: seeds > 1 ? seeds : undefined,
      imageSize,
      ...(asks ? { answer: answer?.text, parts: answer && answer.parts !== 'word' ? answer.parts : undefined, against } : {}),
    }),
    ...(aim.length ? ([['target', object(aim)]] as [string, string][]) : []),
  ]);
  const more = run === '{}' ? '' : `, ${run}`;
  const pictures = [
    decoded('image', picture, facts.request.picture),
    ...(targetPicture === undefined ? [] : [decoded('other', targetPicture, facts.request.target.picture)]),
  ];
  const end = `console.log(result.image?.patches, result.text?.words${asks ? ', result.answer?.parts' : ''});`;
  if (asks)
    return [
      `import { ${page ? 'decodeImage, explainSubject, findMethod, loadChat' : 'ChatModel, decodeImage, explainSubject, findMethod'} } from ${quote(entry)};`,
      '',
      `await using chat = await ${page ? 'loadChat' : 'ChatModel.open'}(${quote(model)});`,
      ...pictures,
      `const question = { kind: 'question', model: chat, pair: { image, text: ${quote(text)} } } as const;`,
      `const result = await explainSubject(findMethod(${quote(method)})!, question, ${chosen}${more});`,
      end,
      '',
    ].join('\n');
  return [
    `import { createMethod, decodeImage, loadModel } from ${quote(entry)};`,
    '',
    `await using model = await loadModel(${quote(model)});`,
    `await using method = createMethod(${quote(method)}, model${chosen === '{}' ? '' : `, ${chosen}`});`,
    ...pictures,
    `const result = await method.attribute({ image, text: ${quote(text)} }${more});`,
    end,
    '',
  ].join('\n');
}
