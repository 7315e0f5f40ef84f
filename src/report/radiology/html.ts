/** @file An audit as one self-contained page. */
import { LIMITS, verdicts } from '../../evaluation/radiology/verdict.ts';
import { page } from '../attribution/html/page.ts';
import { baseStyle } from '../attribution/html/style.ts';
import { themeScript } from '../attribution/html/theme-script.ts';
import { warningList } from '../attribution/html/warnings.ts';
import { escapeText } from '../attribution/svg.ts';
import { type DrawnFinding, SHOWN } from './draw.ts';
import type { AuditResults } from './results.ts';
import { rowsOf, TABLES } from './tables.ts';

const style = `
.facts{display:flex;flex-wrap:wrap;gap:4px 16px;color:var(--muted);margin:6px 0 18px}
.facts b{color:var(--ink)}
main section{margin-top:1.6rem}
.audit-table{overflow-x:auto;margin:.6rem 0 1.6rem}
.audit-table table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.86rem}
.audit-table th,.audit-table td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
.audit-table th:first-child,.audit-table td:first-child{text-align:left}
.audit-table tbody tr:first-child{font-weight:600}
.answers{list-style:none;padding:0;margin:.6rem 0 1.6rem;display:grid;gap:.5rem}
.answers li{display:grid;grid-template-columns:5.2rem 1fr;gap:.8rem;align-items:baseline}
.answers b.word{text-align:center;border:1px solid var(--line);border-radius:.4rem;padding:.05rem .4rem;font-size:.86rem}
.answers .question{font-weight:600}
.finding{margin:0 0 1.6rem}
.finding h3{margin:0 0 .3rem}
.strip{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.6rem}
.strip figure{margin:0;max-width:220px}
.strip svg{display:block;width:100%;height:auto;border-radius:.3rem}
.strip figcaption{font-size:.82rem;color:var(--muted)}
`;

/** A minus of its own before numbers: a hyphen is short, and lines break after it. */
const minus = (text: string): string => text.replace(/(?<![\w-])-(?=\d)/g, '−');

const percent = (v: number | undefined): string => (v === undefined ? '—' : `${Math.round(100 * v)} %`);

function figure({ width, height, boxes }: DrawnFinding, href: string, caption: string, alt: string): string {
  const rectangles = boxes
    .map(([x, y, w, h]) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#37d0ff" stroke-width="1.5"/>`)
    .join('');
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(alt)}"><image href="${href}" width="${width}" height="${height}"/>${rectangles}</svg><figcaption>${escapeText(caption)}</figcaption></figure>`;
}

function findingHtml(drawn: DrawnFinding): string {
  const { record, maps, picture } = drawn;
  const shown = SHOWN.flatMap(([variant, name]) => {
    const href = maps[variant];
    return href ? [figure(drawn, href, `${name}: ${percent(record.inside[variant])} inside`, `Map of ${name} on ${record.image}`)] : [];
  });
  return (
    `<section class="finding"><h3>${escapeText(record.label)}: “${escapeText(record.phrase)}”</h3>` +
    `<p class="muted small">${escapeText(record.image)} · boxes take ${percent(record.area)} of the view · cosine ${record.cosine.phrase?.toFixed(3) ?? '—'}</p>` +
    `<div class="strip">${figure(drawn, picture, 'the boxes', `${record.image} with its boxes`)}${shown.join('')}</div></section>`
  );
}

/** The page. Every text from outside is escaped; what stands in it of a DICOM file is what its reading holds: nothing of a patient. */
export function auditHtml(results: AuditResults, drawn: readonly DrawnFinding[]): string {
  const { summaries, data, model, method } = results;
  const facts: [string, string][] = [
    ['model', model.name],
    ['method', method],
    ['findings', String(data.findings)],
    ['pictures', String(data.pictures)],
    ['boxes', data.form],
    ['seed', String(results.seed)],
  ];
  const tables = TABLES.map(table => {
    const head = ['finding', 'n', ...table.columns.map(([, heading]) => heading)]
      .map(text => `<th scope="col">${escapeText(text)}</th>`)
      .join('');
    const rows = rowsOf(table, summaries).map(cells => `<tr>${cells.map(text => `<td>${escapeText(minus(text))}</td>`).join('')}</tr>`);
    return `<h3>${escapeText(table.title)}</h3><p class="muted small">${escapeText(table.note)}${table.kind === 'percent' ? ' Percent.' : ''}</p><div class="audit-table"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  });
  const answers = verdicts(summaries[0]).map(
    ({ question, answer, sentence }) =>
      `<li><b class="word">${answer}</b><span><span class="question">${escapeText(question)}</span> ${escapeText(minus(sentence))}</span></li>`,
  );
  const title = 'Audit of a model on radiographs';
  const body =
    `<header class="top"><div class="title"><h1>${title}</h1><button id="theme" type="button" hidden>Theme: system</button></div>` +
    `<div class="facts">${facts.map(([name, value]) => `<span>${name} <b>${escapeText(value)}</b></span>`).join('')}</div></header>` +
    `<main>${warningList([...results.failures, ...results.warnings])}` +
    `<section><h2>What it says</h2><ul class="answers">${answers.join('')}</ul></section>` +
    `<section><h2>What a map cannot tell</h2><ul>${LIMITS.map(text => `<li>${escapeText(text)}</li>`).join('')}</ul></section>` +
    `<section><h2>The figures</h2><p class="muted small">Means with 95 % intervals (BCa bootstrap over pictures).</p>${tables.join('')}</section>` +
    `<section><h2>Typical findings</h2><p class="muted small">Of each class those whose share inside is nearest to the middle, not the best ones. All maps of a row but that of random weights share one scale.</p>${drawn.map(findingHtml).join('')}</section>` +
    `<section id="provenance"><h2>Provenance</h2><p class="small">Narrows ${escapeText(results.version)} · model SHA-256 ${escapeText(model.sha256)}</p><pre>${escapeText(results.command)}</pre></section></main>`;
  return page({ title, style: baseStyle + style, body, script: themeScript, data: {} });
}
