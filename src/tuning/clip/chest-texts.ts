/** @file The tokenizer of the phantom chests' reports: whole words. */
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { CHEST_WORDS } from '../../scenes/chest/report.ts';
import { SPECIAL_TOKENS } from '../../scenes/vocabulary.ts';
import { ints } from '../../tensor/tensor.ts';
import type { Batch } from './batch.ts';
import { wordTokenizerJson } from './word-tokenizer.ts';

/** Size of the chest tokenizer's vocabulary. */
export const CHEST_VOCABULARY_SIZE = SPECIAL_TOKENS.length + CHEST_WORDS.length;

/** Files of the chest tokenizer. */
export const chestTokenizerJson = (maxLength: number) => wordTokenizerJson(CHEST_WORDS, maxLength);

/** Sentences as padded ids [B, T] and the positions [B] of the ends. */
export class ChestTexts {
  private readonly tokenizer: Tokenizer;

  constructor(private readonly maxLength: number) {
    const files = chestTokenizerJson(maxLength);
    this.tokenizer = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
  }

  tensors(texts: readonly string[]): Pick<Batch, 'ids' | 'eos'> {
    const { inputIds, rows } = this.tokenizer.encodeBatch(texts, { maxLength: this.maxLength });
    return {
      ids: inputIds,
      eos: ints(
        [rows.length],
        rows.map(row => row.ids.length - 1),
      ),
    };
  }
}
