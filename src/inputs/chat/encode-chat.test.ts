import { describe, expect, it } from 'vitest';
import { CHAT_IMAGE_TOKEN, chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { encodeTurns } from '../../tuning/llava/scene-batch.ts';
import { Tokenizer } from '../text/tokenizer.ts';
import type { TokenizerJson } from '../text/tokenizer-files.ts';
import { encodeChat } from './encode-chat.ts';
import { vicunaV1 } from './templates/vicuna-v1.ts';

const files = chatTokenizerFiles();
const scene = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as Record<string, unknown>);
const options = { imageToken: CHAT_IMAGE_TOKEN, tokensPerImage: 3 };

describe('encodeChat', () => {
  it('supervises answers with their end', () => {
    const turns = [
      { role: 'user', content: '<image>\nis there a dog in the picture ?' },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: 'how many things are in the picture ?' },
      { role: 'assistant', content: 'two' },
    ] as const;
    const chat = encodeChat(scene, vicunaV1({ eosToken: '</s>' }), turns, options);
    const supervised = chat.labels.flatMap((label, i) => (label === -100 ? [] : [chat.text.slice(...chat.offsets[i])]));
    expect(supervised).toEqual(['yes', '</s>', 'two', '</s>']);
    expect(chat.ids.filter(id => id === CHAT_IMAGE_TOKEN)).toHaveLength(3);
    expect(chat.images).toBe(1);
    const system = encodeChat(scene, vicunaV1(), [{ role: 'system', content: '' }, ...turns], options);
    const expected = encodeTurns(
      [
        { task: 'existence', question: 'is there a dog in the picture ?', answer: 'yes', concepts: [] },
        { task: 'count', question: 'how many things are in the picture ?', answer: 'two', concepts: [] },
      ],
      3,
    );
    expect(system.ids).toEqual(expected.ids);
    expect(system.labels).toEqual(expected.labels);
  });
});
