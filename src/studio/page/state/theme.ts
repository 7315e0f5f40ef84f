/** @file Light and dark: the system's choice until the person makes one, which this browser keeps. */
import { effect, signal } from '@preact/signals';

/** `system` follows the computer. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const KEY = 'narrows-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** Storage may be shut off; then the choice holds for this visit. */
function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

/** What the person chose. */
export const themeChoice = signal<ThemeChoice>(stored());
const systemDark = signal(system.matches);

/** Whether the page is dark now. */
export const isDark = (): boolean => (themeChoice.value === 'system' ? systemDark.value : themeChoice.value === 'dark');

/** Whether things may move. */
export const mayMove = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Keeps the document's theme in step with the choice. */
export function followTheme(): void {
  system.addEventListener('change', () => {
    systemDark.value = system.matches;
  });
  effect(() => {
    document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
    try {
      if (themeChoice.value === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, themeChoice.value);
    } catch {
      // Without storage the choice is not kept.
    }
  });
}

/** The other theme. */
export function toggleTheme(): void {
  themeChoice.value = isDark() ? 'light' : 'dark';
}
