/** @file Lists and tables: pairs, conversations, questions, answers, reviews, boxes, in CSV, TSV, JSON, JSONL and parquet. */
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, type World } from '../../shared/world.ts';
import { bytes } from '../forms/bytes.ts';
import { json, jsonLines } from '../forms/json.ts';
import { table } from '../forms/text.ts';
import type { Form } from '../mutation.ts';
import type { Subject } from '../subject.ts';

const ROWS = [
  { image: 'a.png', text: 'a cat', box: '[2, 2, 20, 20]', site: 'x' },
  { image: 'b.png', text: 'a red apple on the left, and a dog', box: '', site: 'y "z"' },
];
const quoted = (value: string): string => (/[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const separated = (mark: string): string =>
  [Object.keys(ROWS[0]), ...ROWS.map(row => Object.values(row).map(quoted))].map(cells => `${cells.join(mark)}\n`).join('');

function pairs(world: World): Subject[] {
  const folder = world.at('lists');
  cpSync(world.at('images'), folder, { recursive: true });
  writeFileSync(join(folder, 'p.csv'), separated(','));
  writeFileSync(join(folder, 'p.tsv'), separated('\t'));
  writeFileSync(join(folder, 'p.json'), JSON.stringify(ROWS));
  writeFileSync(join(folder, 'p.jsonl'), ROWS.map(row => `${JSON.stringify(row)}\n`).join(''));
  copyFileSync(inRepository('src/inputs/pairs/testdata/pictures.parquet'), join(folder, 'pictures.parquet'));
  const list = (kind: string, file: string, form: Form): Subject => ({
    ...{ kind, name: `pairs ${file}`, folder, file, form, outcome: ['out/results.jsonl'] },
    args: copy => [
      ...['attribute', '--pairs', join(copy, file), '--output', join(copy, 'out'), '--model', world.at('clip')],
      ...['--method', 'random', '--formats', 'json', '--workers', '0', '--quiet'],
    ],
  });
  return [
    list('tables', 'p.csv', table),
    list('tables', 'p.tsv', table),
    list('json', 'p.json', json),
    list('json', 'p.jsonl', jsonLines),
    list('parquet', 'pictures.parquet', bytes),
  ];
}

function benchmarks(world: World): Subject[] {
  const tables = 'src/evaluation/benchmarks/testdata/tables';
  const one = (benchmark: string, source: string): Subject => {
    const folder = world.at('sets', source.replaceAll('/', '-'));
    mkdirSync(folder, { recursive: true });
    const file = source.split('/').at(-1)!;
    copyFileSync(inRepository(tables, source), join(folder, file));
    writeFileSync(join(folder, 'answers.jsonl'), '{"question_id":"0","text":"yes"}\n');
    const others = ['POPE/other/zstd.parquet', 'MMStar/other/brotli.parquet', 'ScienceQA/other/lz4.parquet'].map(path =>
      inRepository(tables, path),
    );
    return {
      ...{ kind: 'parquet', name: `set ${source}`, folder, file, form: bytes, others },
      args: copy => [
        ...[
          'evaluate',
          '--benchmark',
          benchmark,
          '--data',
          join(copy, file),
          '--answers',
          join(copy, 'answers.jsonl'),
          '--json',
          '--quiet',
        ],
      ],
    };
  };
  return [one('mmstar', 'MMStar/other/brotli.parquet'), one('scienceqa', 'ScienceQA/other/lz4.parquet')];
}

function answers(world: World): Subject[] {
  const folders = 'src/evaluation/scorers/testdata/folders';
  const pope = world.at('pope');
  cpSync(inRepository(folders, 'pope'), pope, { recursive: true });
  const score =
    (benchmark: string, of: string) =>
    (copy: string): string[] => [
      ...['evaluate', '--benchmark', benchmark, '--data', copy, '--answers', join(copy, of), '--json', '--quiet'],
    ];
  const science = world.at('scienceqa');
  cpSync(inRepository(folders, 'scienceqa'), science, { recursive: true });
  return [
    {
      kind: 'json',
      name: 'answers',
      folder: pope,
      file: 'answers/plain.jsonl',
      form: jsonLines,
      args: score('pope', 'answers/plain.jsonl'),
    },
    {
      kind: 'json',
      name: 'questions of pope',
      folder: pope,
      file: 'coco/coco_pope_random.json',
      form: jsonLines,
      args: score('pope', 'answers/plain.jsonl'),
    },
    {
      kind: 'json',
      name: 'problems of scienceqa',
      folder: science,
      file: 'problems.json',
      form: json,
      args: score('scienceqa', 'answers.jsonl'),
    },
  ];
}

function conversations(world: World): Subject[] {
  const judge = world.at('judge');
  cpSync(inRepository('src/evaluation/judge/testdata/coco'), judge, { recursive: true });
  return [
    {
      ...{ kind: 'json', name: 'conversations', folder: world.at('tune'), file: 'data.json', form: json },
      args: copy => [
        'data',
        'inspect',
        join(copy, 'data.json'),
        '--model',
        join(copy, 'model'),
        '--template',
        'vicuna_v1',
        '--images',
        copy,
        '--json',
        '--quiet',
      ],
    },
    {
      ...{
        kind: 'json',
        name: 'questions',
        folder: world.at('asked'),
        file: 'questions.jsonl',
        form: jsonLines,
        outcome: ['answers.jsonl'],
      },
      args: copy => [
        ...['generate', '--model', world.at('llava'), '--input', join(copy, 'questions.jsonl'), '--images', world.at('images')],
        ...['--output', join(copy, 'answers.jsonl'), '--max-new-tokens', '2', '--quiet'],
      ],
    },
    {
      ...{ kind: 'json', name: 'reviews', folder: judge, file: 'review_a.jsonl', form: jsonLines },
      args: copy => ['judge', '--reviews', join(copy, 'review_a.jsonl'), '--questions', join(copy, 'questions.jsonl'), '--json', '--quiet'],
    },
  ];
}

const COCO = {
  images: [
    { id: 1, file_name: 'a.png', width: 48, height: 48 },
    { id: 2, file_name: 'b.png', width: 60, height: 40 },
  ],
  categories: [
    { id: 1, name: 'cat' },
    { id: 2, name: 'dog' },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [4, 4, 20, 20], area: 400, iscrowd: 0 },
    { id: 2, image_id: 2, category_id: 2, bbox: [30, 10, 20, 20], area: 400, iscrowd: 0 },
  ],
};

function boxes(world: World): Subject[] {
  const folder = world.at('boxes');
  cpSync(world.at('images'), folder, { recursive: true });
  writeFileSync(join(folder, 'reports.csv'), 'image,text\na.png,a cat on the left\nb.png,a dog\n');
  writeFileSync(join(folder, 'coco.json'), JSON.stringify(COCO));
  writeFileSync(
    join(folder, 'boxes.csv'),
    'dicom_id,category_name,label_text,x,y,w,h\na,Cat,a cat on the left,4,4,12,12\nb,Dog,a dog,20,8,10,10\n',
  );
  const audit =
    (file: string) =>
    (copy: string): string[] => [
      ...['audit', '--pairs', join(copy, 'reports.csv'), '--boxes', join(copy, file), '--output', join(copy, 'out')],
      ...['--model', world.at('clip'), '--method', 'random', '--json', '--quiet'],
    ];
  return [
    {
      kind: 'boxes',
      name: 'boxes as CSV',
      folder,
      file: 'boxes.csv',
      form: table,
      args: audit('boxes.csv'),
      outcome: ['out/results.json'],
    },
    { kind: 'tables', name: 'reports', folder, file: 'reports.csv', form: table, args: audit('boxes.csv'), outcome: ['out/results.json'] },
    {
      ...{ kind: 'boxes', name: 'COCO', folder, file: 'coco.json', form: json, outcome: ['out/results.json'] },
      args: copy => [
        ...['compare', '--data', join(copy, 'coco.json'), '--images', copy, '--template', 'a {}', '--methods', 'random,uniform'],
        ...['--metrics', 'pointing-game,entropy', '--model', world.at('clip'), '--modality', 'image', '--workers', '0'],
        ...['--output', join(copy, 'out'), '--quiet'],
      ],
    },
  ];
}

/** All of them. */
export const tableSubjects = (world: World): Subject[] => [
  ...pairs(world),
  ...benchmarks(world),
  ...answers(world),
  ...conversations(world),
  ...boxes(world),
];
