/** @file How much of a panel's map lies inside the boxes drawn by hand. The backend's metrics say it; nothing is computed here. */
import { useEffect, useState } from 'preact/hooks';
import type { BoxScore } from '../../facts.ts';
import { need, sentenceOf } from '../state/studio.ts';
import type { Panel } from './panels.ts';
import { boxes } from './view.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Where the highest points lie: of a map with several, some may be inside. */
const strongest = (pointing: number): string =>
  pointing === 1
    ? 'its strongest place inside'
    : pointing === 0
      ? 'its strongest place outside'
      : `${percent(pointing)} of its strongest places inside`;

/** `71.2 % of the map in 9.4 % of the area, its strongest place inside`. */
export function scoreText({ energy, pointing, area, note }: BoxScore): string {
  if (energy === null) return note ?? 'The map is nowhere positive.';
  return `${percent(energy)} of the map in ${percent(area)} of the area, ${strongest(pointing)}${note ? `. ${note}` : ''}`;
}

/** The line; nothing where there are no boxes or no result. */
export function BoxLine({ panel }: { readonly panel: Panel }) {
  const [text, setText] = useState('');
  const result = panel.state.value.result?.id;
  const drawn = boxes.value;
  useEffect(() => {
    let current = true;
    setText('');
    if (result === undefined || drawn.length === 0) return;
    need()
      .score({ result, boxes: [...drawn] })
      .then(score => current && setText(scoreText(score)))
      .catch(error => current && setText(sentenceOf(error)));
    return () => {
      current = false;
    };
  }, [result, drawn]);
  return text === '' ? null : (
    <p class="box-line" role="status">
      {text}
    </p>
  );
}
