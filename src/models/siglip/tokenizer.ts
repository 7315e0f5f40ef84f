/** @file SigLIP's tokenizers: SentencePiece Unigram as it stands, and SigLIP 2's (Gemma's byte pairs) with the lower case it was trained on. */
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { readTokenizerFiles } from '../../inputs/text/tokenizer-files.ts';
import type { ModelFiles } from '../../system/model-files.ts';

/** Classes of SigLIP 2's tokenizer: the checkpoints name Gemma's, newer transformers its own. */
const SIGLIP2 = /^(Gemma|Siglip2)Tokenizer(Fast)?$/;

/**
 * Reads a SigLIP's tokenizer. SigLIP 2 was trained on lower-cased text, which its published tokenizer.json leaves to the caller
 * (huggingface/transformers pull request 43101); SigLIP's own tokenizer.json lower-cases by itself.
 * @throws NarrowsError in one sentence that names the file that is missing or broken
 */
export async function siglipTokenizer(files: ModelFiles): Promise<Tokenizer> {
  const { json, config, warnings } = await readTokenizerFiles(files);
  if (!SIGLIP2.test(String(config.tokenizer_class))) return new Tokenizer(json, config, warnings);
  const normalizers = [{ type: 'Lowercase' }, ...(json.normalizer ? [json.normalizer] : [])];
  return new Tokenizer({ ...json, normalizer: { type: 'Sequence', normalizers } }, config, warnings);
}
