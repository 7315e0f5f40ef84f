import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompiledGraph } from '../../graph/index.ts';
import type { EncodedChat } from '../../inputs/chat/encode-chat.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import type { ChatReader, ChatSample } from './chat-reader.ts';
import { fileExam } from './file-evaluate.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-file-exam-'));
  await writeFile(join(root, 'a.png'), 'a');
});
afterAll(() => rm(root, { recursive: true }));

/** Samples of so many tokens each; those of an odd length have an image. The first label is never supervised, the others are. */
const sample = (length: number): ChatSample =>
  ({ name: `${length}`, messages: [], images: length % 2 ? [join(root, 'a.png')] : [] }) as unknown as ChatSample;
const encoded = (length: number): EncodedChat =>
  ({ ids: Array(length).fill(7), labels: [-100, ...Array(length - 1).fill(7)] }) as unknown as EncodedChat;

/** The exam on such samples with a graph whose `ce` is the shortest sample's length; `seen` is fed, `asked` says which graph. */
async function exam(lengths: readonly number[], batchSize: number) {
  const [seen, asked]: [Feeds[], boolean[]] = [[], []];
  const prepared = new Set<ChatSample>();
  const reader = {
    format: {},
    prepare: async (samples: readonly ChatSample[]) => {
      for (const one of samples) prepared.add(one);
    },
    encode: (one: ChatSample) => {
      expect(prepared).toContain(one);
      return encoded(Number(one.name));
    },
    feeds: async (samples: readonly ChatSample[], rows: readonly EncodedChat[]): Promise<Feeds> => {
      expect(rows.map(row => row.ids.length)).toEqual(samples.map(one => Number(one.name)));
      const longest = Math.max(...rows.map(row => row.ids.length));
      return {
        labels: ints([rows.length, longest], new Int32Array(rows.length * longest)),
        lengths: ints(
          [rows.length],
          rows.map(row => row.ids.length),
        ),
        ...(samples.some(one => one.images.length) ? { pixel_values: floats([1], [0]) } : {}),
      };
    },
  } as unknown as ChatReader;
  const graph = async (images: boolean): Promise<CompiledGraph> => {
    asked.push(images);
    return {
      run: async (feeds: Feeds) => {
        seen.push(feeds);
        const shortest = Math.min(...Array.from(feeds.lengths.data as Int32Array));
        return { ce: floats([], [shortest]), kl: floats([], [feeds.labels.shape[0]]) };
      },
    } as unknown as CompiledGraph;
  };
  const feeds = (rows: number, length: number): Feeds => ({ noise: floats([rows, length], new Float32Array(rows * length)) });
  return { exam: await fileExam({ graph, feeds }, reader, lengths.map(sample), batchSize, 'h'), seen, asked };
}

describe('the exam on a file of conversations', () => {
  it('puts samples of like length together, the shortest first, each once', async () => {
    const { exam: all, seen, asked } = await exam([9, 4, 6, 4, 8], 2);
    expect(all.batches.map(b => b.units)).toEqual([2, 2, 1]);
    for (const batch of all.batches) await batch.compute();
    expect(seen.map(feeds => [...(feeds.lengths.data as Int32Array)])).toEqual([[4, 4], [6, 8], [9]]);
    expect(seen.map(feeds => feeds.noise.shape)).toEqual([
      [2, 4],
      [2, 8],
      [1, 9],
    ]);
    expect(asked).toEqual([false, false, true]);
  });

  it('divides by the supervised tokens of the batch, and weighs its loss by them', async () => {
    const { exam: all, seen } = await exam([4, 6, 9], 2);
    const results = await Promise.all(all.batches.map(batch => batch.compute()));
    expect(seen.map(feeds => feeds.loss_divisor.data[0])).toEqual([3 + 5, 8]);
    // A mean over 16 tokens: 8 of them cost 4 nats, 8 cost 9. What a bottleneck logs is a mean over the three samples.
    expect(all.figures(results)).toEqual({ eval_loss: (8 * 4 + 8 * 9) / 16, eval_kl: expect.closeTo((2 * 2 + 1 * 1) / 3, 9) });
  });

  it('weighs batches by tokens, not by samples', async () => {
    const { exam: all } = await exam([3, 11], 1);
    const results = await Promise.all(all.batches.map(batch => batch.compute()));
    expect(all.figures(results).eval_loss).toBeCloseTo((2 * 3 + 10 * 11) / 12, 9);
  });

  it('has keys that change with the file of conversations and with its pictures', async () => {
    const [before] = (await exam([9], 2)).exam.batches;
    expect((await exam([9], 2)).exam.batches[0].key).toBe(before.key);
    await writeFile(join(root, 'a.png'), 'longer');
    expect((await exam([9], 2)).exam.batches[0].key).not.toBe(before.key);
  });
});
