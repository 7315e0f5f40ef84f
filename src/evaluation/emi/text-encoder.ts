/**
 * @file Texts as means of token embeddings: what stands before any layer, so that it says which words are there, not what they mean together
 * (mllmshift-emi takes layer 0 of xlm-roberta-base for questions, answers and references alike).
 */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import type { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { NarrowsError } from '../../system/errors.ts';
import { TokenTable } from './token-table.ts';

/** Tokens of a text that count; the published code's limit. */
export const MOST_TOKENS = 512;

/** Texts embedded, and what had to be assumed, in sentences. */
export interface EmbeddedTexts {
  readonly rows: readonly Float64Array[];
  readonly warnings: readonly string[];
}

/** Embeds texts. */
export interface TextEncoder {
  /** What it is, in words: `token embeddings of scene-llava`. */
  readonly name: string;
  readonly width: number;
  /** @param what for sentences: `answers of clean` */
  embed(texts: readonly string[], what: string): Promise<EmbeddedTexts>;
}

/** Changes a token's row by its position among the text's tokens (position embeddings, a norm). */
export type TokenFinish = (row: Float32Array, position: number) => Promise<Float64Array>;

/** What a tokenizer and a table make. */
export interface TokenMeansOptions {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  /** [tokens, width] */
  readonly table: TensorEntry;
  readonly finish?: TokenFinish;
}

/**
 * The mean over a text's tokens, without the first one where it only marks the beginning, as published (an end mark counts). A text without
 * tokens is embedded as the mark that its tokenizer puts around it, else as its end token, and that is said.
 */
export function tokenMeans({ name, tokenizer, table: entry, finish }: TokenMeansOptions): TextEncoder {
  const table = new TokenTable(entry);
  const embedOne = async (ids: readonly number[], first: number): Promise<Float64Array> => {
    const total = new Float64Array(table.width);
    for (let t = first; t < ids.length; t++) {
      const row = await table.row(ids[t]);
      const done = finish ? await finish(row, t) : row;
      for (let k = 0; k < total.length; k++) total[k] += done[k];
    }
    return total.map(v => v / (ids.length - first));
  };
  return {
    name,
    width: table.width,
    async embed(texts, what) {
      let [empty, cut] = [0, 0];
      const rows: Float64Array[] = [];
      const known = new Map<string, Float64Array>();
      for (const text of texts) {
        const { ids, tokens, truncated } = tokenizer.encode(text, { maxLength: MOST_TOKENS });
        if (truncated) cut++;
        if (!tokens.some(token => token.end > token.start)) empty++;
        let row = known.get(text);
        if (!row) {
          const first = ids.length > 1 && tokens[0].special && tokens[0].end === tokens[0].start ? 1 : 0;
          row = await embedOne(ids.length > 0 ? ids : [endOf(tokenizer, name)], first);
          known.set(text, row);
        }
        rows.push(row);
      }
      const warnings: string[] = [];
      if (empty)
        warnings.push(`${empty} of ${texts.length} ${what} hold no word; they are embedded as the tokenizer's mark around a text.`);
      if (cut) warnings.push(`${cut} of ${texts.length} ${what} are longer than ${MOST_TOKENS} tokens; only their beginning is embedded.`);
      return { rows, warnings };
    },
  };
}

/** The token that stands for a text of none. */
function endOf({ eosId }: Tokenizer, name: string): number {
  if (eosId === undefined) throw new NarrowsError(`A text is empty, and ${name} has no end token to stand for it; leave the item out.`);
  return eosId;
}
