/** @file Writes docs/methods.md, docs/metrics.md, docs/shifts.md, docs/benchmarks.md and docs/scorers.md from the registries. usage: node --import tsx scripts/docs.ts */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../src/node/files.ts';
import { benchmarksPage } from './benchmarks-page.ts';
import { methodsPage, metricsPage, shiftsPage } from './pages.ts';
import { scorersPage } from './scorers-page.ts';

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs');
await writeFileAtomic(join(docs, 'methods.md'), methodsPage());
await writeFileAtomic(join(docs, 'metrics.md'), metricsPage());
await writeFileAtomic(join(docs, 'shifts.md'), shiftsPage());
await writeFileAtomic(join(docs, 'benchmarks.md'), benchmarksPage());
await writeFileAtomic(join(docs, 'scorers.md'), scorersPage());
