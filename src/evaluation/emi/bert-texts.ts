/**
 * @file The embedding layer of BERT-like text models (bert, roberta, xlm-roberta): words, positions and types added, and their norm. With
 * xlm-roberta-base it is the published text encoder of EMI. No block of the model is run.
 */
import { openCheckpoint } from '../../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { Tokenizer } from '../../inputs/text/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type TextEncoder, tokenMeans } from './text-encoder.ts';
import { TokenTable } from './token-table.ts';

/** By model_type, whether positions begin behind the padding token's number (1), as RoBERTa counts them. */
const FIRST_POSITION: Readonly<Record<string, number>> = { bert: 0, roberta: 2, 'xlm-roberta': 2, camembert: 2 };

/** Whether a model_type is one of these. */
export const isBertLike = (modelType: unknown): boolean => typeof modelType === 'string' && Object.hasOwn(FIRST_POSITION, modelType);

/**
 * The encoder of a directory. @throws NarrowsError for a directory without weights, tensors or a tokenizer that fit
 */
export async function openBertTexts(directory: string, name: string, config: Readonly<Record<string, unknown>>): Promise<TextEncoder> {
  const { entries } = await openCheckpoint(directory);
  const find = (tail: string): TensorEntry => {
    for (const [key, entry] of entries) if (key === `embeddings.${tail}` || key.endsWith(`.embeddings.${tail}`)) return entry;
    throw new NarrowsError(`${directory} has no tensor "embeddings.${tail}", so texts cannot be embedded by it.`);
  };
  const positions = new TokenTable(find('position_embeddings.weight'));
  const [type, scale, shift] = await Promise.all(
    ['token_type_embeddings.weight', 'LayerNorm.weight', 'LayerNorm.bias'].map(tail => readFloats(find(tail))),
  );
  const first = FIRST_POSITION[String(config.model_type)];
  const epsilon = typeof config.layer_norm_eps === 'number' ? config.layer_norm_eps : 1e-12;
  return tokenMeans({
    name: `embedding layer of ${name}`,
    tokenizer: await Tokenizer.fromDirectory(directory),
    table: find('word_embeddings.weight'),
    async finish(word, position) {
      const place = await positions.row(first + position);
      const sum = Float64Array.from(word, (v, k) => v + place[k] + type[k]);
      const mean = sum.reduce((a, b) => a + b, 0) / sum.length;
      const variance = sum.reduce((a, b) => a + (b - mean) ** 2, 0) / sum.length;
      return sum.map((v, k) => ((v - mean) / Math.sqrt(variance + epsilon)) * scale[k] + shift[k]);
    },
  });
}
