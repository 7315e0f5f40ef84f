/**
 * @file A model as the comparison hands it to methods: encodings that every method starts from are remembered, and the time
 * of compilations is taken (it says nothing about a method).
 */

import { contentName } from '../../../attribution/perturbation/feature-store.ts';
import type { ProcessedImage } from '../../../inputs/image/processor.ts';
import { ImageProcessor } from '../../../inputs/image/processor.ts';
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';
import type { DualEncoder, Tower, TowerInputs } from '../../../models/dual-encoder.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { PromiseCache } from '../../../system/promise-cache.ts';
import type { FloatTensor } from '../../../tensor/tensor.ts';

/** Bytes of remembered encodings at most. */
const REMEMBERED = 64 * 2 ** 20;

/** A processor that remembers pictures by identity. */
class WatchedProcessor extends ImageProcessor {
  private known = new WeakMap<RgbImage, Map<number | undefined, ProcessedImage>>();

  override process(image: RgbImage, options: { size?: number } = {}): ProcessedImage {
    const bySize = this.known.get(image) ?? new Map<number | undefined, ProcessedImage>();
    this.known.set(image, bySize);
    const processed = bySize.get(options.size) ?? super.process(image, options);
    bySize.set(options.size, processed);
    return processed;
  }
}

/** See the file's head. Releasing it does not release the model itself. */
export class WatchedModel implements DualEncoder {
  readonly processor: WatchedProcessor;
  readonly runtime: Runtime;
  /** Seconds spent on compiling so far. */
  compileSeconds = 0;
  private readonly encodings = new PromiseCache<{ hidden: FloatTensor; features: FloatTensor }>();
  private bytes = 0;

  constructor(private readonly model: DualEncoder) {
    this.processor = new WatchedProcessor(model.processor.config, model.processor.model);
    const { runtime } = model;
    this.runtime = {
      name: runtime.name,
      version: runtime.version,
      placeWeights: runtime.placeWeights,
      compile: async (graph, options) => {
        const started = performance.now();
        const compiled = await runtime.compile(graph, options);
        this.compileSeconds += (performance.now() - started) / 1000;
        return compiled;
      },
      release: async () => {},
    };
  }

  get name() {
    return this.model.name;
  }
  get warnings() {
    return this.model.warnings;
  }
  get parameters() {
    return this.model.parameters;
  }
  get files() {
    return this.model.files;
  }
  get vocabularySize() {
    return this.model.vocabularySize;
  }
  get padTokenId() {
    return this.model.padTokenId;
  }
  get checkpoint() {
    return this.model.checkpoint;
  }
  get image() {
    return this.model.image;
  }
  get text() {
    return this.model.text;
  }
  get maxTextLength() {
    return this.model.maxTextLength;
  }
  logitScale = (): Promise<number> => this.model.logitScale();
  requireTokenizer: DualEncoder['requireTokenizer'] = () => this.model.requireTokenizer();
  imageInputs: DualEncoder['imageInputs'] = pixels => this.model.imageInputs(pixels);
  textInputs: DualEncoder['textInputs'] = (ids, mask) => this.model.textInputs(ids, mask);
  prepareImageSize: DualEncoder['prepareImageSize'] = (height, width) => this.model.prepareImageSize(height, width);
  imageFeatures: DualEncoder['imageFeatures'] = pixels => this.model.imageFeatures(pixels);
  textFeatures: DualEncoder['textFeatures'] = (ids, mask) => this.model.textFeatures(ids, mask);
  sha256 = (): Promise<string> => this.model.sha256();

  /** Remembered by content: all methods of a pair ask for the same few layers. */
  async runTower(tower: Tower, inputs: TowerInputs, layer: number): Promise<{ hidden: FloatTensor; features: FloatTensor }> {
    const name = await Promise.all(Object.entries(inputs).map(async ([key, t]) => `${key}:${await contentName(t)}`));
    const key = `${tower.modality}:${layer}:${name.join()}`;
    return this.encodings.get(key, async () => {
      const encoded = await this.model.runTower(tower, inputs, layer);
      this.bytes += encoded.hidden.data.byteLength;
      if (this.bytes > REMEMBERED) this.forget();
      return encoded;
    });
  }

  /** Drops remembered encodings. */
  forget(): void {
    void this.encodings.clear();
    this.bytes = 0;
  }

  async release(): Promise<void> {
    this.forget();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
