/** @file LLaVA-Bench (COCO): conversation, detail and complex reasoning about 30 pictures; Vittle's main set. */
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { type LlavaBenchForm, loadLlavaBench } from './loading/llava-bench.ts';
import { nothingOf, openPlace } from './loading/place.ts';
import { OPEN_PROMPTS } from './loading/prompts.ts';
import type { QuestionSet } from './question.ts';

const FORM: LlavaBenchForm = {
  title: 'LLaVA-Bench (COCO)',
  questions: /^(qa90_)?questions?\.jsonl$/i,
  context: /^(caps_boxes.*|context)\.jsonl$/i,
  reference: /^(qa90_gpt4_answers?|references?|answers_gpt4)\.jsonl$/i,
  answer: ['answer'],
  folders: ['val2014', 'coco/val2014'],
};

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(llavaBenchCoco, options);
  const set = await loadLlavaBench(FORM, options, place);
  if (!set) throw nothingOf(llavaBenchCoco, place);
  return set;
}

/** LLaVA-Bench (COCO). */
export const llavaBenchCoco: Benchmark = {
  name: 'llava-bench-coco',
  title: 'LLaVA-Bench (COCO)',
  summary:
    'Conversation, detail and complex reasoning about 30 pictures of COCO; a judge that knows captions and boxes compares with a reference',
  kind: 'open',
  licence: "CC BY-NC 4.0 (LLaVA's data), under OpenAI's terms; pictures of COCO val2014 under their own licences",
  source:
    "lmms-lab/llava-bench-coco on the Hugging Face hub; or LLaVA's playground/data/coco2014_val_qa_eval with the pictures of COCO val2014",
  format:
    'parquet (question_id, question, image, category, image_id, answer, caption); questions.jsonl or qa90_questions.jsonl with context.jsonl or caps_boxes_*.jsonl and reference.jsonl or qa90_gpt4_answer.jsonl',
  size: '90 questions, 3 for each of 30 pictures',
  citation: 'Liu et al., Visual Instruction Tuning, NeurIPS 2023, arXiv 2304.08485',
  scorers: [],
  prompts: OPEN_PROMPTS,
  maxNewTokens: 1024,
  load,
};
