/** @file `chatml`: `<|im_start|>role … <|im_end|>`, the layout of Qwen's chat models. */
import { answer, type ChatTemplate, prompt, type Span } from '../template.ts';

/** What Qwen2's own template says where no system turn is given. */
export const CHATML_SYSTEM = 'You are a helpful assistant.';

/** ChatML. Source: Qwen2's `tokenizer_config.json`; an answer's `<|im_end|>` is supervised, the line end behind it is not. */
export const chatml = (): ChatTemplate => ({
  name: 'chatml',
  render(messages, { generationPrompt = false } = {}) {
    const turns = messages[0]?.role === 'system' ? messages : [{ role: 'system' as const, content: CHATML_SYSTEM }, ...messages];
    const spans: Span[] = [];
    for (const { role, content } of turns) {
      if (role !== 'assistant') spans.push(prompt(role, `<|im_start|>${role}\n${content}<|im_end|>\n`));
      else spans.push(prompt(role, '<|im_start|>assistant\n'), answer(`${content}<|im_end|>`), prompt(role, '\n'));
    }
    if (generationPrompt) spans.push(prompt('assistant', '<|im_start|>assistant\n'));
    return spans;
  },
});
