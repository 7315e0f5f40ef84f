/** @file What files a model at an address or on the Hugging Face hub has, of those that Narrows reads. */
import { WEIGHTS, WEIGHTS_INDEX } from '../../checkpoints/checkpoint.ts';
import { isWeights, OPTIONAL_FILES, refusePickled, shardNames, TOKENIZER_PARTS } from '../../checkpoints/needed-files.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { RemoteFile } from './download.ts';
import { type FetchOptions, fetchPiece } from './fetch-range.ts';

/** The hub's address. */
export const HUB = 'https://huggingface.co';

/** Read beside the weights where they exist. */
const BESIDE = ['bottleneck.safetensors', 'feature_statistics.safetensors', 'training_args.json'];

async function text(url: string, options: FetchOptions): Promise<string> {
  return (await fetchPiece(url, undefined, options)).response.text();
}

async function json(url: string, options: FetchOptions): Promise<unknown> {
  const body = await text(url, options);
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new NarrowsError(`${url} is not valid JSON (${messageOf(error)}); check the address.`, { cause: error });
  }
}

/** Whether a server has a file. Servers of pages answer unknown addresses with their start page, which is no model's file. */
async function isThere(url: string, { signal, token }: FetchOptions): Promise<boolean> {
  const headers = token ? { authorization: `Bearer ${token}` } : undefined;
  const ask = (method: string): Promise<Response> => fetch(url, { method, headers, signal, credentials: 'same-origin' });
  let response = await ask('HEAD').catch(() => undefined);
  if (response?.status === 405 || response?.status === 501) {
    response = await ask('GET').catch(() => undefined);
    await response?.body?.cancel();
  }
  signal?.throwIfAborted();
  return response?.ok === true && !/text\/html/.test(response.headers.get('content-type') ?? '');
}

/** Names of files that a person or a page gives must be plain. @throws NarrowsError */
function checkNames(names: readonly string[]): void {
  const odd = names.find(name => !/^[\w][\w.-]*$/.test(name));
  if (odd !== undefined) throw new NarrowsError(`${JSON.stringify(odd)} is no plain file name; give names such as model.safetensors.`);
}

/**
 * Files of a model below an address.
 * @param given their names, where the page knows them: then nothing is asked for that is not there
 * @throws NarrowsError where there is no config.json, or no safetensors
 */
export async function listAddress(base: string, given: readonly string[] | undefined, options: FetchOptions): Promise<RemoteFile[]> {
  const place = base.endsWith('/') ? base : `${base}/`;
  const file = (name: string): RemoteFile => ({ name, url: new URL(encodeURIComponent(name), place).href });
  if (given) {
    checkNames(given);
    return given.map(file);
  }
  const config = file('config.json');
  const { response } = await fetchPiece(config.url, undefined, options).catch(error => {
    if ((error as NarrowsError).cause instanceof Object && 'code' in ((error as NarrowsError).cause as object))
      throw new NarrowsError(`${place} has no config.json, so it is not a model in Hugging Face format; check the address.`, {
        cause: error,
      });
    throw error;
  });
  if (/text\/html/.test(response.headers.get('content-type') ?? ''))
    throw new NarrowsError(`${config.url} is a web page, so there is no model in Hugging Face format; check the address.`);
  await response.body?.cancel();
  const asked = [...OPTIONAL_FILES, WEIGHTS, WEIGHTS_INDEX, ...BESIDE];
  const there = new Set<string>();
  await Promise.all(asked.map(async name => (await isThere(file(name).url, options)) && there.add(name)));
  if (!there.has('tokenizer.json'))
    await Promise.all(TOKENIZER_PARTS.map(async name => (await isThere(file(name).url, options)) && there.add(name)));
  const shards =
    there.has(WEIGHTS) || !there.has(WEIGHTS_INDEX)
      ? []
      : shardNames(await text(file(WEIGHTS_INDEX).url, options), `${place}${WEIGHTS_INDEX}`);
  return ['config.json', ...there, ...shards].map(file);
}

interface TreeEntry {
  readonly type?: string;
  readonly path?: string;
  readonly size?: number;
  readonly oid?: string;
  readonly lfs?: { readonly oid?: string; readonly size?: number };
}

/** Pages of a repository's list that are read; none that is a model has more. */
const MOST_PAGES = 20;

async function tree(url: string, options: FetchOptions): Promise<TreeEntry[]> {
  const all: TreeEntry[] = [];
  let next: string | undefined = url;
  for (let page = 0; next !== undefined && page < MOST_PAGES; page++) {
    const { response } = await fetchPiece(next, undefined, options);
    const entries: unknown = await response.json().catch(() => undefined);
    if (!Array.isArray(entries)) throw new NarrowsError(`${next} does not answer as the hub does; check the endpoint.`);
    all.push(...entries);
    const link: string | undefined = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    next = link && new URL(link, next).href;
  }
  return all;
}

/** Files of a model on the hub, at one commit. @throws NarrowsError for a repository that is not there, closed, or holds no such model */
export async function listHub(
  repository: string,
  revision: string,
  options: FetchOptions & { readonly endpoint?: string },
): Promise<{ readonly files: RemoteFile[]; readonly commit: string }> {
  const { endpoint = HUB } = options;
  const path = (name: string): string => name.split('/').map(encodeURIComponent).join('/');
  const info = (await json(`${endpoint}/api/models/${path(repository)}/revision/${encodeURIComponent(revision)}`, options)) as {
    sha?: unknown;
  };
  const { sha } = info ?? {};
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha))
    throw new NarrowsError(`${endpoint} does not answer as the hub does; check the endpoint.`);
  const entries = (await tree(`${endpoint}/api/models/${path(repository)}/tree/${sha}`, options)).filter(({ type }) => type === 'file');
  const names = entries.flatMap(({ path: name }) => (name && !name.includes('/') ? [name] : []));
  refusePickled(repository, names);
  if (!names.includes('config.json'))
    throw new NarrowsError(`${repository} has no config.json, so it is no checkpoint in Hugging Face's format.`);
  const file = (name: string): RemoteFile => {
    const entry = entries.find(one => one.path === name);
    if (!entry) throw new NarrowsError(`${repository} lacks ${name}, which its ${WEIGHTS_INDEX} names.`);
    const sha256 = /^[0-9a-f]{64}$/.test(entry.lfs?.oid ?? '') ? entry.lfs?.oid : undefined;
    const url = `${endpoint}/${path(repository)}/resolve/${sha}/${encodeURIComponent(name)}`;
    return { name, url, size: entry.lfs?.size ?? entry.size, sha256, identity: sha256 ?? entry.oid };
  };
  const has = (name: string): boolean => names.includes(name);
  const small = [...OPTIONAL_FILES, ...(has('tokenizer.json') ? [] : TOKENIZER_PARTS), ...BESIDE].filter(has);
  const index = file.bind(undefined, WEIGHTS_INDEX);
  const weights = has(WEIGHTS)
    ? [WEIGHTS]
    : has(WEIGHTS_INDEX)
      ? [WEIGHTS_INDEX, ...shardNames(await text(index().url, options), `${WEIGHTS_INDEX} of ${repository}`)]
      : names.filter(name => isWeights(name) && !BESIDE.includes(name));
  if (weights.length === 0) throw new NarrowsError(`${repository} has no weights (*.safetensors) next to its config.json.`);
  return { files: ['config.json', ...small, ...weights].map(file), commit: sha };
}
