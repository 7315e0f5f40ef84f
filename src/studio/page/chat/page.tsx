/** @file The Chat view: a picture, a conversation beside it, and what the bottleneck kept of the picture for the question. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { displayScale } from '../../../report/attribution/normalise.ts';
import { CaptionMap } from '../attribute/caption-map.tsx';
import { ColourBar } from '../attribute/colour-bar.tsx';
import { ExampleRow } from '../attribute/example-row.tsx';
import type { Shown } from '../attribute/maps.ts';
import { imageScale } from '../attribute/scales.ts';
import { Stage } from '../attribute/stage.tsx';
import { pointed } from '../attribute/view.ts';
import { patchText } from '../attribute/words.ts';
import { announce } from '../state/announce.ts';
import { knownPicture, readPicture, type ShownPicture } from '../state/picture-files.ts';
import { backend, info, openFailure, opening, sentenceOf } from '../state/studio.ts';
import { FileButton } from '../ui/file-button.tsx';
import { Warnings } from '../ui/warnings.tsx';
import {
  answering,
  ask,
  chatModel,
  chatPicture,
  chatTrouble,
  chosenTurn,
  openChatModel,
  stopAnswer,
  type Turn,
  talkAbout,
  turns,
} from './conversation.ts';

/** Questions that the shipped model has learnt. */
const SUGGESTIONS = ['describe the picture .', 'what is at the left ?', 'how many things are in the picture ?'];

async function give(read: () => Promise<ShownPicture>): Promise<void> {
  chatTrouble.value = undefined;
  try {
    talkAbout(await read());
  } catch (error) {
    chatTrouble.value = sentenceOf(error);
    announce(chatTrouble.value);
  }
}

function MapOf({ picture, turn }: { readonly picture: ShownPicture; readonly turn: Turn | undefined }) {
  const attribution = turn?.map?.attribution;
  const shown: Shown = { image: attribution?.image, words: attribution?.text?.words, unit: attribution?.unit ?? 'nats' };
  const scale = imageScale(shown, []);
  const words = shown.words ?? [];
  const wordScale = displayScale(
    words.map(word => word.value),
    shown.unit,
    {},
  );
  const { patch } = pointed.value;
  return (
    <section class="panel" aria-label="The picture">
      <Stage
        picture={picture}
        shown={shown}
        scale={scale}
        title={attribution ? `What the bottleneck kept of ${picture.name}` : picture.name}
      />
      {attribution?.image && <ColourBar scale={scale} />}
      {words.length > 0 && <CaptionMap words={words} scale={wordScale} />}
      {attribution && (
        <p class="readout" aria-hidden="true">
          {(patch !== undefined && patchText(patch, shown, scale)) || 'What the bottleneck kept of the picture and of the question.'}
        </p>
      )}
    </section>
  );
}

function TurnView({ turn, index, growing }: { readonly turn: Turn; readonly index: number; readonly growing: boolean }) {
  const { facts } = turn;
  return (
    <li class={`turn${chosenTurn.value === index ? ' chosen' : ''}`}>
      <p class="question">{turn.question}</p>
      <p class="answer">
        {turn.answer}
        {growing && <span class="caret" aria-hidden="true" />}
      </p>
      {facts && (
        <p class="note">
          {facts.tokens} tokens in {facts.seconds.toFixed(1)} s{facts.finish === 'length' ? ', cut at the most tokens' : ''}
          {turn.map && chosenTurn.value !== index && (
            <button
              type="button"
              class="plain link"
              onClick={() => {
                chosenTurn.value = index;
              }}
            >
              show its map
            </button>
          )}
        </p>
      )}
      {turn.trouble && <p class="warning">{turn.trouble}</p>}
      <Warnings list={turn.warnings} />
    </li>
  );
}

function AskForm({ ready }: { readonly ready: boolean }) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const busy = answering.value !== undefined;
  const send = (question: string): void => {
    if (!ready || busy || question.trim() === '') return;
    setText('');
    void ask(question.trim());
    field.current?.focus();
  };
  return (
    <form
      class="caption-form"
      onSubmit={event => {
        event.preventDefault();
        send(text);
      }}
    >
      <label for="question">Question</label>
      <textarea
        id="question"
        ref={field}
        rows={1}
        maxLength={10_000}
        value={text}
        placeholder="ask about the picture"
        onInput={event => setText(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          send(text);
        }}
      />
      <div class="row">
        {busy ? (
          <button type="button" class="primary" onClick={stopAnswer}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={!ready || text.trim() === ''}>
            Ask
          </button>
        )}
        {turns.value.length === 0 &&
          SUGGESTIONS.map(suggestion => (
            <button key={suggestion} type="button" class="small" disabled={!ready || busy} onClick={() => send(suggestion)}>
              {suggestion}
            </button>
          ))}
      </div>
    </form>
  );
}

/** The view. */
export function ChatPage() {
  const ready = backend.value !== undefined;
  useEffect(() => {
    if (!ready) return;
    const wanted = info.peek()?.chatModel;
    if (wanted) void openChatModel(wanted);
    const first = info.peek()?.examples[0];
    if (first && !chatPicture.peek()) void give(() => knownPicture(first.picture.id));
  }, [ready]);
  const picture = chatPicture.value;
  const all = turns.value;
  const turn = all[Math.min(chosenTurn.value, all.length - 1)];
  const open = opening.value;
  return (
    <div class="attribute chat">
      <section class="show" aria-label="Picture">
        <h1 class="unseen">Chat</h1>
        {picture ? (
          <div class="panels n1">
            <MapOf picture={picture} turn={turn} />
          </div>
        ) : (
          <div class="empty-stage">
            <p>Choose a picture to talk about.</p>
          </div>
        )}
      </section>
      <section class="side" aria-label="Conversation">
        <ol class="turns">
          {all.map((each, i) => (
            <TurnView key={i} turn={each} index={i} growing={answering.value !== undefined && i === all.length - 1 && !each.facts} />
          ))}
        </ol>
        {answering.value && <p class="note working">{answering.value}…</p>}
        {open && <p class="note working">{open.progress?.phase ?? `Opening ${open.reference}`}…</p>}
        {(chatTrouble.value ?? (chatModel.value ? undefined : openFailure.value)) && (
          <p class="failure" role="alert">
            {chatTrouble.value ?? openFailure.value}
          </p>
        )}
        <AskForm ready={chatModel.value !== undefined && picture !== undefined} />
        <div class="row">
          <FileButton accept="image/*" onFiles={files => void give(() => readPicture(files[0]))}>
            Choose a picture
          </FileButton>
        </div>
        <ExampleRow chosen={picture?.example} choose={entry => void give(() => knownPicture(entry.picture.id))} />
        {chatModel.value && (
          <p class="note">
            {chatModel.value.name} answers{chatModel.value.bottleneck ? ', through its bottleneck' : ''}. Another picture begins another
            conversation.
          </p>
        )}
        <Warnings list={chatModel.value?.warnings ?? []} />
      </section>
    </div>
  );
}
