/** @file Who answers, by the flags of `narrows evaluate`: a LLaVA that is opened here, or an endpoint. */
import { join } from 'node:path';
import { checkpointHash } from '../../checkpoints/hash.ts';
import type { Benchmark } from '../../evaluation/benchmarks/benchmark.ts';
import type { Answerer } from '../../evaluation/run/answerer.ts';
import { EndpointAnswerer } from '../../evaluation/run/endpoint-answerer.ts';
import { FeatureFiles } from '../../evaluation/run/feature-files.ts';
import { LocalAnswerer } from '../../evaluation/run/local-answerer.ts';
import { Endpoint } from '../../generation/endpoint/client.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { deviceOf } from '../../runtime/device.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { answerOptions, chatOptions } from '../chat/flags.ts';
import type { Context, Options } from '../command.ts';
import { kebab } from '../flags.ts';

/** An open model, and who answers each set by it. */
export interface Answering extends AsyncDisposable {
  /** What is said of the model. */
  readonly warnings: readonly string[];
  of(benchmark: Benchmark): Answerer;
  /** The model, where it is open here. */
  readonly chat?: ChatModel;
  /** What an endpoint cost, in a sentence. */
  cost(): string | undefined;
}

/** Flags that only one of the two has. */
const LOCAL_ONLY = [
  'model',
  'template',
  'imageAspectRatio',
  'alpha',
  'topK',
  'minP',
  'numBeams',
  'lengthPenalty',
  'noRepeatNgramSize',
  'minNewTokens',
  'repetitionPenalty',
  'featureCache',
];
const ENDPOINT_ONLY = ['modelName', 'apiKeyEnv', 'maxRequests', 'concurrency', 'timeout'];

function refuse(given: ReadonlySet<string>, names: readonly string[], why: string): void {
  const wrong = names.find(name => given.has(name));
  if (wrong) throw new NarrowsError(`--${kebab(wrong)} ${why}`, { kind: 'usage' });
}

async function openEndpoint(context: Context, options: Options, output: string): Promise<Answering> {
  const {
    endpoint: url,
    modelName,
    apiKeyEnv,
    maxRequests,
    concurrency,
    timeout,
    system,
    temperature,
    topP,
    maxNewTokens,
    stop,
  } = options as Record<string, never>;
  if (modelName === undefined)
    throw new NarrowsError('--endpoint needs --model-name: the name that the server gives the model.', { kind: 'usage' });
  const endpoint = await Endpoint.open({
    url,
    model: modelName,
    keyVariable: apiKeyEnv,
    maxRequests,
    concurrency,
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    cache: join(output, 'replies.jsonl'),
    signal: context.signal,
    onWarning: message => context.log.warn(message),
  });
  return {
    warnings: [],
    of: ({ maxNewTokens: most }) =>
      new EndpointAnswerer(endpoint, {
        system,
        temperature: temperature ?? 0,
        topP,
        stop,
        seed: context.seed,
        maxTokens: maxNewTokens ?? most,
      }),
    cost: () => {
      const { requests, repeated, cached, promptTokens, completionTokens } = endpoint.cost;
      return `${requests} requests (${repeated} of them sent again), ${cached} replies from the cache, ${promptTokens} + ${completionTokens} tokens.`;
    },
    [Symbol.asyncDispose]: () => endpoint.close(),
  };
}

/**
 * @param output folder of the run: an endpoint's replies are kept there @param runtime of a model that is opened here; one of its own by default
 * @throws NarrowsError (usage) for flags that do not fit together
 */
export async function openAnswering(
  context: Context,
  options: Options,
  given: ReadonlySet<string>,
  output: string,
  runtime?: Runtime,
): Promise<Answering> {
  if (options.endpoint !== undefined) {
    refuse(given, LOCAL_ONLY, 'belongs to a model that is opened here, not to an --endpoint.');
    return openEndpoint(context, options, output);
  }
  refuse(given, ENDPOINT_ONLY, 'belongs to --endpoint.');
  const generation = answerOptions(context, options);
  context.status('Reading the model');
  const chat = await ChatModel.open(options.model as string, { ...chatOptions(context, options), runtime });
  const { alpha, imageAspectRatio } = options;
  // A model that was trained further under the same name is another model.
  const weights = (await checkpointHash(chat.model.parts.checkpoint)).slice(0, 16);
  context.status();
  const folder = options.featureCache as string | undefined;
  const features = folder === undefined ? undefined : new FeatureFiles(folder, weights);
  if (features && !(chat.model instanceof LlavaModel))
    throw new NarrowsError(
      `${chat.name} fuses pictures with the words of each question, so no features can be kept; leave out --feature-cache.`,
      { kind: 'usage' },
    );
  const device = deviceOf(process.env.NARROWS_DEVICE);
  const settings = {
    weights,
    ...(device === 'cpu' ? {} : { device }),
    ...(alpha === undefined ? {} : { alpha }),
    ...(imageAspectRatio === undefined ? {} : { imageAspectRatio }),
  };
  return {
    chat,
    warnings: chat.warnings,
    of: ({ maxNewTokens }) =>
      new LocalAnswerer(chat, {
        // Greedy unless it was asked for otherwise: a benchmark's figures are of the most likely answer.
        generation: { ...generation, temperature: generation.temperature ?? 0, maxNewTokens: generation.maxNewTokens ?? maxNewTokens },
        system: options.system as string | undefined,
        batchSize: options.batchSize as number,
        settings,
        features,
      }),
    cost: () => undefined,
    [Symbol.asyncDispose]: () => chat.release(),
  };
}
