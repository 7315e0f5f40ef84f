/** @file What each patch of a scene shows, in words: the labels of `patchLoss`. */
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { COLOR_NAMES } from '../../scenes/background.ts';
import { chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import type { Scene } from '../../scenes/scene.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { PATCH_THINGS, THING_FACTS, thingFacts } from './thing-facts.ts';

/** Names of graph inputs, int32 [images, N]: words of things, words of backgrounds' colours; −100 where a patch has none. */
export const [PATCH_WORDS, PATCH_COLORS] = ['patch_words', 'patch_colors'] as const;

/** The word that identifies a thing best: the one of its name that fewest names have. */
const thingWord: readonly number[] = (() => {
  const counts = new Map<string, number>();
  for (const { name } of CONCEPTS) for (const word of name.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return CONCEPTS.map(({ name }) => chatTokenId(name.split(' ').reduce((a, b) => (counts.get(b)! < counts.get(a)! ? b : a))));
})();

/** Ids of the words that patches are asked for: of things and of backgrounds' colours, each once. */
export const NAMING_WORDS: readonly number[] = [...new Set([...thingWord, ...COLOR_NAMES.map(chatTokenId)])];

/** Labels of a batch's scenes. */
export class PatchLabels {
  readonly words: Int32Array;
  readonly colors: Int32Array;
  readonly things: Float32Array<ArrayBuffer> | undefined;
  private readonly perImage: number;
  private readonly patch: number;

  /** @param amplitude of what patches say of their things (`thingFacts`); they are left out without it */
  constructor(
    private readonly count: number,
    private readonly config: LlavaConfig,
    private readonly amplitude?: number,
  ) {
    this.perImage = imageTokens(config);
    this.patch = config.vision_config.patch_size;
    this.words = new Int32Array(count * this.perImage).fill(-100);
    this.colors = this.words.slice();
    this.things = amplitude === undefined ? undefined : new Float32Array(count * this.perImage * THING_FACTS.length);
  }

  /** A patch that no thing fills to a third (see `patchOwners`) shows the background. */
  set(b: number, scene: Scene): void {
    const color = chatTokenId(scene.background.color);
    for (const [k, owner] of patchOwners(scene, this.patch).entries())
      if (owner >= 0) this.words[b * this.perImage + k] = thingWord[owner];
      else this.colors[b * this.perImage + k] = color;
    if (this.amplitude !== undefined)
      this.things?.set(thingFacts(scene, this.config, this.amplitude), b * this.perImage * THING_FACTS.length);
  }

  /** `patch_words`, and `patch_colors` and `patch_things` where a loss asks for them. */
  feeds(colors: boolean): Record<string, Tensor> {
    const shape = [this.count, this.perImage];
    return {
      [PATCH_WORDS]: ints(shape, this.words),
      ...(colors ? { [PATCH_COLORS]: ints(shape, this.colors) } : {}),
      ...(this.things ? { [PATCH_THINGS]: floats([...shape, THING_FACTS.length], this.things) } : {}),
    };
  }
}
