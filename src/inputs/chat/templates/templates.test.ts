import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../messages.ts';
import { joinSpans, type Span } from '../template.ts';
import { namedTemplate, TEMPLATE_NAMES } from './registry.ts';

const turns: readonly ChatMessage[] = [
  { role: 'user', content: '<image>\nWhat is it?' },
  { role: 'assistant', content: 'A dog.' },
  { role: 'user', content: 'Sure?' },
  { role: 'assistant', content: 'Yes.' },
];
const supervised = (spans: readonly Span[]): string[] => spans.filter(span => span.supervised).map(span => span.text);
const text = (name: string, messages: readonly ChatMessage[] = turns, generationPrompt = false): string =>
  joinSpans(namedTemplate(name).render(messages, { generationPrompt }));

describe('named templates', () => {
  it('vicuna_v1 and llava_v1 differ only in the curious one', () => {
    const rounds = 'USER: <image>\nWhat is it? ASSISTANT: A dog.</s>USER: Sure? ASSISTANT: Yes.</s>';
    expect(text('vicuna_v1')).toBe(
      `A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions. ${rounds}`,
    );
    expect(text('llava_v1')).toBe(
      `A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the human's questions. ${rounds}`,
    );
    for (const name of ['vicuna_v1', 'llava_v1']) {
      expect(supervised(namedTemplate(name).render(turns))).toEqual([' A dog.</s>', ' Yes.</s>']);
      // Ends without a blank, as LLaVA's get_prompt does.
      expect(text(name, turns.slice(0, 1), true).endsWith('USER: <image>\nWhat is it? ASSISTANT:')).toBe(true);
      expect(text(name, [{ role: 'system', content: 'Be brief.' }, ...turns])).toBe(`Be brief. ${rounds}`);
    }
    expect(supervised(namedTemplate('vicuna_v1', { eosToken: '<eos>' }).render(turns))).toEqual([' A dog.<eos>', ' Yes.<eos>']);
  });

  it('plain is image, caption and line end; the words of the user are left out', () => {
    const pair: ChatMessage[] = [
      { role: 'user', content: 'Describe it.\n<image>' },
      { role: 'assistant', content: 'a dog' },
    ];
    expect(text('plain', pair)).toBe('<image>a dog\n');
    expect(supervised(namedTemplate('plain').render(pair))).toEqual(['a dog\n']);
    expect(text('plain', pair.slice(0, 1), true)).toBe('<image>');
    expect(() => namedTemplate('plain').render(turns)).toThrow(/"plain" takes one question and one answer.*not 4 turns/);
    expect(() => namedTemplate('plain').render(pair.slice(0, 1))).toThrow(/"plain" takes one question and one answer/);
  });

  it('llama_3', () => {
    const head = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    expect(text('llama_3', [{ role: 'system', content: 'Be brief.' }, ...turns.slice(0, 2)])).toBe(
      `<|begin_of_text|>${head('system')}Be brief.<|eot_id|>${head('user')}<image>\nWhat is it?<|eot_id|>${head('assistant')}A dog.<|eot_id|>`,
    );
    expect(supervised(namedTemplate('llama_3').render(turns))).toEqual(['A dog.<|eot_id|>', 'Yes.<|eot_id|>']);
    expect(text('llama_3', turns.slice(0, 1), true).endsWith(`What is it?<|eot_id|>${head('assistant')}`)).toBe(true);
  });

  it('chatml', () => {
    expect(text('chatml', turns.slice(0, 2))).toBe(
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<image>\nWhat is it?<|im_end|>\n<|im_start|>assistant\nA dog.<|im_end|>\n',
    );
    expect(supervised(namedTemplate('chatml').render(turns))).toEqual(['A dog.<|im_end|>', 'Yes.<|im_end|>']);
    expect(text('chatml', turns.slice(0, 1), true).endsWith('<|im_end|>\n<|im_start|>assistant\n')).toBe(true);
  });

  it('are the beginning of what is trained on when they end with the generation prompt', () => {
    for (const name of TEMPLATE_NAMES) {
      const pair = turns.slice(0, 2);
      expect(text(name, pair).startsWith(text(name, pair.slice(0, 1), true)), name).toBe(true);
    }
  });

  it('are listed where a name is none of them', () => {
    expect(() => namedTemplate('toString')).toThrow(
      'There is no chat template "toString"; choose among vicuna_v1, llava_v1, plain, llama_3, chatml, jinja.',
    );
  });
});
