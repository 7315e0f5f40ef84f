/** @file Which layers of a model a LoRA adapter is for, and what its tensors are called, as PEFT has it. */
import { NarrowsError } from '../system/errors.ts';

/** Keys of PEFT's adapter_config.json that change what is computed. */
export interface LoraConfig {
  /** Rank. */
  readonly r: number;
  readonly lora_alpha: number;
  /** Share of the adapter's inputs that training sets to 0. */
  readonly lora_dropout: number;
  /**
   * Names of layers (`q_proj`, or longer endings at a dot), a regular expression that a layer's whole name must match, or `all-linear`:
   * every linear layer of the language model but its head, as LLaVA's recipe has it.
   */
  readonly target_modules: string | readonly string[];
  /** Layers left out, named as in `target_modules`. */
  readonly exclude_modules?: string | readonly string[] | null;
  readonly use_rslora?: boolean;
  /** Modules that are trained and stored whole with the adapter (`multi_modal_projector`), by name or ending. */
  readonly modules_to_save?: readonly string[] | null;
}

/** What `all-linear` stands for; PEFT's own meaning would take in the vision tower and the projector. */
export const ALL_LINEAR = '.*language_model\\.(model\\.)?layers\\.\\d+\\.(self_attn\\.(q|k|v|o)_proj|mlp\\.(gate|up|down)_proj)';

/** Factor s of the low-rank product. */
export const loraScaling = ({ r, lora_alpha: alpha, use_rslora: root }: LoraConfig): number => alpha / (root ? Math.sqrt(r) : r);

const patterns = new Map<string, RegExp>();

/** A pattern that must match the whole name, as Python's `re.fullmatch`. @throws NarrowsError where it is no regular expression */
function wholeName(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (!compiled) {
    try {
      compiled = new RegExp(`^(?:${pattern === 'all-linear' ? ALL_LINEAR : pattern})$`);
    } catch {
      throw new NarrowsError(`The LoRA target "${pattern}" is no regular expression; name layers in a list, such as ["q_proj", "v_proj"].`);
    }
    patterns.set(pattern, compiled);
  }
  return compiled;
}

/** Whether a layer's name is this one or ends with it at a dot. */
export const endsLike = (layer: string, ending: string): boolean => layer === ending || layer.endsWith(`.${ending}`);
const listed = (layer: string, targets: string | readonly string[]): boolean =>
  typeof targets === 'string' ? wholeName(targets).test(layer) : targets.some(ending => endsLike(layer, ending));

/** Whether a layer (full name, without `.weight`) gets an adapter: PEFT's rule. @throws NarrowsError for a malformed pattern */
export const isLoraTarget = ({ target_modules: targets, exclude_modules: excluded }: LoraConfig, layer: string): boolean =>
  listed(layer, targets) && !(excluded && listed(layer, excluded));

/** Whether a tensor belongs to a module that is trained and stored whole. */
export const isSavedModule = ({ modules_to_save: modules }: LoraConfig, tensor: string): boolean =>
  (modules ?? []).some(module => `.${tensor}`.includes(`.${module}.`));

/** Names of a layer's two matrices: A [r, in] and B [out, r]. */
export const loraNames = (layer: string): { readonly a: string; readonly b: string } => ({
  a: `${layer}.lora_A.weight`,
  b: `${layer}.lora_B.weight`,
});

/** The layer of an adapter's matrix, or undefined for another tensor. */
export const loraLayer = (name: string): string | undefined => /^(.+)\.lora_[AB]\.weight$/.exec(name)?.[1];
