/** @file Where an endpoint is and which key it gets. The key comes from the environment only. */
import { NarrowsError } from '../../system/errors.ts';

/** Environment variables; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that is read unless another is named. */
export const KEY_VARIABLE = 'OPENAI_API_KEY';

const COMPLETIONS = '/chat/completions';
const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });

/**
 * The address that requests go to: `/chat/completions` is put behind a base such as `http://localhost:8000/v1`, and `/v1` behind a bare host.
 * @throws NarrowsError (usage) for what is no web address, or holds a name and password
 */
export function completionsAddress(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw usage('The endpoint is no web address; give one such as http://localhost:8000/v1.');
  if (url.username || url.password)
    throw usage(`The endpoint's address must not hold a name or password; put the key into ${KEY_VARIABLE} or name its variable.`);
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith(COMPLETIONS)) url.pathname = `${path || '/v1'}${COMPLETIONS}`;
  url.hash = '';
  return url;
}

/** Whether the address is of this very machine. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname.toLowerCase());

/**
 * The key that the environment holds, if it does.
 * @param variable named by the user: it must be set then; `OPENAI_API_KEY` by default, which need not
 * @throws NarrowsError (usage) that names the variable, never what it holds
 */
export function keyOf(variable: string | undefined, env: Environment): string | undefined {
  const name = variable ?? KEY_VARIABLE;
  const key = (env[name] ?? '').trim();
  if (key === '') {
    if (variable !== undefined) throw usage(`The environment variable ${variable}, which shall hold the key, is not set.`);
    return undefined;
  }
  if (!/^[\x21-\x7e]+$/.test(key))
    throw usage(`The key in ${name} holds a character that no key may hold (a blank, a line end); set it anew.`);
  return key;
}
