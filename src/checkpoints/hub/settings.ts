/** @file Where the hub's cache lies and how to speak to the hub: the environment variables of Python's huggingface_hub. */
import { readFileSync } from '../../node/disk.ts';
import { homedir } from '../../node/machine.ts';
import { join } from '../../node/paths.ts';

/** Environment variables; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

const expandHome = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path);

function home(env: Environment): string {
  return expandHome(env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'));
}

/** Directory of the cache shared with Python: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, or `~/.cache/huggingface/hub`. */
export function cacheDirectory(env: Environment = process.env): string {
  return expandHome(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home(env), 'hub'));
}

/** The hub's address without a slash at the end: `HF_ENDPOINT`, or huggingface.co. */
export function hubEndpoint(env: Environment = process.env): string {
  return (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
}

/** Whether `HF_HUB_OFFLINE` (or `TRANSFORMERS_OFFLINE`) forbids any use of the network. */
export function isOffline(env: Environment = process.env): boolean {
  return [env.HF_HUB_OFFLINE, env.TRANSFORMERS_OFFLINE].some(value => /^(1|on|yes|true)$/i.test(value ?? ''));
}

/** The access token: `HF_TOKEN`, or what `hf auth login` wrote to `HF_TOKEN_PATH` or `$HF_HOME/token`; undefined when there is none. */
export function accessToken(env: Environment = process.env): string | undefined {
  const given = (env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || '').trim();
  if (given) return given;
  try {
    return readFileSync(expandHome(env.HF_TOKEN_PATH || join(home(env), 'token')), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
