/** @file OpenCLIP's image rules (`preprocess_cfg` of open_clip_config.json): what open_clip's `image_transform` does to a picture. */
import { PROCESSOR_CLASSES, type ProcessorConfig } from './processor-classes.ts';

/** The keys that are read; names and meanings are open_clip's (`PreprocessCfg`). */
export interface OpenClipRules {
  readonly mean?: number | readonly number[] | null;
  readonly std?: number | readonly number[] | null;
  /** Default bicubic; `random` is bicubic outside of training. */
  readonly interpolation?: 'bicubic' | 'bilinear' | 'random' | null;
  /** `shortest` (default): shorter edge, then cropped; `squash`: stretched to the square; `longest`: the whole picture on a square. */
  readonly resize_mode?: 'shortest' | 'longest' | 'squash' | null;
  readonly fill_color?: number;
}

const three = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value, value, value] : value);

/** @param edge of the model's input, which holds whatever `size` says, as in open_clip */
export function openClipProcessorConfig(rules: OpenClipRules, edge: number): ProcessorConfig {
  const { defaults } = PROCESSOR_CLASSES.CLIP;
  const box = { height: edge, width: edge };
  const mode = rules.resize_mode ?? 'shortest';
  return {
    ...defaults,
    size: mode === 'squash' ? box : mode === 'longest' ? { longest_edge: edge } : { shortest_edge: edge },
    resample: rules.interpolation === 'bilinear' ? 2 : 3,
    do_center_crop: mode !== 'squash',
    crop_size: box,
    image_mean: three(rules.mean ?? defaults.image_mean),
    image_std: three(rules.std ?? defaults.image_std),
    torchvision: true,
    fill_color: rules.fill_color ?? 0,
  };
}
