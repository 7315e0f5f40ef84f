/** @file Answers by a model behind an OpenAI-compatible endpoint. */
import { answerThroughEndpoint } from '../../generation/endpoint/answer.ts';
import type { Endpoint } from '../../generation/endpoint/client.ts';
import { EndpointError } from '../../generation/endpoint/failure.ts';
import { mediaType } from '../../generation/endpoint/picture.ts';
import type { EndpointSettings } from '../../generation/endpoint/request.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Answered, Answerer, AskedPicture, AskedTurn } from './answerer.ts';

/** How an endpoint is asked. */
export interface EndpointAnswererOptions extends EndpointSettings {
  readonly system?: string;
  /** Questions that are handed over at once; how many requests are under way is the endpoint's `concurrency`. Default 16. */
  readonly batchSize?: number;
}

/** Kinds of failure that are the model's answer, though an empty one: it counts as given. */
const EMPTY: ReadonlySet<string> = new Set(['empty', 'refused', 'filtered']);

/** A picture as it travels: the set's own bytes where every server reads them, else its pixels as PNG. */
async function picture({ read, bytes }: AskedPicture) {
  const stored = await bytes?.();
  return stored && mediaType(stored) ? stored : read();
}

/** An endpoint that answers. It does not close the endpoint. */
export class EndpointAnswerer implements Answerer {
  readonly modelId: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[] = [];
  readonly batchSize: number;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly options: EndpointAnswererOptions,
  ) {
    this.modelId = endpoint.model;
    this.batchSize = options.batchSize ?? 16;
    const { batchSize: _, ...decides } = options;
    this.settings = { endpoint: true, generation: decides };
  }

  /** Characters: the server's tokens are not known. */
  length(text: string): number {
    return text.length;
  }

  private async one({ text, pictures }: AskedTurn): Promise<Answered> {
    const { batchSize: _, ...settings } = this.options;
    try {
      const { raw, finish, usage } = await answerThroughEndpoint(this.endpoint, text, await Promise.all(pictures.map(picture)), settings);
      return { text: raw, finish, ...(usage?.completion === undefined ? {} : { tokens: usage.completion }) };
    } catch (error) {
      if (!(error instanceof NarrowsError) || (error instanceof EndpointError && error.stops)) throw error;
      if (error instanceof EndpointError && EMPTY.has(error.failure)) return { text: '', finish: error.failure };
      return { failure: messageOf(error) };
    }
  }

  async answer(turns: readonly AskedTurn[], onAnswer: (i: number, answered: Answered) => void, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const outcomes = await Promise.allSettled(turns.map(async (turn, i) => onAnswer(i, await this.one(turn))));
    signal?.throwIfAborted();
    // What arrived is kept before the run ends.
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
