/** @file docs/benchmarks.md, from the registry. */
import type { Benchmark } from '../src/evaluation/benchmarks/benchmark.ts';
import { benchmarks } from '../src/evaluation/benchmarks/registry.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n');

function section(one: Benchmark): string {
  const rows = [
    ['size', one.size],
    ['get it', one.source],
    ['reads', one.format],
    ['licence', one.licence],
    ['scorers', one.scorers.map(name => `\`${name}\``).join(', ') || 'none: answers need a judge'],
    ...Object.entries(one.prompts).map(([name, { source }], i) => [i === 0 ? 'prompts' : '', `\`${name}\`: ${source}`]),
    ['new tokens', String(one.maxNewTokens)],
    ['cite', one.citation],
  ];
  return `### ${one.name}\n\n**${one.title}**. ${one.summary}.\n\n${table(['', ''], rows)}\n`;
}

/** docs/benchmarks.md */
export function benchmarksPage(): string {
  const rows = benchmarks.map(one => [
    `[\`${one.name}\`](#${one.name})`,
    one.kind,
    one.size,
    one.scorers[0] ? `\`${one.scorers[0]}\`` : 'a judge',
  ]);
  return `# Benchmarks

Made by \`npm run docs\` from the registry; do not edit. \`narrows benchmarks\` lists them, \`narrows benchmarks NAME\` describes one, \`narrows evaluate --benchmark NAME\`
uses it. In code: \`findBenchmark(name).load({ data })\` of \`narrows/evaluation\` gives questions with unique keys, pictures that are read when they are needed, and warnings.

Public sets are not shipped and never downloaded: \`--data\` takes a folder, a file, or a name such as \`lmms-lab/POPE\` that lies in the cache of \`huggingface_hub\`
(\`hf download --repo-type dataset lmms-lab/POPE\` puts it there). Parquet is read a row group at a time and pictures one by one, so that sets of any size fit into memory.
The sets \`scenes-*\` are drawn by Narrows and need nothing.

${table(['benchmark', 'answers', 'size', 'default scorer'], rows)}

## What the readers take care of

- Labels and questions are joined by picture and words, never by their place in a file. Where two files are of two versions of a set (POPE's random list was made anew), the questions
  without a label are counted, said, and left out of scores.
- Ids that repeat (MME's two questions a picture, POPE's splits) get keys of their own.
- Instructions about the form of an answer that public files carry behind a question are taken away; the prompt puts them back. So a text shift changes the question's words only.
- Options that stand inside of the question (MMStar) or in a text as Python prints lists (MMMU) become options; \`<image 1>\` becomes the first picture.
- A pointer of Git LFS, an empty or cut file, a missing shard, a column of another type, a missing or broken picture: one sentence with file and row.

## The sets

${benchmarks.map(section).join('\n')}`;
}
