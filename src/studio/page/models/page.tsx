/** @file The Models view: what is shipped, cached and open; size, hash, layers, memory; what explains each; another one by name, folder or address. */
import { useEffect, useState } from 'preact/hooks';
import type { ModelInfo, TowerInfo } from '../../facts.ts';
import { useModel } from '../attribute/begin.ts';
import { openChatModel } from '../chat/conversation.ts';
import { go } from '../state/place.ts';
import { backend, info, methodInfo, models, need, openFailure, opening, openModel, sentenceOf } from '../state/studio.ts';
import { Fold } from '../ui/fold.tsx';
import { sizeText } from '../ui/sizes.ts';
import { Warnings } from '../ui/warnings.tsx';

const ORIGINS: Readonly<Record<ModelInfo['origin'], string>> = {
  shipped: 'comes with Narrows',
  cached: 'in the cache',
  folder: 'a folder',
  hub: 'from the hub',
  address: 'from an address',
};

const tower = ({ layers, width, heads }: TowerInfo): string => `${layers} layers of ${width}, ${heads} heads`;

function Facts({ model }: { readonly model: ModelInfo }) {
  const answers = model.kind !== 'dual-encoder';
  const facts: (readonly [string, string | undefined])[] = [
    ['Origin', ORIGINS[model.origin]],
    ['Size', sizeText(model.bytes)],
    ['Open, about', model.memory === undefined ? undefined : sizeText(model.memory)],
    ['Image tower', model.image && `${tower(model.image)}; ${model.image.size} pixels in patches of ${model.image.patch}`],
    [answers ? 'Decoder' : 'Text tower', model.text && tower(model.text)],
    ['Bottleneck', model.bottleneck ? 'Vittle’s, so its posterior can be drawn' : undefined],
    ['SHA-256', model.sha256],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={name === 'SHA-256' ? 'hash' : ''}>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

function Served({ model }: { readonly model: ModelInfo }) {
  const unserved = Object.entries(model.unserved);
  return (
    <Fold
      title={`${model.methods.length} ${model.methods.length === 1 ? 'method explains' : 'methods explain'} it${unserved.length ? `, ${unserved.length} do not` : ''}`}
    >
      <p class="note">{model.methods.map(name => methodInfo(name)?.title ?? name).join(', ')}</p>
      {unserved.length > 0 && (
        <ul class="reasons">
          {unserved.map(([name, reason]) => (
            <li key={name}>
              <b>{methodInfo(name)?.title ?? name}</b>: {reason}
            </li>
          ))}
        </ul>
      )}
    </Fold>
  );
}

function Card({ model }: { readonly model: ModelInfo }) {
  const busy = opening.value !== undefined;
  const mine = opening.value?.reference === model.id;
  const talks = model.kind === 'llava' || model.kind === 'llava-mini';
  // Before it is open, a backend may not know what serves it.
  const explains = model.methods.length > 0 || !model.open;
  return (
    <article class="model">
      <header>
        <h2>{model.name}</h2>
        <span class={`tag${model.open ? ' on' : ''}`}>
          {mine ? `${opening.value?.progress?.phase ?? 'opening'}…` : model.open ? 'open' : (model.kind ?? 'unknown kind')}
        </span>
      </header>
      <Facts model={model} />
      {model.problem && <p class="warning">{model.problem}</p>}
      <Warnings list={model.warnings ?? []} />
      {!model.problem && model.methods.length > 0 && <Served model={model} />}
      {!model.problem && (
        <div class="row">
          {!model.open && (
            <button type="button" disabled={busy} onClick={() => void openModel(model.id)}>
              Open
            </button>
          )}
          {explains && (
            <button
              type="button"
              disabled={busy}
              onClick={() => {
                go('attribute');
                void useModel(model.id);
              }}
            >
              Explain with it
            </button>
          )}
          {talks && (
            <button
              type="button"
              disabled={busy}
              onClick={() => {
                go('chat');
                void openChatModel(model.id);
              }}
            >
              Talk to it
            </button>
          )}
        </div>
      )}
    </article>
  );
}

function OpenAnother() {
  const [text, setText] = useState('');
  const { can, origins } = info.value ?? {};
  const ways = [
    can?.hub && 'org/name on the hub',
    can?.folders && 'a folder’s path',
    can?.addresses && `an address (${origins ? `of ${origins.join(' or ')}` : 'https://…'})`,
  ].filter(Boolean);
  if (ways.length === 0) return null;
  return (
    <form
      class="open-another"
      onSubmit={event => {
        event.preventDefault();
        if (text.trim() !== '') void openModel(text.trim());
      }}
    >
      <label for="reference">Open another model: {ways.join(', or ')}</label>
      <div class="row">
        <input
          id="reference"
          type="text"
          value={text}
          placeholder={can?.hub ? 'openai/clip-vit-base-patch32' : 'https://…'}
          onInput={event => setText(event.currentTarget.value)}
        />
        <button type="submit" disabled={text.trim() === '' || opening.value !== undefined}>
          Open
        </button>
      </div>
    </form>
  );
}

/** The view. */
export function ModelsPage() {
  const [trouble, setTrouble] = useState('');
  const ready = backend.value !== undefined;
  useEffect(() => {
    if (!ready) return;
    need()
      .models()
      .then(list => {
        models.value = list;
      })
      .catch(error => setTrouble(sentenceOf(error)));
  }, [ready]);
  const progress = opening.value?.progress;
  return (
    <section class="models" aria-label="Models">
      <h1>Models</h1>
      <OpenAnother />
      {opening.value && (
        <p class="note working">
          {progress?.phase ?? `Opening ${opening.value.reference}`}…
          {progress && progress.total > 0 ? ` ${Math.round((100 * progress.done) / progress.total)} %` : ''}
        </p>
      )}
      {(openFailure.value ?? trouble) && (
        <p class="failure" role="alert">
          {openFailure.value ?? trouble}
        </p>
      )}
      {!ready && <p class="note working">Asking for the models…</p>}
      <div class="cards">
        {models.value.map(model => (
          <Card key={model.id} model={model} />
        ))}
      </div>
    </section>
  );
}
