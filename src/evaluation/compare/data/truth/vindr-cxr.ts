/** @file VinDr-CXR: a CSV row per box of each radiologist, with corners. */
import { NarrowsError } from '../../../../system/errors.ts';
import { readBox } from '../boxes.ts';
import { boxRows, rowNumbers } from './csv-rows.ts';
import { gathered, type TruthForm, type TruthRecord } from './form.ts';

/** What its rows call a picture without findings. */
const NOTHING = 'no finding';

/** The entry. Boxes of several radiologists around one class are one truth: their union. */
export const vindrCxr: TruthForm = {
  name: 'vindr-cxr',
  title: 'VinDr-CXR',
  reading: 'CSV with image_id, class_name, x_min, y_min, x_max, y_max; rows of "No finding" have no box.',
  source: 'Nguyen et al., Scientific Data 2022; PhysioNet vindr-cxr (annotations_train.csv, annotations_test.csv)',
  fits: ({ columns }) => ['image_id', 'class_name', 'x_min'].every(name => columns?.includes(name)),
  async read(file) {
    const rows = await boxRows(file, ['image_id', 'class_name', 'x_min', 'y_min', 'x_max', 'y_max']);
    const none = new Set<string>();
    const records: TruthRecord[] = [];
    for (const row of rows) {
      const { fields, where } = row;
      const corners = rowNumbers(row, ['x_min', 'y_min', 'x_max', 'y_max']);
      if (fields.class_name.toLowerCase() === NOTHING) none.add(fields.image_id);
      else if (!corners) throw new NarrowsError(`${where}: a row of the class ${JSON.stringify(fields.class_name)} needs a box.`);
      else {
        const [x0, y0, x1, y1] = corners;
        records.push({ image: fields.image_id, label: fields.class_name, boxes: [readBox([x0, y0, x1 - x0, y1 - y0], where)], where });
      }
    }
    return { records: gathered(records), none: [...none].filter(image => !records.some(record => record.image === image)) };
  },
};
