/** @file RSNA Pneumonia Detection Challenge: a CSV row per box of a lung opacity. */
import { NarrowsError } from '../../../../system/errors.ts';
import { readBox } from '../boxes.ts';
import { boxRows, rowNumbers } from './csv-rows.ts';
import { gathered, type TruthForm, type TruthRecord } from './form.ts';

/** The entry. `patientId` is the set's own random name of a picture (`ID.dcm`). */
export const rsna: TruthForm = {
  name: 'rsna',
  title: 'RSNA Pneumonia',
  reading: 'CSV with patientId, x, y, width, height, Target; rows of Target 0 have no box. The class is "Lung Opacity".',
  source: 'Shih et al., Radiology: Artificial Intelligence 2019; Kaggle rsna-pneumonia-detection-challenge (stage_2_train_labels.csv)',
  fits: ({ columns }) => ['patientid', 'target', 'width'].every(name => columns?.includes(name)),
  async read(file) {
    const rows = await boxRows(file, ['patientid', 'x', 'y', 'width', 'height', 'target']);
    const none = new Set<string>();
    const records: TruthRecord[] = [];
    for (const row of rows) {
      const { fields, where } = row;
      const box = rowNumbers(row, ['x', 'y', 'width', 'height']);
      if (fields.target === '0') none.add(fields.patientid);
      else if (fields.target !== '1') throw new NarrowsError(`${where}: Target must be 0 or 1.`);
      else if (!box) throw new NarrowsError(`${where}: a row of Target 1 needs a box.`);
      else records.push({ image: fields.patientid, label: 'Lung Opacity', boxes: [readBox(box, where)], where });
    }
    return { records: gathered(records), none: [...none] };
  },
};
