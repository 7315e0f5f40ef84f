/**
 * @file Features of a frozen tower, made once for all runs that see the same pictures: runs of several methods from one start, say, whose scenes are
 * drawn alike.
 */
import type { CompiledGraph } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, ints, type Tensor } from '../../tensor/tensor.ts';
import type { UpdateSource } from './update-batch.ts';

/** Bytes of features that are kept. */
const ROOM = 1 << 30;

/** Features by name of a batch. What finds no room is made again each time. */
export class TowerCache {
  private readonly known = new Map<string, FloatTensor>();
  private used = 0;
  private owner = '';

  /** @param tower see `compileTower` */
  constructor(private readonly tower: Pick<CompiledGraph, 'run'>) {}

  /** Names what the next pictures are of (a seed, say): those of another name are dropped. */
  begin(owner: string): void {
    if (owner === this.owner) return;
    this.known.clear();
    this.used = 0;
    this.owner = owner;
  }

  /** Features [images, N, width] of `pixel_values` [images, C, S, S]. @param name of the pictures: the same name, the same pictures */
  async encode(name: string, pixels: Tensor): Promise<FloatTensor> {
    const kept = this.known.get(name);
    if (kept) return kept;
    const { tower_features: features } = (await this.tower.run({ pixel_values: pixels })) as { tower_features: FloatTensor };
    if (this.used + features.data.byteLength <= ROOM) {
      this.used += features.data.byteLength;
      this.known.set(name, features);
    }
    return features;
  }
}

/** Places in [rows · T] before each supervised label, and those labels: `loss_rows` and `loss_labels` of a training graph. */
export function lossRows({ shape: [, length], data }: Tensor): Feeds {
  const places: number[] = [];
  // A row's first label does not count, since nothing stands before it.
  for (let at = 0; at < data.length; at++) if (at % length > 0 && Number(data[at]) !== -100) places.push(at);
  // A batch without labels has a loss of 0.
  const [rows, labels] = places.length > 0 ? [places.map(at => at - 1), places.map(at => Number(data[at]))] : [[0], [-100]];
  return { loss_rows: ints([rows.length], Int32Array.from(rows)), loss_labels: ints([labels.length], Int32Array.from(labels)) };
}

/** Updates with features in place of pixels, and `lossRows`. */
export class EncodedUpdates implements UpdateSource {
  constructor(
    private readonly inner: UpdateSource,
    private readonly tower: TowerCache,
  ) {}

  supervised(update: number): readonly number[] | Promise<readonly number[]> {
    return this.inner.supervised(update);
  }

  async rows(update: number, micro: number): Promise<Feeds> {
    const { pixel_values: pixels, ...rows } = await this.inner.rows(update, micro);
    return { ...rows, ...lossRows(rows.labels), tower_features: await this.tower.encode(`${update}.${micro}`, pixels) };
  }
}
