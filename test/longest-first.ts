/** @file The order of test files: the longest first, so that no worker is alone with one at the end. */
import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest as measured, the longest first; of the others the larger ones. */
const LONG: readonly string[] = [
  'test/ranks.test.ts',
  'src/tuning/llava/exact-resume.test.ts',
  'src/tuning/clip/exact-resume.test.ts',
  'test/studio/site.test.ts',
  'src/tuning/parallel/ranks.test.ts',
  'test/bad-input.test.ts',
  'test/evaluate.test.ts',
  'test/studio/server.test.ts',
  'test/cli.test.ts',
  'test/pictures.test.ts',
  'test/long-work.test.ts',
  'src/cli/families.test.ts',
  'src/evaluation/compare/engine/engine.test.ts',
  'src/web/files.test.ts',
  'src/web/maps.test.ts',
  'src/web/pictures.test.ts',
  'torture/fuzz/fuzz.test.ts',
  'src/cli/attribute/audit-ranks.test.ts',
  'src/tuning/llava/families.test.ts',
  'src/experiments/vittle-scenes/pretrain.test.ts',
  'src/tuning/llava/train.test.ts',
  'src/experiments/vittle-scenes/run.test.ts',
  'src/tuning/llava/patch-stage.test.ts',
  'src/report/comparison/values.test.ts',
  'src/tuning/clip/pairs.test.ts',
  'src/tuning/llava/bottleneck-forms.test.ts',
  'src/tuning/llava/isolated-run.test.ts',
];

/** Files with processes of their own before those that share some, whose processes stay only while their files follow each other. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number[] => {
      const name = relative(this.ctx.config.root, moduleId).split(sep).join('/');
      const long = LONG.indexOf(name);
      return [project.config.isolate ? 0 : 1, long < 0 ? LONG.length : long, -statSync(moduleId).size];
    };
    const places = new Map(files.map(file => [file, place(file)]));
    const compare = (a: number[], b: number[]): number => a.map((value, i) => value - b[i]).find(difference => difference !== 0) ?? 0;
    return [...files].sort((a, b) => compare(places.get(a)!, places.get(b)!));
  }
}
