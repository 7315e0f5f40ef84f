/** @file Prompts: LLaVA's instructions, how options are written out, and how an instruction that stands in a question is taken away. */
import type { PromptStyle } from '../benchmark.ts';
import type { Question } from '../question.ts';

const SHORT = 'Answer the question using a single word or phrase.';
const LETTER = "Answer with the option's letter from the given choices directly.";
const YES_NO = 'Please answer yes or no.';

const LLAVA = "LLaVA 1.5's question files (its Evaluation.md; Liu et al. 2024), which Vittle's evaluation follows";
const LMMS_EVAL = 'lmms-eval at commit 75571cf';

/** Letters of options. */
export const letterOf = (index: number): string => String.fromCharCode(65 + index);

/** Instructions about the form of an answer as public files carry them behind a question. */
const INSTRUCTIONS = [SHORT, LETTER, LETTER.slice(0, -1), YES_NO, 'Answer the question with Yes or No.', 'Answer with yes or no.'];

/** A question's text without an instruction about the form of its answer. */
export function withoutInstruction(text: string): string {
  const trimmed = text.trim();
  const found = INSTRUCTIONS.find(one => trimmed.toLowerCase().endsWith(one.toLowerCase()));
  return found === undefined ? trimmed : trimmed.slice(0, -found.length).trimEnd();
}

/** Options as lines: `A. a dog`. */
export const optionLines = (options: readonly string[]): string => options.map((option, i) => `${letterOf(i)}. ${option}`).join('\n');

/** The question as it is. */
const plain = (source: string): PromptStyle => ({ source, build: (_, words) => ({ text: words }) });

const short = (source: string): PromptStyle => ({ source, build: (_, words) => ({ text: `${words}\n${SHORT}` }) });

interface ChoiceForm {
  /** Before the question's context. */
  readonly context?: string;
  /** Between options and instruction. */
  readonly gap?: string;
  readonly instruction?: string;
}

function choice(source: string, { context = '', gap = '\n', instruction = LETTER }: ChoiceForm = {}): PromptStyle {
  const before = (question: Question): string => (question.context === undefined ? '' : `${context}${question.context}\n`);
  return {
    source,
    build: (question, words) => {
      if (question.kind !== 'choice') return { text: `${before(question)}${words}${gap}${SHORT}` };
      const options = question.options?.length ? `\n${optionLines(question.options)}` : '';
      return { text: `${before(question)}${words}${options}${gap}${instruction}` };
    },
  };
}

/** For yes or no, a word, a phrase. lmms-eval asks in the same words. */
export const SHORT_PROMPTS = { 'llava@1.5': short(LLAVA), 'plain@1': plain("the question's words as they stand") };

/** For sentences: nothing is added. lmms-eval adds nothing either. */
export const OPEN_PROMPTS = { 'llava@1.5': plain(LLAVA) };

/** For ScienceQA, whose hint stands behind `Context: `. lmms-eval asks in the same words. */
export const HINT_PROMPTS = { 'llava@1.5': choice(LLAVA, { context: 'Context: ' }) };

/** For MMMU. */
export const SUBJECT_PROMPTS = {
  'llava@1.5': choice(LLAVA),
  'lmms-eval@75571cf': choice(`${LMMS_EVAL}, tasks/mmmu: an empty line before the instruction`, { gap: '\n\n' }),
};

/** For MMStar: by lmms-eval the options stand in one line inside of the question, as in the set. */
export const INLINE_PROMPTS: Readonly<Record<string, PromptStyle>> = {
  'llava@1.5': choice(LLAVA),
  'lmms-eval@75571cf': {
    source: `${LMMS_EVAL}, tasks/mmstar: options as the set has them, no full stop at the end`,
    build: ({ options = [] }, words) => {
      const line = options.length > 0 ? `\nOptions: ${options.map((option, i) => `${letterOf(i)}: ${option}`).join(', ')}` : '';
      return { text: `${words}${line}\n${LETTER.slice(0, -1)}` };
    },
  },
};

/** For options with letters. */
export const CHOICE_PROMPTS = { 'llava@1.5': choice(LLAVA) };

/** For questions of one's own, each by its kind. */
export const GENERIC_PROMPTS: Readonly<Record<string, PromptStyle>> = {
  'llava@1.5': {
    source: LLAVA,
    build: (question, words) => {
      if (question.kind !== 'open') return choice(LLAVA).build(question, words);
      return { text: question.context === undefined ? words : `${question.context}\n${words}` };
    },
  },
  'plain@1': {
    source: "the question's words as they stand, with context and options",
    build: ({ context, options = [] }, words) => ({ text: [context, words, optionLines(options)].filter(part => part).join('\n') }),
  },
};

/** For the built-in world: the wording that the shipped models were taught, without an instruction. */
export const SCENE_PROMPTS = { 'scenes@1': plain("the wording of the built-in world's instructions (src/scenes)") };
/** As `SCENE_PROMPTS`; where things are chosen among, these stand behind the question: `a dog or a cat`. Other questions are asked without options, as they were taught. */
export const SCENE_CHOICE_PROMPTS: Readonly<Record<string, PromptStyle>> = {
  'scenes@1': {
    source: "the wording of the built-in world's questions (src/scenes/questions.ts), with four things to choose among instead of two",
    build: ({ category, options = [] }, words) => ({ text: category === 'object' ? `${words} ${options.join(' or ')}` : words }),
  },
  'llava@1.5': choice(LLAVA),
};
