/**
 * @file An explained answer, its words to be pointed at: one stop for the keyboard, arrows go from word to word, Enter keeps a word's map while the
 * pointer is elsewhere, Escape goes back to the whole answer.
 */
import { useRef, useState } from 'preact/hooks';
import type { Attribution } from '../../../attribution/result.ts';
import { percentText } from '../../../report/attribution/answer.ts';
import { announce } from '../state/announce.ts';
import { answerText } from './answer-maps.ts';
import { pointed } from './view.ts';

/** What is shown. */
export interface AnswerWordsProps {
  readonly attribution: Attribution;
  /** The word whose map stays. */
  readonly kept: number | undefined;
  readonly keep: (part: number | undefined) => void;
}

/** The answer. */
export function AnswerWords({ attribution, kept, keep }: AnswerWordsProps) {
  const list = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState(0);
  const { answer } = attribution;
  if (!answer) return null;
  const { parts, text } = answer;
  if (parts.length === 0)
    return (
      <p class="answer-words" dir="auto">
        {text}
      </p>
    );
  const show = (part: number | undefined): void => {
    pointed.value = part === undefined ? {} : { part };
  };
  const toggle = (part: number): void => {
    keep(kept === part ? undefined : part);
    announce(kept === part ? answerText(attribution, undefined) : `Kept. ${answerText(attribution, part)}`);
  };
  const keys = (event: KeyboardEvent): void => {
    const last = parts.length - 1;
    const to: Record<string, number> = {
      ArrowRight: stop + 1,
      ArrowDown: stop + 1,
      ArrowLeft: stop - 1,
      ArrowUp: stop - 1,
      Home: 0,
      End: last,
    };
    if (event.key === 'Escape') {
      keep(undefined);
      show(undefined);
      announce(answerText(attribution, undefined));
    } else if (event.key in to) {
      const next = Math.max(0, Math.min(last, to[event.key]));
      setStop(next);
      list.current?.querySelectorAll('button')[next]?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: words of a sentence are no fields of a form
    <div
      ref={list}
      class="answer-words"
      role="group"
      aria-label="Words of the answer; arrow keys go from word to word"
      dir="auto"
      onKeyDown={keys}
    >
      {parts.map((part, i) => (
        <>
          {text.slice(parts[i - 1]?.end ?? 0, part.start)}
          <button
            key={i}
            type="button"
            class={`said${pointed.value.part === i ? ' pointed' : ''}`}
            tabIndex={i === Math.min(stop, parts.length - 1) ? 0 : -1}
            aria-pressed={kept === i}
            aria-label={`${part.text}: probability ${percentText(part.logProbability)}`}
            onPointerEnter={() => show(i)}
            onPointerLeave={() => show(undefined)}
            onFocus={() => {
              setStop(i);
              show(i);
              announce(answerText(attribution, i));
            }}
            onBlur={() => show(undefined)}
            onClick={() => toggle(i)}
          >
            {text.slice(part.start, part.end) || part.text}
          </button>
        </>
      ))}
      {text.slice(parts[parts.length - 1].end)}
    </div>
  );
}
