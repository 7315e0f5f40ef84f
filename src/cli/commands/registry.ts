/** @file All commands. A module is imported only when its command is called, so that help and small commands start at once. */
import type { CommandModule } from '../command.ts';

/** A line of the command table. `name` may be two words. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** In the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'attribute',
    summary: 'Show what a model relies on, in an image and in its caption',
    load: async () => (await import('./attribute.ts')).attributeCommand,
  },
  {
    name: 'methods',
    summary: 'List the attribution methods, or describe one',
    load: async () => (await import('./methods.ts')).methodsCommand,
  },
  {
    name: 'metrics',
    summary: 'List the metrics of attributions, or describe one',
    load: async () => (await import('./metrics.ts')).metricsCommand,
  },
  {
    name: 'compare',
    summary: 'Compare attribution methods by many metrics, with seeds, controls and intervals',
    load: async () => (await import('./compare.ts')).compareCommand,
  },
  {
    name: 'audit',
    summary: 'Audit a model on radiographs with reports and boxes: where its maps lie, and what they cannot tell',
    load: async () => (await import('./audit.ts')).auditCommand,
  },
  {
    name: 'roar',
    summary: 'Remove what maps rank highest, train again, and measure what was lost (ROAR+)',
    load: async () => (await import('./roar.ts')).roarCommand,
  },
  {
    name: 'chat',
    summary: 'Ask a LLaVA about pictures, in the terminal or by lines',
    load: async () => (await import('./chat.ts')).chatCommand,
  },
  {
    name: 'generate',
    summary: 'Let a LLaVA answer a file of questions, with resume',
    load: async () => (await import('./generate.ts')).generateCommand,
  },
  {
    name: 'serve',
    summary: "Serve a LLaVA to programs that speak OpenAI's chat interface",
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'studio',
    summary: 'Open the studio: attribute, chat, audit and look at results in a page on this machine',
    load: async () => (await import('./studio.ts')).studioCommand,
  },
  {
    name: 'benchmarks',
    summary: 'List the sets of questions, or say where one is to be had and how it is read',
    load: async () => (await import('./benchmarks.ts')).benchmarksCommand,
  },
  {
    name: 'evaluate',
    summary: 'Let a model answer benchmarks, clean and under shifts, and score its answers',
    load: async () => (await import('./evaluate.ts')).evaluateCommand,
  },
  {
    name: 'evaluate compare',
    summary: 'Compare runs of several models over the same questions',
    load: async () => (await import('./evaluate-compare.ts')).evaluateCompareCommand,
  },
  {
    name: 'emi',
    summary: 'Measure what answers say of their inputs, clean and under shifts (EMI, EMID and its bound)',
    load: async () => (await import('./emi.ts')).emiCommand,
  },
  {
    name: 'judge',
    summary: 'Let a judge behind an endpoint compare answers with references, or sum up reviews',
    load: async () => (await import('./judge.ts')).judgeCommand,
  },
  {
    name: 'verify',
    summary: 'Compare a model with values that PyTorch computed',
    load: async () => (await import('./verify.ts')).verifyCommand,
  },
  {
    name: 'scenes',
    summary: 'Write labelled emoji scenes: images, captions, boxes, masks',
    load: async () => (await import('./scenes.ts')).scenesCommand,
  },
  {
    name: 'shifts',
    summary: 'List image corruptions and text perturbations, describe one, or apply one',
    load: async () => (await import('./shifts.ts')).shiftsCommand,
  },
  {
    name: 'train clip',
    summary: 'Train a small CLIP on scenes or on image–caption pairs',
    load: async () => (await import('./train-clip.ts')).trainClipCommand,
  },
  {
    name: 'train projector',
    summary: "Train a LLaVA's projector on captions (stage 1)",
    load: async () => (await import('./train-projector.ts')).trainProjectorCommand,
  },
  {
    name: 'train tune',
    summary: 'Tune a LLaVA on conversations: whole, by LoRA, or through a bottleneck',
    load: async () => (await import('./train-tune.ts')).trainTuneCommand,
  },
  {
    name: 'train report',
    summary: "Write a page about a training run: loss, evaluations, a bottleneck's KL, settings, warnings",
    load: async () => (await import('./train-report.ts')).trainReportCommand,
  },
  {
    name: 'experiment vittle-scenes',
    summary: 'Measure what Vittle does on the built-in scenes, against the usual baselines',
    load: async () => (await import('./experiment-vittle.ts')).experimentVittleCommand,
  },
  {
    name: 'data inspect',
    summary: 'Show which parts of instruction data are learnt, which are image, and which are masked',
    load: async () => (await import('./data-inspect.ts')).dataInspectCommand,
  },
  {
    name: 'models list',
    summary: 'List the shipped models and those in the hub cache',
    load: async () => (await import('./models-list.ts')).modelsListCommand,
  },
  {
    name: 'models info',
    summary: 'Describe a model: layers, grid, parameters, files, hash',
    load: async () => (await import('./models-info.ts')).modelsInfoCommand,
  },
  {
    name: 'models convert',
    summary: 'Convert an original LLaVA, or merge a LoRA adapter into its base',
    load: async () => (await import('./models-convert.ts')).modelsConvertCommand,
  },
  {
    name: 'models download',
    summary: 'Fetch a model from the Hugging Face hub into the shared cache',
    load: async () => (await import('./models-download.ts')).modelsDownloadCommand,
  },
  {
    name: 'doctor',
    summary: 'Check this machine: versions, threads, cache, a short benchmark',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
];

/** Summaries of the words that stand before two-word commands. */
export const groups: Readonly<Record<string, string>> = {
  train: 'Train a model',
  experiment: 'Run an experiment from end to end',
  data: 'Look at training data',
  models: 'List, describe and fetch models',
};
