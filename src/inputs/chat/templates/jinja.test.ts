import { describe, expect, it } from 'vitest';
import { CHAT_TEMPLATE } from '../../../scenes/chat-tokenizer.ts';
import type { ChatMessage } from '../messages.ts';
import { joinSpans, type Span } from '../template.ts';
import { contentParts, type JinjaOptions, jinjaTemplate } from './jinja.ts';

const turns: readonly ChatMessage[] = [
  { role: 'user', content: '<image>\nWhat is it?' },
  { role: 'assistant', content: 'A dog.' },
  { role: 'user', content: 'Sure?' },
  { role: 'assistant', content: 'Yes.' },
];
const system: ChatMessage = { role: 'system', content: 'Be brief.' };
const make = (template: string, options: Partial<JinjaOptions> = {}) =>
  jinjaTemplate(template, { source: 'test', bosToken: '<s>', eosToken: '</s>', ...options });
const supervised = (spans: readonly Span[]): string[] => spans.filter(span => span.supervised).map(span => span.text);

// The layouts of well-known checkpoints, written down from how their prompts look.
const LLAVA_HF = `{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': ' }}{% endif %}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\\n' }}{% endfor %}{% if message['role'] != 'assistant' %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' ' }}{% endfor %}{% else %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{% generation %}{{ content['text'] + ' ' }}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}`;
const CHATML = `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
const LLAMA_3 = `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}`;
const MISTRAL = `{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}`;
const SEPARATE = `{% for message in messages %}<|{{ message['role'] }}|>
{{ message['content'] }}{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %}`;
const VICUNA = `{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}USER: {{ message.content }}{% else %} ASSISTANT: {{ message.content }}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}`;

describe('jinja templates', () => {
  it('of the scenes', () => {
    const template = make(CHAT_TEMPLATE);
    const spans = template.render(turns);
    expect(joinSpans(spans)).toBe('USER: <image>\nWhat is it? ASSISTANT: A dog.</s>USER: Sure? ASSISTANT: Yes.</s>');
    // The blank that the generation prompt does not write is the model's.
    expect(supervised(spans)).toEqual([' A dog.</s>', ' Yes.</s>']);
    expect(joinSpans(template.render(turns.slice(0, 1), { generationPrompt: true }))).toBe('USER: <image>\nWhat is it? ASSISTANT:');
  });

  it('of LLaVA on Hugging Face: contents as lists, generation blocks', () => {
    const template = make(LLAVA_HF);
    const spans = template.render(turns);
    expect(joinSpans(spans)).toBe('USER: <image>\nWhat is it? ASSISTANT: A dog. USER: Sure? ASSISTANT: Yes. ');
    expect(supervised(spans)).toEqual([' A dog. ', ' Yes. ']);
    expect(joinSpans(template.render([system, ...turns.slice(0, 1)], { generationPrompt: true }))).toBe(
      'Be brief. USER: <image>\nWhat is it? ASSISTANT:',
    );
    expect(template.render([system, ...turns])[0]).toEqual({ role: 'system', text: 'Be brief.', supervised: false });
  });

  it('with contents as texts', () => {
    expect(supervised(make(CHATML, { eosToken: '<|endoftext|>' }).render(turns))).toEqual(['A dog.<|im_end|>', 'Yes.<|im_end|>']);
    expect(supervised(make(LLAMA_3).render([system, ...turns]))).toEqual(['A dog.<|eot_id|>', 'Yes.<|eot_id|>']);
    expect(supervised(make(MISTRAL).render(turns))).toEqual([' A dog. </s>', ' Yes. </s>']);
    expect(joinSpans(make(MISTRAL).render(turns.slice(0, 2)))).toBe('<s>[INST] <image>\nWhat is it? [/INST] A dog. </s>');
    expect(joinSpans(make(VICUNA).render(turns))).toBe(
      '<s>USER: <image>\nWhat is it? ASSISTANT: A dog.</s>USER: Sure? ASSISTANT: Yes.</s>',
    );
    expect(supervised(make(VICUNA).render(turns))).toEqual([' A dog.</s>', ' Yes.</s>']);
  });

  it('supervise the right text where answers repeat each other, the questions or the template', () => {
    const odd: ChatMessage[] = [
      { role: 'user', content: 'Yes.' },
      { role: 'assistant', content: ' Yes. ' },
      { role: 'user', content: 'USER: ASSISTANT: Yes.</s>' },
      { role: 'assistant', content: 'USER: Yes.</s>' },
      { role: 'user', content: '' },
      { role: 'assistant', content: '' },
    ];
    const spans = make(VICUNA).render(odd);
    expect(supervised(spans)).toEqual(['  Yes. </s>', ' USER: Yes.</s></s>', ' </s>']);
    // A template that trims contents.
    expect(supervised(make(LLAMA_3).render(odd))).toEqual(['Yes.<|eot_id|>', 'USER: Yes.</s><|eot_id|>', '<|eot_id|>']);
  });

  it('take no token that begins the next turn for an end', () => {
    const spans = make(SEPARATE, { specialTokens: ['<|user|>', '<|assistant|>'] }).render(turns);
    expect(joinSpans(spans)).toBe('<|user|>\n<image>\nWhat is it?<|assistant|>\nA dog.<|user|>\nSure?<|assistant|>\nYes.');
    expect(supervised(spans)).toEqual(['A dog.', 'Yes.']);
  });

  it('that drop a part of earlier answers', () => {
    const think = `{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}<|end|>{% endfor %}`;
    const thinking = turns.map(t => (t.role === 'assistant' ? { ...t, content: `<think>hm</think>${t.content}` } : t));
    expect(supervised(make(think).render(thinking))).toEqual(['A dog.<|end|>', '<think>hm</think>Yes.<|end|>']);
  });

  it('whose surroundings depend on the answer', () => {
    const open = `{% for m in messages %}<|{{ m.role }}|>{% if m.content[0:1] == 'Y' %}!{% endif %}{{ m.content }}<|end|>{% endfor %}`;
    expect(supervised(make(open, { specialTokens: ['<|end|>'] }).render(turns))).toEqual(['A dog.<|end|>', '!Yes.<|end|>']);
    const lost = `{% for m in messages %}<|{{ m.role }}|>{{ m.content | length }}{% endfor %}{{ messages | length }}`;
    expect(() => make(lost).render(turns.slice(2))).toThrow(/test changes answers.*\{% generation %\}.*--template/);
  });

  it('follow the white space rules of blocks around generation', () => {
    const template = make(`{% for m in messages %}
    {%- if m.role == 'assistant' %}
A: {% generation %}
{{ m.content }}{{ eos_token }}
    {%- endgeneration %}

{% else %}
U: {{ m.content }}
{% endif %}
{% endfor %}`);
    const spans = template.render(turns);
    expect(joinSpans(spans)).toBe('U: <image>\nWhat is it?\nA: A dog.</s>\nU: Sure?\nA: Yes.</s>\n');
    expect(supervised(spans)).toEqual([' A dog.</s>', ' Yes.</s>']);
  });

  it('write images in their own way', () => {
    const withMarks = `{% for m in messages %}<|{{ m.role }}|>{% for p in m.content %}{% if p.type == 'image' %}<|start|><|image_pad|><|stop|>{% else %}{{ p.text }}{% endif %}{% endfor %}<|end|>{% endfor %}`;
    const spans = make(withMarks, { imageTokenText: '<|image_pad|>' }).render(turns.slice(0, 2));
    expect(joinSpans(spans)).toBe('<|user|><|start|><image><|stop|>What is it?<|end|><|assistant|>A dog.<|end|>');
    expect(contentParts('a <image>\nb<image>')).toEqual([
      { type: 'text', text: 'a ' },
      { type: 'image' },
      { type: 'text', text: 'b' },
      { type: 'image' },
    ]);
    const blind = `{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %}<|end|>{% endfor %}`;
    expect(() => make(blind).render(turns)).toThrow(/writes 0 times <image> where the conversation has 1/);
  });

  it('write the image themselves: contents are given without marks, and the numbers must agree', () => {
    const itself = `{% for m in messages %}[{{ m.role }}]{% if loop.first %}<|pic|>{% endif %}{{ m.content.replace('<|pic|>', '').lstrip() }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;
    const template = make(itself, { imageTokenText: '<|pic|>' });
    const spans = template.render(turns);
    expect(joinSpans(spans)).toBe('[user]<image>What is it?</s>[assistant]A dog.</s>[user]Sure?</s>[assistant]Yes.</s>');
    expect(supervised(spans)).toEqual(['A dog.</s>', 'Yes.</s>']);
    expect(() => template.render(turns.slice(2))).toThrow(
      'writes one image itself, and the conversation has no images; give one image, or choose another',
    );
    expect(() => template.render([{ role: 'user', content: '<image>\n<image>\nboth ?' }])).toThrow('has 2 images; give one image');
  });

  it('put a system text in front, or refuse it where it would become an answer', () => {
    const front = make(CHAT_TEMPLATE).render([system, ...turns.slice(0, 1)], { generationPrompt: true });
    expect(joinSpans(front)).toBe('Be brief. USER: <image>\nWhat is it? ASSISTANT:');
    expect(front[0]).toMatchObject({ role: 'system', supervised: false });
    expect(() => make(VICUNA).render([system, ...turns])).toThrow(
      /^The chat template of test knows no system text and makes a turn of the assistant of it \("ASSISTANT:"\); leave/,
    );
    const inst = `{% for m in messages %}{% if m.role == 'user' %}[Q] {{ m.content }} {% else %}[A] {{ m.content }} {% endif %}{% endfor %}{% if add_generation_prompt %}[A]{% endif %}`;
    expect(() => make(inst).render([system, ...turns])).toThrow('makes a turn of the assistant of it ("[A]")');
  });

  it('have line ends of any system, in files and in JSON', () => {
    const text = `{%- for m in messages %}\n{{- m.role | upper }}:\n{{ m.content }}{{ eos_token }}\n{%- endfor %}\n{%- if add_generation_prompt %}ASSISTANT:\n{% endif %}`;
    const shown = joinSpans(make(text).render(turns));
    expect(shown).toContain('USER:\n<image>\nWhat is it?</s>');
    for (const end of ['\r\n', '\r']) expect(joinSpans(make(text.replaceAll('\n', end)).render(turns))).toBe(shown);
  });

  it('say in one sentence what is wrong', () => {
    expect(() => make('{% for m in %}')).toThrow(/^The chat template of test cannot be read \(.*\); choose another with --template\.$/);
    expect(() => make(MISTRAL).render([system, ...turns])).toThrow(
      /^The chat template of test refuses the conversation \(Conversation roles must alternate/,
    );
  });
});
