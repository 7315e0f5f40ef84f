/**
 * @file The token of this start of `narrows studio`. It comes in the address's fragment, is taken out of it at once (so that links that are
 * passed on do not carry it), and is kept for this tab; other tabs of the same page give it to a new one that has none.
 */

const KEY = 'narrows-token';
/** How long a new tab waits for another one's answer, in milliseconds. */
const PATIENCE = 600;

interface Message {
  readonly ask?: true;
  readonly token?: string;
}

/** Takes the token out of the address. */
function fromAddress(): string | undefined {
  const found = /(?:^#|[?&])token=([^&]+)/.exec(location.hash);
  if (!found) return undefined;
  const rest = location.hash
    .replace(/([?&])token=[^&]+&?/, '$1')
    .replace(/^#token=[^&]+&?/, '#')
    .replace(/[?&#]$/, '');
  history.replaceState(null, '', `${location.pathname}${location.search}${rest}`);
  return decodeURIComponent(found[1]);
}

function kept(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keep(value: string): void {
  try {
    sessionStorage.setItem(KEY, value);
  } catch {
    // Without storage the token holds until the tab is loaded again.
  }
}

/** Asks the other tabs of this origin. */
function fromTabs(channel: BroadcastChannel): Promise<string | undefined> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(undefined), PATIENCE);
    channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if (data.token === undefined) return;
      clearTimeout(timer);
      resolve(data.token);
    });
    channel.postMessage({ ask: true } satisfies Message);
  });
}

/** The token; undefined where this page was opened without one and no other tab has it. */
export async function token(): Promise<string | undefined> {
  const channel = new BroadcastChannel(KEY);
  const value = fromAddress() ?? kept() ?? (await fromTabs(channel));
  if (value === undefined) return undefined;
  keep(value);
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.ask) channel.postMessage({ token: value } satisfies Message);
  });
  return value;
}
