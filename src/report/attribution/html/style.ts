/** @file The style of the HTML report and of the index page. Written by hand; no `style` attributes, so that the policy can be strict. */

/** Colours, type and controls, shared by both pages. */
export const baseStyle = `
:root { --paper: #ffffff; --raised: #f5f6f8; --ink: #171a21; --muted: #596170; --line: #d5d9e0; --accent: #3b4cc0; --good: #0b6b3a; --good-paper: #dcf5e6; --bad: #7a4300; --bad-paper: #ffe9c7; color-scheme: light; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --paper: #14161b; --raised: #1d2027; --ink: #f0f2f5; --muted: #a4adba; --line: #3a404b; --accent: #9db1ff; --good: #8fe0b0; --good-paper: #16382a; --bad: #ffd08a; --bad-paper: #4a3415; color-scheme: dark; } }
:root[data-theme=dark] { --paper: #14161b; --raised: #1d2027; --ink: #f0f2f5; --muted: #a4adba; --line: #3a404b; --accent: #9db1ff; --good: #8fe0b0; --good-paper: #16382a; --bad: #ffd08a; --bad-paper: #4a3415; color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 Inter, system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; font-variant-numeric: tabular-nums; }
main, .top { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
.top { padding-top: 28px; }
.title { display: flex; flex-wrap: wrap; gap: 8px 16px; justify-content: space-between; align-items: center; margin-bottom: 6px; }
.title h1 { margin: 0; }
.title button { font-size: 14px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 20px; line-height: 1.35; margin: 0; overflow-wrap: anywhere; }
h2.long { font-size: 16px; }
h3 { font-size: 14px; margin: 0 0 8px; }
p { margin: 0 0 8px; }
.muted { color: var(--muted); }
.small { font-size: 14px; }
button, select, input { font: inherit; color: inherit; }
button, select { background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 4px 10px; cursor: pointer; min-height: 34px; }
button:hover, select:hover { border-color: var(--muted); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.badge { display: inline-block; border-radius: 999px; padding: 1px 11px; font-size: 14px; font-weight: 600; background: var(--raised); color: var(--muted); white-space: nowrap; }
.badge.converged { background: var(--good-paper); color: var(--good); }
.badge.not-converged, .badge.unsettled { background: var(--bad-paper); color: var(--bad); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
.warnings { margin: 0 0 18px; padding: 9px 14px 9px 32px; border-radius: 8px; background: var(--bad-paper); color: var(--bad); font-size: 14.5px; overflow-wrap: anywhere; }
/* What is cut off at a side is shown by a shadow there, which the paper that scrolls along covers at the table's own ends. */
.wide, .audit-table { --edge: color-mix(in srgb, var(--ink) 28%, transparent); background: linear-gradient(90deg, var(--paper) 40%, transparent) 0 0 / 44px 100% no-repeat local, linear-gradient(270deg, var(--paper) 40%, transparent) 100% 0 / 44px 100% no-repeat local, linear-gradient(90deg, var(--edge), transparent) 0 0 / 18px 100% no-repeat, linear-gradient(270deg, var(--edge), transparent) 100% 0 / 18px 100% no-repeat; }
@media print { .tools, .copy { display: none !important; } article { break-inside: avoid; } }
@media (prefers-reduced-motion: no-preference) { button, .word { transition: background-color .12s, border-color .12s; } }
`;

/** The report's own. */
export const reportStyle = `
.tools { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; background: var(--paper); border-bottom: 1px solid var(--line); padding: 10px max(24px, calc((100% - 1112px) / 2)); margin-top: 16px; font-size: 14px; }
.tools label { display: inline-flex; gap: 7px; align-items: center; }
.tools input[type=range] { width: 120px; accent-color: var(--accent); }
.tools input[type=checkbox] { width: 17px; height: 17px; accent-color: var(--accent); }
article { min-width: 0; padding: 26px 0 34px; border-bottom: 1px solid var(--line); }
article:last-child { border-bottom: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; margin: 6px 0 18px; color: var(--muted); font-size: 15px; }
.facts b { color: var(--ink); font-weight: 600; }
.views { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); gap: 28px; align-items: start; }
.views.single { grid-template-columns: minmax(0, 1fr); }
.views.single .frame { max-width: 760px; }
.frame { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 12px; }
.frame > img { max-width: 100%; height: auto; border-radius: 8px; }
.stage { position: relative; border-radius: 8px; cursor: crosshair; touch-action: manipulation; align-self: start; }
.stage img, .stage canvas { display: block; width: 100%; height: 100%; border-radius: 8px; }
.stage img.tiny { image-rendering: pixelated; }
.stage img.grey { filter: grayscale(1); }
.stage canvas { position: absolute; inset: 0; }
.marks { position: absolute; inset: 0; overflow: hidden; border-radius: 8px; pointer-events: none; }
.mark { position: absolute; border: 2px solid #fff; outline: 1.5px solid #101116; border-radius: 2px; }
.mark.pin { border-style: dashed; }
.mark span { position: absolute; left: 50%; top: 50%; transform: translate(-50%, -50%); background: #101116e0; color: #fff; font-size: 12px; line-height: 1.35; padding: 0 5px; border-radius: 4px; white-space: nowrap; }
.bar { position: relative; width: 64px; min-height: 110px; }
.bar i { position: absolute; left: 0; top: 0; bottom: 0; width: 14px; border-radius: 3px; box-shadow: inset 0 0 0 1px #80808055; }
.bar span { position: absolute; left: 23px; font-size: 13px; line-height: 1; transform: translateY(50%); white-space: nowrap; }
.bar span::before { content: ''; position: absolute; left: -9px; top: 50%; width: 5px; height: 1px; background: var(--muted); }
.readout { min-height: 48px; margin: 10px 0 0; font-size: 15px; }
.readout b { font-weight: 600; }
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; }
.answer { margin: 12px 0 4px; }
.answer h3 { margin: 0 0 6px; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; }
.chip { font-size: 17px; padding: 5px 12px; border-radius: 999px; }
.chip[aria-pressed="true"] { outline: 2px solid currentColor; outline-offset: -2px; font-weight: 600; }
.words { display: flex; flex-wrap: wrap; gap: 5px; border-radius: 8px; padding: 14px; font-size: 19px; }
.word { border: 0; min-height: 0; border-radius: 5px; padding: 3px 8px 4px; line-height: 1.25; text-align: center; overflow-wrap: anywhere; }
.word small { display: block; font-size: 12px; opacity: .85; }
.word.tight { margin-left: -3px; }
.word:hover, .word:focus-visible { box-shadow: 0 0 0 2px #fff, 0 0 0 3.5px #101116; outline: 0; }
.word[aria-pressed=true] { text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; }
.pins { list-style: none; margin: 4px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 6px; font-size: 14px; }
.pins button { min-height: 28px; padding: 1px 9px; }
.more { margin-top: 14px; max-width: 520px; }
.more p { margin: 8px 0 0; }
.charts { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 20px; }
.chart { width: 100%; display: block; overflow: visible; }
.chart text { font-size: 10.5px; fill: var(--muted); }
.chart .name { font-size: 12px; font-weight: 600; fill: var(--ink); }
.chart .rule { stroke: var(--line); }
.chart .curve { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .dot { fill: var(--accent); }
details { margin-top: 12px; font-size: 14px; overflow: hidden; }
summary { cursor: pointer; font-weight: 600; padding: 4px 0; }
.scroll { position: relative; overflow: auto; max-height: 420px; }
.scroll:focus-visible { outline-offset: -3px; }
.map td, .map th { text-align: right; padding: 2px 7px; border: 1px solid var(--line); overflow-wrap: normal; white-space: nowrap; }
.command { display: flex; gap: 8px; align-items: start; margin-top: 14px; }
.command pre { flex: 1; margin: 0; min-width: 0; overflow-x: auto; background: var(--raised); border-radius: 7px; padding: 7px 12px; font: 13px/1.5 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
@media (max-width: 800px) { .views { grid-template-columns: minmax(0, 1fr); } main, .top { padding-left: 16px; padding-right: 16px; } .tools { position: static; padding-left: 16px; padding-right: 16px; } .bar { width: 54px; } }
`;

/** The index page's own. */
export const indexStyle = `
.controls { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin: 16px 0; }
.controls input { background: var(--raised); border: 1px solid var(--line); border-radius: 7px; padding: 5px 11px; min-width: min(320px, 100%); }
.wide { overflow-x: auto; padding-bottom: 40px; }
.index { width: 100%; }
.index th { position: sticky; top: 0; background: var(--paper); vertical-align: bottom; }
.index th button { border: 0; background: none; padding: 4px 0; font-weight: 600; text-align: inherit; line-height: 1.3; }
.index th button::after { content: '\\00a0↕'; color: var(--muted); font-weight: 400; }
.index th[aria-sort=ascending] button::after { content: '\\00a0↑'; color: var(--ink); }
.index th[aria-sort=descending] button::after { content: '\\00a0↓'; color: var(--ink); }
.index td { vertical-align: top; padding-top: 8px; padding-bottom: 8px; overflow-wrap: break-word; }
.index td.picture { min-width: 84px; }
.index img { display: block; height: 72px; width: auto; max-width: 160px; object-fit: contain; border-radius: 5px; }
.index td.caption { min-width: 260px; font-size: 15px; }
.index td.caption > span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; overflow-wrap: anywhere; }
.index .warning { margin: 4px 0 0; min-width: 190px; color: var(--bad); overflow-wrap: break-word; }
.index td.file { min-width: 120px; max-width: 260px; }
.index td.verdict { min-width: 130px; max-width: 340px; }
.index td.further { min-width: 90px; max-width: 260px; }
.index th.number { min-width: 84px; text-align: right; }
.scale { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: flex-start; margin-top: 10px; }
.scale svg { flex: none; max-width: 100%; }
.scale p { flex: 1 1 320px; margin: 0; }
a { color: var(--accent); }
@media (max-width: 800px) { .index img { height: 56px; max-width: 90px; } .index td.caption { min-width: 200px; } }
`;
