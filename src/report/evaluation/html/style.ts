/** @file The evaluation report's own style rules, after those of comparisons. */

/** Matrix, diverging bars, worst cases, the search. */
export const evaluationStyle = `
.matrix { border-collapse: separate; border-spacing: 2px; font-size: 13.5px; }
.matrix th, .matrix td { border: 0; padding: 3px 8px; white-space: nowrap; overflow-wrap: normal; }
.matrix thead th { text-align: center; font-weight: 600; vertical-align: bottom; }
.matrix thead tr + tr th { font-weight: 400; color: var(--muted); }
.matrix tbody th { font-weight: 400; position: sticky; left: 0; z-index: 2; background: var(--paper); }
.matrix thead th:first-child { position: sticky; left: 0; z-index: 2; background: var(--paper); text-align: left; }
.matrix tbody tr.group th { color: var(--muted); font-weight: 600; font-size: 13px; padding-top: 10px; }
.matrix td { text-align: right; border-radius: 4px; min-width: 58px; }
.matrix td.none { color: var(--muted); text-align: center; }
.swing { display: block; }
.swing .lost { fill: var(--worse); } .swing .won { fill: var(--accent); } .swing .zero { stroke: var(--ink); stroke-width: 1; }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 2px; vertical-align: -1px; }
.key.lost { background: var(--worse); } .key.won { background: var(--accent); }
.headline tbody td:nth-child(6) { text-align: left; }
.headline th:nth-child(6), .headline th:nth-child(6) button { text-align: left; }
.sortable.parts thead th { white-space: normal; min-width: 74px; max-width: 120px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(540px, 100%), 1fr)); gap: 12px; }
.pair .figure svg { min-width: 460px; }
.part > details:last-child { border-bottom: 0; }
.worst { display: grid; gap: 26px; padding: 0; margin: 12px 0 0; list-style: none; }
.worst > li { border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.worst .text { font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap; }
.worst ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 12px; padding: 0; margin: 10px 0 0; list-style: none; font-size: 14px; }
.worst ul li { min-width: 0; overflow-wrap: anywhere; }
.worst img { display: block; max-width: 100%; max-height: 200px; height: auto; border-radius: 6px; margin-bottom: 4px; }
.worst img.tiny { image-rendering: pixelated; width: 168px; }
.asked { display: block; }
.disagree { margin: 10px 0 0; }
.said { background: var(--raised); border-radius: 6px; padding: 3px 8px; display: block; white-space: pre-wrap; max-height: 9em; overflow: auto; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.search { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: end; margin: 10px 0; }
.search label { display: grid; gap: 2px; font-size: 13px; color: var(--muted); min-width: 0; }
.search input { color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 4px 10px; min-height: 34px; width: min(300px, 84vw); }
.search select { color: var(--ink); max-width: min(240px, 84vw); }
.answers { width: 100%; min-width: 860px; }
.answers td { max-width: 340px; }
.answers td.said-cell { white-space: pre-wrap; }
.answers td.plain { white-space: nowrap; }
.answers button.same { background: none; border: 0; padding: 0; min-height: 0; color: var(--accent); text-decoration: underline; text-align: left; overflow-wrap: anywhere; }
.pager { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin: 10px 0; font-size: 14px; }
.pager button:disabled { opacity: .45; cursor: default; }
@media (max-width: 800px) {
  .matrix tbody th, .matrix thead th:first-child { max-width: 132px; white-space: normal; line-height: 1.2; }
  .matrix td { min-width: 52px; padding: 3px 5px; }
  .search label, .search input, .search select { width: 100%; max-width: none; }
}
@media print { .search, .pager { display: none; } }
`;
