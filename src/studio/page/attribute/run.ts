/** @file Explains what the page shows: asks for the cost, runs the methods, hands frames and results to the panels. */
import { signal } from '@preact/signals';
import type { CostInfo } from '../../facts.ts';
import type { FrameEvent, StudioEvent } from '../../protocol.ts';
import type { AttributeInput } from '../../requests.ts';
import { announce } from '../state/announce.ts';
import { methodInfo, model, need, sentenceOf } from '../state/studio.ts';
import { FrameCollector } from './collect.ts';
import { DEAR_SECONDS } from './limits.ts';
import { EMPTY, type Panel, type PanelState, panels, update } from './panels.ts';
import { play, skip } from './play.ts';
import { caption, modality, picture, seed, seeds, target } from './subject.ts';

/** A run that waits for the person's word, since it is dear. */
export const asking = signal<readonly CostInfo[] | undefined>(undefined);
/** Whether a run is under way. */
export const running = signal(false);
/** Jobs before ours. */
export const ahead = signal(0);
/** Why nothing could be run at all. */
export const runFailure = signal<string | undefined>(undefined);
/** Warnings that belong to no method. */
export const runWarnings = signal<readonly string[]>([]);

let controller: AbortController | undefined;

/** The request for what the page shows; undefined while something is missing. */
export function currentRequest(): AttributeInput | undefined {
  const open = model.value;
  const shown = picture.value;
  if (!open?.open || !shown || caption.value.trim() === '') return undefined;
  return {
    model: open.id,
    picture: shown.id,
    text: caption.value.trim(),
    methods: panels.value.map(panel => ({ name: panel.method.value, options: panel.options.value })),
    modality: modality.value,
    seed: seed.value,
    seeds: seeds.value,
    target: target.value,
    frames: true,
  };
}

/** Perturbation asks a model thousands of times; before it was timed here, that is asked about. */
const isDear = ({ kept, seconds, basis, method }: CostInfo): boolean =>
  !kept &&
  (['unknown', 'guessed'].includes(basis)
    ? ['perturbation', 'interaction'].includes(methodInfo(method)?.family ?? '')
    : (seconds ?? 0) > DEAR_SECONDS);

/** Ends what runs. Its frames stay. */
export function stop(): void {
  controller?.abort();
  controller = undefined;
}

/** How a run is started. */
export interface RunOptions {
  /** The person has agreed to its cost. */
  readonly agreed?: boolean;
  /** Nothing is played: the maps are those that the page shows already. */
  readonly quiet?: boolean;
}

/** Runs all panels. One that runs already is ended first. */
export async function run({ agreed = false, quiet = false }: RunOptions = {}): Promise<void> {
  stop();
  const request = currentRequest();
  if (!request) return;
  const mine = new AbortController();
  controller = mine;
  asking.value = undefined;
  runFailure.value = undefined;
  try {
    if (!agreed) {
      const costs = await need().estimate(request);
      if (mine.signal.aborted) return;
      if (costs.some(isDear)) {
        asking.value = costs;
        announce('This takes a while. The page asks before it begins.');
        return;
      }
    }
    await follow(request, mine, quiet);
  } catch (error) {
    if (!mine.signal.aborted) fail(sentenceOf(error));
  }
}

function fail(message: string): void {
  runFailure.value = message;
  announce(message);
  for (const panel of panels.peek())
    if (['waiting', 'running'].includes(panel.state.peek().status)) update(panel, { status: panel.state.peek().result ? 'done' : 'empty' });
}

async function follow(request: AttributeInput, mine: AbortController, quiet: boolean): Promise<void> {
  const order = panels.peek();
  runWarnings.value = [];
  running.value = !quiet;
  for (const panel of order) {
    panel.scrub.value = undefined;
    // What was there stays to be seen until the first frame or the result comes.
    if (!quiet) update(panel, { status: 'waiting', failure: undefined, warnings: [], progress: undefined });
  }
  const open = new Set(order);
  const collector = new FrameCollector(play);
  const begun = new Set<Panel>();
  const came = new Map<Panel, FrameEvent[]>();
  const { methods, ...rest } = request;
  const keys = methods.map(method => JSON.stringify([rest, method]));
  try {
    // A quiet run has its frames already; the backend keeps them for other tabs.
    for await (const event of need().attribute(request, { signal: mine.signal })) {
      if (mine.signal.aborted && event.kind !== 'failure') continue;
      handle(event, { order, open, keys, begun, quiet, collector, came });
    }
  } finally {
    if (controller === mine || controller === undefined) running.value = false;
    collector.flush();
    for (const panel of order) {
      if (!open.has(panel)) continue;
      skip(panel);
      update(panel, { status: begun.has(panel) && !quiet ? 'stopped' : panel.state.peek().result ? 'done' : 'empty', progress: undefined });
    }
  }
}

/** Frames of results that the backend keeps: they come without frames the second time. */
const frameStore = new Map<string, Pick<PanelState, 'image' | 'text'>>();

const framesOf = (key: string): Pick<PanelState, 'image' | 'text'> => {
  const found = frameStore.get(key);
  return { image: found?.image ?? [], text: found?.text ?? [] };
};

interface Following {
  readonly order: readonly Panel[];
  /** Panels that have neither a result nor a failure yet. */
  readonly open: Set<Panel>;
  /** By place in the request, what determines the result. */
  readonly keys: readonly string[];
  readonly begun: Set<Panel>;
  readonly quiet: boolean;
  readonly collector: FrameCollector;
  /** Frames of results that were computed before, by another tab or another run. */
  readonly came: Map<Panel, FrameEvent[]>;
}

function handle(event: StudioEvent, { order, open, keys, begun, quiet, collector, came }: Following): void {
  // Methods run in their order, so an event that only names a method belongs to the first panel of that name that is not done.
  const panelOf = (method: string): Panel | undefined => order.find(panel => open.has(panel) && panel.method.peek() === method);
  switch (event.kind) {
    case 'started':
      ahead.value = event.ahead;
      return;
    case 'progress': {
      ahead.value = 0;
      const panel = event.method === undefined ? order.find(panel => open.has(panel)) : panelOf(event.method);
      if (panel && !quiet) update(panel, { status: 'running', progress: event });
      return;
    }
    case 'frame': {
      const panel = panelOf(event.method);
      if (!panel || event.seed > 0 || quiet) return;
      if (event.kept) {
        came.set(panel, [...(came.get(panel) ?? []), event]);
        return;
      }
      if (!begun.has(panel)) {
        begun.add(panel);
        update(panel, { ...EMPTY, status: 'running', progress: panel.state.peek().progress });
        panel.played.value = { image: 0, text: 0 };
      }
      collector.add(panel, event);
      return;
    }
    case 'result': {
      const panel = order[event.index];
      collector.flush();
      open.delete(panel);
      const key = keys[event.index];
      if (begun.has(panel) || quiet) frameStore.set(key, panel.state.peek());
      const brought = came.get(panel);
      if (brought && !frameStore.has(key))
        frameStore.set(key, { image: brought.filter(f => f.modality === 'image'), text: brought.filter(f => f.modality === 'text') });
      const frames = framesOf(key);
      if (!begun.has(panel) && !quiet) panel.played.value = { image: frames.image.length, text: frames.text.length };
      panel.part.value = undefined;
      update(panel, { ...frames, status: 'done', result: event, progress: undefined, warnings: event.attribution.warnings ?? [] });
      if (!quiet) announce(`${event.attribution.title ?? event.method} is done.`);
      return;
    }
    case 'warning': {
      const panel = event.method === undefined ? undefined : panelOf(event.method);
      if (panel) update(panel, { warnings: [...new Set([...panel.state.peek().warnings, event.message])] });
      else runWarnings.value = [...new Set([...runWarnings.peek(), event.message])];
      return;
    }
    case 'failure': {
      if (event.reason === 'cancelled') {
        announce('Stopped.');
        return;
      }
      const panel = event.index === undefined ? (event.method ? panelOf(event.method) : undefined) : order[event.index];
      if (panel) {
        open.delete(panel);
        update(panel, { ...EMPTY, status: 'failed', failure: event.message });
        announce(event.message);
      } else fail(event.message);
      return;
    }
  }
}
