/** @file What a screen reader is told: one polite live region for the whole page. */
import { signal } from '@preact/signals';

/** The sentence that stands in the live region. */
export const announcement = signal('');

/** Says a sentence to those who cannot see what changed. The same sentence said again is read again. */
export function announce(sentence: string): void {
  announcement.value = announcement.peek() === sentence ? `${sentence}\u00a0` : sentence;
}
