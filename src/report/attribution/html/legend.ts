/** @file What the colours say, in words that are true for the overlay and the colours in hand. */
import { type ColourMap, colourMap, colourMaps, defaultColourMap } from '../colour-map.ts';
import type { OverlayMethod } from '../overlay.ts';

/** Overlays that a report offers. */
export type ReportOverlay = Exclude<OverlayMethod, 'contour'>;

/** Overlays of the report with the names of their menu, the default first. */
export const reportOverlays: readonly (readonly [ReportOverlay, string])[] = [
  ['blended', 'blended'],
  ['heat', 'heat on grey'],
  ['masked', 'masked image'],
];

/** One sentence on what is drawn on the picture. @param signed the scale has a side below zero */
export function legendText(method: ReportOverlay, { words }: Pick<ColourMap, 'words'>, signed: boolean): string {
  const { low, some, middle, high } = words;
  if (method === 'masked')
    return signed
      ? 'On the image, black is none; what raises and what lowers are both left light.'
      : 'On the image, black is none, untouched is most.';
  const none = method === 'blended' ? 'clear' : signed ? middle : low;
  return signed
    ? `On the image, ${none} is none, ${high} raises, ${low} lowers.`
    : `On the image, ${none} is none, ${method === 'blended' ? `${some} is some, ` : ''}${high} is most.`;
}

/** One sentence on the words, which stand on the map's colours whatever the overlay. */
export const wordLegendText = ({ words }: Pick<ColourMap, 'words'>, signed: boolean): string =>
  signed ? `Among the words, ${words.high} raises, ${words.low} lowers.` : `Among the words, ${words.low} is none, ${words.high} is most.`;

/** All sentences by overlay and map (`auto`: what is taken when none is chosen), for images and then words, each without and with a side below zero. */
export const legendTexts = (): Readonly<Record<ReportOverlay, Readonly<Record<string, readonly string[]>>>> =>
  Object.fromEntries(
    reportOverlays.map(([method]) => [
      method,
      Object.fromEntries(
        ['auto', ...colourMaps.map(map => map.name)].map(name => {
          const map = (signed: boolean): Pick<ColourMap, 'words'> => {
            if (name !== 'auto') return colourMap(name);
            const { words } = defaultColourMap(signed);
            // On a dark picture zero is dark, on a light one light.
            return { words: signed ? { ...words, middle: 'the middle of the bar' } : words };
          };
          return [
            name,
            [
              ...[false, true].map(signed => legendText(method, map(signed), signed)),
              ...[false, true].map(signed => wordLegendText(map(signed), signed)),
            ],
          ];
        }),
      ),
    ]),
  ) as Record<ReportOverlay, Record<string, string[]>>;
