/** @file Generation: a batch as a stream of tokens, and many prompts in grouped batches. */
import { NarrowsError } from '../system/errors.ts';
import { RandomStream } from '../tensor/random.ts';
import { streamBeams } from './generate-beams.ts';
import type { GenerativeModel, Prompt } from './model.ts';
import { checkGeneration, type FinishReason, type GeneratedToken, type GenerationOptions } from './options.ts';
import { chooseToken } from './sampling.ts';
import { TextStream } from './text-stream.ts';
import { ruleOut } from './token-rules.ts';

export { checkGeneration, type FinishReason, type GeneratedToken, type GenerationOptions } from './options.ts';

/** A whole answer. */
export interface Generation {
  /** New tokens, with the one that ended the answer. */
  readonly ids: readonly number[];
  /** With `decode`: without the token or the stop string that ended it. */
  readonly text: string;
  readonly finish: FinishReason;
}

interface Row {
  readonly prompt: number;
  readonly seen: number[];
  readonly stream?: TextStream;
  count: number;
}

/**
 * Continues prompts as one batch and tells every token as soon as it is chosen, with beams when its answer is known; finished answers leave
 * the batch.
 * @throws NarrowsError for an option out of its bounds, or what the model refuses; the signal's reason once it is aborted
 */
export async function* streamTokens<P extends Prompt>(
  model: GenerativeModel<P>,
  prompts: readonly P[],
  options: GenerationOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  checkGeneration(options);
  const {
    maxNewTokens = 128,
    maxLength = Number.POSITIVE_INFINITY,
    eosTokens = [],
    stop,
    decode,
    seed = 0,
    promptNumbers,
    signal,
  } = options;
  const noise = new RandomStream(seed, 'generate');
  const full = prompts.findIndex(({ ids }) => ids.length >= maxLength);
  if (full >= 0)
    throw new NarrowsError(
      `Prompt ${full + 1} has ${prompts[full].ids.length} tokens (images included), which leaves no room for an answer within ${maxLength}; shorten it.`,
    );
  signal?.throwIfAborted();
  const decoding = await model.start(prompts, { signal });
  if ((options.numBeams ?? 1) > 1) return yield* streamBeams(decoding, prompts, options);
  let rows: Row[] = prompts.map(({ ids }, prompt) => ({
    prompt,
    seen: [...ids],
    stream: decode && new TextStream(decode, stop),
    count: 0,
  }));
  while (true) {
    const { shape, data } = decoding.logits;
    const chosen: number[] = [];
    const going: number[] = [];
    for (const [b, row] of rows.entries()) {
      signal?.throwIfAborted();
      const scores = data.slice(b * shape[1], (b + 1) * shape[1]);
      ruleOut(scores, { seen: row.seen, count: row.count, eosTokens }, options);
      const id = chooseToken(scores, row.seen, options, () => noise.reader(row.count, promptNumbers?.[row.prompt] ?? row.prompt));
      row.seen.push(id);
      row.count++;
      const ended = eosTokens.includes(id);
      let text = ended ? '' : (row.stream?.push(id) ?? '');
      const finish: FinishReason | undefined = ended
        ? 'eos'
        : row.stream?.stop !== undefined
          ? 'stop'
          : row.count === maxNewTokens || row.seen.length >= maxLength
            ? 'length'
            : undefined;
      if (finish) text += row.stream?.finish() ?? '';
      else {
        going.push(b);
        chosen.push(id);
      }
      const whole = finish && row.stream ? { whole: row.stream.text } : {};
      yield { prompt: row.prompt, id, text, ...(finish ? { finish } : {}), ...whole };
    }
    if (!going.length) return;
    if (going.length < rows.length) {
      decoding.keep(going);
      rows = going.map(b => rows[b]);
    }
    signal?.throwIfAborted();
    await decoding.step(chosen, { signal });
  }
}

/**
 * Continues any number of prompts in batches of prompts of similar length. Answers come in the order of the prompts, and do not depend on
 * the batches (rounding aside).
 * @param options `batchSize`: prompts at once, default 8; `onAnswer` is called with each answer as it ends
 * @throws as `streamTokens`
 */
export async function generate<P extends Prompt>(
  model: GenerativeModel<P>,
  prompts: readonly P[],
  options: GenerationOptions & { readonly batchSize?: number; readonly onAnswer?: (prompt: number, answer: Generation) => void } = {},
): Promise<Generation[]> {
  const { batchSize = 8, promptNumbers } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new NarrowsError(`The batch size must be a whole number from 1 on, not ${batchSize}.`, { kind: 'usage' });
  const order = [...prompts.keys()].sort((a, b) => prompts[b].ids.length - prompts[a].ids.length || a - b);
  const answers: Generation[] = new Array(prompts.length);
  for (let at = 0; at < order.length; at += batchSize) {
    const batch = order.slice(at, at + batchSize);
    const parts = batch.map((): number[] => []);
    // Each prompt keeps its own random numbers: they are keyed by its number among all.
    const numbers = batch.map(i => promptNumbers?.[i] ?? i);
    const stream = streamTokens(
      model,
      batch.map(i => prompts[i]),
      { ...options, promptNumbers: numbers },
    );
    for await (const { prompt, id, finish, whole = '' } of stream) {
      const ids = parts[prompt];
      ids.push(id);
      if (!finish) continue;
      answers[batch[prompt]] = { ids, text: whole, finish };
      options.onAnswer?.(batch[prompt], answers[batch[prompt]]);
    }
  }
  return answers;
}
