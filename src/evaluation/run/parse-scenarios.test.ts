import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenarios.ts';

describe('parseScenario', () => {
  it('reads shifts of pictures, of words, and of both', () => {
    expect(parseScenario('gaussian-noise:5')).toEqual({ name: 'gaussian_noise:5', image: { shift: 'gaussian_noise', severity: 5 } });
    expect(parseScenario('keyboard')).toEqual({ name: 'keyboard:3', text: { shift: 'keyboard', severity: 3 } });
    expect(parseScenario('fog:1 + word_swap:7')).toEqual({
      name: 'fog:1+word_swap:7',
      image: { shift: 'fog', severity: 1 },
      text: { shift: 'word_swap', severity: 7 },
    });
  });

  it('says what is wrong in one sentence', () => {
    expect(() => parseScenario('gausian_noise:3')).toThrow(/no shift "gausian_noise:3".*gaussian_noise/);
    expect(() => parseScenario('fog:6')).toThrow('from 1 to 5');
    expect(() => parseScenario('fog:x')).toThrow('from 1 to 5');
    expect(() => parseScenario('fog:1:2')).toThrow('no shift "fog:1:2"');
    expect(() => parseScenario('fog:1+snow:1')).toThrow('two shifts of pictures');
    expect(() => parseScenario('keyboard:1+ocr:1')).toThrow('two shifts of texts');
  });
});
