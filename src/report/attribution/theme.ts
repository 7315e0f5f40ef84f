/** @file Colours of the page around a picture, light and dark. */

/** Colours of a figure's paper and ink. */
export interface Theme {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly warning: string;
  readonly warningPaper: string;
}

/** The two themes. */
export const themes: Readonly<Record<'light' | 'dark', Theme>> = {
  light: { paper: '#ffffff', ink: '#171a21', muted: '#596170', line: '#d5d9e0', warning: '#7a4300', warningPaper: '#ffe9c7' },
  dark: { paper: '#14161b', ink: '#f0f2f5', muted: '#a4adba', line: '#3a404b', warning: '#ffd08a', warningPaper: '#4a3415' },
};
