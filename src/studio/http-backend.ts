/** @file The backend of a page that `narrows studio` serves: every call is a request to the server on this machine. */
import { comparisonView, evidenceText, robustnessView } from './evidence-files.ts';
import { linesOf } from './lines.ts';
import {
  type EvidenceSource,
  type FailureReason,
  PROTOCOL_VERSION,
  type StreamOptions,
  type StudioBackend,
  StudioError,
  type StudioEvent,
} from './protocol.ts';
import { eventFromLine, PROTOCOL_HEADER, TOKEN_HEADER, type WireFailure } from './wire.ts';

/** Where the server is and what it lets in. */
export interface HttpBackendOptions {
  /** The page's own origin by default. */
  readonly origin?: string;
  /** The token of this start, from the address's fragment (`#token=…`). */
  readonly token: string;
  /** For tests outside of a browser. */
  readonly fetch?: typeof fetch;
}

const OFFLINE = 'The studio does not answer; it may have been ended. Start `narrows studio` again and open the address that it prints.';

const NO_LISTS = 'Lists are opened where the studio is started: narrows studio --data pairs.csv.';

/** The failure that a reply carries. */
async function failureOf(response: Response): Promise<StudioError> {
  const body = (await response.json().catch(() => undefined)) as WireFailure | undefined;
  const { reason, message } = body?.failure ?? {};
  if (reason && message) return new StudioError(reason, message);
  return new StudioError('internal', `The studio's server answered with status ${response.status} and no reason.`);
}

/** @returns a backend; calls reject and streams end as the protocol says */
export function httpBackend({ origin = '', token, fetch: ask = fetch.bind(globalThis) }: HttpBackendOptions): StudioBackend {
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    let response: Response;
    try {
      response = await ask(`${origin}/api/${path}`, {
        ...init,
        cache: 'no-store',
        headers: { [TOKEN_HEADER]: token, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION), ...init.headers },
      });
    } catch {
      init.signal?.throwIfAborted();
      throw new StudioError('offline', OFFLINE);
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  };
  const body = (value: object, signal?: AbortSignal): RequestInit => ({
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
    ...(signal ? { signal } : {}),
  });
  const get = async <T>(path: string): Promise<T> => (await request(path)).json() as Promise<T>;
  const post = async <T>(path: string, value: object): Promise<T> => (await request(path, body(value))).json() as Promise<T>;
  const blob = async (path: string, init?: RequestInit): Promise<Blob> => (await request(path, init)).blob();

  async function* stream(path: string, value: object, { signal }: StreamOptions = {}): AsyncGenerator<StudioEvent, void, undefined> {
    const gone = new AbortController();
    const any = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal;
    let ended = false;
    try {
      const response = await request(path, body(value, any));
      for await (const line of linesOf(response.body!)) {
        const event = eventFromLine(line);
        ended = event.kind === 'done' || (event.kind === 'failure' && event.method === undefined);
        yield event;
      }
      if (!ended) yield failure('offline', OFFLINE);
    } catch (error) {
      if (ended) return;
      if (signal?.aborted) yield failure('cancelled', 'Cancelled.');
      else if (error instanceof StudioError) yield failure(error.reason, error.message);
      else yield failure('offline', OFFLINE);
    } finally {
      gone.abort();
    }
  }

  const evidence = async <T>(path: string, from: EvidenceSource, read: (text: string, name: string) => T): Promise<T> =>
    'source' in from ? post<T>(path, { source: from.source }) : read(await evidenceText(from), from.name);

  return {
    info: () => get('info'),
    models: () => get('models'),
    open: (value, options) => stream('open', value, options),
    addPicture: async (file, name) =>
      (
        await request(`pictures?name=${encodeURIComponent(name)}`, {
          method: 'POST',
          body: file,
          headers: { 'content-type': 'application/octet-stream' },
        })
      ).json(),
    picture: id => get(`pictures/${encodeURIComponent(id)}`),
    pictureFile: (id, longest) => blob(`pictures/${encodeURIComponent(id)}/file${longest === undefined ? '' : `?longest=${longest}`}`),
    estimate: value => post('estimate', value),
    attribute: (value, options) => stream('attribute', value, options),
    score: value => post('score', value),
    exportResult: value => blob('export', body(value)),
    chat: (value, options) => stream('chat', value, options),
    cancel: async job => (await post<{ cancelled: boolean }>('cancel', { job })).cancelled,
    sources: () => get('sources'),
    openList: async () => {
      throw new StudioError('usage', NO_LISTS);
    },
    audit: (value, options) => stream('audit', value, options),
    rows: value => post('rows', value),
    row: (source, row) => post('row', { source, row }),
    thumbnail: (source, row) => blob('thumbnail', body({ source, row })),
    verdict: async value => void (await post('verdict', value)),
    exportAudit: source => blob('audit-lines', body({ source })),
    comparison: from => evidence('comparison', from, comparisonView),
    robustness: from => evidence('robustness', from, robustnessView),
  };
}

const failure = (reason: FailureReason, message: string): StudioEvent => ({ kind: 'failure', reason, message });
