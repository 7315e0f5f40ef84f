/** @file Which samples make an update: epochs in orders of their own, images and text only kept apart, like lengths side by side. */
import { RandomStream } from '../../tensor/random.ts';

/** What the order is drawn from. Can be posted to a worker. */
export interface SamplerSettings {
  readonly seed: number;
  /** Samples of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches of an update. */
  readonly accumulation: number;
  /** One per sample: how long it is, negative where it has no image (as LLaVA's trainer marks them). */
  readonly lengths: readonly number[];
  /** Updates of one modality, whose micro-batches hold samples of like length; else samples in plain random order. */
  readonly grouped: boolean;
}

/**
 * Chooses samples. With `grouped` an update is a random set of samples with images, or without; what is left over of both makes the last
 * ones, mixed. That is LLaVA's sampler (LengthGroupedSampler with group_by_modality), with two differences: data of one modality is no
 * error, and the samples of an update are cut into micro-batches by length, which saves padding, where LLaVA evens out the lengths of its
 * devices. The set of samples of an update, and so its gradient, is the same either way.
 * Samples that do not fill the last update of an epoch wait for the next epoch.
 */
export class ModalitySampler {
  private readonly stream: RandomStream;
  private order: { epoch: number; updates: number[][] } | undefined;
  /** Updates in an epoch. */
  readonly updatesPerEpoch: number;

  /** @throws RangeError where the samples do not fill one update */
  constructor(private readonly settings: SamplerSettings) {
    const { seed, lengths } = settings;
    this.stream = new RandomStream(seed, 'samples');
    this.updatesPerEpoch = Math.floor(lengths.length / this.perUpdate);
    if (this.updatesPerEpoch < 1) throw new RangeError(`${lengths.length} samples do not fill an update of ${this.perUpdate}.`);
  }

  private get perUpdate(): number {
    return this.settings.batchSize * this.settings.accumulation;
  }

  /** Indices of the samples of an update, micro-batch by micro-batch: a function of (seed, update). */
  update(update: number): number[][] {
    const epoch = Math.floor(update / this.updatesPerEpoch);
    if (this.order?.epoch !== epoch) this.order = { epoch, updates: this.epoch(epoch) };
    const samples = this.order.updates[update % this.updatesPerEpoch];
    const { batchSize } = this.settings;
    return Array.from({ length: this.settings.accumulation }, (_, i) => samples.slice(i * batchSize, (i + 1) * batchSize));
  }

  private epoch(epoch: number): number[][] {
    const { lengths, grouped } = this.settings;
    const shuffled = this.stream.reader(epoch, 0).shuffle([...lengths.keys()]);
    if (!grouped) return this.chunks(shuffled);
    const kinds = [shuffled.filter(i => lengths[i] >= 0), shuffled.filter(i => lengths[i] < 0)];
    const whole = kinds.map(list => list.slice(0, list.length - (list.length % this.perUpdate)));
    const rest = kinds.flatMap((list, k) => list.slice(whole[k].length));
    const updates = this.stream.reader(epoch, 1).shuffle(whole.flatMap(list => this.chunks(list)));
    const byLength = (list: readonly number[]): number[] => list.toSorted((a, b) => Math.abs(lengths[b]) - Math.abs(lengths[a]) || a - b);
    return [...updates, ...this.chunks(rest)].map(byLength);
  }

  /** Whole updates; what is left over is dropped. */
  private chunks(list: readonly number[]): number[][] {
    return Array.from({ length: Math.floor(list.length / this.perUpdate) }, (_, i) =>
      list.slice(i * this.perUpdate, (i + 1) * this.perUpdate),
    );
  }
}
