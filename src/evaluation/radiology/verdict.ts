/** @file What an audit's figures say, in sentences; and what no map can say. */
import type { AuditFigure, AuditSummary } from './summary.ts';

/** One question with its answer. */
export interface Verdict {
  readonly question: string;
  readonly answer: 'yes' | 'no' | 'open' | 'not asked';
  readonly sentence: string;
}

const share = (v: number): string => `${(100 * v).toFixed(0)} %`;
const points = ({ mean, low, high }: AuditFigure): string =>
  `${(100 * mean).toFixed(1)} points [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
const rate = ({ mean, low, high, n }: AuditFigure): string => `${share(mean)} [${share(low)}, ${share(high)}] of ${n}`;

/** Pictures below which an interval is not believed. */
const FEW = 10;

/** yes: the whole interval above `chance`; no: the whole interval at or below it; else open. */
function judge(figure: AuditFigure, chance: number): 'yes' | 'no' | 'open' {
  if (figure.pictures < FEW || !Number.isFinite(figure.low)) return 'open';
  return figure.low > chance ? 'yes' : figure.high <= chance ? 'no' : 'open';
}

function verdict(question: string, figure: AuditFigure | undefined, chance: number, say: (figure: AuditFigure) => string): Verdict {
  if (!figure) return { question, answer: 'not asked', sentence: 'No finding of these data could be asked.' };
  const answer = judge(figure, chance);
  const why = answer !== 'open' ? '' : figure.pictures < FEW ? ` Fewer than ${FEW} pictures decide nothing.` : ' The interval allows both.';
  return { question, answer, sentence: `${say(figure)}${why}` };
}

/** The answers of a class, or of all. */
export function verdicts({ figures: f }: AuditSummary): Verdict[] {
  return [
    verdict(
      'Does the map lie on the finding more than a map that says nothing?',
      f['beyond-area'],
      0,
      d => `${share(f.inside.mean)} of it is inside the boxes, which take ${share(f.area.mean)} of the view: ${points(d)} more.`,
    ),
    verdict('… more than one that points at the centre?', f['beyond-centre'], 0, d => `${points(d)} more.`),
    verdict(
      '… more than with random weights?',
      f['beyond-randomised'],
      0,
      d => `${points(d)} more than the same method on the model whose image blocks were drawn again.`,
    ),
    verdict('Does the map heed the words?', f['beyond-shuffled'], 0, d => `${points(d)} more than the map of another picture's finding.`),
    verdict(
      'Does the model prefer the report’s finding to another one?',
      f['said-rather-than-shuffled'],
      0.5,
      d => `Its cosine is the higher one in ${rate(d)}.`,
    ),
    verdict(
      'Does the model tell left from right?',
      f['said-rather-than-mirrored'],
      0.5,
      d => `The cosine of the phrase is above that of the phrase with the sides exchanged in ${rate(d)}.`,
    ),
    verdict('Does the map tell left from right?', f['beyond-mirrored'], 0, d => `${points(d)} more inside than the map of the other side.`),
    verdict(
      'Does the model tell a finding from its denial?',
      f['said-rather-than-denied'],
      0.5,
      d => `The cosine of the phrase is above that of “no …” in ${rate(d)}.`,
    ),
    verdict(
      'Does the map tell a finding from its denial?',
      f['beyond-denied'],
      0,
      d =>
        `${points(d)} more inside than the map of “no …”; the two maps are alike by a rank correlation of ${f['like-denied']?.mean.toFixed(2) ?? '—'}.`,
    ),
  ];
}

/** What holds of every map, whatever the figures. */
export const LIMITS: readonly string[] = [
  'A map shows where the model’s agreement with a sentence comes from. It does not show that the finding is there, and a model that is wrong has a map too.',
  'A map on the box does not show that the model sees what a radiologist sees there: a marker, a tube or a border inside of the box serves as well.',
  'A map off the box may be right: consequences of a finding (a shifted heart, a drain) are evidence, and are outside.',
  'What a model does not need it leaves out: of two signs one may stay dark.',
  'Shares depend on how large boxes are; compare them with the controls of the same class, never between classes.',
  'Nothing here is a measure of diagnosis. It is an audit of a model on these pictures, and of no other ones.',
];
