/** @file WildVision-Bench: 500 questions of people to models in an arena; answers are compared with those of a reference model. */
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { loadOpenTable, type OpenForm } from './loading/open-table.ts';
import { nothingOf, openPlace } from './loading/place.ts';
import { OPEN_PROMPTS } from './loading/prompts.ts';
import type { QuestionSet } from './question.ts';

const FORM: OpenForm = {
  title: 'WildVision-Bench',
  splits: ['test'],
  question: ['instruction'],
  // The hub's set may carry the reference model's answers in a column by its name.
  reference: ['reference', 'claude-3-sonnet-20240229'],
  category: ['language'],
  id: ['question_id'],
  config: /vision_bench_0617$/,
};

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(wildvisionBench, options);
  const set = await loadOpenTable(FORM, options, place);
  if (!set) throw nothingOf(wildvisionBench, place);
  const without = set.questions.filter(question => question.facts.reference === undefined).length;
  if (without === 0) return set;
  return {
    ...set,
    warnings: [...set.warnings, `${without} questions have no answer of a reference model: a judge needs one as the other side.`],
  };
}

/** WildVision-Bench. */
export const wildvisionBench: Benchmark = {
  name: 'wildvision-bench',
  title: 'WildVision-Bench',
  summary: "Questions of people to models in an arena; a judge says whose answer is better, the model's or a reference model's",
  kind: 'open',
  licence: 'MIT (WildVision-Bench); the pictures come from its users',
  source: 'WildVision/wildvision-bench on the Hugging Face hub (config vision_bench_0617)',
  format: 'parquet (question_id, instruction, image, language, and the answers of models by name)',
  size: '500 questions, about 1.2 GB',
  citation: 'Lu et al., WildVision: Evaluating Vision-Language Models in the Wild with Human Preferences, NeurIPS 2024, arXiv 2406.11069',
  scorers: [],
  prompts: OPEN_PROMPTS,
  maxNewTokens: 1024,
  load,
};
