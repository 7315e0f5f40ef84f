/** @file `narrows/report`: pictures and pages of attributions and comparisons. Results hold raw values; everything here draws them. */
export { figureSvg, indexRow, reportHtml, terminalThumbnail } from '../report/attribution/bound.ts';
export { type CommonScale, commonScale } from '../report/attribution/common-scale.ts';
export type { FigureOptions } from '../report/attribution/figure-options.ts';
export type { ReportItem, ReportOptions } from '../report/attribution/html.ts';
export { type IndexOptions, type IndexRow, indexHtml } from '../report/attribution/html-index.ts';
export { attributionFromJson, attributionTensors, attributionToJson } from '../report/attribution/json.ts';
export { figurePng, overlayPng } from '../report/attribution/raster.ts';
export { type TerminalOptions, terminalSummary, terminalWords } from '../report/attribution/terminal.ts';
export { type AnalyseOptions, type Analysis, analyse } from '../report/comparison/analyse.ts';
export { type AssembleOptions, assembleResults } from '../report/comparison/assemble.ts';
export { resultsFromJson } from '../report/comparison/json.ts';
export { writeReport } from '../report/comparison/write-report.ts';
export type { AnswerSource } from '../report/evaluation/answers.ts';
export type { PictureSource, WordsSource } from '../report/evaluation/draw-worst.ts';
export { type LmmsEvalOptions, writeLmmsEval } from '../report/evaluation/lmms-eval.ts';
export { type EvaluationReportOptions, writeEvaluationReport } from '../report/evaluation/write-report.ts';
export { writeRunsReport } from '../report/evaluation/write-runs.ts';
