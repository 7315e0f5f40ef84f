/** @file LLaVA-Bench (In-the-Wild): 60 questions about 24 pictures of all kinds, with a description of each for the judge. */
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { type LlavaBenchForm, loadLlavaBench } from './loading/llava-bench.ts';
import { nothingOf, openPlace } from './loading/place.ts';
import { OPEN_PROMPTS } from './loading/prompts.ts';
import type { QuestionSet } from './question.ts';

const FORM: LlavaBenchForm = {
  title: 'LLaVA-Bench (In-the-Wild)',
  questions: /^questions?\.jsonl$/i,
  context: /^context\.jsonl$/i,
  reference: /^(answers_gpt4|references?)\.jsonl$/i,
  answer: ['gpt_answer', 'answer'],
  folders: ['images'],
};

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(llavaBenchInTheWild, options);
  const set = await loadLlavaBench(FORM, options, place);
  if (!set) throw nothingOf(llavaBenchInTheWild, place);
  return set;
}

/** LLaVA-Bench (In-the-Wild). */
export const llavaBenchInTheWild: Benchmark = {
  name: 'llava-bench-in-the-wild',
  title: 'LLaVA-Bench (In-the-Wild)',
  summary:
    'Conversation, detail and complex reasoning about 24 pictures of all kinds; a judge that knows a description compares with a reference',
  kind: 'open',
  licence: "CC BY-NC 4.0 (LLaVA's data), under OpenAI's terms; the pictures' own licences are unknown",
  source: 'liuhaotian/llava-bench-in-the-wild or lmms-lab/llava-bench-in-the-wild on the Hugging Face hub',
  format:
    'parquet (question_id, question, image, caption, gpt_answer, category, image_id); questions.jsonl with context.jsonl, answers_gpt4.jsonl or reference.jsonl, and images/',
  size: '60 questions over 24 pictures',
  citation: 'Liu et al., Visual Instruction Tuning, NeurIPS 2023, arXiv 2304.08485',
  scorers: [],
  prompts: OPEN_PROMPTS,
  maxNewTokens: 1024,
  load,
};
