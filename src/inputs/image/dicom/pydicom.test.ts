/** DICOM files against pydicom: stored numbers, modality values and every view, equal to the last bit (SIGMOID and lossy JPEG aside). */
import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { compareWithPydicom, golden, testdata } from './testing/pydicom-golden.ts';

describe('files that make_dicom.py wrote', () => {
  for (const [name, facts] of Object.entries(golden.own))
    if (!facts.refused && name !== 'bits-32.dcm' && name !== 'palette.dcm' && name !== 'unknown-syntax.dcm')
      it(name, () => compareWithPydicom(`${testdata}${name}`, facts));
});

describe('files that pydicom is tested with', () => {
  for (const [name, facts] of Object.entries(golden.pydicom))
    if (!facts.refused && existsSync(`${testdata}pydicom/${name}`)) it(name, () => compareWithPydicom(`${testdata}pydicom/${name}`, facts));
});
