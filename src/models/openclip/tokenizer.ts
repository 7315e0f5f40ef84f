/** @file OpenCLIP's tokenizers: CLIP's byte pairs, or that of transformers which `hf_tokenizer_name` names, with open_clip's cleaning. */
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { readTokenizerFiles } from '../../inputs/text/tokenizer-files.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import type { OpenClipTextCfg } from './config.ts';

/** ASCII punctuation, which open_clip's `canonicalize_text` takes out (an underscore becomes a blank first). */
const PUNCTUATION = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]';

/** open_clip's `clean: canonicalize` (big_vision's canonicalisation of texts): no punctuation, lower case, single blanks. */
const CANONICALIZE = [
  { type: 'Replace', pattern: { String: '_' }, content: ' ' },
  { type: 'Replace', pattern: { Regex: PUNCTUATION }, content: '' },
  { type: 'Lowercase' },
  { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
  { type: 'Strip', strip_left: true, strip_right: true },
];
const LOWER = [{ type: 'Lowercase' }];

/**
 * Reads the tokenizer. open_clip carries CLIP's vocabulary in its own package, so that a directory may lack it.
 * @throws NarrowsError in one sentence that names the file that is missing or broken
 */
export async function openClipTokenizer(files: ModelFiles, cfg: OpenClipTextCfg): Promise<Tokenizer> {
  const clean = cfg.tokenizer_kwargs?.clean;
  const names = await files.list();
  const there = ['tokenizer.json', 'vocab.json', 'vocab.txt', 'spiece.model', 'tokenizer.model'].some(name => names.includes(name));
  if (!there)
    throw new NarrowsError(
      cfg.hf_tokenizer_name
        ? `${files.name} has no tokenizer; copy tokenizer.json and tokenizer_config.json of "${cfg.hf_tokenizer_name}" next to open_clip_config.json.`
        : `${files.name} has no tokenizer (open_clip carries CLIP's in its own package); copy tokenizer.json and tokenizer_config.json of openai/clip-vit-base-patch32 next to open_clip_config.json.`,
    );
  const { json, config, warnings } = await readTokenizerFiles(files);
  const first = clean === 'canonicalize' ? CANONICALIZE : clean === 'lower' && cfg.hf_tokenizer_name ? LOWER : [];
  if (first.length === 0) return new Tokenizer(json, config, warnings);
  const normalizers = [...first, ...(json.normalizer ? [json.normalizer] : [])];
  return new Tokenizer({ ...json, normalizer: { type: 'Sequence', normalizers } }, config, warnings);
}
