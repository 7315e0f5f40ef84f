/** @file The backend, what it told about itself, and the model that is open: what every view starts from. */
import { signal } from '@preact/signals';
import { answersQuestions, type MethodInfo, type ModelInfo, type StudioInfo } from '../../facts.ts';
import { type ProgressEvent, type StudioBackend, StudioError } from '../../protocol.ts';
import { announce } from './announce.ts';

/** The backend, once the page has found it. */
export const backend = signal<StudioBackend | undefined>(undefined);
/** What it is and can do. */
export const info = signal<StudioInfo | undefined>(undefined);
/** Why there is none, in one sentence. */
export const trouble = signal<string | undefined>(undefined);
/** Models that it knows; read again after every opening. */
export const models = signal<readonly ModelInfo[]>([]);
/** The model that explains. */
export const model = signal<ModelInfo | undefined>(undefined);
/** A model that is being opened. */
export const opening = signal<{ readonly reference: string; readonly progress?: ProgressEvent } | undefined>(undefined);
/** Why the last model could not be opened. */
export const openFailure = signal<string | undefined>(undefined);

/** The message of anything that was thrown. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let how: (() => Promise<StudioBackend>) | undefined;

/** Connects; what fails stands in `trouble`. The views open their models themselves. @param connect as at the first time by default */
export async function start(connect = how): Promise<void> {
  how = connect;
  trouble.value = undefined;
  try {
    const found = await connect!();
    const told = await found.info();
    backend.value = found;
    info.value = told;
    models.value = await found.models();
  } catch (error) {
    trouble.value = error instanceof StudioError ? error.message : `The studio could not start: ${sentenceOf(error)}`;
    announce(trouble.value);
  }
}

/** The backend. @throws StudioError while there is none */
export function need(): StudioBackend {
  const found = backend.peek();
  if (!found) throw new StudioError('offline', 'The studio is not connected yet.');
  return found;
}

let last: Promise<ModelInfo | undefined> = Promise.resolve(undefined);

/** Takes over a model that was opened. */
export type Take = (opened: ModelInfo) => void;

/**
 * Opens a model, one after the other. @param take called before `opening` is cleared, so that nobody who waits for that takes the page for one
 * without a model @returns undefined where it could not be opened: `openFailure` says why
 */
export function openModel(reference: string, take: Take = () => {}): Promise<ModelInfo | undefined> {
  last = last.then(() => openNow(reference, take));
  return last;
}

async function openNow(reference: string, take: Take): Promise<ModelInfo | undefined> {
  const known = model.peek();
  if (known?.open && known.id === reference) {
    take(known);
    return known;
  }
  openFailure.value = undefined;
  opening.value = { reference };
  let opened: ModelInfo | undefined;
  try {
    for await (const event of need().open({ reference })) {
      if (event.kind === 'progress') opening.value = { reference, progress: event };
      else if (event.kind === 'opened') opened = event.model;
      else if (event.kind === 'failure') openFailure.value = event.message;
    }
    if (opened) {
      models.value = await need()
        .models()
        .catch(() => models.peek());
      take(opened);
      announce(`${opened.name} is open.`);
    } else {
      openFailure.value ??= `${reference} could not be opened.`;
      announce(openFailure.value);
    }
  } finally {
    opening.value = undefined;
  }
  return opened;
}

/** Whether the model that explains is one that answers questions. */
export const answers = (): boolean => model.value !== undefined && answersQuestions(model.value);

/** A method of the registry by name. */
export const methodInfo = (name: string): MethodInfo | undefined => info.value?.methods.find(method => method.name === name);

/** A method's title; before the registry is known, its name. */
export const titleOf = (name: string): string => methodInfo(name)?.title ?? (name === 'm2ib' ? 'M2IB' : name);

/** Where the backend computes, in words. */
export const placeWords = (): string => (info.value?.backend === 'browser' ? 'in this tab' : 'on this computer');
