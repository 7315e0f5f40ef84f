/** @file README.md of a trained model: the parts that every kind of run fills in alike. */
import { formatNumber } from '../system/format.ts';

/** What a kind of run says of its model; paragraphs are lines. */
export interface CardParts {
  readonly library: string;
  readonly pipeline: string;
  readonly tags: readonly string[];
  readonly title: string;
  readonly summary: readonly string[];
  readonly use: string;
  readonly training: readonly string[];
  /** Of the last evaluation, by `eval_…`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Said below the results, where there are any. */
  readonly resultsNote?: string;
}

/** Text of the card: a model card to be filled in, with what the run knows. */
export function cardText({ library, pipeline, tags, title, summary, use, training, metrics, resultsNote }: CardParts): string {
  const rows = Object.entries(metrics).map(([key, value]) => `| ${key.slice(5).replaceAll('_', ' ')} | ${formatNumber(value)} |`);
  const results = rows.length
    ? ['| measure | value |', '|---|---|', ...rows, ...(resultsNote ? ['', resultsNote] : [])]
    : ['Not evaluated.'];
  const front = ['---', `library_name: ${library}`, `pipeline_tag: ${pipeline}`, `tags: [${tags.join(', ')}]`, '---'];
  const licence = 'To be written: that of the data and of what it started from.';
  const sections = [
    front,
    [`# ${title}`],
    summary,
    ['## Use'],
    [use],
    ['## Training'],
    training,
    ['## Results'],
    results,
    ['## Licence'],
    [licence],
  ];
  return `${sections.map(lines => lines.join('\n')).join('\n\n')}\n`;
}
