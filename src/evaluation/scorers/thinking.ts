/** @file Thinking is taken out of answers as endpoints' replies have it taken out: one rule (src/generation/thinking.ts). */
export { type Stripped, stripThinking } from '../../generation/thinking.ts';
