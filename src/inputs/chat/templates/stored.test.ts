/** @file Templates as text for a checkpoint's chat_template.jinja: they render what the templates themselves render, here and in Python. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../messages.ts';
import { joinSpans } from '../template.ts';
import { jinjaTemplate } from './jinja.ts';
import { namedTemplate, TEMPLATE_NAMES } from './registry.ts';

const tokens = { bosToken: '<s>', eosToken: '</s>', imageToken: '<|pic|>' };
const golden = JSON.parse(readFileSync(new URL('./testdata/stored-templates.json', import.meta.url), 'utf8')) as {
  texts: Record<string, string>;
  conversations: Record<string, readonly ChatMessage[]>;
  rows: readonly { name: string; conversation: string; generation: boolean; text: string; parts: string }[];
};
const names = TEMPLATE_NAMES.filter(name => namedTemplate(name).toJinja);

describe('templates as text', () => {
  it('are those that Python was given', () => {
    expect(names).toEqual(['vicuna_v1', 'llava_v1', 'llama_3', 'chatml']);
    expect(golden.texts).toEqual({
      ...Object.fromEntries(names.map(name => [name, namedTemplate(name, tokens).toJinja?.()])),
      'vicuna_v1 with a system text': namedTemplate('vicuna_v1', tokens).toJinja?.("You're\nbrief."),
      'llama_3 with a system text': namedTemplate('llama_3', tokens).toJinja?.("You're\nbrief."),
      'chatml with a system text': namedTemplate('chatml', tokens).toJinja?.("You're\nbrief."),
    });
  });

  it.each(golden.rows)('$name renders $conversation as transformers does', ({ name, conversation, generation, text, parts }) => {
    const messages = golden.conversations[conversation];
    const jinja = jinjaTemplate(golden.texts[name], { source: 'test', ...tokens, imageTokenText: tokens.imageToken });
    const shown = joinSpans(jinja.render(messages, { generationPrompt: generation }));
    expect(shown).toBe(text);
    // Images as parts are followed by a line end, as where they stand in front of a text.
    expect(parts).toBe(text.replaceAll('<image>', tokens.imageToken));
    const [base, system] = name.split(' with ');
    const given =
      system && messages[0].role !== 'system' ? [{ role: 'system' as const, content: "You're\nbrief." }, ...messages] : messages;
    const spans = namedTemplate(base, tokens).render(given, { generationPrompt: generation });
    expect(joinSpans(spans)).toBe(shown);
    const learnt = (list: typeof spans): string[] => list.filter(span => span.supervised).map(span => span.text);
    expect(learnt(jinja.render(messages, { generationPrompt: generation }))).toEqual(learnt(spans));
  });

  it("a checkpoint's template takes a system text in front, in the style that it reads", () => {
    const system = 'Say "it\'s".';
    const asked: ChatMessage[] = [{ role: 'user', content: '<image>\nWhat?' }];
    const styles = [
      `{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}`,
      `{% for m in messages %}[{{ m.role }}]{% for p in m.content %}{% if p.type == 'image' %}<image>\n{% else %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}`,
      `{% for m in messages %}[{{ m.role }}]{% if m.role == 'system' %}{{ m.content }}{% else %}{% for p in m.content %}{% if p.type == 'image' %}<image>\n{% else %}{{ p.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}`,
    ];
    for (const style of styles) {
      const text = jinjaTemplate(style, { source: 'test' }).toJinja?.(system) as string;
      const shown = joinSpans(jinjaTemplate(text, { source: 'test' }).render(asked));
      expect(shown).toBe(`[system]${system}[user]<image>\nWhat?`);
      expect(joinSpans(jinjaTemplate(text, { source: 'test' }).render([{ role: 'system', content: 'S' }, ...asked]))).toContain(
        '[system]S[user]',
      );
    }
    expect(jinjaTemplate(styles[0], { source: 'test' }).toJinja?.()).toBe(styles[0]);
  });
});
