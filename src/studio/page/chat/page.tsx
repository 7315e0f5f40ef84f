/** @file The Chat view: a picture, a conversation beside it; what the bottleneck kept of the picture, and what each word of an answer needs of it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ModelInfo } from '../../facts.ts';
import { answerScales, answerText } from '../attribute/answer-maps.ts';
import { AnswerWords } from '../attribute/answer-words.tsx';
import { CaptionMap } from '../attribute/caption-map.tsx';
import { ColourBar } from '../attribute/colour-bar.tsx';
import { ExampleRow } from '../attribute/example-row.tsx';
import { type Shown, shownOfAnswer } from '../attribute/maps.ts';
import { imageScale, wordScale } from '../attribute/scales.ts';
import { Stage } from '../attribute/stage.tsx';
import { pointed } from '../attribute/view.ts';
import { patchText, wordText } from '../attribute/words.ts';
import { announce } from '../state/announce.ts';
import { knownPicture, readPicture, type ShownPicture } from '../state/picture-files.ts';
import { backend, info, models, openFailure, opening, sentenceOf, titleOf } from '../state/studio.ts';
import { FileButton, PICTURE_FILES } from '../ui/file-button.tsx';
import { FrameChoice } from '../ui/frame-choice.tsx';
import { Warnings } from '../ui/warnings.tsx';
import {
  answering,
  ask,
  changeTurn,
  chatModel,
  chatPicture,
  chatTrouble,
  chosenTurn,
  type Explanation,
  openChatModel,
  stopAnswer,
  type Turn,
  talkAbout,
  turns,
} from './conversation.ts';
import { layer } from './explain-answer.ts';
import { ExplainForm } from './explain-form.tsx';

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

/** Which map: what the answer needs, or what the bottleneck kept. Only where both are there. */
function LayerChoice({ title }: { readonly title: string }) {
  const choices = [
    ['needs', `what the answer needs (${title})`],
    ['keeps', 'what the bottleneck kept'],
  ] as const;
  return (
    <fieldset class="choice">
      <legend class="unseen">Map</legend>
      {choices.map(([key, text]) => (
        <label key={key}>
          <input
            type="radio"
            name="layer"
            value={key}
            checked={layer.value === key}
            onChange={() => {
              layer.value = key;
            }}
          />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

const KEPT = 'What the bottleneck kept of the picture and of the question, whatever is answered.';

function MapOf({ picture, turn }: { readonly picture: ShownPicture; readonly turn: Turn | undefined }) {
  const explained = turn?.explained?.result?.attribution;
  const kept = turn?.map?.attribution;
  const needs = explained !== undefined && (kept === undefined || layer.value === 'needs');
  const attribution = needs ? explained : kept;
  const { patch, word, part: at } = pointed.value;
  const part = needs ? (at ?? turn?.explained?.part) : undefined;
  const shown: Shown = attribution ? shownOfAnswer(attribution, part) : { unit: 'nats' };
  const scales = attribution ? answerScales(attribution, part) : { image: imageScale(shown, []), words: wordScale(shown, []) };
  const words = shown.words ?? [];
  const said = needs && explained ? answerText(explained, part) : KEPT;
  const readout =
    patch !== undefined
      ? patchText(patch, shown, scales.image)
      : word !== undefined && words[word]
        ? wordText(words[word], words, scales.words, 'question')
        : said;
  const title = !attribution
    ? picture.name
    : needs
      ? `What the answer needs of ${picture.name}`
      : `What the bottleneck kept of ${picture.name}`;
  return (
    <section class="panel" aria-label="The picture">
      {explained && kept && <LayerChoice title={titleOf(explained.method)} />}
      <Stage picture={picture} shown={shown} scale={scales.image} title={title} />
      {shown.image && <ColourBar scale={scales.image} />}
      {words.length > 0 && <CaptionMap words={words} scale={scales.words} of="question" />}
      {attribution && (
        <p class="readout" aria-hidden="true">
          {readout || said}
        </p>
      )}
    </section>
  );
}

function TurnView({ turn, index, growing }: { readonly turn: Turn; readonly index: number; readonly growing: boolean }) {
  const { facts, explained } = turn;
  const chosen = chosenTurn.value === index;
  const words = chosen ? explained?.result?.attribution : undefined;
  return (
    <li class={`turn${chosen ? ' chosen' : ''}`}>
      <p class="question" dir="auto">
        {turn.question}
      </p>
      {words ? (
        <div
          class="answer"
          onPointerEnter={() => {
            layer.value = 'needs';
          }}
          onFocusCapture={() => {
            layer.value = 'needs';
          }}
        >
          <AnswerWords
            attribution={words}
            kept={explained?.part}
            keep={part => changeTurn(index, { explained: { ...(explained as Explanation), part } })}
          />
        </div>
      ) : (
        <p class="answer" dir="auto">
          {turn.answer}
          {growing && <span class="caret" aria-hidden="true" />}
        </p>
      )}
      {facts && (
        <p class="note">
          {facts.tokens} {facts.tokens === 1 ? 'token' : 'tokens'} in {facts.seconds.toFixed(1)} s
          {facts.finish === 'length' ? ', cut at the most tokens' : ''}
          {!chosen && (
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
      {facts && chosen && <ExplainForm turn={turn} index={index} />}
    </li>
  );
}

/** Which model answers, and what its kind means for the maps; the other kind one press away. */
function ModelNote({ model }: { readonly model: ModelInfo }) {
  const others = models.value.filter(
    each => each.kind === 'llava' && each.id !== model.id && !each.problem && each.bottleneck !== model.bottleneck,
  );
  const [other] = others.toSorted((a, b) => Number(b.origin === 'shipped') - Number(a.origin === 'shipped'));
  return (
    <>
      <p class="note">
        {model.bottleneck
          ? `${model.name} answers through its bottleneck, so what it kept of the picture is drawn after each answer.`
          : `${model.name} has no bottleneck, so nothing was kept that could be drawn; what an answer needs can be explained all the same.`}{' '}
        Another picture or model begins another conversation.
      </p>
      {other && (
        <p class="note">
          {other.name} {other.bottleneck ? 'has a bottleneck whose map is shown' : 'is the same kind of model without one'}.
          <button type="button" class="plain link" disabled={opening.value !== undefined} onClick={() => void openChatModel(other.id)}>
            Talk to {other.name}
          </button>
        </p>
      )}
    </>
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
  const idle = opening.value === undefined;
  const asked = useRef(false);
  useEffect(() => {
    const wanted = info.peek()?.chatModel;
    // A model that was chosen elsewhere stays; behind one that is just being opened it is this one's turn. A failure is not tried again and again.
    if (!ready || !idle || asked.current || !wanted || chatModel.peek()) return;
    asked.current = true;
    void openChatModel(wanted);
  }, [ready, idle]);
  useEffect(() => {
    if (!ready) return;
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
          <FileButton accept={PICTURE_FILES} onFiles={files => void give(() => readPicture(files[0]))}>
            Choose a picture
          </FileButton>
        </div>
        <FrameChoice picture={picture} choose={id => void give(() => knownPicture(id))} />
        <ExampleRow chosen={picture?.example} choose={entry => void give(() => knownPicture(entry.picture.id))} />
        {chatModel.value && <ModelNote model={chatModel.value} />}
        <Warnings list={chatModel.value?.warnings ?? []} />
      </section>
    </div>
  );
}
