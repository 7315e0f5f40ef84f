/** @file Scenes as LLaVA's instruction data: `llava.json`, a list of {id, image, conversations}, next to the pictures. */
import { RandomStream } from '../tensor/random.ts';
import { denseConversation } from './instructions.ts';
import { drawScene, type Scene, type SceneOptions } from './scene.ts';
import type { SceneWorld } from './sprite-atlas.ts';

/** A record of LLaVA's data. */
export interface LlavaRecord {
  readonly id: string;
  /** Path of the picture, relative to the image folder. */
  readonly image: string;
  readonly conversations: readonly { readonly from: 'human' | 'gpt'; readonly value: string }[];
}

/** A dense conversation about a scene (stream `conversations`, cell (0, sample)); the first question carries the picture. */
export function llavaRecord(scene: Scene, seed: number, sample: number, image: string): LlavaRecord {
  const turns = denseConversation(scene, new RandomStream(seed, 'conversations').reader(0, sample));
  return {
    id: String(sample),
    image,
    conversations: turns.flatMap(({ question, answer }, i) => [
      { from: 'human' as const, value: i === 0 ? `<image>\n${question}` : question },
      { from: 'gpt' as const, value: answer },
    ]),
  };
}

/** Bytes of `llava.json`, record by record. */
export function* llavaJson(
  world: SceneWorld,
  options: SceneOptions,
  { seed, count, nameOf, signal }: { seed: number; count: number; nameOf(sample: number): string; signal?: AbortSignal },
): Generator<Uint8Array> {
  const scenes = new RandomStream(seed, 'scenes');
  const encoder = new TextEncoder();
  for (let sample = 0; sample < count; sample++) {
    signal?.throwIfAborted();
    const record = llavaRecord(drawScene(world, options, scenes.reader(0, sample)), seed, sample, nameOf(sample));
    yield encoder.encode(`${sample === 0 ? '[\n' : ''}${JSON.stringify(record)}${sample === count - 1 ? '\n]\n' : ',\n'}`);
  }
}
