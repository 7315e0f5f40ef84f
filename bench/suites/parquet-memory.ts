/** @file Resident memory while the pictures of a large parquet file are read one by one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import { RandomStream } from '../../src/tensor/random.ts';
import { inRepository } from '../models.ts';
import { runNode } from '../process.ts';
import { type Context, type Suite, type SuiteResult, skipped } from '../suite.ts';

const MB = 1e6;
const SIZES = { few: 1000, many: 10_000 } as const;
/** Bytes of a picture: a JPEG of COCO has about as many. */
const PICTURE = 120_000;
const GROUP = 100;
const LIMIT = 500;

async function* rows(count: number): AsyncGenerator<Record<string, unknown>> {
  const stream = new RandomStream(0, 'bench.parquet');
  const noise = new Uint8Array(2 * PICTURE);
  const reader = stream.reader(0, 0);
  for (let i = 0; i < noise.length; i++) noise[i] = reader.integer(256);
  for (let i = 0; i < count; i++) {
    // Parts of one noise: nothing that a codec can shrink, and no time spent on drawing it.
    const image = noise.slice(i % PICTURE, (i % PICTURE) + PICTURE);
    yield {
      question_id: String(i),
      question: `Is there a thing ${i} in the image?`,
      answer: i % 2 ? 'yes' : 'no',
      image_source: `image ${i}`,
      category: 'random',
      image,
    };
  }
}

async function write(file: string, count: number): Promise<void> {
  const texts = ['question_id', 'question', 'answer', 'image_source', 'category'] as const;
  await parquetWriteRows({
    writer: fileWriter(file),
    rows: rows(count),
    columns: [...texts.map(name => ({ name, type: 'STRING' as const })), { name: 'image', type: 'BYTE_ARRAY' as const }],
    rowGroupSize: GROUP,
  });
}

async function run({ repeat, status, scratch }: Context): Promise<SuiteResult> {
  if (process.platform !== 'linux') return skipped('memory is read from /proc, which only Linux has');
  const folder = await scratch();
  const peaks = { few: [] as number[], many: [] as number[] };
  for (const size of ['few', 'many'] as const) {
    const file = join(folder, `${size}.parquet`);
    await write(file, SIZES[size]);
    for (let round = 0; round < Math.min(repeat, 3); round++) {
      const child = inRepository('bench', 'suites', 'parquet-memory-child.ts');
      const { memory, seconds } = await runNode(['--import', 'tsx', child, file], inRepository(), true);
      if (!memory) return skipped('the process ended before its memory could be read');
      peaks[size].push(memory.resident / MB);
      status(`  ${SIZES[size]} rows, run ${round + 1}: ${(memory.resident / MB).toFixed(0)} MB, ${seconds.toFixed(1)} s`);
    }
    await rm(file);
  }
  return {
    rows: [
      { name: `peak resident, ${SIZES.few} rows`, unit: 'MB', values: peaks.few },
      { name: `peak resident, ${SIZES.many} rows`, unit: 'MB', values: peaks.many, aims: [{ atMost: LIMIT }] },
    ],
    notes: [`Pictures of ${PICTURE / 1000} kB in row groups of ${GROUP}: the larger file has ${(SIZES.many * PICTURE) / 1e9} GB.`],
  };
}

/** See the file's head. */
export const parquetMemory: Suite = {
  name: 'parquet-memory',
  about:
    'Peak resident memory (VmHWM) of a process that loads a set of questions from one parquet file and reads the bytes of every picture.',
  run,
};
