/** @file The comparison report's own style rules, after those that all pages share. */

/** Tables, charts, gallery. */
export const comparisonStyle = `
html { scroll-padding-top: 56px; }
main, .top { max-width: 1208px; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 6px 0 12px; color: var(--muted); font-size: 15px; }
.facts b { color: var(--ink); font-weight: 600; }
.jump { position: sticky; top: 0; z-index: 6; background: var(--paper); border-bottom: 1px solid var(--line); font-size: 14px; }
.jump ul { max-width: 1208px; margin: 0 auto; padding: 9px 24px; list-style: none; display: flex; gap: 6px 18px; overflow-x: auto; white-space: nowrap; }
.jump a { color: var(--ink); text-decoration: none; padding: 3px 0; border-bottom: 2px solid transparent; }
.jump a:hover { border-color: var(--accent); }
a { color: var(--accent); }
main > .warnings { margin-top: 18px; }
.part { padding: 30px 0 12px; border-bottom: 1px solid var(--line); }
.part:last-child { border-bottom: 0; }
.part > h2 { font-size: 22px; letter-spacing: -.01em; }
h3 { font-size: 17px; margin: 30px 0 6px; }
h4 { font-size: 15px; margin: 20px 0 4px; }
h4::first-letter { text-transform: uppercase; }
.figure { width: fit-content; max-width: 100%; overflow-x: auto; margin: 8px 0 0; border: 1px solid var(--line); border-radius: 10px; padding: 8px; }
.figure svg { display: block; max-width: 100%; height: auto; min-width: 640px; }
.figure svg.fixed { max-width: none; }
.wide { overflow-x: auto; position: relative; margin: 8px 0 0; }
.sortable th, .sortable td { padding: 4px 22px 4px 0; white-space: nowrap; vertical-align: middle; overflow-wrap: normal; }
.sortable thead th { vertical-align: bottom; white-space: normal; line-height: 1.25; font-weight: 600; }
.sortable thead button { border: 0; background: none; padding: 3px 0; min-height: 0; font-weight: 600; text-align: inherit; line-height: 1.25; }
.sortable thead button::after { content: '\\00a0▾'; color: var(--muted); font-weight: 400; opacity: .55; }
.sortable th[aria-sort=ascending] button::after { content: '\\00a0▲'; color: var(--ink); opacity: 1; }
.sortable th[aria-sort=descending] button::after { content: '\\00a0▼'; color: var(--ink); opacity: 1; }
.sortable tbody th, .sortable thead th:first-child { position: sticky; left: 0; z-index: 2; background: var(--paper); font-weight: 400; }
.sortable tbody tr:hover th, .sortable tbody tr:hover td { background: var(--raised); }
.sortable tr.reference th { font-weight: 600; }
.sortable tr.reference th::after { content: 'reference'; font-weight: 400; font-size: 12px; color: var(--muted); margin-left: 7px; }
.name { display: inline-flex; gap: 7px; align-items: center; }
.name svg { flex: none; }
.dir { color: var(--muted); font-weight: 400; }
.cell { display: inline-flex; gap: 8px; align-items: center; justify-content: flex-end; }
.cell b, td b { font-weight: 700; }
.best { color: var(--better); }
sup { line-height: 0; font-size: 11px; color: var(--muted); }
.note { font-size: 12px; color: var(--muted); white-space: nowrap; }
.nan { background: var(--bad-paper); color: var(--bad); border-radius: 4px; padding: 0 5px; font-size: 12px; white-space: nowrap; }
.verdict { border-radius: 999px; padding: 0 9px; font-size: 13px; background: var(--raised); color: var(--muted); }
.verdict.better { background: var(--good-paper); color: var(--good); }
.verdict.worse { background: var(--bad-paper); color: var(--bad); }
.ib { display: block; flex: none; overflow: visible; }
.ib .base { stroke: var(--line); stroke-width: 1; }
.ib .zero { stroke: var(--ink); stroke-width: 1; }
.ib .span { stroke: var(--muted); stroke-width: 2.5; stroke-linecap: round; }
.ib .dot { fill: var(--ink); }
.ib.better .span { stroke: var(--better); } .ib.better .dot { fill: var(--better); }
.ib.worse .span { stroke: var(--worse); } .ib.worse .dot { fill: var(--worse); }
.full { font-size: 13px; }
.sortable.full th, .sortable.full td { padding: 3px 10px 3px 0; }
.sortable.full td:last-child, .sortable.full th:last-child { padding-right: 0; }
.sortable.full thead th { white-space: nowrap; }
.sortable { border-collapse: separate; border-spacing: 0; }
.glance { width: 100%; }
.glance td, .glance th { vertical-align: top; overflow-wrap: break-word; }
.glance thead th { white-space: nowrap; }
.glance th[scope=row] { min-width: 122px; overflow-wrap: normal; }
.glance .group th { padding-top: 12px; color: var(--muted); font-weight: 400; font-size: 13px; text-transform: capitalize; }
details { margin-top: 4px; border-bottom: 1px solid var(--line); padding: 4px 0; }
details[open] { padding-bottom: 14px; }
summary { cursor: pointer; padding: 5px 0; }
summary b { font-weight: 600; }
.reading { max-width: 104ch; }
.case { margin: 16px 0 26px; }
.case > p { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; margin: 0 0 8px; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 12px 10px; margin: 0; padding: 0; list-style: none; }
.maps li { font-size: 13px; line-height: 1.3; min-width: 0; }
.maps img { display: block; width: 100%; height: auto; border-radius: 6px; margin-bottom: 3px; }
.maps .note { font-weight: 600; }
.strips { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(460px, 100%), 1fr)); gap: 5px 28px; padding: 0; margin: 8px 0 0; list-style: none; font-size: 13px; }
.strips li { display: grid; grid-template-columns: 128px minmax(0, 312px) 44px; gap: 8px; align-items: center; }
.strips svg { max-width: 100%; height: auto; display: block; border-radius: 6px; }
.strips .value { text-align: right; color: var(--muted); }
.shown { display: flex; gap: 16px; align-items: start; flex-wrap: wrap; }
.shown > img { width: 132px; height: auto; border-radius: 6px; }
.shown > ul { flex: 1 1 420px; min-width: 0; }
dl.provenance { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 18px; font-size: 14px; }
dl.provenance dt { color: var(--muted); }
dl.provenance dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 800px) {
  main, .top, .jump ul { padding-left: 16px; padding-right: 16px; }
  .sortable tbody th, .sortable thead th:first-child { max-width: 138px; white-space: normal; line-height: 1.2; }
  .maps { grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); }
  .strips li { grid-template-columns: 104px minmax(0, 1fr) 44px; }
  .glance td, .glance th { min-width: 84px; }
}
@media print { .jump, #theme { display: none; } details { break-inside: avoid; } }
`;
