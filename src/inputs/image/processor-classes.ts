/** @file The image processor classes of transformers whose rules are known: the defaults of each, and how it reads `size`. No Node imports. */

/** How a picture becomes a model's input; keys and meanings are transformers'. */
export interface ProcessorConfig {
  /** Here without effect: a decoded picture is RGB already. */
  do_convert_rgb: boolean;
  /** Widen a picture to a square of its longer edge with the mean colour, before anything else (LLaVA's). */
  do_pad: boolean;
  do_resize: boolean;
  size: { height: number; width: number } | { shortest_edge: number; longest_edge?: number } | { longest_edge: number };
  /** Pillow's number of the filter. */
  resample: number;
  do_center_crop: boolean;
  crop_size: { height: number; width: number };
  do_rescale: boolean;
  rescale_factor: number;
  do_normalize: boolean;
  image_mean: readonly number[];
  image_std: readonly number[];
  /** Rounds as torchvision's transforms do, which OpenCLIP is trained with: crops to the nearest pixel, bytes divided by 255 in float32. */
  torchvision?: boolean;
  /** At most so many patches of `patch_size` pixels, whatever the picture's shape (NaFlex); comes before `size`. */
  max_num_patches?: number;
  patch_size?: number;
  /** The byte that fills what a picture does not cover. 0 by default. */
  fill_color?: number;
}

/** One class (`CLIPImageProcessor`, its `Fast` form and its old `FeatureExtractor` form). */
export interface ProcessorClass {
  readonly defaults: ProcessorConfig;
  /** A plain number as `size` means both edges; otherwise the shorter edge. */
  readonly square: boolean;
  /** Keys that this class has besides those of `ProcessorConfig`. */
  readonly further?: readonly ('crop_pct' | 'use_square_size' | 'do_pad' | 'max_num_patches' | 'patch_size')[];
  /** Keys of `ProcessorConfig` that this class does not read. */
  readonly unread?: readonly (keyof ProcessorConfig)[];
}

const HALVES = [0.5, 0.5, 0.5];
const box = (edge: number) => ({ height: edge, width: edge });

const CLIP: ProcessorConfig = {
  do_convert_rgb: true,
  do_pad: false,
  do_resize: true,
  size: { shortest_edge: 224 },
  resample: 3,
  do_center_crop: true,
  crop_size: box(224),
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const SQUARE: ProcessorConfig = { ...CLIP, size: box(224), do_center_crop: false, image_mean: HALVES, image_std: HALVES };

/** By the class's name without its ending; defaults as in transformers 4.57. */
export const PROCESSOR_CLASSES: Readonly<Record<string, ProcessorClass>> = {
  CLIP: { defaults: CLIP, square: false, further: ['use_square_size'] },
  ChineseCLIP: { defaults: CLIP, square: false },
  Llava: { defaults: CLIP, square: false, further: ['do_pad'] },
  Bit: { defaults: CLIP, square: false },
  Siglip: { defaults: SQUARE, square: true },
  Siglip2: {
    defaults: { ...SQUARE, size: box(256), resample: 2 },
    square: true,
    further: ['max_num_patches', 'patch_size'],
    unread: ['do_center_crop', 'crop_size', 'size'],
  },
  ViT: { defaults: { ...SQUARE, resample: 2 }, square: true },
  DeiT: { defaults: { ...SQUARE, size: box(256), do_center_crop: true }, square: true },
  Blip: { defaults: { ...CLIP, size: box(384), do_center_crop: false }, square: true },
  ConvNext: {
    defaults: { ...SQUARE, size: { shortest_edge: 384 }, resample: 2 },
    square: false,
    further: ['crop_pct'],
    unread: ['do_center_crop', 'crop_size'],
  },
};

/** Names as config files give them, for messages. */
export const CLASS_NAMES: readonly string[] = Object.keys(PROCESSOR_CLASSES).map(name => `${name}ImageProcessor`);

/** The class that `image_processor_type` (or the older `feature_extractor_type`) names; undefined for one that is not known. */
export function processorClass(type: string): ProcessorClass | undefined {
  const name = type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
  return Object.hasOwn(PROCESSOR_CLASSES, name) && name !== type ? PROCESSOR_CLASSES[name] : undefined;
}
