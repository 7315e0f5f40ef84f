/** @file A client of chat endpoints that speak as OpenAI's does: vLLM, llama.cpp, Ollama, LM Studio, `narrows serve`. */
import { backOff, pause } from '../../checkpoints/hub/request.ts';
import { RandomStream } from '../../tensor/random.ts';
import { completionsAddress, type Environment, isLoopback, keyOf } from './address.ts';
import { ReplyCache, replyKey } from './cache.ts';
import { EndpointError } from './failure.ts';
import { readResponse } from './read-reply.ts';
import { answerOf, type EndpointAnswer, type ModelReply, sameModel } from './reply.ts';
import { type EndpointMessage, type EndpointSettings, type RequestBody, requestBody, withCompletionTokens } from './request.ts';
import { type Line, send } from './send.ts';
import { Turns } from './turns.ts';

/** How an endpoint is used. */
export interface EndpointOptions {
  /** Base address such as `http://localhost:8000/v1`, or the whole one. It is never written anywhere. */
  readonly url: string;
  /** Name of the model, which stands in results. */
  readonly model: string;
  /** Environment variable that holds the key; `OPENAI_API_KEY` by default, which need not be set. */
  readonly keyVariable?: string;
  /** Default `process.env`. */
  readonly env?: Environment;
  /** File that keeps every reply; what it holds is not asked for again. */
  readonly cache?: string;
  /** Requests at once, default 4. */
  readonly concurrency?: number;
  /** Requests of this run at most, repeated ones included; no limit by default. */
  readonly maxRequests?: number;
  /** How often a failed request is sent again, default 5. */
  readonly retries?: number;
  /** Milliseconds of the first pause, which doubles with every try, default 500. */
  readonly retryDelay?: number;
  /** Milliseconds that an answer may take, default 300 000. */
  readonly timeout?: number;
  /** Asks for the answer as a stream, for servers that cut silent lines. */
  readonly stream?: boolean;
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
}

/** What a run cost. Tokens are the server's counts. */
export interface EndpointCost {
  /** Requests that were sent. */
  readonly requests: number;
  /** Of these, sent again after a failure. */
  readonly repeated: number;
  /** Replies that were kept from earlier runs, or asked for twice in this one. */
  readonly cached: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Replies whose server counts no tokens. */
  readonly uncounted: number;
}

/** A server that asks for more patience than this gets none. */
const LONGEST_PAUSE = 120_000;

/** An endpoint. Close it (or `await using`) when done. */
export class Endpoint implements AsyncDisposable {
  readonly model: string;
  private readonly turns: Turns;
  private readonly asked = new Map<string, Promise<ModelReply>>();
  private readonly said = new Set<string>();
  private readonly counts = { requests: 0, repeated: 0, cached: 0, promptTokens: 0, completionTokens: 0, uncounted: 0 };
  private readonly jitter = new RandomStream(0, 'endpoint-pauses');
  private otherLength = false;
  /** What ended all: whoever still waits ends with it. */
  private stopped: EndpointError | undefined;
  /** Not a plain property: no print of the object shows the address or the key. */
  readonly #line: Line;

  private constructor(
    private readonly options: EndpointOptions,
    line: Line,
    private readonly cache: ReplyCache | undefined,
  ) {
    this.model = options.model;
    this.turns = new Turns(options.concurrency ?? 4);
    this.#line = line;
  }

  /** @throws NarrowsError (usage) for an address or key that cannot be used; as `ReplyCache.open` */
  static async open(options: EndpointOptions): Promise<Endpoint> {
    const { url, keyVariable, env = process.env, timeout = 300_000, signal, onWarning, ...rest } = options;
    const address = completionsAddress(url);
    const key = keyOf(keyVariable, env);
    if (key && address.protocol === 'http:' && !isLoopback(address.hostname))
      onWarning?.('The key travels unencrypted to the endpoint, whose address begins with http: and is not of this machine; use https.');
    const cache = options.cache === undefined ? undefined : await ReplyCache.open(options.cache, onWarning);
    return new Endpoint({ ...rest, url: '', signal, onWarning }, { address, timeout, signal, ...(key ? { key } : {}) }, cache);
  }

  /** What was sent so far. */
  get cost(): EndpointCost {
    return { ...this.counts };
  }

  /**
   * Asks. The same question with the same settings and the same repeat is sent once, ever.
   * @param repeat number of this asking, 0 for the first: another number is another reply
   * @throws EndpointError with its kind; one that `stops` ends all further requests with it. NarrowsError for a cache that cannot be written;
   *   the signal's reason
   */
  async ask(messages: readonly EndpointMessage[], settings: EndpointSettings = {}, repeat = 0): Promise<EndpointAnswer> {
    const body = requestBody(this.model, messages, settings);
    const key = replyKey(body, repeat);
    const kept = this.cache?.get(key);
    const pending = this.asked.get(key);
    if (kept || pending) this.counts.cached++;
    const reply = kept ?? (await (pending ?? this.request(key, body)));
    if (kept?.model !== undefined) this.checkModel(kept.model);
    const answer = answerOf(reply, kept !== undefined || pending !== undefined, settings.maxTokens);
    return answer;
  }

  private request(key: string, body: RequestBody): Promise<ModelReply> {
    const work = this.turns.take(async () => {
      try {
        const reply = await this.patiently(body);
        if (reply.model !== undefined) this.checkModel(reply.model);
        await this.cache?.put(key, reply);
        return reply;
      } catch (error) {
        if (error instanceof EndpointError && error.stops) this.stopped ??= error;
        throw error;
      }
    });
    this.asked.set(key, work);
    // With a cache the file remembers; without one this run does. A failure is not remembered: it may be asked again.
    const forget = (): void => void this.asked.delete(key);
    work.then(() => this.cache && forget(), forget);
    return work;
  }

  /** Sends until there is a reply, or patience ends. */
  private async patiently(body: RequestBody): Promise<ModelReply> {
    const { retries = 5, retryDelay, signal } = this.options;
    const number = this.counts.requests;
    for (let attempt = 0; ; attempt++) {
      await this.turns.settled(signal);
      if (this.stopped) throw this.stopped;
      const reading = await this.once(this.otherLength ? withCompletionTokens(body) : body, attempt > 0);
      if (reading.kind === 'reply') {
        this.count(reading.reply);
        return reading.reply;
      }
      if (reading.kind === 'other length' && !this.otherLength) {
        this.otherLength = true;
        continue;
      }
      const after = reading.kind === 'retry' ? reading.afterMs : undefined;
      if (reading.kind !== 'retry' || attempt >= retries || (after ?? 0) > LONGEST_PAUSE) throw reading.error;
      // Those who were refused together do not come back together.
      const share = this.jitter.reader(number, attempt).uniform(0.5, 1);
      if (after !== undefined) this.turns.quiet(after);
      await pause(after ?? share * backOff(attempt, { retryDelay }), signal);
    }
  }

  private async once(body: RequestBody, again: boolean): Promise<ReturnType<typeof readResponse>> {
    const { maxRequests = Number.POSITIVE_INFINITY, stream = false } = this.options;
    if (this.counts.requests >= maxRequests)
      throw new EndpointError(
        'budget',
        `The budget of ${maxRequests} requests is used up; replies are kept, and a run with a larger one goes on.`,
      );
    this.counts.requests++;
    if (again) this.counts.repeated++;
    const sent = stream ? { ...body, stream: true, stream_options: { include_usage: true } } : body;
    try {
      return readResponse(await send(this.#line, JSON.stringify(sent)));
    } catch (error) {
      if (error instanceof EndpointError && error.failure !== 'malformed') return { kind: 'retry', error };
      throw error;
    }
  }

  private count({ usage }: ModelReply): void {
    if (usage?.prompt === undefined || usage.completion === undefined) this.counts.uncounted++;
    this.counts.promptTokens += usage?.prompt ?? 0;
    this.counts.completionTokens += usage?.completion ?? 0;
  }

  private checkModel(said: string): void {
    if (!sameModel(this.model, said))
      throw new EndpointError(
        'other model',
        `The endpoint answers as ${JSON.stringify(said)}, not as ${JSON.stringify(this.model)}; results would carry the wrong name: ask for the model by the name that it has there.`,
      );
    if (said === this.model || this.said.has(said)) return;
    this.said.add(said);
    this.options.onWarning?.(`The endpoint answers for ${this.model} as ${said}.`);
  }

  /** Closes the file of replies. */
  async close(): Promise<void> {
    await this.cache?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
