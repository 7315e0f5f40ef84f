/** @file The layout of LLaVA's v1 templates (SeparatorStyle.TWO): `SYSTEM USER: q ASSISTANT: a</s>USER: q ASSISTANT: a</s>`. */
import type { ChatMessage } from '../messages.ts';
import { answer, type ChatTemplate, prompt, type RenderOptions, type Span, type TemplateTokens } from '../template.ts';
import { content, learnt, literal, print, token } from './jinja-text.ts';

/**
 * A v1 template. The first turn replaces the system text where it is a system turn.
 * Source: LLaVA `conversation.py` (`conv_vicuna_v1`, `conv_llava_v1`; sep " ", sep2 "</s>").
 * @param tokens `eosToken` ends an answer, `</s>` where the tokenizer names none
 */
export function twoSeparators(name: string, system: string, tokens: TemplateTokens = {}): ChatTemplate {
  const { eosToken = '</s>', imageToken } = tokens;
  return {
    name,
    toJinja(text = system) {
      const said = content(imageToken);
      const first = `{% if messages[0]['role'] == 'system' %}{% set system %}${content(imageToken, 'messages[0]')}{% endset %}{% else %}{% set system = ${literal(text)} %}{% endif %}{% if system %}{{ system + ' ' }}{% endif %}`;
      const answered = `${print('ASSISTANT:')}${learnt(`${print(' ')}${said}${token('eos_token', '</s>', tokens.eosToken)}`)}`;
      const turns = `{% for message in messages %}{% if message['role'] == 'user' %}${print('USER: ')}${said}${print(' ')}{% elif message['role'] == 'assistant' %}${answered}{% endif %}{% endfor %}`;
      return `${first}${turns}{% if add_generation_prompt %}${print('ASSISTANT:')}{% endif %}`;
    },
    render(messages: readonly ChatMessage[], { generationPrompt = false }: RenderOptions = {}): Span[] {
      const given = messages[0]?.role === 'system' ? messages[0].content : system;
      const spans: Span[] = given === '' ? [] : [prompt('system', `${given} `)];
      for (const { role, content: said } of messages) {
        if (role === 'user') spans.push(prompt('user', `USER: ${said} `));
        // The blank before an answer belongs to it, as in LLaVA's masks: the generation prompt ends without one, so the model must say it.
        else if (role === 'assistant') spans.push(prompt('assistant', 'ASSISTANT:'), answer(` ${said}${eosToken}`));
      }
      if (generationPrompt) spans.push(prompt('assistant', 'ASSISTANT:'));
      return spans;
    },
  };
}
