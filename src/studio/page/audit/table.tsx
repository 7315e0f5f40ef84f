/** @file The table of an audit: however long the list is, only the rows in sight are built. Arrows walk it; R, W and U judge. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AuditRow } from '../../facts.ts';
import { need } from '../state/studio.ts';
import { choose, counts, fetchRows, judge, type Query, query, rows, selected, sortBy, source } from './rows.ts';
import { ROW_HEIGHT, scrollFor, windowOf } from './window.ts';

const COLUMNS: readonly (readonly [sort: Query['sort'], title: string])[] = [
  ['line', '#'],
  ['caption', 'Caption'],
  ['cosine', 'Cosine'],
  ['bits', 'Bits'],
  ['insideBox', 'In box'],
  ['verdict', 'Verdict'],
];

const thumbs = new Map<string, string>();
/** Small pictures that stay in memory. */
const MOST_THUMBS = 400;

function Thumb({ row }: { readonly row: AuditRow }) {
  const key = `${source.value} ${row.key}`;
  const [address, setAddress] = useState(thumbs.get(key));
  useEffect(() => {
    setAddress(thumbs.get(key));
    if (thumbs.has(key)) return;
    let current = true;
    // Rows that only fly by are not asked for.
    const timer = setTimeout(() => {
      need()
        .thumbnail(source.peek() as string, row.key)
        .then(blob => {
          const made = URL.createObjectURL(blob);
          thumbs.set(key, made);
          if (thumbs.size > MOST_THUMBS) {
            const [oldest, old] = thumbs.entries().next().value as [string, string];
            thumbs.delete(oldest);
            URL.revokeObjectURL(old);
          }
          if (current) setAddress(made);
        })
        .catch(() => {});
    }, 80);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return address ? <img src={address} alt="" width={40} height={40} /> : <span class="no-thumb" />;
}

const number = (value: number | undefined, digits: number): string => (value === undefined ? '' : value.toFixed(digits));

function cells(row: AuditRow): readonly string[] {
  const bits = (row.imageBits ?? 0) + (row.textBits ?? 0);
  return [
    String(row.line),
    row.caption,
    number(row.cosine, 3),
    row.imageBits === undefined && row.textBits === undefined ? '' : number(bits, 0),
    row.insideBox === undefined ? '' : `${Math.round(100 * row.insideBox)} %`,
    row.verdict ?? '',
  ];
}

function Row({ index }: { readonly index: number }) {
  const row = rows.value.get(index);
  const chosen = selected.value === index;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table's own keys walk its rows
    <div
      role="row"
      id={`audit-row-${index}`}
      aria-rowindex={index + 2}
      aria-selected={chosen}
      class={`audit-row${chosen ? ' chosen' : ''}${row?.state === 'failed' ? ' failed' : ''}`}
      style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
      onClick={() => void choose(index)}
    >
      {row ? (
        cells(row).map((text, i) => (
          <span key={COLUMNS[i][0]} role="gridcell" class={`c-${COLUMNS[i][0]}`}>
            {i === 1 && <Thumb row={row} />}
            <span>
              {text}
              {i === 1 && row.state !== 'done' && <small>{row.state === 'failed' ? row.failure : 'not attributed yet'}</small>}
            </span>
          </span>
        ))
      ) : (
        <span role="gridcell" class="c-caption">
          reading…
        </span>
      )}
    </div>
  );
}

const JUDGEMENTS: Readonly<Record<string, 'right' | 'wrong' | 'unsure' | null>> = { r: 'right', w: 'wrong', u: 'unsure', Backspace: null };

/** The table. */
export function AuditTable({ onOpen }: { readonly onOpen: () => void }) {
  const body = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const total = counts.value?.total ?? 0;
  const [from, to] = windowOf(sight.top, sight.height, total);
  const look = (): void => {
    if (body.current) setSight({ top: body.current.scrollTop, height: body.current.clientHeight });
  };
  useEffect(() => {
    look();
    addEventListener('resize', look);
    return () => removeEventListener('resize', look);
  }, []);
  useEffect(() => {
    void fetchRows(from, to);
  }, [from, to, query.value, source.value]);
  const walk = (index: number): void => {
    const next = Math.max(0, Math.min(total - 1, index));
    void choose(next);
    if (body.current) body.current.scrollTop = scrollFor(next, body.current.scrollTop, body.current.clientHeight);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(sight.height / ROW_HEIGHT) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total };
    if (event.key in steps) walk(selected.peek() + steps[event.key]);
    else if (event.key in JUDGEMENTS) void judge(JUDGEMENTS[event.key]);
    else if (event.key === 'Enter') onOpen();
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="audit-table"
      role="grid"
      aria-label="Pairs"
      aria-rowcount={total + 1}
      tabIndex={0}
      aria-activedescendant={total > 0 ? `audit-row-${selected.value}` : undefined}
      onKeyDown={keys}
    >
      <div role="row" class="audit-head" aria-rowindex={1}>
        {COLUMNS.map(([sort, title]) => (
          <span
            key={sort}
            role="columnheader"
            class={`c-${sort}`}
            aria-sort={query.value.sort === sort ? (query.value.descending ? 'descending' : 'ascending') : 'none'}
          >
            <button type="button" class="plain" onClick={() => sortBy(sort)}>
              {title}
              {query.value.sort === sort ? (query.value.descending ? ' ↓' : ' ↑') : ''}
            </button>
          </span>
        ))}
      </div>
      <div class="audit-body" role="rowgroup" ref={body} onScroll={look}>
        <div class="audit-space" role="presentation" style={{ height: `${total * ROW_HEIGHT}px` }}>
          {Array.from({ length: Math.max(0, to - from) }, (_, i) => (
            <Row key={from + i} index={from + i} />
          ))}
        </div>
      </div>
    </div>
  );
}
