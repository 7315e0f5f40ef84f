import { describe, expect, it } from 'vitest';
import type { Attribution, Convergence } from '../../attribution/result.ts';
import { figureSvg, reportHtml } from './bound.ts';
import { rowOf } from './index-row.ts';
import { attributionFromJson, attributionToJson } from './json.ts';
import { terminalSummary } from './terminal.ts';
import { exampleResult } from './testdata/example-result.ts';
import { doubtfulNotes, verdictOf } from './verdict.ts';

const plain = exampleResult({ caption: 'a cat', width: 96, height: 96 });

/** The result with other verdicts of its maps. */
function judged(image: Convergence['verdict'], text: Convergence['verdict']): Attribution {
  const as = (verdict: Convergence['verdict'], convergence: Convergence): Convergence => ({
    ...convergence,
    verdict,
    note: `It is ${verdict}.`,
  });
  return {
    ...plain,
    image: { ...plain.image!, convergence: as(image, plain.image!.convergence) },
    text: { ...plain.text!, convergence: as(text, plain.text!.convergence) },
  };
}

describe('verdicts of a result', () => {
  it('are those of its worst map, in rows and lines', () => {
    expect(verdictOf(judged('converged', 'unsettled'))).toBe('unsettled');
    expect(verdictOf(judged('not-converged', 'unsettled'))).toBe('not-converged');
    expect(verdictOf(judged('no-optimisation', 'converged'))).toBe('converged');
    expect(verdictOf({ ...plain, image: undefined, text: undefined })).toBe('no-optimisation');
    expect(rowOf(judged('converged', 'unsettled')).verdict).toBe('nats not settled');
    expect(rowOf(judged('no-optimisation', 'no-optimisation')).verdict).toBe('no optimisation');
    expect(terminalSummary(judged('not-converged', 'converged'))).toContain(' · NOT CONVERGED');
  });

  it('stand with the very number that is not settled', () => {
    const summary = terminalSummary(judged('converged', 'unsettled'));
    expect(summary).toMatch(/image [\d.]+ bits · caption [\d.]+ bits \(not settled\)$/);
    expect(terminalSummary(judged('unsettled', 'converged'))).toMatch(/image [\d.]+ bits \(not settled\) · caption [\d.]+ bits$/);
    expect(terminalSummary(plain)).not.toContain('settled');
  });

  it('stand there in the picture and on the page, too', async () => {
    const image = { width: 96, height: 96, data: new Uint8Array(96 * 96 * 3).fill(200) };
    const result = judged('converged', 'unsettled');
    const svg = (await figureSvg(result, image)).replace(/<[^>]+>/g, '');
    expect(svg).toMatch(/image [\d.]+ bits\s+·\s+caption [\d.]+ bits \(not settled\)/);
    // The badge at the picture's corner, as "not converged" has one.
    expect(svg).toContain('nats not settled');
    const page = await reportHtml([{ result, image }]);
    expect(page).toMatch(/<span>image <b>[\d.]+ bits<\/b><\/span>/);
    expect(page).toMatch(/<span>caption <b>[\d.]+ bits<\/b> \(not settled\)<\/span>/);
    expect(page).toMatch(/<span class="badge unsettled" title="It is unsettled\.">caption: nats not settled<\/span>/);
  });

  it('are explained for each map, once where both say the same', () => {
    expect(doubtfulNotes(judged('unsettled', 'converged'))).toEqual(['Image map: It is unsettled.']);
    expect(doubtfulNotes(judged('unsettled', 'not-converged'))).toEqual([
      'Image map: It is unsettled.',
      'Caption map: It is not-converged.',
    ]);
    expect(doubtfulNotes(judged('unsettled', 'unsettled'))).toEqual(['It is unsettled.']);
    expect(doubtfulNotes(plain)).toEqual([]);
  });

  it('are kept by files', () => {
    const read = attributionFromJson(attributionToJson(judged('unsettled', 'converged')));
    expect([read.image!.convergence.verdict, read.text!.convergence.verdict]).toEqual(['unsettled', 'converged']);
  });
});
