/** @file Which view is shown, from the address. */
import { signal } from '@preact/signals';
import { type Place, readFragment, writeFragment } from './fragment.ts';

/** The view and the parameters of the address. */
export const place = signal<Place>(readFragment(location.hash));

/** Goes to a view; its parameters are part of the address. */
export function go(view: string, parameters: Readonly<Record<string, string>> = {}): void {
  location.hash = writeFragment({ view, parameters });
}

addEventListener('hashchange', () => {
  place.value = readFragment(location.hash);
});
