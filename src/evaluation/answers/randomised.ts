/**
 * @file The sanity check of Adebayo et al. (NeurIPS 2018) on answers: the same method on the same question, while the model's top blocks are drawn
 * again from the last one down. A map that explains the model must change with it.
 */
import { AnswerAttributor } from '../../attribution/answers/answer-attributor.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import { drawnCheckpoint } from '../compare/engine/randomise.ts';

const BLOCK = /^model\.language_model\.layers\.(\d+)\./;

/** Whether a tensor (by its name in memory) is drawn again with the `blocks` top blocks of a decoder of `layers`; all are beyond these. */
export function inTopDecoderBlocks(name: string, layers: number, blocks: number): boolean {
  if (blocks > layers) return true;
  const at = BLOCK.exec(name)?.[1];
  return at !== undefined && Number(at) >= layers - blocks;
}

/** A model that answers, and its copies of which the top was drawn again; made on demand below a folder. The model itself stays the caller's. */
export class RandomisedAnswers implements AsyncDisposable {
  private readonly models = new PromiseCache<ChatModel>();
  private readonly kept = new PromiseCache<AnswerAttributor>();

  /** @param open a model by its directory */
  constructor(
    readonly chat: ChatModel,
    private readonly open: (directory: string) => Promise<ChatModel>,
    private readonly folder: string,
    private readonly seed = 0,
  ) {}

  /** The model with so many blocks of its decoder drawn again; with more than there are, all of it: decoder, projector and tower. */
  model(blocks: number): Promise<ChatModel> {
    const { checkpoint, config, files } = this.chat.model.parts;
    const layers = config.text_config.num_hidden_layers;
    const top = Math.min(blocks, layers + 1);
    return this.models.get(String(top), async () => {
      const name = `${(await checkpointHash(checkpoint)).slice(0, 16)}-answers-${top}-${this.seed}`;
      const drawn = (tensor: string): boolean => inTopDecoderBlocks(tensor, layers, top);
      return this.open(await drawnCheckpoint({ files, checkpoint }, name, drawn, this.seed, this.folder));
    });
  }

  /** The same method with the same options on that model. */
  attributor<O>({ entry, options }: AnswerAttributor<O>, blocks: number): Promise<AnswerAttributor> {
    const key = JSON.stringify([entry.name, options, Math.min(blocks, this.chat.model.config.text_config.num_hidden_layers + 1)]);
    return this.kept.get(key, async () => new AnswerAttributor(entry as never, await this.model(blocks), { ...(options as object) }));
  }

  /** Closes what was opened. */
  async release(): Promise<void> {
    for (const attributor of await this.kept.clear()) await attributor.release();
    for (const model of await this.models.clear()) await model.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
