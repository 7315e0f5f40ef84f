/** @file What a report says of a phantom chest: a sentence per finding, and of some that are not there. */
import type { RandomReader } from '../../tensor/random.ts';
import type { ChestFinding } from './chest.ts';
import type { Finding, Place } from './finding.ts';
import { FINDINGS, findingOf } from './registry.ts';

/** A place's words put into a sentence. */
export function sentence(template: string, { side, zone, size }: Place): string {
  const filled = template
    .replace('{side}', side ?? '')
    .replace('{zone}', zone ?? '')
    .replace('{size}', size ?? '');
  return filled.replace(/ +/g, ' ').trim();
}

/** The usual sentence of a finding at a place; without a size where none is given. */
export const phraseOf = (name: string, place: Place): string => sentence(findingOf(name).sentences[0], place);

/** A sentence of a report. `finding` is its number in the chest's list, absent where the sentence says that something is not there. */
export interface ReportSentence {
  readonly text: string;
  readonly finding?: number;
}

/** Reports of nothing. */
export const NORMAL = ['the chest is normal', 'no acute finding', 'the lungs are clear'] as const;

/** The sentences of a report in the order in which they are written: all findings, and up to two that are absent. */
export function reportSentences(findings: readonly (Place & { readonly name: string })[], reader: RandomReader): ReportSentence[] {
  const said: ReportSentence[] = findings.map(({ name, ...place }, finding) => ({
    text: sentence(reader.pick(findingOf(name).sentences), place),
    finding,
  }));
  const here = new Set(findings.map(f => f.name));
  const absent: ReportSentence[] = reader
    .shuffle(FINDINGS.filter(f => !here.has(f.name)))
    .slice(0, reader.integer(3))
    .map(f => ({ text: reader.pick(f.absent) }));
  if (said.length === 0) absent.unshift({ text: reader.pick(NORMAL) });
  return [...reader.shuffle(said), ...absent];
}

/** Sentences as one text. */
export const reportText = (sentences: readonly ReportSentence[]): string => `${sentences.map(s => s.text).join('. ')}.`;

/** Every finding at every place: what a chest can be asked about. Sizes are left out. */
export const PLACES: readonly { readonly finding: Finding; readonly place: Place }[] = FINDINGS.flatMap(finding => {
  const sides = finding.sided ? (['left', 'right'] as const) : [undefined];
  const zones = finding.zoned ? (['upper', 'lower'] as const) : [undefined];
  return sides.flatMap(side => zones.map(zone => ({ finding, place: { ...(side && { side }), ...(zone && { zone }) } })));
});

/** Number of a finding in `PLACES`. */
export const placeIndex = ({ name, side, zone }: Pick<ChestFinding, 'name' | 'side' | 'zone'>): number =>
  PLACES.findIndex(({ finding, place }) => finding.name === name && place.side === side && place.zone === zone);

/** All words of reports, sorted. */
export const CHEST_WORDS: readonly string[] = [
  ...new Set(
    [
      ...FINDINGS.flatMap(f => [f.name, ...f.sentences.map(s => s.replace(/\{\w+\}/g, ' ')), ...f.absent]),
      ...NORMAL,
      'left right upper lower small moderate large . , chest x-ray xray radiograph of a an with without and is seen shows image showing on the evidence opposite',
    ].flatMap(text => text.replace('x-ray', 'x - ray').split(/\s+/).filter(Boolean)),
  ),
].sort();
