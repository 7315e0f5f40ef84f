/** @file Features of pictures on disk, by model and pixels: what was encoded once is not encoded again by a later run. */
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { access } from '../../node/disk.ts';
import { createHash } from '../../node/hash.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';

const NAME = 'features';

/** A folder of features. */
export class FeatureFiles {
  /** @param model what features depend on besides the pixels that the tower gets: a hash of the weights */
  constructor(
    private readonly directory: string,
    private readonly model: string,
  ) {}

  private path({ shape, data }: FloatTensor): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const pixels = createHash('sha256')
      .update(`${shape.join('x')}\n`)
      .update(bytes)
      .digest('hex');
    return join(this.directory, this.model, pixels.slice(0, 2), `${pixels.slice(2, 40)}.safetensors`);
  }

  /**
   * The features of a picture, from its file or made and kept.
   * @param pixels as the tower gets them
   * @throws NarrowsError for a file that holds something else, what `make` throws, where the file cannot be written
   */
  async get(pixels: FloatTensor, make: () => Promise<FloatTensor>): Promise<FloatTensor> {
    const path = this.path(pixels);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) {
      const entry = (await openSafetensors(path)).tensors.get(NAME);
      if (!entry) throw new NarrowsError(`${path} holds no tensor ${NAME}; delete the file, and it is made again.`);
      return floats([...entry.shape], await readFloats(entry));
    }
    const features = await make();
    await writeSafetensors(path, { [NAME]: features });
    return features;
  }
}
