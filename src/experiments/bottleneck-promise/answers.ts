/** @file A model's greedy answers to the suite's questions. */
import type { ChatModel } from '../../generation/chat-model.ts';
import { generate } from '../../generation/generate.ts';
import type { SuiteItem } from './suite.ts';

const BATCH = 32;
/** No answer of the built-in world is longer. */
const LONGEST = 64;

/** One answer per item. */
export async function answersOf(chat: ChatModel, items: readonly SuiteItem[], signal?: AbortSignal): Promise<string[]> {
  const out = new Array<string>(items.length);
  // Alike lengths in a batch waste no padding.
  const order = [...items.keys()].sort((a, b) => items[a].reference.length - items[b].reference.length || a - b);
  for (let at = 0; at < order.length; at += BATCH) {
    const chosen = order.slice(at, at + BATCH);
    const prompts = chosen.map(i =>
      chat.prompt([{ role: 'user', content: `<image>\n${items[i].question}` }], chat.pixels([items[i].image])),
    );
    const answers = await generate(chat.model, prompts, {
      ...chat.options({ maxNewTokens: LONGEST, temperature: 0 }),
      signal,
      batchSize: BATCH,
      promptNumbers: chosen,
    });
    for (const [k, i] of chosen.entries()) out[i] = answers[k].text.trim();
  }
  return out;
}
