/** @file Training batches from a file of conversations. A batch is a function of (seed, step) and the files alone. */
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { bottleneckNoise } from '../../bottleneck/gaussian/train.ts';
import { type EncodedChat, supervisedCount } from '../../inputs/chat/encode-chat.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { floats } from '../../tensor/tensor.ts';
import type { Note } from '../batch-loader.ts';
import { type ChatFormat, ChatReader, type ChatSample } from './chat-reader.ts';
import { ModalitySampler, type SamplerSettings } from './sampler.ts';

/** What the batches of a run are drawn from. Can be posted to a worker. */
export interface FileBatchSettings {
  readonly samples: readonly ChatSample[];
  readonly format: ChatFormat;
  readonly sampler: SamplerSettings;
  /** Its noise is drawn beside the batch. */
  readonly bottleneck?: BottleneckConfig;
}

/** Samples that a message names. */
const SHOWN = 16;

/** Draws the batches of a run. */
export class FileBatches {
  private readonly sampler: ModalitySampler;
  private drawn: { update: number; encoded: EncodedChat[][] } | undefined;

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
  private encoded(update: number, rows: readonly (readonly number[])[], note: Note): EncodedChat[][] {
    if (this.drawn?.update !== update) {
      const encoded = rows.map(micro => micro.map(i => this.reader.encode(this.settings.samples[i], note)));
      this.drawn = { update, encoded };
    }
    return this.drawn.encoded;
  }

  /** The samples of a micro-step, in words. */
  describe(step: number): string {
    const { accumulation } = this.settings.sampler;
    const chosen = this.sampler.update(Math.floor(step / accumulation))[step % accumulation];
    const names = chosen.map(i => this.settings.samples[i].name);
    return `the sample${names.length > 1 ? 's' : ''} ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
  }

  /**
   * The batch of a micro-step: tokens, `labels`, `pixel_values` where there are images, and `loss_divisor`: the supervised tokens of the
   * whole update over its micro-batches, so that the mean over these is the mean over all supervised tokens.
   * @throws NarrowsError naming the sample that cannot be read
   */
  async batch(step: number, note: Note = () => {}): Promise<Feeds> {
    const { samples, format, sampler, bottleneck } = this.settings;
    const update = Math.floor(step / sampler.accumulation);
    const micro = step % sampler.accumulation;
    const rows = this.sampler.update(update);
    const encoded = this.encoded(update, rows, note);
    const supervised = encoded.flat().reduce((sum, e) => sum + supervisedCount(e), 0);
    const feeds = await this.reader.feeds(
      rows[micro].map(i => samples[i]),
      encoded[micro],
    );
    const numbers = rows[micro].map((_, b) => micro * sampler.batchSize + b);
    const shape = { length: feeds.labels.shape[1], width: format.config.text_config.hidden_size };
    return {
      ...feeds,
      // Numbers within the update: the noise does not depend on how the update is cut into micro-batches.
      ...(bottleneck && bottleneckNoise(bottleneck, { ...shape, samples: numbers }, sampler.seed, update)),
      loss_divisor: floats([], [supervised / sampler.accumulation]),
    };
  }
}
