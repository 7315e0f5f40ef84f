/** @file One method's panel: its name and sums, the picture with the map, the caption's words, what is pointed at. */

import { doubtfulNotes } from '../../../report/attribution/verdict.ts';
import { announce } from '../state/announce.ts';
import type { ShownPicture } from '../state/picture-files.ts';
import { titleOf } from '../state/studio.ts';
import { Warnings } from '../ui/warnings.tsx';
import { answerScales, answerText } from './answer-maps.ts';
import { AnswerWords } from './answer-words.tsx';
import { BoxLine } from './box-line.tsx';
import { CaptionMap } from './caption-map.tsx';
import { ColourBar } from './colour-bar.tsx';
import { lastStep, partAt, partOf, type Shown, shownOf } from './maps.ts';
import { active, type Panel, panels, removePanel } from './panels.ts';
import { imageScale, shownUnit, wordScale } from './scales.ts';
import { Stage } from './stage.tsx';
import { pointed } from './view.ts';
import { patchesOfWord, patchText, wordsOfPatch, wordText } from './words.ts';

/** A panel's place among the others. */
export interface PanelProps {
  readonly panel: Panel;
  readonly index: number;
  readonly picture: ShownPicture;
  readonly all: readonly Shown[];
}

/** Whole numbers with thin gaps: `1 578`. */
const whole = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u2009');

function sumText(shown: Shown, of: 'caption' | 'question'): string {
  if (shown.unit !== 'nats') return '';
  const parts: string[] = [];
  const factor = shownUnit(shown.unit) === 'bits' ? Math.LOG2E : 1;
  const say = (values: Iterable<number>, what: string): void => {
    let total = 0;
    for (const value of values) total += value;
    parts.push(`${total * factor >= 10 ? whole(total * factor) : (total * factor).toFixed(2)} ${shownUnit('nats')} ${what}`);
  };
  if (shown.image) say(shown.image.patches, 'from the picture');
  if (shown.words)
    say(
      shown.words.map(word => word.value),
      `from the ${of}`,
    );
  return parts.join(', ');
}

function statusText(panel: Panel, shown: Shown, first: boolean): string {
  const { status, progress, image, text } = panel.state.value;
  const steps = image[0]?.steps ?? text[0]?.steps ?? lastStep(panel);
  if (panel.scrub.value !== undefined) return `step ${panel.scrub.value} of ${steps}`;
  if (status === 'waiting') return first ? 'begins' : 'waits for its turn';
  if (status === 'running')
    return `${progress?.phase ?? 'working'}${shown.step ? `, step ${shown.step} of ${steps}` : ''}${leftText(progress?.left)}`;
  if (status === 'stopped') return `stopped after step ${lastStep(panel)} of ${steps}: not a finished map`;
  return shown.step !== undefined && shown.step < steps ? `the gate at step ${shown.step} of ${steps}` : '';
}

const leftText = (left: number | undefined): string =>
  left === undefined || left < 1 ? '' : `, about ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`;

/** The panel. */
export function PanelView({ panel, index, picture, all }: PanelProps) {
  const { status, result, failure, warnings, progress } = panel.state.value;
  const shown = shownOf(panel);
  const answered = result?.attribution.answer ? result.attribution : undefined;
  const part = answered && partOf(panel);
  // Words of an answer share a scale of their own.
  const own = answered && partAt(answered, part) ? answerScales(answered, part) : undefined;
  const scale = own?.image ?? imageScale(shown, all);
  const words = own?.words ?? wordScale(shown, all);
  const title = titleOf(panel.method.value);
  const several = panels.value.length > 1;
  const { patch, word } = pointed.value;
  const tokensOf = (i: number): readonly number[] => result?.attribution.text?.words[i]?.tokens ?? [];
  const spoken = patch === undefined ? undefined : wordsOfPatch(shown, patch, tokensOf);
  const seen = word === undefined ? undefined : patchesOfWord(shown, word, tokensOf);
  const drawn = seen && shown.image ? { ...shown.image, patches: seen, pixels: undefined } : undefined;
  const drawnScale = drawn ? imageScale({ ...shown, image: drawn }, []) : scale;
  const drawnWords = spoken ? shown.words?.map((each, i) => ({ ...each, value: spoken[i] })) : shown.words;
  const spokenScale = spoken ? wordScale({ ...shown, words: drawnWords }, []) : words;
  const readout =
    patch !== undefined
      ? patchText(patch, shown, scale)
      : word !== undefined && shown.words?.[word]
        ? wordText(shown.words[word], shown.words, words, answered ? 'question' : 'caption')
        : '';
  const doubts = status === 'done' && result ? doubtfulNotes(result.attribution) : [];
  const line = statusText(panel, shown, panels.value.find(each => each.state.value.status === 'waiting') === panel);
  return (
    <section class={`panel${several && active.value === index ? ' active' : ''}`} aria-label={title}>
      <header>
        <h2>
          {several ? (
            <button
              type="button"
              class="plain"
              aria-pressed={active.value === index}
              onClick={() => {
                active.value = index;
                announce(`Options of ${title}.`);
              }}
            >
              {title}
            </button>
          ) : (
            title
          )}
        </h2>
        <p class="sum">{sumText(shown, answered ? 'question' : 'caption')}</p>
        {several && (
          <button type="button" class="plain remove" aria-label={`Take ${title} away`} onClick={() => removePanel(panel)}>
            ×
          </button>
        )}
      </header>
      <Stage picture={picture} shown={shown} map={drawn ?? shown.image} scale={drawnScale} title={`${title} of ${picture.name}`} />
      {(status === 'running' || status === 'waiting') && (
        <progress class="bar" max={progress?.total || undefined} value={progress?.total ? progress.done : undefined} aria-label={line} />
      )}
      {shown.image && <ColourBar scale={drawnScale} />}
      {answered && (
        <AnswerWords
          attribution={answered}
          kept={panel.part.value}
          keep={next => {
            panel.part.value = next;
          }}
        />
      )}
      {drawnWords && drawnWords.length > 0 && <CaptionMap words={drawnWords} scale={spokenScale} of={answered ? 'question' : 'caption'} />}
      <p class="readout" aria-hidden="true">
        {readout || line || (answered && answerText(answered, part)) || '\u00a0'}
      </p>
      <BoxLine panel={panel} />
      {drawn && <p class="note">Where this word and the picture work together.</p>}
      {spoken && <p class="note">Words on the colours of what this patch says together with them.</p>}
      {doubts.map(note => (
        <p class="warning" key={note}>
          {note}
        </p>
      ))}
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <Warnings list={warnings} />
    </section>
  );
}
