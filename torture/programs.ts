/** @file The programs by name. */
import { disk, diskFigures } from './disk/run.ts';
import { figures, fuzz } from './fuzz/run.ts';
import { hubFigures, tortureHub } from './hub/run.ts';
import { kill, killFigures } from './kill/run.ts';
import type { Program } from './shared/program.ts';
import { soak, soakFigures } from './soak/run.ts';

/** What `npm run torture` offers. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  fuzz: {
    summary: 'damaged inputs of every kind, given to the command line',
    cases: 10_000,
    async run(options) {
      const entries = await fuzz(options);
      return { figures: figures(entries), findings: entries.filter(one => one.verdict && one.confirmed !== false).length };
    },
  },
  kill: {
    summary: 'kill -9 at random points of every resumable command',
    cases: 100,
    async run(options) {
      const entries = await kill(options);
      return { figures: killFigures(entries), findings: entries.filter(one => one.failed || one.differences.length > 0).length };
    },
  },
  disk: {
    summary: 'full, read-only and vanishing disks, quotas, wrong clocks, two processes on one output',
    cases: 78,
    async run(options) {
      const entries = await disk(options);
      return { figures: diskFigures(entries), findings: entries.filter(one => (one.findings?.length ?? 0) > 0).length };
    },
  },
  hub: {
    summary: 'a hub, a network and a mirror that misbehave',
    cases: 1000,
    async run(options) {
      const entries = await tortureHub(options);
      return { figures: hubFigures(entries), findings: entries.filter(one => one.findings.length > 0).length };
    },
  },
  soak: {
    summary: 'long work: memory, handles and the event loop (cases: thousandths of 10 000 attributions, 1000 turns, 5000 pairs, 600 s)',
    cases: 1000,
    async run(options) {
      const entries = await soak(options);
      return { figures: soakFigures(entries), findings: entries.filter(({ judged }) => judged.findings.length > 0).length };
    },
  },
};
