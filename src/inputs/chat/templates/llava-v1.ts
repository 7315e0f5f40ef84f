/** @file `llava_v1`: as `vicuna_v1` with a curious human. Vittle's official evaluation uses it, though its training used `vicuna_v1`. */
import type { ChatTemplate, TemplateTokens } from '../template.ts';
import { twoSeparators } from './two-separators.ts';

/** The system text of `conv_llava_v1`. */
export const LLAVA_SYSTEM =
  "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the human's questions.";

/** The template of LLaVA's first version. */
export const llavaV1 = (tokens?: TemplateTokens): ChatTemplate => twoSeparators('llava_v1', LLAVA_SYSTEM, tokens);
