/** @file A batch of prompts continued by beam search: every beam is a row of the decoder. */
import { BeamSearch, logSoftmax } from './beam-search.ts';
import type { Decoding, Prompt } from './model.ts';
import type { FinishReason, GeneratedToken, GenerationOptions } from './options.ts';
import { penalise } from './sampling.ts';
import { TextStream } from './text-stream.ts';
import { ruleOut } from './token-rules.ts';

/** Text of tokens, cut before a stop string in it. */
function textOf(ids: readonly number[], { decode, stop = [] }: GenerationOptions): { text: string; stopped: boolean } {
  const text = decode?.(ids) ?? '';
  const met = stop.map(one => text.indexOf(one)).filter(at => at >= 0);
  return met.length ? { text: text.slice(0, Math.min(...met)), stopped: true } : { text, stopped: false };
}

/**
 * Goes on from prompts that were read, and tells the tokens of each prompt's best beam once it is known. Each prompt is searched as if it stood
 * in a batch of its own.
 * @throws NarrowsError where no token is left for a beam; the signal's reason once it is aborted
 */
export async function* streamBeams(
  decoding: Decoding,
  prompts: readonly Prompt[],
  options: GenerationOptions,
): AsyncGenerator<GeneratedToken, void, undefined> {
  const { numBeams = 1, maxNewTokens = 128, maxLength = Number.POSITIVE_INFINITY, eosTokens = [], signal, repetitionPenalty = 1 } = options;
  let searches = prompts.map(({ ids }, prompt) => {
    const most = Math.min(maxNewTokens, maxLength - ids.length);
    const finishOf = (added: readonly number[]): FinishReason | undefined => {
      if (eosTokens.includes(added[added.length - 1])) return 'eos';
      if (options.stop?.length && textOf(added, options).stopped) return 'stop';
      return added.length >= most ? 'length' : undefined;
    };
    return { prompt, search: new BeamSearch<FinishReason>(numBeams, options, most, new Set(eosTokens).size, finishOf) };
  });
  decoding.keep(prompts.flatMap((_, b) => Array.from({ length: numBeams }, () => b)));
  for (;;) {
    signal?.throwIfAborted();
    const { shape, data } = decoding.logits;
    for (const [b, { prompt, search }] of searches.entries()) {
      const rows = search.beams.map(({ ids }, k) => {
        const at = b * numBeams + k;
        const scores = logSoftmax(data.slice(at * shape[1], (at + 1) * shape[1]));
        const seen = [...prompts[prompt].ids, ...ids];
        penalise(scores, seen, repetitionPenalty);
        ruleOut(scores, { seen, count: ids.length, eosTokens }, options);
        return scores;
      });
      search.step(rows);
      if (search.done) yield* tokensOf(prompt, search, options);
    }
    const going = [...searches.entries()].filter(([, { search }]) => !search.done);
    if (!going.length) return;
    decoding.keep(going.flatMap(([b, { search }]) => search.beams.map(({ from }) => b * numBeams + from)));
    searches = going.map(([, one]) => one);
    await decoding.step(
      searches.flatMap(({ search }) => search.beams.map(({ ids }) => ids[ids.length - 1])),
      { signal },
    );
  }
}

/** The tokens of a finished search, with their text in pieces. */
function* tokensOf(prompt: number, { answer }: BeamSearch<FinishReason>, options: GenerationOptions): Generator<GeneratedToken> {
  const stream = options.decode && new TextStream(options.decode, options.stop);
  for (const [i, id] of answer.ids.entries()) {
    if (i < answer.ids.length - 1) {
      yield { prompt, id, text: stream?.push(id) ?? '' };
      continue;
    }
    const text = answer.finish === 'eos' ? '' : (stream?.push(id) ?? '');
    const rest = stream?.finish() ?? '';
    yield { prompt, id, text: text + rest, finish: answer.finish, ...(stream ? { whole: stream.text } : {}) };
  }
}
