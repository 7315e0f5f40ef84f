/** @file The caption, large, to be edited; run and stop; the question whether a dear run may begin. */
import { useRef } from 'preact/hooks';
import { answers, methodInfo, model } from '../state/studio.ts';
import { FileButton, PICTURE_FILES } from '../ui/file-button.tsx';
import { FrameChoice } from '../ui/frame-choice.tsx';
import { lasting } from './lasting.ts';
import { openFile, openKnown } from './pictures.ts';
import { asking, run, runFailure, running, stop } from './run.ts';
import { caption, notice, picture, reading } from './subject.ts';

function Question() {
  const costs = asking.value;
  if (!costs) return null;
  return (
    <section class="asking" aria-label="This takes a while">
      {costs.map((cost, i) => (
        <p key={i}>
          <b>{methodInfo(cost.method)?.title ?? cost.method}</b>: {cost.kept ? 'computed already' : `${lasting(cost)} (${cost.words})`}
        </p>
      ))}
      <div class="row">
        <button type="button" class="primary" onClick={() => void run({ agreed: true })}>
          Compute
        </button>
        <button
          type="button"
          onClick={() => {
            asking.value = undefined;
          }}
        >
          Not now
        </button>
      </div>
    </section>
  );
}

/** The form. */
export function CaptionForm() {
  const field = useRef<HTMLTextAreaElement>(null);
  const question = answers();
  const missing = !picture.value
    ? 'Choose a picture first.'
    : caption.value.trim() === ''
      ? 'Write a caption first.'
      : !model.value
        ? 'The model is on its way.'
        : '';
  return (
    <form
      class="caption-form"
      onSubmit={event => {
        event.preventDefault();
        void run();
      }}
    >
      <label for="caption">{question ? 'Question' : 'Caption'}</label>
      <textarea
        id="caption"
        ref={field}
        rows={1}
        maxLength={10_000}
        value={caption.value}
        spellcheck={false}
        placeholder={question ? 'what is at the left ?' : 'what the picture shows'}
        onInput={event => {
          caption.value = event.currentTarget.value;
        }}
        onKeyDown={event => {
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          void run();
        }}
      />
      <div class="row">
        {running.value ? (
          <button type="button" class="primary" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={missing !== ''} title={missing}>
            Explain
          </button>
        )}
        <FileButton accept={PICTURE_FILES} onFiles={files => void openFile(files[0]).then(done => (done ? run() : undefined))}>
          Choose a picture
        </FileButton>
      </div>
      <FrameChoice
        picture={picture.value}
        choose={id => {
          void openKnown(id).then(done => (done ? run() : undefined));
        }}
      />
      {reading.value && <p class="note working">Reading {reading.value}…</p>}
      {notice.value && (
        <p class="failure" role="alert">
          {notice.value}
        </p>
      )}
      {runFailure.value && (
        <p class="failure" role="alert">
          {runFailure.value}
        </p>
      )}
      <Question />
    </form>
  );
}
