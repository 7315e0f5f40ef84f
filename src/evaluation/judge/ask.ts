/** @file Asks a judge about all comparisons: both orders, repeats, failures kept as failures. */
import type { Endpoint } from '../../generation/endpoint/client.ts';
import { EndpointError } from '../../generation/endpoint/failure.ts';
import type { EndpointMessage, EndpointSettings } from '../../generation/endpoint/request.ts';
import type { JudgeItem, Order } from './item.ts';
import type { Review } from './review.ts';

/** How a judge is asked. */
export interface AskOptions {
  /** What is sent for a comparison. */
  messages(item: JudgeItem, order: Order): readonly EndpointMessage[];
  readonly orders: readonly Order[];
  /** How often each comparison is asked in each order. A repeat has the seed plus its number, where there is a seed. */
  readonly repeats: number;
  readonly settings: EndpointSettings;
  /** Asks once more where the words hold no verdict at all, so often at most. Default 0. */
  readonly askAgain?: { readonly times: number; without(content: string): boolean };
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a judge said. */
export interface Asked {
  /** By question, then by order, then by repeat. */
  readonly reviews: readonly Review[];
  readonly warnings: readonly string[];
}

/** Comparisons under way; how many requests that are is the endpoint's affair. */
const AT_ONCE = 64;
/** Repeats of one comparison are numbered from here on where a verdict was missing, so that they meet no other repeat. */
const AGAIN = 1000;

interface Job {
  readonly item: JudgeItem;
  readonly order: Order;
  readonly repeat: number;
}

const jobsOf = (items: readonly JudgeItem[], { orders, repeats }: AskOptions): Job[] =>
  items.flatMap(item => orders.flatMap(order => Array.from({ length: repeats }, (_, repeat) => ({ item, order, repeat }))));

interface Said {
  readonly review: Review;
  readonly cut: boolean;
}

async function askOne(endpoint: Endpoint, { item, order, repeat }: Job, options: AskOptions): Promise<Said> {
  const { settings, askAgain } = options;
  const base = {
    ...{ questionId: item.id, category: item.rule, order, repeat },
    ...{ referenceId: item.reference.id, answerId: item.answer.id },
  };
  const messages = options.messages(item, order);
  try {
    for (let again = 0; ; again++) {
      const number = repeat + AGAIN * again;
      const seed = settings.seed === undefined ? undefined : settings.seed + number;
      const { raw, finish } = await endpoint.ask(messages, { ...settings, seed }, number);
      if (again < (askAgain?.times ?? 0) && askAgain?.without(raw)) continue;
      return { review: { ...base, content: raw }, cut: finish === 'length' };
    }
  } catch (error) {
    if (!(error instanceof EndpointError) || error.stops) throw error;
    return { review: { ...base, content: '', failure: error.failure }, cut: false };
  }
}

/**
 * Asks all comparisons. Replies are kept by the endpoint's cache: after an error the same call goes on where this one ended.
 * @throws EndpointError that stops all; the signal's reason
 */
export async function askJudge(endpoint: Endpoint, items: readonly JudgeItem[], options: AskOptions): Promise<Asked> {
  const jobs = jobsOf(items, options);
  const said: Said[] = new Array(jobs.length);
  let [next, done] = [0, 0];
  let stopped: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < jobs.length && !stopped) {
      const i = next++;
      try {
        options.signal?.throwIfAborted();
        said[i] = await askOne(endpoint, jobs[i], options);
        options.onProgress?.(++done, jobs.length);
      } catch (error) {
        stopped ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
  if (stopped) throw stopped.error;
  const cut = said.filter(one => one.cut).length;
  return {
    reviews: said.map(one => one.review),
    warnings: cut ? [`${cut} of ${jobs.length} replies of the judge were cut at ${options.settings.maxTokens} tokens.`] : [],
  };
}
