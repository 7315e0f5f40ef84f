/** @file Training batches from a file of conversations. A batch is a function of (seed, step) and the files only. */
import type { Feeds } from '../../runtime/runtime.ts';
import type { Note } from '../batch-loader.ts';
import { type ChatFormat, ChatReader, type ChatSample, type EncodedSample } from './chat-reader.ts';
import { lossCount } from './loss-average.ts';
import { ModalitySampler, type SamplerSettings } from './sampler.ts';
import { placeInUpdate, type UpdateSettings, updateBatch } from './update-batch.ts';

/** What the batches of a run are drawn from. Can be posted to a worker. */
export interface FileBatchSettings {
  readonly samples: readonly ChatSample[];
  readonly format: ChatFormat;
  readonly sampler: SamplerSettings;
  /** What is drawn besides the tokens; seed and sizes are the sampler's. */
  readonly method: Pick<UpdateSettings, 'maxSteps' | 'width' | 'bottleneck' | 'lora'>;
}

/** Samples that a message names. */
const SHOWN = 16;

/** Draws the batches of a run. */
export class FileBatches {
  private readonly sampler: ModalitySampler;
  private drawn: { update: number; encoded: EncodedSample[][] } | undefined;

  /** @param reader made from the settings' format */
  constructor(
    private readonly settings: FileBatchSettings,
    private readonly reader: ChatReader,
  ) {
    this.sampler = new ModalitySampler(settings.sampler);
  }

  /** @throws NarrowsError as `ChatReader.open` */
  static async open(settings: FileBatchSettings): Promise<FileBatches> {
    return new FileBatches(settings, await ChatReader.open(settings.format));
  }

  /** Tokens of all micro-batches of an update. */
  private async encoded(update: number, note: Note): Promise<EncodedSample[][]> {
    if (this.drawn?.update !== update) {
      const rows = this.sampler.update(update);
      await this.reader.prepare(rows.flat().map(i => this.settings.samples[i]));
      const encoded = rows.map(micro => micro.map(i => this.reader.encode(this.settings.samples[i], note)));
      this.drawn = { update, encoded };
    }
    return this.drawn!.encoded;
  }

  /** The samples of a micro-step, in words. */
  describe(step: number): string {
    const { update, micro } = placeInUpdate(step, this.settings.sampler.accumulation);
    const names = this.sampler.update(update)[micro].map(i => this.settings.samples[i].name);
    return `the sample${names.length > 1 ? 's' : ''} ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
  }

  /**
   * The batch of a micro-step (see `updateBatch`); `pixel_values` only where it has images.
   * @throws NarrowsError naming the sample that cannot be read
   */
  batch(step: number, note: Note = () => {}): Promise<Feeds> {
    const { samples, format, sampler, method } = this.settings;
    const { seed, batchSize, accumulation } = sampler;
    const supervised = async (update: number): Promise<number[]> =>
      (await this.encoded(update, note)).map(rows => lossCount(rows, format.lossAverage));
    const rows = async (update: number, micro: number): Promise<Feeds> =>
      this.reader.feeds(
        this.sampler.update(update)[micro].map(i => samples[i]),
        (await this.encoded(update, note))[micro],
        note,
      );
    return updateBatch({ supervised, rows }, { ...method, seed, batchSize, accumulation }, step);
  }
}
