/** @file The Audit view: a list of pairs, attributed one by one; sorted, filtered, judged by hand; a pair opens in Attribute. */
import { useEffect, useState } from 'preact/hooks';
import type { SourceInfo } from '../../facts.ts';
import { enter, useModel } from '../attribute/begin.ts';
import { ColourBar } from '../attribute/colour-bar.tsx';
import type { Shown } from '../attribute/maps.ts';
import { openKnown } from '../attribute/pictures.ts';
import { run } from '../attribute/run.ts';
import { imageScale } from '../attribute/scales.ts';
import { Stage } from '../attribute/stage.tsx';
import { caption } from '../attribute/subject.ts';
import { knownPicture, type ShownPicture } from '../state/picture-files.ts';
import { go } from '../state/place.ts';
import { backend, info, methodInfo, model, need, opening, sentenceOf } from '../state/studio.ts';
import { Fold } from '../ui/fold.tsx';
import { saveBlob } from '../ui/take-away.ts';
import { Warnings } from '../ui/warnings.tsx';
import { OpenList } from './open-list.tsx';
import { counts, detail, filterBy, judge, query, refresh, rowsTrouble, source } from './rows.ts';
import { audit, auditing, auditMethod, auditSaid, auditWarnings, stopAudit } from './run-audit.ts';
import { AuditTable } from './table.tsx';

async function openInAttribute(): Promise<void> {
  const opened = detail.peek();
  if (!opened) return;
  enter();
  go('attribute');
  if (!(await openKnown(opened.picture.id))) return;
  caption.value = opened.row.caption;
  await run();
}

function Verdicts() {
  const now = detail.value?.row.verdict;
  const choices = [
    ['right', 'Right place', 'R'],
    ['wrong', 'Wrong place', 'W'],
    ['unsure', 'Unsure', 'U'],
  ] as const;
  return (
    <fieldset class="row verdicts">
      <legend class="unseen">Verdict</legend>
      {choices.map(([verdict, text, key]) => (
        <button
          key={verdict}
          type="button"
          class="small"
          aria-pressed={now === verdict}
          onClick={() => void judge(now === verdict ? null : verdict)}
        >
          {text} <kbd>{key}</kbd>
        </button>
      ))}
    </fieldset>
  );
}

function Detail() {
  const opened = detail.value;
  const [picture, setPicture] = useState<ShownPicture | undefined>(undefined);
  useEffect(() => {
    setPicture(undefined);
    if (!opened) return;
    let current = true;
    knownPicture(opened.picture.id)
      .then(known => current && setPicture(known))
      .catch(() => {});
    return () => {
      current = false;
    };
  }, [opened?.picture.id]);
  if (!opened) return <p class="note">Choose a row: its picture and map come here.</p>;
  const { row, map, words } = opened;
  const shown: Shown = {
    unit: map?.unit ?? 'nats',
    image: map && { grid: map.grid, view: map.view, patches: Float32Array.from(map.patches) },
  };
  const scale = imageScale(shown, []);
  return (
    <div class="audit-detail">
      <h2 class="caption-line">{row.caption}</h2>
      {picture && <Stage picture={picture} shown={shown} scale={scale} title={`Line ${row.line}`} />}
      {shown.image && <ColourBar scale={scale} />}
      {words && words.length > 0 && <p class="note">{words.map(({ text, value }) => `${text} ${value.toFixed(1)}`).join(' · ')}</p>}
      <Verdicts />
      <div class="row">
        <button type="button" onClick={() => void openInAttribute()}>
          Open in Attribute
        </button>
      </div>
      {row.failure && <p class="failure">{row.failure}</p>}
      <p class="note">
        {row.image}, line {row.line}
        {row.convergence ? `, ${row.convergence}` : ''}
      </p>
      {Object.entries(row.further).length > 0 && (
        <Fold title="Further columns">
          <dl class="facts">
            {Object.entries(row.further).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value.length > 200 ? `${value.slice(0, 200)}…` : value}</dd>
              </div>
            ))}
          </dl>
        </Fold>
      )}
      <Warnings list={row.warnings ?? []} />
    </div>
  );
}

function Filters() {
  const { filter } = query.value;
  return (
    <div class="row filters">
      <input
        type="search"
        aria-label="Find in captions, files and columns"
        placeholder="find"
        value={filter.text ?? ''}
        onChange={event => filterBy({ text: event.currentTarget.value })}
      />
      <select
        aria-label="State"
        value={filter.state ?? ''}
        onChange={event => filterBy({ state: (event.currentTarget.value || undefined) as typeof filter.state })}
      >
        <option value="">all states</option>
        <option value="open">not attributed</option>
        <option value="done">attributed</option>
        <option value="failed">failed</option>
      </select>
      <select
        aria-label="Verdict"
        value={filter.verdict ?? ''}
        onChange={event => filterBy({ verdict: (event.currentTarget.value || undefined) as typeof filter.verdict })}
      >
        <option value="">all verdicts</option>
        <option value="none">not judged</option>
        <option value="right">right place</option>
        <option value="wrong">wrong place</option>
        <option value="unsure">unsure</option>
      </select>
      {counts.value && (
        <span class="note">
          {counts.value.total === counts.value.all ? `${counts.value.all} pairs` : `${counts.value.total} of ${counts.value.all} pairs`}
        </span>
      )}
      <Save />
    </div>
  );
}

function Runner() {
  const now = auditing.value;
  const methods = (info.value?.methods ?? []).filter(method => model.value?.methods.includes(method.name));
  if (now)
    return (
      <div class="row">
        <button type="button" class="primary" onClick={stopAudit}>
          Stop
        </button>
        <span class="note working">
          {now.phase}: {now.done} of {now.total || '…'}
          {now.failed > 0 ? `, ${now.failed} failed` : ''}
          {now.left !== undefined ? `, about ${Math.ceil(now.left)} s left` : ''}
        </span>
        <progress max={now.total || undefined} value={now.total ? now.done : undefined} aria-label="Audit" />
      </div>
    );
  return (
    <div class="row">
      <select
        aria-label="Method of the audit"
        value={auditMethod.value}
        onChange={event => {
          auditMethod.value = event.currentTarget.value;
        }}
      >
        {methods.length === 0 && <option value={auditMethod.value}>{methodInfo(auditMethod.value)?.title ?? auditMethod.value}</option>}
        {methods.map(method => (
          <option key={method.name} value={method.name}>
            {method.title}
          </option>
        ))}
      </select>
      <button type="button" class="primary" disabled={!model.value || source.value === undefined} onClick={() => void audit()}>
        Attribute all
      </button>
      {auditSaid.value && <span class="note">{auditSaid.value}</span>}
    </div>
  );
}

/** Takes the whole table away. */
function Save() {
  const [trouble, setTrouble] = useState('');
  const save = async (): Promise<void> => {
    setTrouble('');
    try {
      saveBlob(await need().exportAudit(source.peek() as string), 'audit.jsonl');
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <>
      <button type="button" class="small" onClick={() => void save()}>
        Save as JSONL
      </button>
      {trouble && (
        <span class="failure" role="alert">
          {trouble}
        </span>
      )}
    </>
  );
}

/** The lists that can be audited; another one may be chosen where there are several. */
function ListChoice({ list, choose }: { readonly list: readonly SourceInfo[]; readonly choose: (id: string) => void }) {
  const chosen = list.find(each => each.id === source.value);
  if (list.length === 1 && chosen) return <span class="note">{chosen.name}</span>;
  if (list.length < 2) return null;
  return (
    <select aria-label="List of pairs" value={source.value} onChange={event => choose(event.currentTarget.value)}>
      {list.map(each => (
        <option key={each.id} value={each.id} disabled={each.problem !== undefined}>
          {each.name}
        </option>
      ))}
    </select>
  );
}

/** The view. */
export function AuditPage() {
  const [list, setList] = useState<readonly SourceInfo[] | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const ready = backend.value !== undefined;
  const chosenHere = info.value?.can.lists ?? false;
  const choose = (id: string): void => {
    source.value = id;
    refresh();
  };
  const read = async (): Promise<readonly SourceInfo[]> => {
    const pairs = (await need().sources()).filter(each => each.kind === 'pairs');
    setList(pairs);
    return pairs;
  };
  useEffect(() => {
    if (!ready) return;
    read()
      .then(pairs => {
        const first = pairs.find(each => each.problem === undefined);
        if (source.peek() === undefined && first) choose(first.id);
      })
      .catch(error => setTrouble(sentenceOf(error)));
    if (!model.peek() && info.peek()) void useModel(info.peek()!.model, true);
  }, [ready]);
  const table = source.value !== undefined && (
    <>
      <Runner />
      <Warnings list={[...(list?.find(each => each.id === source.value)?.warnings ?? []), ...auditWarnings.value]} />
      <Filters />
      <div class="audit-split">
        <AuditTable onOpen={() => void openInAttribute()} />
        <aside aria-label="The chosen pair">
          <Detail />
        </aside>
      </div>
    </>
  );
  return (
    <section class="audit" aria-label="Audit">
      <header class="row">
        <h1>Audit</h1>
        {list && <ListChoice list={list} choose={choose} />}
      </header>
      {opening.value && <p class="note working">{opening.value.progress?.phase ?? `Opening ${opening.value.reference}`}…</p>}
      {(trouble || rowsTrouble.value) && (
        <p class="failure" role="alert">
          {trouble || rowsTrouble.value}
        </p>
      )}
      {list?.map(each =>
        each.problem ? (
          <p key={each.id} class="warning">
            {each.name}: {each.problem}
          </p>
        ) : null,
      )}
      {chosenHere && (
        <OpenList first={list !== undefined && list.length === 0} opened={({ id }) => void read().then(() => choose(id))}>
          {table}
        </OpenList>
      )}
      {!chosenHere && list && list.length === 0 && (
        <p class="empty-note">
          There is no list of pairs. Start the studio with one: <code>narrows studio --data pairs.csv</code>, a folder of pictures with
          captions, or a JSONL file.
        </p>
      )}
      {!chosenHere && table}
    </section>
  );
}
