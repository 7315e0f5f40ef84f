/** @file `llama_3`: headers and `<|eot_id|>`, the layout of Llama-3's chat models (LLaVA++ and LLaVA-NeXT with Llama-3). */
import { answer, type ChatTemplate, prompt, type Span, type TemplateTokens } from '../template.ts';

/** Llama-3. Contents are trimmed, as its own template does. Source: Meta's `llama3/tokenizer.py` (ChatFormat) and `tokenizer_config.json`. */
export const llama3 = ({ bosToken = '<|begin_of_text|>' }: TemplateTokens = {}): ChatTemplate => ({
  name: 'llama_3',
  render(messages, { generationPrompt = false } = {}) {
    const header = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    const spans: Span[] = [prompt('system', bosToken)];
    for (const { role, content } of messages) {
      const text = `${content.trim()}<|eot_id|>`;
      spans.push(...(role === 'assistant' ? [prompt(role, header(role)), answer(text)] : [prompt(role, header(role) + text)]));
    }
    if (generationPrompt) spans.push(prompt('assistant', header('assistant')));
    return spans;
  },
});
