/** @file `chatml`: `<|im_start|>role … <|im_end|>`, the layout of Qwen's chat models. */
import { answer, type ChatTemplate, prompt, type Span, type TemplateTokens } from '../template.ts';
import { content, learnt, print } from './jinja-text.ts';

/** What Qwen2's own template says where no system turn is given. */
export const CHATML_SYSTEM = 'You are a helpful assistant.';

/** ChatML. Source: Qwen2's `tokenizer_config.json`; an answer's `<|im_end|>` is supervised, the line end behind it is not. */
export const chatml = ({ imageToken }: TemplateTokens = {}): ChatTemplate => ({
  name: 'chatml',
  toJinja(system = CHATML_SYSTEM) {
    const said = content(imageToken);
    const first = `{% if messages[0]['role'] != 'system' %}${print(`<|im_start|>system\n${system}<|im_end|>\n`)}{% endif %}`;
    const answered = `${print('<|im_start|>assistant\n')}${learnt(`${said}${print('<|im_end|>')}`)}${print('\n')}`;
    const asked = `{{ '<|im_start|>' + message['role'] + '\\n' }}${said}${print('<|im_end|>\n')}`;
    const turns = `{% for message in messages %}{% if message['role'] == 'assistant' %}${answered}{% else %}${asked}{% endif %}{% endfor %}`;
    return `${first}${turns}{% if add_generation_prompt %}${print('<|im_start|>assistant\n')}{% endif %}`;
  },
  render(messages, { generationPrompt = false } = {}) {
    const turns = messages[0]?.role === 'system' ? messages : [{ role: 'system' as const, content: CHATML_SYSTEM }, ...messages];
    const spans: Span[] = [];
    for (const { role, content: said } of turns) {
      if (role !== 'assistant') spans.push(prompt(role, `<|im_start|>${role}\n${said}<|im_end|>\n`));
      else spans.push(prompt(role, '<|im_start|>assistant\n'), answer(`${said}<|im_end|>`), prompt(role, '\n'));
    }
    if (generationPrompt) spans.push(prompt('assistant', '<|im_start|>assistant\n'));
    return spans;
  },
});
