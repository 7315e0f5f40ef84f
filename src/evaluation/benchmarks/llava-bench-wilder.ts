/** @file LLaVA-Bench-Wilder: what people ask about pictures of their own. */
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { loadOpenTable, type OpenForm } from './loading/open-table.ts';
import { nothingOf, openPlace } from './loading/place.ts';
import { OPEN_PROMPTS } from './loading/prompts.ts';
import type { QuestionSet } from './question.ts';

const FORM: OpenForm = {
  title: 'LLaVA-Bench-Wilder',
  splits: ['test'],
  question: ['Question', 'question'],
  reference: ['Answer', 'answer'],
  category: ['Category', 'category'],
  id: ['question_id', 'id'],
};

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(llavaBenchWilder, options);
  const set = await loadOpenTable(FORM, options, place);
  if (!set) throw nothingOf(llavaBenchWilder, place);
  return set;
}

/** LLaVA-Bench-Wilder. */
export const llavaBenchWilder: Benchmark = {
  name: 'llava-bench-wilder',
  title: 'LLaVA-Bench-Wilder',
  summary: 'What people ask about pictures of their own; a judge compares with a reference',
  kind: 'open',
  licence: 'unknown: the card of the set could not be read',
  source: 'lmms-lab/LLaVA-Bench-Wilder on the Hugging Face hub',
  format: 'parquet (Question, Answer, Category, image); splits as the set names them (--split)',
  size: 'about 130 questions',
  citation: 'Li et al., LLaVA-NeXT: Stronger LLMs Supercharge Multimodal Capabilities in the Wild, 2024 (a post on the LLaVA site)',
  scorers: [],
  prompts: OPEN_PROMPTS,
  maxNewTokens: 1024,
  load,
};
