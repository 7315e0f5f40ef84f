/** @file What is explained: a picture, a caption, a target, seeds. */
import { signal } from '@preact/signals';
import type { TargetChoice } from '../../requests.ts';
import type { ShownPicture } from '../state/picture-files.ts';

/** The picture. */
export const picture = signal<ShownPicture | undefined>(undefined);
/** A picture that is being read, by its name. */
export const reading = signal<string | undefined>(undefined);
/** What went wrong with the last file, or what the page asks for, in one sentence. */
export const notice = signal<string | undefined>(undefined);
/** The caption; for a model that answers, the question. */
export const caption = signal('');
/** What is explained in place of the cosine to the caption. */
export const target = signal<TargetChoice>({});
/** The first seed. */
export const seed = signal(0);
/** Number of seeds. */
export const seeds = signal(1);
/** Which maps are wanted. */
export const modality = signal<'both' | 'image' | 'text'>('both');

let owned: string | undefined;

/** Shows a picture. The address of the one before it is given back. @param url may be a blob's */
export function showPicture(next: ShownPicture): void {
  if (owned !== undefined && owned !== next.url) URL.revokeObjectURL(owned);
  // Examples keep theirs: they are shown again.
  owned = next.example === undefined ? next.url : undefined;
  picture.value = next;
}
