import { expect, it } from 'vitest';
import { scoreText } from './box-line.tsx';

it('says where the strongest place is: inside, outside, or some of several', () => {
  const score = { energy: 0.712, area: 0.094 };
  expect(scoreText({ ...score, pointing: 1 })).toBe('71.2 % of the map in 9.4 % of the area, its strongest place inside');
  expect(scoreText({ ...score, pointing: 0 })).toBe('71.2 % of the map in 9.4 % of the area, its strongest place outside');
  expect(scoreText({ ...score, pointing: 0.125 })).toBe('71.2 % of the map in 9.4 % of the area, 12.5 % of its strongest places inside');
  expect(scoreText({ energy: null, pointing: 0.125, area: 0.1, note: 'Nowhere positive.' })).toBe('Nowhere positive.');
});
