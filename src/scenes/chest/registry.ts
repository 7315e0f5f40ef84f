/** @file The findings of the phantom chest. */
import { NarrowsError } from '../../system/errors.ts';
import type { Finding } from './finding.ts';
import { cardiomegaly } from './findings/cardiomegaly.ts';
import { centralLine } from './findings/central-line.ts';
import { lungOpacity } from './findings/lung-opacity.ts';
import { nodule } from './findings/nodule.ts';
import { pacemaker } from './findings/pacemaker.ts';
import { pleuralEffusion } from './findings/pleural-effusion.ts';
import { pneumothorax } from './findings/pneumothorax.ts';

/** All findings, in the order in which they are painted. */
export const FINDINGS: readonly Finding[] = [cardiomegaly, lungOpacity, nodule, pneumothorax, pleuralEffusion, centralLine, pacemaker];

/** A finding by its name. @throws NarrowsError that lists the names */
export function findingOf(name: string): Finding {
  const finding = FINDINGS.find(each => each.name === name);
  if (finding) return finding;
  throw new NarrowsError(`There is no finding "${name}" of the phantom chest; there are ${FINDINGS.map(f => f.name).join(', ')}.`, {
    kind: 'usage',
  });
}
