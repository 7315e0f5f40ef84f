/** @file Colours of the matrix: drops and gains on each theme's paper, strong enough to see and pale enough to read the number on. */
import { STEPS } from '../matrix.ts';

/** The strongest drop, the strongest gain, the paper. */
export interface HeatColours {
  readonly drop: string;
  readonly gain: string;
  readonly paper: string;
}

/** Orange and blue differ for every kind of colour vision. */
export const heat = {
  light: { drop: '#f08a4b', gain: '#74abf2', paper: '#ffffff' },
  dark: { drop: '#a8420f', gain: '#2460b4', paper: '#14161b' },
} as const satisfies Record<'light' | 'dark', HeatColours>;

const parts = (colour: string): number[] => [1, 3, 5].map(at => Number.parseInt(colour.slice(at, at + 2), 16));

/** A shade (see `shadeOf`) as a colour. */
export function heatColour(shade: number, { drop, gain, paper }: HeatColours): string {
  const strength = Math.abs(shade) / STEPS;
  const [from, to] = [parts(paper), parts(shade < 0 ? drop : gain)];
  return `#${from
    .map((c, i) =>
      Math.round(c + strength * (to[i] - c))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** Name of a shade's class in the page. */
export const heatClass = (shade: number): string => (shade === 0 ? '' : `${shade < 0 ? 'drop' : 'gain'}-${Math.abs(shade)}`);

const rules = (prefix: string, colours: HeatColours): string =>
  Array.from({ length: STEPS }, (_, i) => i + 1)
    .flatMap(step => [step, -step])
    .map(shade => `${prefix} .${heatClass(shade)} { background: ${heatColour(shade, colours)}; }`)
    .join('\n');

/** Style rules of the page, light and dark. */
export const heatStyle = `
${rules(':root', heat.light)}
@media (prefers-color-scheme: dark) {
${rules(':root:not([data-theme=light])', heat.dark)}
}
${rules(':root[data-theme=dark]', heat.dark)}
`;
