/** @file `llama_3`: headers and `<|eot_id|>`, the layout of Llama-3's chat models (LLaVA++ and LLaVA-NeXT with Llama-3). */
import { answer, type ChatTemplate, prompt, type Span, type TemplateTokens } from '../template.ts';
import { content, learnt, print, token } from './jinja-text.ts';

const header = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`;

/** Llama-3. Contents are trimmed, as its own template does. Source: Meta's `llama3/tokenizer.py` (ChatFormat) and `tokenizer_config.json`. */
export const llama3 = (tokens: TemplateTokens = {}): ChatTemplate => ({
  name: 'llama_3',
  toJinja(system) {
    const end = `{{ text | trim }}${print('<|eot_id|>')}`;
    const turn = `{% set text %}${content(tokens.imageToken)}{% endset %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}{% if message['role'] == 'assistant' %}${learnt(end)}{% else %}${end}{% endif %}`;
    const first =
      system === undefined
        ? ''
        : `{% if messages[0]['role'] != 'system' %}${print(`${header('system')}${system.trim()}<|eot_id|>`)}{% endif %}`;
    const open = token('bos_token', '<|begin_of_text|>', tokens.bosToken);
    return `${open}${first}{% for message in messages %}${turn}{% endfor %}{% if add_generation_prompt %}${print(header('assistant'))}{% endif %}`;
  },
  render(messages, { generationPrompt = false } = {}) {
    const { bosToken = '<|begin_of_text|>' } = tokens;
    const spans: Span[] = [prompt('system', bosToken)];
    for (const { role, content: said } of messages) {
      const text = `${said.trim()}<|eot_id|>`;
      spans.push(...(role === 'assistant' ? [prompt(role, header(role)), answer(text)] : [prompt(role, header(role) + text)]));
    }
    if (generationPrompt) spans.push(prompt('assistant', header('assistant')));
    return spans;
  },
});
