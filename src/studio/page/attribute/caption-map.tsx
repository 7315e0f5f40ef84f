/** @file The caption as a map: every word a button on the colour of its value. */

import { inkOn } from '../../../report/attribution/caption.ts';
import type { Scale } from '../../../report/attribution/normalise.ts';
import { positionOf, strengthOf } from '../../../report/attribution/normalise.ts';
import type { Triple } from '../../../report/attribution/oklab.ts';
import { heatAlpha } from '../../../report/attribution/overlay.ts';
import { announce } from '../state/announce.ts';
import { isDark } from '../state/theme.ts';
import type { WordValue } from './maps.ts';
import { colourMapOf } from './scales.ts';
import { pointed } from './view.ts';
import { directionOf, runsOf } from './word-runs.ts';
import { wordText } from './words.ts';

/** Paper of the themes: a word of no value stands on it. */
const PAPER: Readonly<Record<'light' | 'dark', Triple>> = { light: [252, 251, 249], dark: [20, 22, 27] };

/** What is shown. */
export interface CaptionMapProps {
  readonly words: readonly WordValue[];
  readonly scale: Scale;
  /** What they are words of; the caption by default. */
  readonly of?: 'caption' | 'question';
}

/** The colour of a value laid on the paper, and the ink that reads on it. */
function colourOf(value: number, scale: Scale): { background: string; color: string } {
  const paper = PAPER[isDark() ? 'dark' : 'light'];
  const strength = strengthOf(scale, value);
  const colour = colourMapOf(scale).at(positionOf(scale, value));
  // A word that holds next to nothing is just a word: the dark end of a scale would look like the strongest on light paper.
  const share = heatAlpha('blended', strength, 1);
  const mixed = paper.map((p, c) => p + (colour[c] - p) * share) as unknown as Triple;
  return { background: `rgb(${mixed.map(Math.round).join(' ')})`, color: inkOn(mixed) };
}

/** The words; those of the other writing direction stand in runs of their own, or their order would be turned round. */
export function CaptionMap({ words, scale, of = 'caption' }: CaptionMapProps) {
  const base = directionOf(words.map(word => word.text).join(' '));
  const wordAt = (i: number) => {
    const word = words[i];
    const text = wordText(word, words, scale, of);
    return (
      // biome-ignore lint/a11y/useSemanticElements: a list of HTML has no room for runs between it and its items
      <span key={i} role="listitem">
        <button
          type="button"
          class={`word${pointed.value.word === i ? ' pointed' : ''}`}
          style={colourOf(word.value, scale)}
          aria-label={text}
          onPointerEnter={() => {
            pointed.value = { word: i };
          }}
          onPointerLeave={() => {
            pointed.value = {};
          }}
          onFocus={() => {
            pointed.value = { word: i };
          }}
          onBlur={() => {
            pointed.value = {};
          }}
          onClick={() => announce(text)}
        >
          {word.text}
        </button>
      </span>
    );
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div role="list" class="caption-map" aria-label={`Words of the ${of}`} dir={base}>
      {runsOf(words, base).map(({ direction, places }) =>
        direction === base ? (
          places.map(wordAt)
        ) : (
          <span key={`run ${places[0]}`} role="presentation" dir={direction}>
            {places.map(wordAt)}
          </span>
        ),
      )}
    </div>
  );
}
