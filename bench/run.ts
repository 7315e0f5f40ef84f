/**
 * @file `npm run bench`: runs the suites, prints a Markdown table, writes bench/results/<date>-<machine>.{json,md}.
 * usage: npm run bench -- [--only a,b] [--repeat N] [--slow-rounds N] [--threads N] [--peers] [--model DIR] [--output DIR] [--force] [--list]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '../src/node/files.ts';
import { describeMachine, LOAD_LIMIT, load, machineSlug } from './machine.ts';
import { addTokenizer, exists, findB32, inRepository } from './models.ts';
import { Peer } from './peer.ts';
import { machineMarkdown, ratios, suiteMarkdown, verdicts } from './report.ts';
import type { Context, Suite, SuiteResult } from './suite.ts';
import { allMethods } from './suites/all-methods.ts';
import { answerM2ib, answerM2ibQwen } from './suites/answer-m2ib.ts';
import { attributionPeers } from './suites/attribution-peers.ts';
import { browser } from './suites/browser.ts';
import { browserB32 } from './suites/browser-b32.ts';
import { coldStart } from './suites/cold-start.ts';
import { distributed } from './suites/distributed.ts';
import { gemm } from './suites/gemm.ts';
import { interactions } from './suites/interactions.ts';
import { m2ibDefault } from './suites/m2ib-default.ts';
import { m2ibImageOfficial, m2ibTextOfficial } from './suites/m2ib-official.ts';
import { memory } from './suites/memory.ts';
import { pairs } from './suites/pairs.ts';
import { parquetMemory } from './suites/parquet-memory.ts';
import { qwenLora } from './suites/qwen-lora.ts';
import { rise } from './suites/rise.ts';
import { smolvlmMemory } from './suites/smolvlm-memory.ts';
import { trainStep } from './suites/train-step.ts';
import { vittleGenerate } from './suites/vittle-generate.ts';
import { vittleStep } from './suites/vittle-step.ts';

const SUITES: readonly Suite[] = [
  gemm,
  m2ibImageOfficial,
  m2ibTextOfficial,
  m2ibDefault,
  pairs,
  allMethods,
  attributionPeers,
  interactions,
  rise,
  trainStep,
  vittleStep,
  answerM2ib,
  answerM2ibQwen,
  vittleGenerate,
  coldStart,
  memory,
  parquetMemory,
  qwenLora,
  browser,
  browserB32,
  smolvlmMemory,
  distributed,
];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    repeat: { type: 'string', default: '7' },
    'slow-rounds': { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    peers: { type: 'boolean', default: false },
    model: { type: 'string' },
    output: { type: 'string', default: inRepository('bench', 'results') },
    force: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const status = (message: string): void => void process.stderr.write(`${message}\n`);

function stop(message: string): never {
  status(message);
  process.exit(2);
}

function whole(name: 'repeat' | 'slow-rounds' | 'threads', least = 1): number {
  const value = Number(flags[name]);
  return Number.isInteger(value) && value >= least ? value : stop(`--${name} takes a whole number from ${least}, not "${flags[name]}".`);
}

function chosenSuites(): readonly Suite[] {
  if (!flags.only) return SUITES;
  return flags.only.split(',').map(name => SUITES.find(s => s.name === name) ?? stop(`There is no suite "${name}"; --list names them.`));
}

if (flags.list) {
  for (const { name, about } of SUITES) process.stdout.write(`${name.padEnd(22)}${about}\n`);
  process.exit(0);
}
const suites = chosenSuites();
const [repeat, slowRounds, threads] = [whole('repeat'), whole('slow-rounds', 0), whole('threads')];
// First of all, before anything of ours adds to it.
const loadBefore = load();
if (loadBefore > LOAD_LIMIT && !flags.force)
  stop(
    `The load average is ${loadBefore}: something else is running, and the figures would mean nothing. Wait, or give --force to get a report marked "not clean".`,
  );

const scratches: string[] = [];
const scratch = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'narrows-bench-'));
  scratches.push(directory);
  return directory;
};
let b32: Promise<string> | undefined;
let withTokenizer: Promise<string> | undefined;
const peer = flags.peers ? await Peer.start(threads) : undefined;
const context: Context = {
  repeat,
  slowRounds,
  threads,
  peer,
  scratch,
  status,
  b32() {
    b32 ??= findB32(flags.model, status);
    return b32;
  },
  b32WithTokenizer() {
    withTokenizer ??= (async () => addTokenizer(await context.b32(), await scratch()))();
    return withTokenizer;
  },
};

try {
  const machine = await describeMachine(threads, loadBefore, peer);
  const date = new Date().toISOString();
  const results: { suite: Suite; result: SuiteResult }[] = [];
  for (const suite of suites) {
    status(`${suite.name}: ${suite.about}`);
    results.push({ suite, result: await suite.run(context) });
  }
  machine.loadAfter = load();
  const head = machineMarkdown(machine, date.slice(0, 10));
  const markdown = [head, ...results.map(({ suite, result }) => suiteMarkdown(suite, result, machine.clean))].join('\n');
  const json = {
    schemaVersion: 1,
    date,
    machine,
    settings: { repeat, slowRounds },
    suites: results.map(({ suite: { name }, result }) => ({
      name,
      notes: result.notes ?? [],
      rows: result.rows.map(row => ({ ...row, ratios: ratios(row), verdicts: verdicts(row, machine.clean) })),
    })),
  };
  const base = await freeName(join(flags.output, `${date.slice(0, 10)}-${machineSlug(machine)}`));
  await writeFileAtomic(`${base}.json`, `${JSON.stringify(json, null, 2)}\n`);
  await writeFileAtomic(`${base}.md`, markdown);
  process.stdout.write(`${markdown}\n`);
  status(`Wrote ${base}.json and .md`);
} finally {
  peer?.stop();
  for (const directory of scratches) await rm(directory, { recursive: true, force: true });
}

/** A second run of a day does not overwrite the first. */
async function freeName(base: string): Promise<string> {
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!(await exists(`${name}.json`))) return name;
  }
}
