/**
 * @file Maps of answers on scenes: methods and M2IB's settings by metrics with 95 % intervals and controls, and whether grounding foretells
 * invented answers. Finished cells stand in OUTPUT/answers-cells.jsonl, which begins with those of an earlier sitting (--from); a stopped run goes
 * on; --tables writes what there is, also while a run goes on.
 * usage: node --import tsx bench/evidence/answers.ts [--model REF] [--scenes 200] [--pope 500] [--each 3] [--sanity 20] [--output DIR] [--from FILE.gz] [--tables]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MapJudge, variants } from './answers/maps.ts';
import { askPope, PopeJudge, popeQuestions, saidYes } from './answers/pope.ts';
import { Untrained } from './answers/sanity.ts';
import { Study } from './answers/study.ts';
import { mapTables, popeTables } from './answers/tables.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-llava' },
    scenes: { type: 'string', default: '200' },
    pope: { type: 'string', default: '500' },
    // Right answers that are explained for every invented one.
    each: { type: 'string', default: '3' },
    seed: { type: 'string', default: '20261129' },
    output: { type: 'string', default: 'out/evidence' },
    // Finished cells of an earlier sitting, taken where OUTPUT has none.
    from: { type: 'string', default: 'docs/evidence/answers-cells.jsonl.gz' },
    // Questions on which maps are held against those of models that were drawn again.
    sanity: { type: 'string', default: '20' },
    tables: { type: 'boolean', default: false },
  },
});

await using study = await Study.open(flags.model, Number(flags.seed), flags);
const pope = await popeQuestions(study, Number(flags.pope));
if (!flags.tables) {
  const judge = new MapJudge(study, variants(study));
  const grounding = new PopeJudge(study);
  const minutes = (): string => {
    const { user, system } = process.cpuUsage();
    return ((user + system) / 60e6).toFixed(1);
  };
  // Parts take turns, so that a run that is stopped has some of each.
  const scenes = Number(flags.scenes);
  let [n, asked, explained] = [0, 0, 0];
  for await (const one of study.cases(scenes)) {
    await judge.judge(one, n, n % 4 === 0);
    n++;
    for (const until = Math.min(pope.length, Math.ceil((pope.length * n * 8) / scenes)); asked < until; asked++)
      await askPope(study, pope[asked]);
    const said = saidYes(study, pope, Number(flags.each));
    for (const until = Math.min(said.length, 4 * n); explained < until; explained++) await grounding.judge(said[explained]);
    console.error(`${n} scenes, ${asked} asked, ${explained} of ${said.length} explained: ${minutes()} CPU-minutes`);
  }
  // Where maps lie is known of all scenes then; what they are worth follows on those that are left.
  n = 0;
  for await (const one of study.cases(scenes)) {
    await judge.judge(one, n++, true);
    console.error(`${n} scenes whole: ${minutes()} CPU-minutes`);
  }
  await using untrained = new Untrained(study);
  for await (const one of study.cases(Number(flags.sanity))) await judge.judgeSanity(one, untrained.models);
  await judge.release();
  await grounding.release();
}
const lines = [...mapTables(study, variants(study)), ...popeTables(study, pope, saidYes(study, pope, Number(flags.each)))];
writeFileSync(join(flags.output, 'answers.md'), `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
