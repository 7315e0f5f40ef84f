/** @file Published recipes as named sets of arguments. */

/** A recipe. */
export interface Preset {
  readonly summary: string;
  /** Where its numbers stand. */
  readonly source: string;
  readonly stage: 'projector' | 'tune';
  readonly values: Readonly<Record<string, unknown>>;
}

/** What all of them share: the defaults of transformers' Trainer, one epoch, half a cosine after 3 % of warm-up. */
const TRAINER = {
  optim: 'adamw',
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  max_grad_norm: 1,
  weight_decay: 0,
  lr_scheduler_type: 'cosine',
  warmup_steps: 0.03,
  num_train_epochs: 1,
  model_max_length: 2048,
  gradient_checkpointing: true,
};

/** Stage 2: 128 conversations an update (16 on each of 8 devices; here one after the other). */
const STAGE2 = {
  ...TRAINER,
  learning_rate: 2e-5,
  per_device_train_batch_size: 16,
  gradient_accumulation_steps: 8,
  group_by_modality_length: true,
  image_aspect_ratio: 'pad',
  template: 'v1',
};

/** The bottleneck's block is left to its default, three quarters up: block 24 of the 32 of a 7B model, as published. */
const VITTLE = {
  ...STAGE2,
  method: 'vittle',
  seed: 42,
  alpha_schedule: 'sigmoid',
  alpha_end: 0.5,
  beta_visual: 0.1,
  beta_text: 0.1,
};

const LLAVA = 'github.com/haotian-liu/LLaVA';
const VITTLE_REPOSITORY = 'github.com/deeplearning-wisc/vittle';

/** All recipes by name. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  'llava-1.5-projector': {
    summary: 'Stage 1 of LLaVA-1.5: 256 captioned images an update',
    source: `${LLAVA} scripts/v1_5/pretrain.sh (the same in ${VITTLE_REPOSITORY} scripts/_pretrain.sh)`,
    stage: 'projector',
    values: {
      ...TRAINER,
      learning_rate: 1e-3,
      per_device_train_batch_size: 32,
      gradient_accumulation_steps: 8,
      group_by_modality_length: false,
      image_aspect_ratio: 'square',
      template: 'plain',
    },
  },
  'llava-1.5': {
    summary: 'Stage 2 of LLaVA-1.5: decoder and projector',
    source: `${LLAVA} scripts/v1_5/finetune.sh`,
    stage: 'tune',
    values: { ...STAGE2, method: 'full' },
  },
  'llava-1.5-lora': {
    summary: 'Stage 2 of LLaVA-1.5 by LoRA: rank 128 on all linear layers of the decoder',
    source: `${LLAVA} scripts/v1_5/finetune_lora.sh`,
    stage: 'tune',
    values: {
      ...STAGE2,
      method: 'lora',
      learning_rate: 2e-4,
      mm_projector_lr: 2e-5,
      lora_r: 128,
      lora_alpha: 256,
      lora_dropout: 0.05,
    },
  },
  'weight-decay': {
    summary: 'Stage 2 of LLaVA-1.5 with weight decay, the baseline of Vittle (its coefficient is not published: 0.1 is that of Prismatic)',
    source: 'arXiv 2505.13946, table 1; github.com/TRI-ML/prismatic-vlms prismatic/conf/models.py',
    stage: 'tune',
    values: { ...STAGE2, method: 'full', weight_decay: 0.1 },
  },
  'vittle-f': {
    summary: 'Vittle with the fixed prior',
    source: `arXiv 2505.13946; ${VITTLE_REPOSITORY} scripts/_finetune_vittle.sh`,
    stage: 'tune',
    values: { ...VITTLE, prior: 'fixed' },
  },
  'vittle-l': {
    summary: 'Vittle with the learnt prior',
    source: `arXiv 2505.13946; ${VITTLE_REPOSITORY} scripts/_finetune_vittle.sh`,
    stage: 'tune',
    values: { ...VITTLE, prior: 'learnable' },
  },
  'vittle-f-official': {
    summary: 'vittle-f as the released code computes it: half of the log-variance, split by position, 0.5 when answering',
    source: `${VITTLE_REPOSITORY} vittle/model/language_model/vittle_llama.py`,
    stage: 'tune',
    values: { ...VITTLE, prior: 'fixed', half_log_kl: true, index_split: true, alpha_inference: 0.5 },
  },
  'vittle-l-official': {
    summary: 'vittle-l as the released code computes it',
    source: `${VITTLE_REPOSITORY} vittle/model/language_model/vittle_llama.py`,
    stage: 'tune',
    values: { ...VITTLE, prior: 'learnable', half_log_kl: true, index_split: true, alpha_inference: 0.5 },
  },
};

/** Names of the recipes of stage 1, or of stage 2. */
export const presetsFor = (projector: boolean): string[] =>
  Object.keys(PRESETS).filter(name => (PRESETS[name].stage === 'projector') === projector);

/** Given values over those of the preset that they name. An unknown name is left to the schema. */
export function withPreset(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const preset = typeof given.preset === 'string' && Object.hasOwn(PRESETS, given.preset) ? PRESETS[given.preset] : undefined;
  return { ...preset?.values, ...given };
}
