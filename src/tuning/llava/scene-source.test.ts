import { expect, it } from 'vitest';
import { chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { sceneLlavaSource } from './scene-source.ts';

it('the small LLaVA names its special tokens as its tokenizer does, in config and in generation_config.json', async () => {
  const { config, files } = await sceneLlavaSource('scene-clip');
  const ids = { bos_token_id: chatTokenId('<s>'), eos_token_id: chatTokenId('</s>'), pad_token_id: chatTokenId('<pad>') };
  expect(JSON.parse(files.get('generation_config.json')!)).toEqual(ids);
  expect(config.text_config).toMatchObject({ bos_token_id: ids.bos_token_id, eos_token_id: ids.eos_token_id });
});
