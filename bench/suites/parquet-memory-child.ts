/** @file Child of `parquet-memory`: loads a set and reads the bytes of every picture. usage: parquet-memory-child.ts FILE */
import { findBenchmark } from '../../src/evaluation/benchmarks/registry.ts';

const { questions } = await findBenchmark('pope').load({ data: process.argv[2] });
for (const { pictures } of questions) await pictures[0].bytes?.();
