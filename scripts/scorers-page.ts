/** @file docs/scorers.md, from the registry. */
import { benchmarks } from '../src/evaluation/benchmarks/registry.ts';
import { scorers } from '../src/evaluation/scorers/registry.ts';
import type { Scorer } from '../src/evaluation/scorers/scorer.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n');

const usersOf = (name: string): string =>
  benchmarks
    .filter(one => one.scorers.includes(name))
    .map(one => `\`${one.name}\``)
    .join(', ');

const section = ({ name, summary, source, primary, best, missing }: Scorer): string =>
  `### ${name}\n\n${summary}\n\n${table(
    ['', ''],
    [
      ['primary figure', `\`${primary}\`, at best ${best}`],
      ['question without an answer', missing],
      ['for', usersOf(name) || 'any set of its kind of answers'],
      ['follows', source],
    ],
  )}\n`;

/** docs/scorers.md */
export function scorersPage(): string {
  const all = Object.values(scorers);
  return `# Scorers

Made by \`npm run docs\` from the registry; do not edit. The same answers score F1 .80, .88 or .86 on POPE by whose rules read them, so every score names its scorer:
\`narrows evaluate --benchmark pope --data DIR --answers FILE --scorer official\`, or \`--scorer all\` for all of a set side by side. \`official\` means the set's own program,
\`strict\` ours: nothing is guessed, what cannot be read is wrong.

${table(
  ['scorer', 'for', 'primary figure', 'best'],
  all.map(({ name, primary, best }) => [`[\`${name}\`](#${name.replaceAll('@', '')})`, usersOf(name), `\`${primary}\``, String(best)]),
)}

## Answers that exist

\`--answers\` takes LLaVA's JSON lines (\`{question_id, prompt, text}\`), MME's folder of text files, MMMU's folders of \`output.json\` (and its \`total_val_output.json\`), MMStar's predictions,
samples of lmms-eval (\`--log_samples\`), and any JSON, CSV, TSV or parquet with a column of ids (\`question_id\`, \`id\`, \`index\`, …) and one of answers (\`prediction\`, \`response\`, \`text\`,
\`output\`, …, \`answer\` last, since many files repeat the right answer under that name).

- Answers are joined by id; where ids repeat (MME's two questions a picture, POPE's splits), by the words of the prompt as well, and by the split that a row names. Never by
  position: \`--join position\` only repeats figures of programs that do so, and says that they are wrong.
- Duplicates, answers to unknown questions and questions without an answer are counted and said. A question without a right answer counts nowhere.
- A prompt that does not hold the question's words is refused with both texts: these are answers to another version of the questions.
- \`<think>…</think>\` is taken away before an answer is read, closed or not. The raw answer, the stripped one and what was read all stand in \`answers.jsonl\` of \`--output\`.
- The 95 % interval of the primary figure resamples pictures, not answers: questions about one picture are not independent.
- A figure that has nothing to divide by is null, with a warning, where official programs die.

## The scorers

${all.map(section).join('\n')}`;
}
