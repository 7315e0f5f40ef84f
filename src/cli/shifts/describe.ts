/** @file Shifts and suites in words, or as JSON. */
import { shifts } from '../../shifts/registry.ts';
import type { Shift } from '../../shifts/shift.ts';
import { suites } from '../../shifts/suites/registry.ts';
import { scenarioKind } from '../../shifts/suites/scenario.ts';
import type { Suite } from '../../shifts/suites/suite.ts';
import type { Context } from '../command.ts';
import { formatTable } from '../table.ts';

/** What JSON says of a shift: all but its functions. */
const facts = (shift: Shift): object => JSON.parse(JSON.stringify(shift)) as object;

/** All shifts, then the suites. */
export function listShifts(context: Context): void {
  if (context.json) {
    const sets = suites.map(({ scenarios, ...suite }) => ({ ...suite, modality: 'suite', scenarios: scenarios.length }));
    context.print(JSON.stringify([...shifts.map(facts), ...sets]));
    return;
  }
  const rows = shifts.map(s => [s.name, s.modality, s.severities === 1 ? '1' : `1-${s.severities}`, s.summary]);
  context.print(formatTable(['shift', 'changes', 'severity', 'what it does'], rows, context.columns));
  const sets = suites.map(s => [s.name, String(s.scenarios.length), s.marked, s.description]);
  context.print(`\n${formatTable(['suite', 'scenarios', 'choice', 'what it is'], sets, context.columns)}`);
}

/** One suite with its scenarios. */
export function describeSuite(context: Context, suite: Suite): void {
  const rows = suite.scenarios.map(s => [s.name, scenarioKind(s)]);
  if (context.json) context.print(JSON.stringify(suite));
  else
    context.print(
      `${suite.name} (${suite.marked})\n${suite.description}\n\n${formatTable(['scenario', 'changes'], rows, context.columns)}`,
    );
}

/** One shift. */
export function describeShift(context: Context, shift: Shift): void {
  const remark = shift.modality === 'image' ? shift.remark?.({}) : undefined;
  const grades = shift.severities === 1 ? 'severity 1' : shift.modality === 'image' ? 'severity 1 to 5' : 'severity r, 1 to 7';
  const rows = [
    ['changes', shift.modality === 'image' ? 'a picture' : 'a text'],
    ['does', shift.summary],
    [grades, shift.constants],
    ...(shift.modality === 'image' ? [['--reference-size scales', shift.scaled || 'nothing']] : []),
    ['random', shift.random ? 'yes: --seed, --sample' : 'no'],
    ['source', shift.source],
    ...(remark === undefined ? [] : [['note', remark]]),
  ];
  if (context.json) context.print(JSON.stringify(facts(shift)));
  else context.print(`${shift.name}\n\n${formatTable(['', ''], rows, context.columns)}`);
}
