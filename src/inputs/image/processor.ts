/** @file RGB pictures to a model's pixel values, number for number as transformers' image processors (see processor-classes.ts). */
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { FILTERS } from './filters.ts';
import type { ProcessorConfig } from './processor-classes.ts';
import { type ProcessorParsing, parseProcessorConfig } from './processor-config.ts';
import { resizeImage } from './resize.ts';
import type { Rectangle, RgbImage } from './rgb-image.ts';
import { expandToSquare, meanColour } from './square.ts';

/** What a model sees of a picture. */
export interface ProcessedImage {
  /** [3, H, W], channels first. */
  readonly pixelValues: FloatTensor;
  /** The part of the original picture that fills H x W, in its pixels (fractions); it reaches outside where zeros were padded. */
  readonly view: Rectangle;
}

interface Size {
  width: number;
  height: number;
}

/** More input values than this are a mistake (a long edge of some strip of a picture), not a model's input: 3 x 8192 x 8192. */
const MAX_VALUES = 3 * 8192 * 8192;

/** Python's `round`: halves to the even number. */
const roundEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/**
 * Size after resizing: the given box, or edges in proportion, the other edge cut down to whole pixels as transformers does (rounded where
 * open_clip fits a longer edge: ResizeKeepRatio).
 */
function resizedSize({ width, height }: Size, { size, torchvision }: Pick<ProcessorConfig, 'size' | 'torchvision'>): Size {
  if ('height' in size) return { width: size.width, height: size.height };
  if (torchvision && !('shortest_edge' in size)) {
    const ratio = Math.max(width, height) / size.longest_edge;
    return { width: Math.max(1, roundEven(width / ratio)), height: Math.max(1, roundEven(height / ratio)) };
  }
  const [short, long] = width <= height ? [width, height] : [height, width];
  let newShort: number;
  let newLong: number;
  if ('shortest_edge' in size) {
    newShort = size.shortest_edge;
    newLong = Math.trunc((newShort * long) / short);
    const most = size.longest_edge ?? Number.POSITIVE_INFINITY;
    if (newLong > most) [newShort, newLong] = [Math.trunc((most * newShort) / newLong), most];
  } else {
    newLong = size.longest_edge;
    newShort = Math.trunc((newLong * short) / long);
  }
  newShort = Math.max(newShort, 1);
  return width <= height ? { width: newShort, height: newLong } : { width: newLong, height: newShort };
}

/** Where a crop begins, or (negative) where a picture is laid: rounded down also where negative, as Python's `//`. */
const lowerMiddle = (room: number): number => Math.floor(room / 2);
/** The same as torchvision's `center_crop` has it. */
const nearestMiddle = (room: number): number => (room < 0 ? -Math.floor(-room / 2) : roundEven(room / 2));

/**
 * The largest size in whole patches that keeps the picture's shape, about, within a number of patches: the search of transformers'
 * `get_image_size_for_max_num_patches` over one scale, to 1e-5.
 */
function patchesThatFit({ width, height }: Size, patch: number, most: number): Size {
  const scaled = (scale: number, edge: number): number => Math.max(patch, Math.ceil((edge * scale) / patch) * patch);
  let [low, high] = [1e-6, 100];
  while (high - low >= 1e-5) {
    const scale = (low + high) / 2;
    if ((scaled(scale, height) / patch) * (scaled(scale, width) / patch) <= most) low = scale;
    else high = scale;
  }
  return { width: scaled(low, width), height: scaled(low, height) };
}

/** The input that a model takes. */
export interface ModelInput {
  /** Edge of its square input, pixels. */
  readonly size: number;
  /** What to do about rules that give another size, as the end of a sentence. @param edge of the square that they give; undefined for no square */
  remedy(edge?: number): string;
}

/** Turns pictures into pixel values by the rules of one image processor configuration. */
export class ImageProcessor {
  readonly config: ProcessorConfig;
  readonly model: ModelInput | undefined;
  /** Normalised value of each byte, channel by channel: 3 x 256. */
  private readonly values: Float32Array;

  /** @param model its input: rules that give another size are refused, unless a size is asked for */
  constructor(config: ProcessorConfig, model?: ModelInput) {
    this.config = config;
    this.model = model;
    // transformers rescales in float64, stores float32, and normalises in float32.
    const { do_rescale, rescale_factor, do_normalize, image_mean, image_std, torchvision } = config;
    this.values = Float32Array.from({ length: 768 }, (_, i) => {
      const scaled = Math.fround(torchvision ? (i & 255) / 255 : (i & 255) * (do_rescale ? rescale_factor : 1));
      if (!do_normalize) return scaled;
      return Math.fround(scaled - Math.fround(image_mean[i >> 8])) / Math.fround(image_std[i >> 8]);
    });
  }

  /**
   * @param json a parsed `preprocessor_config.json`, or the section `image_processor` of a `processor_config.json`.
   * @throws NarrowsError as `parseProcessorConfig` says.
   */
  static fromConfig(json: unknown, parsing?: ProcessorParsing, model?: ModelInput): ImageProcessor {
    return new ImageProcessor(parseProcessorConfig(json, parsing), model);
  }

  /** The same rules with pictures widened to squares first (LLaVA's `do_pad`), or not. */
  withPadding(pad: boolean): ImageProcessor {
    return pad === this.config.do_pad ? this : new ImageProcessor({ ...this.config, do_pad: pad }, this.model);
  }

  /** The rules for a square input of `edge` pixels: crop and resize keep their proportion to each other. */
  private rules(edge: number | undefined): Pick<ProcessorConfig, 'size' | 'crop_size'> {
    const { size, crop_size, do_center_crop } = this.config;
    if (edge === undefined) return { size, crop_size };
    if (!Number.isInteger(edge) || edge < 1) throw new NarrowsError(`The image size must be a whole number > 0, not ${edge}.`);
    const square = { height: edge, width: edge };
    if (!do_center_crop) return { size: square, crop_size: square };
    const scale = (n: number, of: number) => Math.max(1, Math.round((n * edge) / of));
    const shorter = Math.min(crop_size.width, crop_size.height);
    if ('height' in size) {
      return { size: { height: scale(size.height, crop_size.height), width: scale(size.width, crop_size.width) }, crop_size: square };
    }
    if ('shortest_edge' in size) return { size: { shortest_edge: scale(size.shortest_edge, shorter) }, crop_size: square };
    return { size: { longest_edge: scale(size.longest_edge, shorter) }, crop_size: square };
  }

  /**
   * Resizes, crops (padding with zeros where the picture is smaller), rescales and normalises. Without `do_center_crop`, a rule
   * that keeps proportions gives an input that is not square.
   * @param options.size edge of a square input, instead of the configured one (for maps of a higher resolution).
   * @throws NarrowsError for a size that is no positive whole number, an input of more than 8192 x 8192, or, where none is asked for, of
   *   another size than the model's.
   */
  process(original: RgbImage, options: { size?: number } = {}): ProcessedImage {
    const { do_pad, do_center_crop, resample, torchvision } = this.config;
    const image = do_pad ? expandToSquare(original, meanColour(this.config.image_mean)) : original;
    const { size, crop_size } = this.rules(options.size);
    const whole = this.wholeSize(image, size, options.size !== undefined);
    const input: Size = do_center_crop ? crop_size : whole;
    if (3 * input.width * input.height > MAX_VALUES) {
      throw new NarrowsError(
        `A picture of ${image.width} x ${image.height} would become a model input of ${input.width} x ${input.height}, above the limit of ` +
          '8192 x 8192; crop the picture, or turn on do_center_crop in preprocessor_config.json.',
      );
    }
    if (options.size === undefined) this.requireModelSize(original, input);
    const middle = torchvision ? nearestMiddle : lowerMiddle;
    const left = middle(whole.width - input.width);
    const top = middle(whole.height - input.height);
    // Only what the crop keeps is ever resized.
    const part = {
      left: Math.max(left, 0),
      top: Math.max(top, 0),
      width: Math.min(input.width, whole.width),
      height: Math.min(input.height, whole.height),
    };
    const pixels = resizeImage(image, whole.width, whole.height, FILTERS[resample], part);
    const pixelValues = this.normalise(pixels, input, part.left - left, part.top - top);
    const across = image.width / whole.width;
    const down = image.height / whole.height;
    // A square around the picture begins outside of it.
    const before = { left: Math.floor((image.width - original.width) / 2), top: Math.floor((image.height - original.height) / 2) };
    return {
      pixelValues,
      view: { left: left * across - before.left, top: top * down - before.top, width: input.width * across, height: input.height * down },
    };
  }

  /** The size of the whole picture, of which the crop is a part. @param asked whether another size than the configured one is asked for */
  private wholeSize(image: Size, size: ProcessorConfig['size'], asked: boolean): Size {
    const { do_resize, torchvision, max_num_patches: most, patch_size: patch = 16 } = this.config;
    if (!do_resize && !asked) return { width: image.width, height: image.height };
    return most !== undefined && !asked ? patchesThatFit(image, patch, most) : resizedSize(image, { size, torchvision });
  }

  /** The input that `process` makes of a picture of this size, without making it: [height, width]. */
  inputSize(picture: Size, options: { size?: number } = {}): readonly [number, number] {
    const { do_pad, do_center_crop } = this.config;
    const edge = Math.max(picture.width, picture.height);
    const { size, crop_size } = this.rules(options.size);
    const { width, height } = do_center_crop
      ? crop_size
      : this.wholeSize(do_pad ? { width: edge, height: edge } : picture, size, options.size !== undefined);
    return [height, width];
  }

  /** @throws NarrowsError where the rules give another size than the model takes */
  private requireModelSize(image: RgbImage, { width, height }: Size): void {
    if (!this.model) return;
    const { size } = this.model;
    if (width === size && height === size) return;
    throw new NarrowsError(
      `The image rules make ${width} x ${height} of a picture of ${image.width} x ${image.height}, but the model takes ${size} x ${size}; ${this.model.remedy(width === height ? width : undefined)}.`,
    );
  }

  /** Pixel values of `pixels` laid at (left, top) on black, or on `fill_color`. */
  private normalise(pixels: RgbImage, { width, height }: Size, left: number, top: number): FloatTensor {
    const { values } = this;
    const plane = width * height;
    const out = new Float32Array(3 * plane);
    for (let c = 0; c < 3; c++) {
      const base = c * 256;
      const away = values[base + (this.config.fill_color ?? 0)];
      if (pixels.width < width || pixels.height < height) out.fill(away, c * plane, (c + 1) * plane);
      for (let y = 0; y < pixels.height; y++) {
        let to = c * plane + (top + y) * width + left;
        const end = (y + 1) * pixels.width * 3;
        for (let from = y * pixels.width * 3 + c; from < end; from += 3) out[to++] = values[base + pixels.data[from]];
      }
    }
    return floats([3, height, width], out);
  }
}

/** The first `height` rows and `width` columns of what a model sees, with the view that they show. */
export function cropProcessed(processed: ProcessedImage, height: number, width: number): ProcessedImage {
  const { pixelValues, view } = processed;
  const [channels, tall, wide] = pixelValues.shape;
  if (tall === height && wide === width) return processed;
  const data = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const from = (c * tall + y) * wide;
      data.set(pixelValues.data.subarray(from, from + width), (c * height + y) * width);
    }
  const seen = { ...view, width: (view.width * width) / wide, height: (view.height * height) / tall };
  return { pixelValues: floats([channels, height, width], data), view: seen };
}

/**
 * [3, H, W] values of several pictures as one batch [B, 3, H, W].
 * @throws NarrowsError for an empty list or pictures that were not processed to one size.
 */
export function stackImages(list: readonly FloatTensor[]): FloatTensor {
  if (list.length === 0) throw new NarrowsError('A batch needs at least one image.');
  const { shape } = list[0];
  const odd = list.findIndex(t => t.shape.some((n, i) => n !== shape[i]));
  if (odd >= 0) {
    const sizes = `image 0 is ${shape.slice(1).join(' x ')}, image ${odd} is ${list[odd].shape.slice(1).join(' x ')}`;
    throw new NarrowsError(`Images of one batch must have one size, but ${sizes} (height x width); turn on do_center_crop or give a size.`);
  }
  const length = list[0].data.length;
  const data = new Float32Array(list.length * length);
  for (const [i, t] of list.entries()) data.set(t.data, i * length);
  return floats([list.length, ...shape], data);
}
