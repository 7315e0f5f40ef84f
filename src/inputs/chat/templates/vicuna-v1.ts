/** @file `vicuna_v1`: what LLaVA-1.5 was trained with (`--version v1`) and is evaluated with. */
import type { ChatTemplate, TemplateTokens } from '../template.ts';
import { twoSeparators } from './two-separators.ts';

/** The system text of `conv_vicuna_v1`. */
export const VICUNA_SYSTEM =
  "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions.";

/** LLaVA-1.5's template. */
export const vicunaV1 = (tokens?: TemplateTokens): ChatTemplate => twoSeparators('vicuna_v1', VICUNA_SYSTEM, tokens);
